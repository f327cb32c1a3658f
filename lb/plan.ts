// What the site wants of lb: its objects sorted for L4 and L7. Pure.
import type { Certificate, Listener, Route, VirtualServer } from '../shared/site/lb-objects.ts';
import type { Objects } from '../shared/site/objects-target.ts';
import { isStep } from '../shared/site/pools-plan.ts';

export type LbPlan = {
  version: number;
  /** The change that led to it was as large as one may be: probably a part of one. */
  isStep: boolean;
  servers: readonly VirtualServer[];
  listeners: readonly Listener[];
  routes: readonly Route[];
  certificates: readonly Certificate[];
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
  return { version, isStep: isStep(changed), servers, listeners, routes, certificates };
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
