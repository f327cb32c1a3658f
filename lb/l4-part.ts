// L4 inside of the service: when its plan is made anew, programs are looked after, and what is
// wrong. Absent where no links are configured.
import { setImmediate as turn } from 'node:timers/promises';
import { readFlowRequest } from '../shared/admin/flow-request.ts';
import { createBpf } from '../shared/bpf/kernel.ts';
import { type Clock, every } from '../shared/clock.ts';
import { describeError, OperationalError } from '../shared/errors.ts';
import type { Host } from '../shared/links/host.ts';
import type { Log } from '../shared/log.ts';
import type { Random } from '../shared/random.ts';
import type { PoolsPlan } from '../shared/site/pools-plan.ts';
import { hasL4, type LbConfig, pinDirectoryOf } from './config.ts';
import type { LbEvent } from './events.ts';
import { L4 } from './l4/l4.ts';
import type { PlanInput } from './l4/plan.ts';
import type { LbPlan } from './plan.ts';
import type { PoolState } from './pools/types.ts';

export type L4PartOptions = {
  config: LbConfig;
  host: Host;
  /** What is in the kernel is another version, or something else is wrong than before. */
  onChanged: () => void;
  clock: Clock;
  random: Random;
  log: Log<LbEvent>;
};

const LINKS_MS = 5000;
const SELF_TEST_MS = 2000;
const AUDIT_MS = 60_000;
const AGAIN_MS = 1000;
const QUIET_SAMPLE_MS = 500;
const HOUR_MS = 3_600_000;

export function createL4(options: L4PartOptions): L4Part | undefined {
  return hasL4(options.config) ? new L4Part(options) : undefined;
}

export class L4Part {
  readonly l4: L4;
  readonly #options: L4PartOptions;
  readonly #stopping = new AbortController();
  #wanted: { input: PlanInput; versions: { lb: number; pools: number } } | undefined;
  #applied: { lb: number; pools: number } | undefined;
  #isWorking = false;
  #problems = new Map<'plan' | 'links' | 'self-test', string>();
  #cancelTimer = () => {};
  #passed = 0;
  isQuiet = false;

  constructor(options: L4PartOptions) {
    const { config, host, random, log } = options;
    const { hook, uplink, inside, capacity } = config.l4;
    this.#options = options;
    this.l4 = new L4({
      bpf: createBpf(),
      pinDirectory: pinDirectoryOf(config),
      capacity,
      links: { hook, uplink, inside },
      host,
      random,
      log,
      turn,
    });
  }

  /** What is wrong with it now. */
  get problem(): string | undefined {
    return [...this.#problems.values()][0];
  }

  /** On one side no link is up. */
  get isDark(): boolean {
    return this.l4.links.dark.length > 0;
  }

  /** Versions of which all is in the kernel. */
  get applied(): { lb: number; pools: number } | undefined {
    return this.#applied;
  }

  async start(signal: AbortSignal): Promise<void> {
    const { clock, host } = this.#options;
    const ended = AbortSignal.any([signal, this.#stopping.signal]);
    await this.l4.links.look();
    host.watch(() => void this.#lookAtLinks(), ended);
    every(clock, LINKS_MS, () => void this.#lookAtLinks(), ended);
    every(clock, SELF_TEST_MS, () => this.#test(), ended);
    every(clock, AUDIT_MS, () => void this.l4.audit().catch((error) => this.#failed(error)), ended);
    every(clock, QUIET_SAMPLE_MS, () => this.#sample(), ended);
  }

  /** Servers, and the states of their pools. */
  want(plan: LbPlan, pools: PoolsPlan, states: ReadonlyMap<string, PoolState>): void {
    const known = new Map(
      [...states.values()].flatMap(({ name, targets }) =>
        targets.map((target) => [`${name} ${target.id}`, target] as const),
      ),
    );
    const healthOf: PlanInput['healthOf'] = (pool, target) => {
      const found = known.get(`${pool} ${target}`);
      if (found === undefined) return { state: 'unknown', upSinceMs: 0 };
      const { health, upSinceMs, weight } = found;
      return { state: health, upSinceMs, weight };
    };
    const input = { servers: plan.servers, pools: [...pools.pools.values()], healthOf };
    const versions = { lb: plan.version, pools: pools.version };
    this.#wanted = { input: { ...input, nowMs: this.#options.clock.nowMs() }, versions };
    if (!this.#isWorking) void this.#work();
  }

  stats() {
    const servers = this.l4.serverStats().map(({ id: server, meter }) => ({ server, meter }));
    return { reasons: this.l4.counters(), servers };
  }

  /** Links and what is wrong, for the status page. */
  status(): unknown {
    return {
      links: this.l4.links.states.map(({ name, role, attached, hook, link }) => ({
        link: name,
        role,
        attached,
        hook: hook ?? null,
        up: link?.up ?? false,
      })),
      problems: [...this.#problems.values()],
      targets: this.l4.targetStats(),
      counters: Object.fromEntries(this.l4.counters()),
    };
  }

  /** `edgectl explain` of a flow: what the programs in the kernel would do. */
  explain(body: unknown): unknown {
    if (this.l4.plan === undefined) {
      throw new OperationalError('EDGE_LB_STARTING', 'L4 has no plan yet');
    }
    const { syn } = Object(body) as { syn?: unknown };
    return this.l4.explain({ flow: readFlowRequest(body, 'EDGE_LB_QUESTION'), syn: syn === true });
  }

  /** Programs and maps stay: flows go on. */
  async stop(): Promise<void> {
    this.#stopping.abort(new Error('stopped'));
    await this.l4.close();
  }

  async #work(): Promise<void> {
    this.#isWorking = true;
    this.#cancelTimer();
    let nextMs = HOUR_MS;
    try {
      for (let wanted = this.#wanted; wanted !== undefined; wanted = this.#wanted) {
        this.#wanted = undefined;
        const { clock, log } = this.#options;
        const refused = await this.l4.want(wanted.input);
        if (this.#stopping.signal.aborted) return;
        const before = this.#problems.get('plan');
        const reason = refused?.reasons[0];
        if (reason === undefined) {
          this.#problems.delete('plan');
          this.#applied = wanted.versions;
          nextMs = Math.min((this.l4.plan?.untilMs ?? Infinity) - clock.nowMs(), HOUR_MS);
        } else {
          this.#problems.set('plan', reason);
          if (before !== reason) log.error('plan-refused', `l4: ${reason}`, { ...refused });
        }
        this.#last = wanted;
      }
      this.#attach();
      this.#options.onChanged();
    } catch (error) {
      this.#failed(error);
      this.#wanted ??= this.#last;
      nextMs = AGAIN_MS;
    } finally {
      this.#isWorking = false;
    }
    this.#workAfter(nextMs);
  }
  #last: { input: PlanInput; versions: { lb: number; pools: number } } | undefined;

  /** Slow start goes by time alone. */
  #workAfter(afterMs: number): void {
    const { clock } = this.#options;
    const again = () => {
      if (this.#isWorking) return;
      const last = this.#wanted ?? this.#last;
      if (last === undefined) return;
      this.#wanted = { ...last, input: { ...last.input, nowMs: clock.nowMs() } };
      void this.#work();
    };
    this.#cancelTimer = clock.after(Math.max(10, afterMs), again, this.#stopping.signal);
  }

  async #lookAtLinks(): Promise<void> {
    try {
      await this.l4.links.look();
      this.#attach();
    } catch (error) {
      this.#failed(error);
    }
  }

  #attach(): void {
    if (this.#stopping.signal.aborted) return;
    this.l4.attach();
    const { missing, dark } = this.l4.links;
    if (missing.length > 0) this.#is('links', `not attached to ${missing.join(', ')}`);
    else if (dark.length > 0) this.#is('links', `no ${dark.join(' and no ')} link is up`);
    else this.#is('links', undefined);
  }

  #test(): void {
    this.#is('self-test', this.l4.selfTest());
  }

  #is(what: 'links' | 'self-test', problem: string | undefined): void {
    const before = this.problem;
    if (problem === undefined) this.#problems.delete(what);
    else this.#problems.set(what, problem);
    if (this.problem !== before) this.#options.onChanged();
  }

  /** Quiet: between two samples nothing came in for a server. */
  #sample(): void {
    const passed = this.l4.serverStats().reduce((sum, { meter }) => sum + meter.in_packets, 0);
    this.isQuiet = passed === this.#passed;
    this.#passed = passed;
  }

  #failed(error: unknown): void {
    if (this.#stopping.signal.aborted) return;
    const text = describeError(error);
    this.#options.log.error('l4-failed', text, { error });
    this.#problems.set('links', text);
  }
}
