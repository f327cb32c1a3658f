// How an instance is, and who is told: its state from its checks, the canary and drains;
// heartbeats.
import { type Clock, every } from './clock.ts';
import { Coalesced } from './coalesced.ts';
import { describeError, OperationalError } from './errors.ts';
import type { Log } from './log.ts';
import type { Member, Store } from './store/types.ts';

export type PresenceState =
  | 'starting'
  | 'running'
  | 'not-ready'
  | 'draining'
  | 'drained'
  | 'stopped';
export type Check = { name: string; problem?: string };

export type PresenceEvent = 'heartbeat-failed' | 'drain-started' | 'drain-ended' | 'drained';

export type PresenceOptions = {
  service: string;
  node: string;
  version: string;
  address?: string;
  store: Store;
  /** Resolves with what is wrong. Absent: `checks` say it all. */
  canary?: () => Promise<string | undefined>;
  /** It said something else than before; undefined: all is well. */
  onCanary?: (problem: string | undefined) => void;
  /** What else has to be well. */
  checks: () => readonly Check[];
  isDrainWanted: () => boolean;
  /** Versions in force, by unit. */
  applied: () => Readonly<Record<string, number>>;
  drift: () => readonly string[];
  /** Once a drain began or ended. */
  onDraining?: (isDraining: boolean) => void;
  /** Asked again and again while it drains: nobody depends on it any more. */
  isQuiet: (drainingMs: number) => boolean;
  clock: Clock;
  signal: AbortSignal;
  log: Log<PresenceEvent>;
};

const HEARTBEAT_MS = 1000;
const CANARY_MS = 5000;

export class Presence {
  readonly startedAt: number;
  readonly #options: PresenceOptions;
  #state: PresenceState = 'starting';
  #isOpen = false;
  #drainAsked = false; // by the control socket; lasts as long as the process
  #isDraining = false;
  #drainingSinceMs = 0;
  #canaryProblem: string | undefined;
  readonly #beats: Coalesced;

  constructor(options: PresenceOptions) {
    this.#options = options;
    this.startedAt = options.clock.nowMs();
    this.#beats = new Coalesced(() => this.#beat(), options.signal);
    if (options.canary !== undefined) this.#canaryProblem = 'has not run yet';
  }

  get state(): PresenceState {
    return this.#state;
  }

  get canaryProblem(): string | undefined {
    return this.#canaryProblem;
  }

  /** When the ways in are open. */
  async start(): Promise<void> {
    const { clock, canary, signal } = this.#options;
    this.#isOpen = true;
    every(clock, HEARTBEAT_MS, () => this.beatSoon(), signal);
    if (canary !== undefined) {
      every(clock, CANARY_MS, () => void this.#runCanary(canary), signal);
      await this.#runCanary(canary);
    }
    this.#beats.soon();
    await this.#beats.idle();
  }

  async stop(): Promise<void> {
    await this.#beats.idle();
    this.#state = 'stopped';
    const { store, service, node } = this.#options;
    await this.#tellStore(() => store.leave(service, node));
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
      ...(this.#options.canary === undefined ? [] : [check('canary', this.#canaryProblem)]),
      check('not drained', this.#isDraining && `the node is ${this.#state}`),
    ];
  }

  beatSoon(): void {
    if (this.#isOpen) this.#beats.soon();
  }

  /** From what is known to the state, and to what follows from it. */
  evaluate(): void {
    const { signal, isDrainWanted } = this.#options;
    if (signal.aborted || !this.#isOpen) return;
    const before = this.#state;
    this.#setDraining(this.#drainAsked || isDrainWanted());
    const well = this.checks().every(({ problem, name }) => !problem || name === 'not drained');
    if (!this.#isDraining) this.#state = well ? 'running' : 'not-ready';
    else if (this.#state !== 'drained') this.#state = this.#isQuiet() ? 'drained' : 'draining';
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

  async #runCanary(canary: () => Promise<string | undefined>): Promise<void> {
    const { onCanary, signal } = this.#options;
    const before = this.#canaryProblem;
    const now = await canary();
    if (signal.aborted) return;
    this.#canaryProblem = now;
    if (now !== before) onCanary?.(now);
    this.evaluate();
  }

  #isQuiet(): boolean {
    const { clock, isQuiet, log } = this.#options;
    if (!isQuiet(clock.monotonicMs() - this.#drainingSinceMs)) return false;
    log.info('drained', 'nobody depends on this node any more', {});
    return true;
  }

  #setDraining(wanted: boolean): void {
    if (wanted === this.#isDraining) return;
    const { log, clock, onDraining } = this.#options;
    this.#isDraining = wanted;
    this.#drainingSinceMs = clock.monotonicMs();
    if (wanted) log.info('drain-started', 'the node is not ready; clients are served', {});
    else log.info('drain-ended', 'the node is ready again', {});
    onDraining?.(wanted);
  }

  #self(): Member {
    const { service, node, version, address, clock, applied, drift } = this.#options;
    const [problem] = drift();
    return {
      service,
      node,
      version,
      state: this.#state,
      applied: { ...applied() },
      ...(problem === undefined ? {} : { drift: problem }),
      ...(address === undefined ? {} : { address }),
      startedAt: this.startedAt,
      clockMs: clock.nowMs(),
    };
  }
}
