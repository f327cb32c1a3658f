// How an instance is, and who is told: its state from its checks, the canary and drains;
// heartbeats.
import { type Clock, every } from '../shared/clock.ts';
import { describeError, OperationalError } from '../shared/errors.ts';
import type { Log } from '../shared/log.ts';
import type { Member, Store } from '../shared/store/types.ts';
import type { DnsEvent } from './events.ts';
import { POOLS_UNIT, SERVICE } from './name.ts';

export type DnsState = 'starting' | 'running' | 'not-ready' | 'draining' | 'drained' | 'stopped';
export type Check = { name: string; problem?: string };

export type PresenceOptions = {
  node: string;
  version: string;
  address?: string;
  store: Store;
  /** Resolves with what is wrong. */
  canary: () => Promise<string | undefined>;
  /** What else has to be well. */
  checks: () => readonly Check[];
  isDrainWanted: () => boolean;
  applied: () => { dns: number; pools: number };
  drift: () => readonly string[];
  clock: Clock;
  signal: AbortSignal;
  log: Log<DnsEvent>;
};

const HEARTBEAT_MS = 1000;
const CANARY_MS = 5000;
/** After a drain began, resolvers go on asking for a while. */
const QUIET_MS = 5000;

export class Presence {
  readonly startedAt: number;
  readonly #options: PresenceOptions;
  #state: DnsState = 'starting';
  #isOpen = false;
  #drainAsked = false; // by the control socket; lasts as long as the process
  #isDraining = false;
  #canaryProblem: string | undefined = 'has not run yet';
  #beating: Promise<void> = Promise.resolve();

  constructor(options: PresenceOptions) {
    this.#options = options;
    this.startedAt = options.clock.nowMs();
  }

  get state(): DnsState {
    return this.#state;
  }

  get canaryProblem(): string | undefined {
    return this.#canaryProblem;
  }

  /** When the ways in are open. */
  async start(): Promise<void> {
    const { clock, signal } = this.#options;
    this.#isOpen = true;
    every(clock, HEARTBEAT_MS, () => this.beatSoon(), signal);
    every(clock, CANARY_MS, () => void this.#runCanary(), signal);
    await this.#runCanary();
    await this.#beat();
  }

  async stop(): Promise<void> {
    await this.#beating;
    this.#state = 'stopped';
    const { store, node } = this.#options;
    await this.#tellStore(() => store.leave(SERVICE, node));
  }

  setDrain(asked: boolean): void {
    this.#drainAsked = asked;
    this.evaluate();
  }

  checks(): Check[] {
    const check = (name: string, problem: string | false | undefined): Check =>
      problem === false || problem === undefined ? { name } : { name, problem };
    return [
      ...this.#options.checks(),
      check('listening', !this.#isOpen && 'starting'),
      check('canary', this.#canaryProblem),
      check('not drained', this.#isDraining && `the node is ${this.#state}`),
    ];
  }

  beatSoon(): void {
    if (this.#isOpen) this.#beating = this.#beating.then(() => this.#beat());
  }

  /** From what is known to the state, and to what follows from it. */
  evaluate(): void {
    const { signal, isDrainWanted } = this.#options;
    if (signal.aborted || !this.#isOpen) return;
    const before = this.#state;
    this.#setDraining(this.#drainAsked || isDrainWanted());
    const well = this.checks().every(({ problem, name }) => !problem || name === 'not drained');
    if (this.#isDraining) this.#state = this.#state === 'drained' ? 'drained' : 'draining';
    else this.#state = well ? 'running' : 'not-ready';
    if (this.#state !== before) this.beatSoon();
  }

  async #beat(): Promise<void> {
    await this.#tellStore(() => this.#options.store.heartbeat(this.#self()));
    this.evaluate();
  }

  async #tellStore(tell: () => Promise<void>): Promise<void> {
    try {
      await tell();
    } catch (error) {
      if (!(error instanceof OperationalError)) throw error;
      this.#options.log.debug('heartbeat-failed', describeError(error), { error });
    }
  }

  async #runCanary(): Promise<void> {
    const { canary, log, signal } = this.#options;
    const before = this.#canaryProblem;
    const now = await canary();
    if (signal.aborted) return;
    this.#canaryProblem = now;
    if (now === undefined && before !== undefined) log.info('canary-passed', 'it answers', {});
    if (now !== undefined && now !== before) log.warn('canary-failed', now, {});
    this.evaluate();
  }

  #setDraining(wanted: boolean): void {
    if (wanted === this.#isDraining) return;
    const { log, clock, signal } = this.#options;
    this.#isDraining = wanted;
    if (!wanted) {
      log.info('drain-ended', 'the node is ready again', {});
      return;
    }
    log.info('drain-started', 'the node is not ready; what is asked is answered', {});
    const drained = () => {
      if (!this.#isDraining) return;
      this.#state = 'drained';
      log.info('drained', 'clients have had time to turn to the others', {});
      this.beatSoon();
    };
    clock.after(QUIET_MS, drained, signal);
  }

  #self(): Member {
    const { node, version, address, clock, applied, drift } = this.#options;
    const { dns, pools } = applied();
    const [problem] = drift();
    return {
      service: SERVICE,
      node,
      version,
      state: this.#state,
      applied: { [SERVICE]: dns, [POOLS_UNIT]: pools },
      ...(problem === undefined ? {} : { drift: problem }),
      ...(address === undefined ? {} : { address }),
      startedAt: this.startedAt,
      clockMs: clock.nowMs(),
    };
  }
}
