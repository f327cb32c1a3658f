// What a pool answers now: its targets, their health, and which of them serve (docs/answers.md, P2,
// P4, P5). Pure.
import type { TargetHealth } from '../../shared/health/types.ts';
import type { Pool, PoolTarget } from '../../shared/site/pool-objects.ts';
import { slotsOf } from './rendezvous.ts';
import type { PolicyInput } from './types.ts';

export type JudgedTarget = { target: PoolTarget; health: TargetHealth };
export type JudgedPool = {
  pool: Pool;
  targets: readonly JudgedTarget[];
  healthyPercent: number;
  /** P2. */
  isFailed: boolean;
};

export function judge(pool: Pool, healthOf: PolicyInput['healthOf']): JudgedPool {
  const targets = pool.targets.map((target) => ({
    target,
    health: healthOf(pool, target.address),
  }));
  const healthyPercent = shareOf(targets);
  const isFailed = !targets.some(isHealthy) || healthyPercent < pool.minHealthyPercent;
  return { pool, targets, healthyPercent, isFailed };
}

export function isHealthy({ health }: JudgedTarget): boolean {
  return health.effective !== 'down';
}

/** By weight; by number where all weights are 0. */
function shareOf(targets: readonly JudgedTarget[]): number {
  const weigh = (of: readonly JudgedTarget[]) =>
    of.reduce((sum, { target }) => sum + target.weight, 0);
  const healthy = targets.filter(isHealthy);
  const [part, whole] =
    weigh(targets) > 0
      ? [weigh(healthy), weigh(targets)]
      : [healthy.length, Math.max(1, targets.length)];
  return (100 * part) / whole;
}

/** Of the lowest tier that has any; those of weight 0 only where there are no others. */
export function servingOf({ targets }: JudgedPool, asIfHealthy: boolean): readonly JudgedTarget[] {
  const usable = asIfHealthy ? targets : targets.filter(isHealthy);
  const weighted = usable.filter(({ target }) => target.weight > 0);
  const candidates = weighted.length > 0 ? weighted : usable;
  const tier = Math.min(...candidates.map(({ target }) => target.tier));
  return candidates.filter(({ target }) => target.tier === tier);
}

/** Sets of addresses, and which of them serves each slot; no slots where there is one set. */
export function spread(
  pool: Pool,
  serving: readonly JudgedTarget[],
): { sets: string[][]; slots?: Uint8Array } {
  const addresses = serving.map(({ target }) => target.address);
  if (pool.answer === 'all' || addresses.length <= 1) return { sets: [addresses] };
  const weighted = serving.map(({ target }) => ({
    key: target.address,
    weight: Math.max(1, target.weight),
  }));
  const sets: string[][] = [];
  const numbers = new Map<string, number>();
  const slots = Uint8Array.from(slotsOf(weighted, pool.answers), (ranked) => {
    const key = ranked.join();
    const known = numbers.get(key);
    if (known !== undefined) return known;
    numbers.set(key, sets.length);
    return sets.push(ranked.map((index) => addresses[index] ?? '')) - 1;
  });
  return sets.length === 1 ? { sets } : { sets, slots };
}
