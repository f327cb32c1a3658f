// A running lb: follows the site and the pools, tells the workers and the kernel what is wanted,
// keeps both equal to health, drains, and tells the others how it is. Everything it touches is
// injected.
import { type Clock, every } from '../shared/clock.ts';
import type { Health } from '../shared/health/health.ts';
import type { Log } from '../shared/log.ts';
import { type Check, Presence, type PresenceState } from '../shared/presence.ts';
import type { Random } from '../shared/random.ts';
import type { Pool, PoolTarget } from '../shared/site/pool-objects.ts';
import { POOLS_UNIT, type PoolsPlan } from '../shared/site/pools-plan.ts';
import { healthOfTarget, probesOf } from '../shared/site/target-check.ts';
import { SiteFollower } from '../shared/site-follower.ts';
import type { StoreEvent } from '../shared/store/events.ts';
import type { Store } from '../shared/store/types.ts';
import type { Agents } from './agents.ts';
import type { LbConfig } from './config.ts';
import type { LbEvent } from './events.ts';
import type { KeyFiles } from './key-files.ts';
import type { L4Part } from './l4-part.ts';
import type { WorkerPlan } from './l7/types.ts';
import type { LimitHub } from './limits/hub.ts';
import { SERVICE } from './name.ts';
import { type LbPlan, lbPlanOf, poolUses } from './plan.ts';
import type { PoolState, TargetState } from './pools/types.ts';
import { isSamePool, poolStateOf, targetIdOf } from './targets.ts';
import type { Vips } from './vips.ts';
import type { Workers } from './workers/workers.ts';

export type LbServiceOptions = {
  config: LbConfig;
  version: string;
  address?: string;
  store: Store;
  health: Health;
  workers: Workers;
  l4: L4Part | undefined;
  vips: Vips;
  agents: Agents;
  keys: KeyFiles;
  limits: LimitHub;
  snapshotPaths: { own: string; pools: string };
  clock: Clock;
  random: Random;
  log: Log<LbEvent | StoreEvent>;
  fail: (error: unknown) => void;
};

const NO_POOLS: PoolsPlan = { version: 0, pools: new Map(), overrides: [] };
/** Changes of health that come together are told together. */
const GATHER_MS = 10;
/** Slow start, addresses that could not be bound. */
const AGAIN_MS = 5000;

export class LbService {
  readonly options: LbServiceOptions;
  readonly presence: Presence;
  readonly follower: SiteFollower<LbPlan>;
  readonly #stopping = new AbortController();
  #config: LbConfig;
  #states = new Map<string, PoolState>();
  #told: { plan: LbPlan; keys: number; pools: PoolsPlan } | undefined;
  #isGathering = false;

  constructor(options: LbServiceOptions) {
    const { config } = options;
    this.options = options;
    this.#config = config;
    this.presence = this.#presence();
    this.follower = new SiteFollower({
      ...options,
      unit: SERVICE,
      compile: lbPlanOf,
      onPlan: (plan) => this.#planned(plan),
      onPools: () => this.#wantSoon(),
      signal: this.#stopping.signal,
    });
    options.health.onChange(() => this.#wantSoon());
    options.agents.onChange(() => this.#wantSoon());
  }

  get state(): PresenceState {
    return this.presence.state;
  }

  checks(): Check[] {
    return this.presence.checks();
  }

  setDrain(asked: boolean): void {
    this.presence.setDrain(asked);
  }

  confirm(): void {
    this.follower.confirm();
  }

  get plan(): LbPlan | undefined {
    return this.follower.plan;
  }

  get config(): LbConfig {
    return this.#config;
  }

  /** By name; of the pools in use. */
  get states(): ReadonlyMap<string, PoolState> {
    return this.#states;
  }

  async start(signal: AbortSignal): Promise<void> {
    const { clock, health, workers, l4, vips } = this.options;
    const ended = AbortSignal.any([signal, this.#stopping.signal]);
    await this.follower.start(ended);
    await l4?.start(ended);
    await health.start(ended);
    this.#want();
    await vips.settled();
    this.#want();
    signal.throwIfAborted();
    workers.start();
    every(clock, AGAIN_MS, () => this.#again(), this.#stopping.signal);
    await this.presence.start();
  }

  /** /readyz fails first and addresses are withdrawn; then workers close what is open. */
  async drain(signal?: AbortSignal): Promise<void> {
    this.presence.setDrain(true);
    const { clock } = this.options;
    await new Promise<void>((resolve) => {
      const look = () => {
        this.presence.evaluate();
        if (this.presence.state === 'drained') resolve();
      };
      every(clock, GATHER_MS * 10, look, this.#stopping.signal);
      signal?.addEventListener('abort', () => resolve(), { once: true });
      look();
    });
  }

  async stop(): Promise<void> {
    const { health, workers, limits, l4, agents, vips } = this.options;
    this.#stopping.abort(new Error('stopped'));
    await workers.stop();
    limits.stop();
    await l4?.stop();
    await vips.stop();
    agents.stop();
    await Promise.all([this.follower.stopped, health.stop()]);
    await this.presence.stop();
  }

  reload(config: LbConfig): void {
    this.#config = config;
    this.options.keys.reload(config.keyDirectory);
    this.options.workers.settings();
    this.#want();
  }

  /** What workers are told of these objects. */
  #workerPlan(plan: LbPlan, states: ReadonlyMap<string, PoolState>): WorkerPlan {
    const { listeners, routes, version } = plan;
    const used = poolUses(plan).l7;
    const pools = [...states.values()].filter(({ name }) => used.has(name));
    const certificates = this.options.keys.withKeys(plan.certificates);
    return { version, listeners, routes, pools, certificates };
  }

  /** Why what is served is not what is wanted. */
  get drift(): readonly string[] {
    const { workers, keys, l4 } = this.options;
    const listening = workers.problems.map(({ listener, text }) => `listener ${listener}: ${text}`);
    const l4Problem = l4?.problem;
    return [
      ...this.follower.drift,
      ...keys.problems,
      ...listening,
      ...(l4Problem === undefined ? [] : [`l4: ${l4Problem}`]),
    ];
  }

  /** Versions that all workers and the kernel go by. */
  get applied(): Readonly<Record<string, number>> {
    const { workers, l4 } = this.options;
    const told = this.#told;
    const isThere = told !== undefined && workers.applied === told.plan.version;
    const l4Applied = l4 === undefined ? undefined : (l4.applied ?? { lb: 0, pools: 0 });
    if (!isThere) return { [SERVICE]: 0, [POOLS_UNIT]: 0 };
    return {
      [SERVICE]: Math.min(told.plan.version, l4Applied?.lb ?? told.plan.version),
      [POOLS_UNIT]: Math.min(told.pools.version, l4Applied?.pools ?? told.pools.version),
    };
  }

  /** Who says what of a target. */
  whyOf(pool: Pool | undefined, { id }: TargetState): string {
    const target = pool?.targets.find((each) => targetIdOf(each) === id);
    if (pool === undefined || target === undefined) return '';
    const { health, agents } = this.options;
    const { override, votes } = healthOfTarget(health.view, pool, target);
    const said =
      override === undefined ? [] : [`${override.state} by ${override.who}: ${override.why}`];
    const words = votes.map(({ node, state, reason }) => `${node} ${state} (${reason})`);
    const agent = agents.textOf(pool, target);
    const none = pool.check === undefined ? 'no check' : 'no votes yet';
    return [...said, ...(agent === undefined ? [] : [agent]), ...words].join(', ') || none;
  }

  /** Workers or the kernel have applied something, or a worker has ended. */
  appliedChanged(): void {
    this.#serve();
    this.presence.evaluate();
    this.presence.beatSoon();
  }

  #planned({ servers, listeners, routes, version }: LbPlan): void {
    const counts = [servers.length, listeners.length, routes.length];
    const text = `${counts[0]} servers, ${counts[1]} listeners, ${counts[2]} routes`;
    this.options.log.info('plan-applied', text, { version });
    this.#wantSoon();
  }

  #wantSoon(): void {
    if (this.#isGathering || this.#stopping.signal.aborted) return;
    this.#isGathering = true;
    const { clock, fail } = this.options;
    const want = () => {
      this.#isGathering = false;
      try {
        this.#want();
      } catch (error) {
        fail(error);
      }
    };
    clock.after(GATHER_MS, want, this.#stopping.signal);
  }

  /** Routers are told of a plan's addresses when and while all of it is served. */
  #serve(): void {
    const plan = this.#told?.plan;
    if (plan === undefined || this.applied[SERVICE] !== plan.version) return;
    const isWell = this.#ownChecks().every(({ problem }) => problem === undefined);
    if (isWell) this.options.vips.serve(plan);
    // Only of what is sure to last: flows that move to another instance may not be known there.
    else if (this.options.l4?.isDark === true) this.options.vips.withhold();
  }

  #again(): void {
    this.#serve();
    const { workers, keys } = this.options;
    if (workers.problems.length === 0 && keys.problems.length === 0) return;
    keys.reload(this.#config.keyDirectory);
    this.#told = undefined;
    this.#wantSoon();
  }

  /** All that is known now goes to health, workers and kernel; only what changed is told. */
  #want(): void {
    const { health, agents, vips, l4, workers } = this.options;
    const plan = this.plan;
    if (plan === undefined) return;
    const poolsPlan = this.follower.poolsPlan ?? NO_POOLS;
    const { pools, overrides } = poolsPlan;
    const uses = poolUses(plan);
    const used = [...pools.values()].filter(({ name }) => uses.l4.has(name) || uses.l7.has(name));
    const keys = this.options.keys.generation;
    const told = this.#told;
    const isNew = told?.plan !== plan || told.keys !== keys || told.pools !== poolsPlan;
    if (isNew) {
      health.setOverrides(overrides);
      health.setTargets(used.flatMap(probesOf));
      agents.want(used);
    }
    const { states, changed } = this.#poolStates(used);
    this.#states = states;
    if (!vips.want(plan)) {
      // A listener cannot be bound to an address that is not there yet.
      vips.settled().then(() => this.#wantSoon(), this.options.fail);
      return;
    }
    l4?.want(plan, poolsPlan, states);
    this.#told = { plan, keys, pools: poolsPlan };
    const { delay, timeout } = this.#config.drain;
    if (isNew) workers.plan(this.#workerPlan(plan, states), timeout - delay);
    else workers.pools(changed.filter(({ name }) => uses.l7.has(name)));
    if (isNew) this.presence.beatSoon();
  }

  #poolStates(used: readonly Pool[]) {
    const { health, agents } = this.options;
    const states = new Map<string, PoolState>();
    const changed: PoolState[] = [];
    const healthOf = (pool: Pool, target: PoolTarget) => healthOfTarget(health.view, pool, target);
    const agentOf = (pool: Pool, target: PoolTarget) => agents.wordOf(pool, target);
    for (const pool of used) {
      const before = this.#states.get(pool.name);
      const state = poolStateOf(pool, { healthOf, agentOf });
      const isSame = isSamePool(before, state);
      states.set(pool.name, isSame && before !== undefined ? before : state);
      if (!isSame) changed.push(state);
    }
    return { states, changed };
  }

  #presence(): Presence {
    const { config, version, address, store, clock, log } = this.options;
    return new Presence({
      service: SERVICE,
      node: config.node,
      version,
      ...(address === undefined ? {} : { address }),
      store,
      checks: () => {
        const problem = 'none was taken from the store or from disk yet';
        return [
          { name: 'site', ...(this.plan === undefined ? { problem } : {}) },
          ...this.#ownChecks(),
        ];
      },
      isDrainWanted: () => this.follower.isDrainWanted(config.node),
      applied: () => this.applied,
      drift: () => this.drift,
      onDraining: (isDraining) => this.#setDraining(isDraining),
      isQuiet: (drainingMs) => this.#isQuiet(drainingMs),
      clock,
      signal: this.#stopping.signal,
      log,
    });
  }

  /** Who has no worker, or programs that are not in the kernel, serves nobody. */
  #ownChecks(): Check[] {
    const { workers, l4 } = this.options;
    const problem = workers.running === 0 ? { problem: 'none is running' } : {};
    const l4Problem = l4?.problem === undefined ? {} : { problem: l4.problem };
    return [
      { name: 'workers', ...problem },
      ...(l4 === undefined ? [] : [{ name: 'l4', ...l4Problem }]),
    ];
  }

  #setDraining(isDraining: boolean): void {
    const { vips, workers, clock, fail } = this.options;
    vips.setDraining(isDraining).catch(fail);
    this.#cancelDrain();
    if (!isDraining) {
      workers.undrain();
      return;
    }
    const { delay, timeout } = this.#config.drain;
    const close = () => workers.drain(timeout - delay);
    this.#cancelDrain = clock.after(delay, close, this.#stopping.signal);
  }
  #cancelDrain: () => void = () => {};

  #isQuiet(drainingMs: number): boolean {
    const { delay, timeout } = this.#config.drain;
    if (drainingMs >= timeout) return true;
    const { workers, l4 } = this.options;
    const open = workers.all.flatMap(
      ({ stats }) => stats?.listeners.map((each) => each.open) ?? [],
    );
    return drainingMs > delay + 1500 && open.every((each) => each === 0) && l4?.isQuiet !== false;
  }
}
