// What only shows when all objects of lb and of pools are seen together. Pure; each object is
// looked at once, and ports and routes are found by what they claim.
import { parseEndpoint } from '../net/ports.ts';
import type { SiteProblem } from './check.ts';
import { checkL4 } from './check-l4.ts';
import { hasRoutes, type LbIndex, poolsOfListener } from './lb-index.ts';
import type { Listener, Route } from './lb-objects.ts';
import type { ObjectProblem } from './problem.ts';
import { formatVserverAt } from './vserver.ts';

type Say = (problem: ObjectProblem) => void;

export function checkLb(site: LbIndex, problems: SiteProblem[]): void {
  for (const problem of checkL4(site.vservers, site.pools)) {
    problems.push({ kind: 'vserver', ...problem });
  }
  const places = placesOf(site, problems);
  checkVservers(site, places, problems);
  for (const listener of site.listeners.values()) {
    checkListener(site, listener, (problem) => {
      problems.push({ kind: 'listener', id: listener.name, ...problem });
    });
  }
  const claims = new Map<string, string>();
  for (const route of site.routes) {
    const say: Say = (problem) => problems.push({ kind: 'route', id: route.name, ...problem });
    checkRoute(site, route, say);
    checkMatch(site, route, claims, say);
  }
}

const ANY: ReadonlySet<string> = new Set(['0.0.0.0', '::']);
type Place = { host: string; text: string; listener: string };

/** By family and port; those that two listeners have are told. */
function placesOf(site: LbIndex, problems: SiteProblem[]): Map<string, Place[]> {
  const places = new Map<string, Place[]>();
  for (const { name, at } of site.listeners.values()) {
    for (const [index, text] of at.entries()) {
      const { host = '', port = 0 } = parseEndpoint(text) ?? {};
      const key = placeKey(host, port);
      const known = places.get(key) ?? [];
      places.set(key, known);
      const other = known.find((each) => isSame(each.host, host) && !isAgain(each, name, text));
      if (other !== undefined) {
        const whose = other.listener === name ? '' : ` of listener ${other.listener}`;
        const message = `${text} is within ${other.text}${whose}`;
        problems.push({ kind: 'listener', id: name, message, at: ['at', index] });
      }
      known.push({ host, text, listener: name });
    }
  }
  return places;
}

function placeKey(host: string, port: number): string {
  return `${host.includes(':') ? 6 : 4} ${port}`;
}

function isSame(host: string, other: string): boolean {
  return host === other || ANY.has(host) || ANY.has(other);
}

/** What stands twice in one listener is told of it in itself. */
function isAgain(place: Place, listener: string, text: string): boolean {
  return place.listener === listener && place.text === text;
}

/** A virtual server takes every packet to its ports, before a listener of this host sees it. */
function checkVservers(
  site: LbIndex,
  places: ReadonlyMap<string, readonly Place[]>,
  problems: SiteProblem[],
): void {
  const byAddress = new Map<string, { port: number; place: Place }[]>();
  for (const [key, list] of places) {
    for (const place of list) {
      const known = byAddress.get(place.host) ?? [];
      known.push({ port: Number(key.slice(2)), place });
      byAddress.set(place.host, known);
    }
  }
  for (const vserver of site.vservers) {
    if (vserver.protocol !== 'tcp') continue;
    for (const { port, place } of byAddress.get(vserver.address) ?? []) {
      if (port < vserver.port || port > vserver.lastPort) continue;
      const message = `takes the packets of listener ${place.listener} at ${place.text}`;
      problems.push({ kind: 'vserver', id: formatVserverAt(vserver), message, at: ['at'] });
    }
  }
}

function checkListener(site: LbIndex, listener: Listener, say: Say): void {
  for (const [index, name] of listener.certificates.entries()) {
    if (site.certificates.has(name)) continue;
    const message = `there is no certificate ${JSON.stringify(name)}`;
    say({ message, remedy: 'add it under certificates', at: ['certificates', index] });
  }
  for (const { pool, at } of poolsOfListener(listener)) {
    if (!site.pools.has(pool)) say({ ...unknownPool(pool), at });
  }
}

function checkRoute(site: LbIndex, { listeners, action }: Route, say: Say): void {
  for (const [index, name] of listeners.entries()) {
    const listener = site.listeners.get(name);
    const at = ['listeners', index];
    if (listener === undefined) {
      const message = `there is no listener ${JSON.stringify(name)}`;
      say({ message, remedy: 'add it under listeners', at });
    } else if (!hasRoutes(listener)) {
      const remedy = 'its pool is in the listener itself';
      say({ message: `listener ${name} is ${listener.protocol}, which has no routes`, remedy, at });
    }
  }
  if (action.kind !== 'pool') return;
  const pool = site.pools.get(action.pool);
  if (pool === undefined) {
    say({ ...unknownPool(action.pool), at: ['pool'] });
    return;
  }
  const lacking = pool.targets.find(({ port }) => port === undefined);
  if (lacking === undefined) return;
  const { address } = lacking;
  const message = `pool ${pool.name} has target ${address} without a port for requests`;
  const text = address.includes(':') ? `"[${address}]:80"` : `"${address}:80"`;
  say({ message, remedy: `write it with its port, such as ${text}`, at: ['pool'] });
}

/** Each host and path of each listener under the same conditions is one route's alone. */
function checkMatch(site: LbIndex, route: Route, claims: Map<string, string>, say: Say): void {
  const { methods, headers, hosts, paths, name } = route;
  const conditions = JSON.stringify([[...methods].sort(), headers]);
  for (const listener of site.listenersOf(route)) {
    for (const host of hosts.length === 0 ? [''] : hosts) {
      for (const path of paths.length === 0 ? ['/'] : paths) {
        const key = [listener.name, host, path, conditions].join(' ');
        const other = claims.get(key);
        claims.set(key, other ?? name);
        if (other === undefined) continue;
        const where = `${host === '' ? 'any host' : `host ${host}`}, path ${path}`;
        const message = `matches the same as route ${other}: listener ${listener.name}, ${where}`;
        say({ message, remedy: 'give one of them another host, path or condition' });
        return;
      }
    }
  }
}

function unknownPool(name: string) {
  return { message: `there is no pool ${JSON.stringify(name)}`, remedy: 'add it under pools' };
}
