// What a pool answers now: its targets, their health, and which of them serve (docs/answers.md, P2,
// P4, P5). Pure.
import type { TargetHealth } from '../../shared/health/types.ts';
import type { Pool, PoolTarget } from '../../shared/site/pool-objects.ts';
import { MAX_TIER } from '../../shared/site/target-pool.ts';
import { addressRdata } from './rdata.ts';
import { slotsOf } from './rendezvous.ts';
import type { PolicyInput } from './types.ts';

export type JudgedTarget = { target: PoolTarget; health: TargetHealth };
export type JudgedPool = {
  pool: Pool;
  targets: readonly JudgedTarget[];
  healthyPercent: number;
  /** P2. */
  isFailed: boolean;
  /** What it answers, of its healthy targets and as if all were; made when first asked for. */
  spread: { healthy?: Spread; all?: Spread };
};
/** Data of addresses, and which of the sets serves each slot; no slots where there is one set. */
export type Spread = { answers: Uint8Array[][]; slots?: Uint8Array };

export function judge(pool: Pool, healthOf: PolicyInput['healthOf']): JudgedPool {
  const targets = pool.targets.map((target) => ({
    target,
    health: healthOf(pool, target),
  }));
  const healthyPercent = shareOf(targets);
  const isFailed = !targets.some(isHealthy) || healthyPercent < pool.minHealthyPercent;
  return { pool, targets, healthyPercent, isFailed, spread: {} };
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

export function spreadOf(judged: JudgedPool, asIfHealthy: boolean): Spread {
  const which = asIfHealthy ? 'all' : 'healthy';
  judged.spread[which] ??= spread(judged.pool, servingOf(judged, asIfHealthy));
  return judged.spread[which];
}

/** Of the lowest tier that has any; those of weight 0 only where there are no others. */
function servingOf({ targets }: JudgedPool, asIfHealthy: boolean): readonly PoolTarget[] {
  const usable = targets
    .filter((each) => asIfHealthy || isHealthy(each))
    .map((each) => each.target);
  const weighted = usable.filter(({ weight }) => weight > 0);
  const candidates = weighted.length > 0 ? weighted : usable;
  const tier = candidates.reduce((least, each) => Math.min(least, each.tier), MAX_TIER);
  return candidates.filter((each) => each.tier === tier);
}

function spread(pool: Pool, serving: readonly PoolTarget[]): Spread {
  const data = serving.map(({ address }) => addressRdata(address));
  if (pool.answer === 'all' || data.length <= 1) return { answers: [data] };
  const weighted = serving.map(({ address, weight }) => ({
    key: address,
    weight: Math.max(1, weight),
  }));
  const answers: Uint8Array[][] = [];
  const numbers = new Map<string, number>();
  const slots = Uint8Array.from(slotsOf(weighted, pool.answers), (ranked) => {
    const key = ranked.join();
    const known = numbers.get(key);
    if (known !== undefined) return known;
    numbers.set(key, answers.length);
    return answers.push(ranked.flatMap((index) => data[index] ?? [])) - 1;
  });
  return answers.length === 1 ? { answers } : { answers, slots };
}
