// The targets that dns wants probed, of the pools that its records name. Pure.
import type { Measured, Override, Target, TargetHealth } from '../shared/health/types.ts';
import type { SmartRecord } from '../shared/site/dns-objects.ts';
import type { Pool, PoolTarget } from '../shared/site/pool-objects.ts';
import { probesOf } from '../shared/site/target-check.ts';

/** Pools that no record names are nobody's to probe here. */
export function poolsInUse(
  records: Iterable<SmartRecord>,
  pools: ReadonlyMap<string, Pool>,
): Pool[] {
  const used = new Set<Pool>();
  for (const { lines } of records) {
    for (const { sources } of lines.values()) {
      for (const source of sources) {
        const pool = 'pool' in source ? pools.get(source.pool) : undefined;
        if (pool !== undefined) used.add(pool);
      }
    }
  }
  return [...used];
}

/** An address that several pools have under the same check comes as often; it is one target. */
export function targetsOf(pools: readonly Pool[]): Target[] {
  return pools.flatMap(probesOf);
}

export type TargetRow = {
  pool: string;
  address: string;
  weight: number;
  tier: number;
  /** What is acted on; `unchecked` counts as up. */
  state: Measured | 'unchecked';
  measured: Measured;
  override: Override | null;
  /** Votes and reasons, in words. */
  why: string;
  /** ms since the epoch; 0: it has never changed. */
  sinceMs: number;
};

export function rowsOf(
  pools: readonly Pool[],
  healthOf: (pool: Pool, target: PoolTarget) => TargetHealth,
): TargetRow[] {
  return pools.flatMap((pool) =>
    pool.targets.map((target) => {
      const { address, weight, tier } = target;
      const health = healthOf(pool, target);
      const { measured, effective, override, sinceMs, votes } = health;
      const isUnchecked = pool.check === undefined && override === undefined;
      const words = votes.map(({ node, state, reason }) => `${node} ${state} (${reason})`);
      const said =
        override === undefined ? [] : [`${override.state} by ${override.who}: ${override.why}`];
      return {
        pool: pool.name,
        address,
        weight,
        tier,
        state: isUnchecked ? 'unchecked' : effective,
        measured,
        override: override ?? null,
        why: [...said, ...words].join(', ') || (isUnchecked ? 'no check' : 'no votes yet'),
        sinceMs,
      };
    }),
  );
}
