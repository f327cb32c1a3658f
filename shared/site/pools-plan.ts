// What the site wants of pools: its objects sorted for those who follow unit `pools`. Pure.
import { MAX_CHANGES_PER_APPLY } from '../store/types.ts';
import type { Objects } from './objects-target.ts';
import type { HealthOverride, Pool } from './pool-objects.ts';

/** The unit of pools and overrides, which services follow beside their own. */
export const POOLS_UNIT = 'pools';

export type PoolsPlan = {
  version: number;
  pools: ReadonlyMap<string, Pool>;
  overrides: readonly HealthOverride[];
};

export function poolsPlanOf(objects: Objects, version: number): PoolsPlan {
  const pools = new Map<string, Pool>();
  const overrides: HealthOverride[] = [];
  for (const { kind, object } of objects.values()) {
    if (kind === 'pool') pools.set(object.name, object);
    else if (kind === 'override') overrides.push(object);
  }
  return { version, pools, overrides };
}

/** The change was as large as one may be: probably a part of an apply, and more follows. */
export function isStep(changed: ReadonlySet<string> | undefined): boolean {
  const count = changed?.size ?? 0;
  return count > 0 && count % MAX_CHANGES_PER_APPLY === 0;
}
