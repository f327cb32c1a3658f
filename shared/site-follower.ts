// A service's own unit and the pools, followed together: each as a plan that is kept equal to the
// store. What an operator's apply stores in steps is waited for, so that no half of it is served.
import type { Clock } from './clock.ts';
import type { Log } from './log.ts';
import type { Random } from './random.ts';
import { ObjectsTarget, type ObjectsTargetOptions } from './site/objects-target.ts';
import type { Unit } from './site/place.ts';
import { POOLS_UNIT, type PoolsPlan, poolsPlanOf } from './site/pools-plan.ts';
import type { StoreEvent } from './store/events.ts';
import { Follower } from './store/follow.ts';
import type { FollowTarget, Store } from './store/types.ts';

/** `isStep`: more of the same apply is to come. */
export type UnitPlan = { version: number; isStep: boolean };

export type SiteFollowerOptions<Plan extends UnitPlan> = {
  unit: Unit;
  compile: ObjectsTargetOptions<Plan>['compile'];
  /** Is wanted from now on. */
  onPlan: (plan: Plan) => void;
  onPools: () => void;
  snapshotPaths: { own: string; pools: string };
  store: Store;
  clock: Clock;
  random: Random;
  signal: AbortSignal;
  log: Log<StoreEvent | 'plan-refused'>;
};

/** Between two steps of one apply; who ends in the middle of it is waited for no longer. */
const STEP_MS = 1500;

export class SiteFollower<Plan extends UnitPlan> {
  readonly own: Follower;
  readonly pools: Follower;
  readonly #options: SiteFollowerOptions<Plan>;
  readonly #site: ObjectsTarget<Plan>;
  readonly #pools: ObjectsTarget<PoolsPlan>;
  #plan: Plan | undefined;
  #cancelWait: () => void = () => {};

  constructor(options: SiteFollowerOptions<Plan>) {
    const { unit, compile, onPools, snapshotPaths } = options;
    this.#options = options;
    this.#site = new ObjectsTarget({
      unit,
      compile,
      onTaken: (plan) => this.#taken(plan),
      onRefused: (reasons, version) => this.#refused(unit, reasons, version),
    });
    this.#pools = new ObjectsTarget({
      unit: POOLS_UNIT,
      compile: poolsPlanOf,
      onTaken: onPools,
      onRefused: (reasons, version) => this.#refused(POOLS_UNIT, reasons, version),
    });
    this.own = this.#follower(unit, this.#site, snapshotPaths.own);
    this.pools = this.#follower(POOLS_UNIT, this.#pools, snapshotPaths.pools);
  }

  /** As it is wanted now. */
  get plan(): Plan | undefined {
    return this.#plan;
  }

  get poolsPlan(): PoolsPlan | undefined {
    return this.#pools.plan;
  }

  /** Why a unit is not as it is stored. */
  get drift(): readonly string[] {
    return [...(this.own.status().drift ?? []), ...(this.pools.status().drift ?? [])];
  }

  /** Resolved when both have ended. */
  get stopped(): Promise<unknown> {
    return Promise.all([this.own.stopped, this.pools.stopped]);
  }

  /** For status.json: both units, `applied` being what they are in force by. */
  unitsJson(applied: Readonly<Record<string, number>>): Record<string, unknown> {
    const row = (unit: string, follower: Follower) => {
      const { desiredVersion, storeUp, source, lastContactMs } = follower.status();
      const age = Number.isFinite(lastContactMs) ? lastContactMs : null;
      return { version: applied[unit], desiredVersion, storeUp, source, lastContactMs: age };
    };
    const { unit } = this.#options;
    return { [unit]: row(unit, this.own), [POOLS_UNIT]: row(POOLS_UNIT, this.pools) };
  }

  isDrainWanted(node: string): boolean {
    return this.#site.isDrainWanted(node);
  }

  /** Resolves when both are there, or cannot be yet. */
  async start(signal: AbortSignal): Promise<void> {
    await Promise.all([this.pools.start(signal), this.own.start(signal)]);
  }

  confirm(): void {
    this.own.confirm();
    this.pools.confirm();
  }

  #taken(plan: Plan): void {
    const { clock, onPlan, signal } = this.#options;
    this.#cancelWait();
    const want = () => {
      this.#plan = plan;
      onPlan(plan);
    };
    if (!plan.isStep) want();
    else this.#cancelWait = clock.after(STEP_MS, want, signal);
  }

  #refused(unit: string, reasons: readonly string[], version: number): void {
    this.#options.log.error('plan-refused', `${unit} ${version}: ${reasons[0]}`, { reasons });
  }

  #follower(unit: string, target: FollowTarget, snapshotPath: string): Follower {
    const { store, clock, random, log } = this.#options;
    return new Follower({ store, unit, target, snapshotPath, clock, random, log });
  }
}
