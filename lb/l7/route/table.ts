// Which route serves a request: by the most specific host, then the longest path, then the most
// conditions, then the name that sorts first (docs/balancing.md, H2). A look-up asks a map for each
// label of the host and each segment of the path, however many routes there are. Pure.
import type { Route } from '../../../shared/site/lb-objects.ts';
import type { RequestView } from '../types.ts';

/** By path prefix without a final slash; the routes of each in their order. */
type Paths = Map<string, Route[]>;
type Hosts = { exact: Map<string, Paths>; wildcard: Map<string, Paths>; any: Paths };

export class RouteTable {
  readonly #byListener = new Map<string, Hosts>();
  readonly #anyListener: Hosts;

  constructor(routes: readonly Route[], listeners: readonly string[]) {
    const sorted = [...routes].sort(byConditions);
    for (const name of listeners) {
      const own = ({ listeners: of }: Route) => of.length === 0 || of.includes(name);
      this.#byListener.set(name, hostsOf(sorted.filter(own)));
    }
    this.#anyListener = hostsOf([]);
  }

  /** `path`: as comparablePath gives it. */
  find(listener: string, view: RequestView, path: string): Route | undefined {
    const hosts = this.#byListener.get(listener) ?? this.#anyListener;
    const { host } = view;
    const exact = hosts.exact.get(host);
    const found = exact === undefined ? undefined : byPath(exact, view, path);
    if (found !== undefined) return found;
    if (hosts.wildcard.size > 0) {
      for (let dot = host.indexOf('.'); dot >= 0; dot = host.indexOf('.', dot + 1)) {
        const paths = hosts.wildcard.get(host.slice(dot));
        const route = paths === undefined ? undefined : byPath(paths, view, path);
        if (route !== undefined) return route;
      }
    }
    return byPath(hosts.any, view, path);
  }
}

function hostsOf(routes: readonly Route[]): Hosts {
  const hosts: Hosts = { exact: new Map(), wildcard: new Map(), any: new Map() };
  const own = (of: Map<string, Paths>, host: string): Paths => {
    const paths = of.get(host) ?? new Map<string, Route[]>();
    of.set(host, paths);
    return paths;
  };
  for (const route of routes) {
    if (route.hosts.length === 0) addPaths(hosts.any, route);
    for (const host of route.hosts) {
      const isWildcard = host.startsWith('*.');
      addPaths(isWildcard ? own(hosts.wildcard, host.slice(1)) : own(hosts.exact, host), route);
    }
  }
  return hosts;
}

function addPaths(paths: Paths, route: Route): void {
  for (const prefix of route.paths.length === 0 ? ['/'] : route.paths) {
    const key = prefix.replace(/\/$/, '');
    const before = paths.get(key);
    if (before === undefined) paths.set(key, [route]);
    else before.push(route);
  }
}

function byPath(paths: Paths, view: RequestView, path: string): Route | undefined {
  if (paths.size === 0) return undefined;
  let end = path.length;
  while (end > 0) {
    const found = firstMatch(paths.get(path.slice(0, end)), view);
    if (found !== undefined) return found;
    end = path.lastIndexOf('/', end - 1);
  }
  return firstMatch(paths.get(''), view);
}

function firstMatch(routes: readonly Route[] | undefined, view: RequestView): Route | undefined {
  return routes?.find((route) => matches(route, view));
}

function matches({ methods, headers }: Route, view: RequestView): boolean {
  if (methods.length > 0 && !methods.includes(view.method)) return false;
  return headers.every(({ name, value }) => {
    const found = view.header(name);
    if (found === undefined || value === undefined) return found !== undefined;
    return value.endsWith('*') ? found.startsWith(value.slice(0, -1)) : found === value;
  });
}

const conditions = ({ methods, headers }: Route): number =>
  headers.length + (methods.length > 0 ? 1 : 0);

function byConditions(a: Route, b: Route): number {
  return conditions(b) - conditions(a) || (a.name < b.name ? -1 : 1);
}
