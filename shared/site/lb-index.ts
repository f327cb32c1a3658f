// The objects of lb among those of a site, and the pools that they name.
import type { SiteObject } from './kinds.ts';
import type { Certificate, Listener, Route, VirtualServer } from './lb-objects.ts';
import type { Pool } from './pool-objects.ts';

export class LbIndex {
  readonly vservers: VirtualServer[] = [];
  readonly listeners = new Map<string, Listener>();
  readonly routes: Route[] = [];
  readonly certificates = new Map<string, Certificate>();
  readonly pools = new Map<string, Pool>();

  static of(objects: Iterable<SiteObject>): LbIndex {
    const found = new LbIndex();
    for (const item of objects) found.add(item);
    return found;
  }

  /** Before anything is asked. Objects of other services are passed over. */
  add(item: SiteObject): void {
    if (item.kind === 'vserver') this.vservers.push(item.object);
    else if (item.kind === 'listener') this.listeners.set(item.object.name, item.object);
    else if (item.kind === 'route') this.routes.push(item.object);
    else if (item.kind === 'certificate') this.certificates.set(item.object.name, item.object);
    else if (item.kind === 'pool') this.pools.set(item.object.name, item.object);
  }

  /** The listeners whose requests a route may serve. */
  listenersOf({ listeners }: Route): Listener[] {
    const named = listeners.length === 0 ? [...this.listeners.keys()] : listeners;
    return named.flatMap((name) => {
      const found = this.listeners.get(name);
      return found !== undefined && hasRoutes(found) ? [found] : [];
    });
  }
}

export function hasRoutes({ protocol }: Listener): boolean {
  return protocol === 'http' || protocol === 'https';
}

type Use = { pool: string; at: (string | number)[] };

/** The pools that a listener of streams names, and where. */
export function poolsOfListener({ pool, names }: Listener): Use[] {
  const own = pool === undefined ? [] : [{ pool, at: ['pool'] }];
  return [
    ...own,
    ...names.map((each, index) => ({ pool: each.pool, at: ['names', index, 'pool'] })),
  ];
}
