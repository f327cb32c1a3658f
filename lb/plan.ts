// What the site wants of lb: its objects sorted for L4 and L7, its pools and overrides. Pure.
import type { Certificate, Listener, Route, VirtualServer } from '../shared/site/lb-objects.ts';
import type { Objects } from '../shared/site/objects-target.ts';
import type { HealthOverride, Pool } from '../shared/site/pool-objects.ts';
import { MAX_CHANGES_PER_APPLY } from '../shared/store/types.ts';

export type LbPlan = {
  version: number;
  /** The change that led to it was as large as one may be: probably a part of one. */
  isStep: boolean;
  servers: readonly VirtualServer[];
  listeners: readonly Listener[];
  routes: readonly Route[];
  certificates: readonly Certificate[];
};

export type PoolsPlan = {
  version: number;
  pools: ReadonlyMap<string, Pool>;
  overrides: readonly HealthOverride[];
};

export function lbPlanOf(objects: Objects, version: number, changed?: ReadonlySet<string>): LbPlan {
  const servers: VirtualServer[] = [];
  const listeners: Listener[] = [];
  const routes: Route[] = [];
  const certificates: Certificate[] = [];
  for (const { kind, object } of objects.values()) {
    if (kind === 'vserver') servers.push(object);
    else if (kind === 'listener') listeners.push(object);
    else if (kind === 'route') routes.push(object);
    else if (kind === 'certificate') certificates.push(object);
  }
  const count = changed?.size ?? 0;
  const isStep = count > 0 && count % MAX_CHANGES_PER_APPLY === 0;
  return { version, isStep, servers, listeners, routes, certificates };
}

export function poolsPlanOf(objects: Objects, version: number): PoolsPlan {
  const pools = new Map<string, Pool>();
  const overrides: HealthOverride[] = [];
  for (const { kind, object } of objects.values()) {
    if (kind === 'pool') pools.set(object.name, object);
    else if (kind === 'override') overrides.push(object);
  }
  return { version, pools, overrides };
}

export type PoolUses = { l4: ReadonlySet<string>; l7: ReadonlySet<string> };

/** By what: a pool that nobody names is nobody's to probe here. */
export function poolUses({ servers, listeners, routes }: LbPlan): PoolUses {
  const l7 = new Set<string>();
  for (const { pool, names } of listeners) {
    if (pool !== undefined) l7.add(pool);
    for (const name of names) l7.add(name.pool);
  }
  for (const { action } of routes) if (action.kind === 'pool') l7.add(action.pool);
  return { l4: new Set(servers.map(({ pool }) => pool)), l7 };
}
