// What is stored of lb all the same, though it is most likely not as it was meant. Pure.
import type { Prefix } from '../net/prefix.ts';
import type { SiteProblem } from './check.ts';
import { hasRoutes, type LbIndex, poolsOfListener } from './lb-index.ts';
import type { Listener, Route } from './lb-objects.ts';
import { formatVserverAt } from './vserver.ts';

export function warnLb(site: LbIndex): SiteProblem[] {
  return [
    ...warnListeners(site),
    ...site.routes.flatMap((route) => warnRoute(site, route)),
    ...warnCertificates(site),
    ...warnEmpty(site),
  ];
}

function warnListeners(site: LbIndex): SiteProblem[] {
  const served = new Set(site.routes.flatMap((route) => site.listenersOf(route)));
  return [...site.listeners.values()].flatMap((listener): SiteProblem[] => {
    const found = warnPeers(listener);
    if (!hasRoutes(listener) || served.has(listener)) return found;
    const message = 'no route is for it: every request is answered 404';
    return [...found, { kind: 'listener', id: listener.name, message, at: ['name'] }];
  });
}

function warnPeers({ name, trusted, proxyFrom }: Listener): SiteProblem[] {
  const found: SiteProblem[] = [];
  const warn = (key: string, index: number, message: string) =>
    found.push({ kind: 'listener', id: name, message, at: [key, index] });
  const isAll = ({ bits }: Prefix) => bits === 0;
  const [inTrusted, inProxy] = [trusted.findIndex(isAll), proxyFrom.findIndex(isAll)];
  if (inTrusted >= 0) {
    warn('trusted', inTrusted, 'anybody may say in X-Forwarded-For who the client is');
  }
  if (inProxy >= 0) {
    warn('proxyFrom', inProxy, 'every client needs a PROXY header, and may say who it is');
  }
  return found;
}

/** Back to where the client is: as it would if listeners were left out by mistake. */
function warnRoute(site: LbIndex, route: Route): SiteProblem[] {
  const { action, name } = route;
  if (action.kind !== 'redirect') return [];
  const [, scheme] = /^(https?|\{scheme\}):\/\/\{host\}\{path\}(\{query\})?$/.exec(action.to) ?? [];
  if (scheme === undefined) return [];
  const same = site.listenersOf(route).find(({ protocol }) => {
    return scheme === '{scheme}' || scheme === protocol;
  });
  if (same === undefined) return [];
  const message = `leads clients of listener ${same.name} back to where they are, again and again`;
  const remedy = 'name the other listeners under listeners';
  return [{ kind: 'route', id: name, message, remedy, at: ['redirect', 'to'] }];
}

function warnCertificates(site: LbIndex): SiteProblem[] {
  const named = new Set([...site.listeners.values()].flatMap(({ certificates }) => certificates));
  const idle = [...site.certificates.keys()].filter((name) => !named.has(name));
  return idle.map((id) => {
    return { kind: 'certificate', id, message: 'no listener names it', at: ['name'] };
  });
}

function warnEmpty(site: LbIndex): SiteProblem[] {
  type Use = Pick<SiteProblem, 'kind' | 'id' | 'at'> & { pool: string };
  const uses: Use[] = [
    ...site.vservers.map((each): Use => {
      return { kind: 'vserver', id: formatVserverAt(each), pool: each.pool, at: ['pool'] };
    }),
    ...[...site.listeners.values()].flatMap((each) =>
      poolsOfListener(each).map((use): Use => ({ kind: 'listener', id: each.name, ...use })),
    ),
    ...site.routes.flatMap(({ name, action }): Use[] =>
      action.kind === 'pool' ? [{ kind: 'route', id: name, pool: action.pool, at: ['pool'] }] : [],
    ),
  ];
  return uses
    .filter(({ pool }) => site.pools.get(pool)?.targets.length === 0)
    .map(({ pool, ...use }) => ({ ...use, message: `pool ${pool} has no targets` }));
}
