// What becomes of a request, by the plan in force: its route, who may, how often, the answers that
// the balancer gives itself, and how heads are changed. The same for HTTP/1.1 and HTTP/2. Pure.

import type { HeaderEdits, Listener, RateLimit, Route } from '../../../shared/site/lb-objects.ts';
import { type Buckets, limitOf } from '../../limits/gcra.ts';
import { FIELD, type FieldName, type ResponseHead } from '../http1/types.ts';
import { comparablePath } from '../route/path.ts';
import { RouteTable } from '../route/table.ts';
import type {
  ClientInfo,
  Decision,
  HeadEdits,
  Policy,
  RequestView,
  TerminationCause,
  WorkerPlan,
} from '../types.ts';
import { isCompressible } from './compress.ts';
import { FORWARDED_NAMES, forwardedFields, isLoop } from './forwarded.ts';
import { PrefixSet } from './prefix-set.ts';
import { redirectTarget } from './redirect.ts';

export type PolicyOptions = {
  /** Received-by of our Via, the same on all workers of an instance. */
  self: string;
  /** Of the limits of this instance, and of those that are shared. */
  buckets: { own: Buckets; shared: Buckets };
  /** Monotonic ms. */
  nowMs: () => number;
  /** Whether the worker has no memory for another request. */
  isFull: () => boolean;
};

type Access = { allow: PrefixSet; deny: PrefixSet };
type Edits = { client: ClientInfo; route: Route; host: string; edits: HeadEdits };

const HEADER_KEY_CHARACTERS = 128;

export class RoutePolicy implements Policy {
  readonly #options: PolicyOptions;
  #table = new RouteTable([], []);
  #listeners = new Map<string, Access>();
  #routes = new Map<string, Access>();
  /** Edits of the last request of a client: mostly those of its next one. */
  #requestEdits = new WeakMap<ClientInfo, Edits>();
  #responseEdits = new Map<Route, HeadEdits>();

  constructor(options: PolicyOptions) {
    this.#options = options;
  }

  update({ listeners, routes }: WorkerPlan): void {
    const names = listeners.map(({ name }) => name);
    this.#table = new RouteTable(routes, names);
    this.#listeners = new Map(listeners.map((listener) => [listener.name, accessOf(listener)]));
    this.#routes = new Map(routes.map((route) => [route.name, accessOf(route)]));
    this.#requestEdits = new WeakMap();
    this.#responseEdits = new Map();
  }

  admits(listener: Listener, address: string): boolean {
    return isAdmitted(this.#listeners.get(listener.name), address);
  }

  /** The route that would serve it; undefined: 400, for its path means two things. */
  routeOf(listener: Listener, view: RequestView): Route | undefined | 'bad-path' {
    const path = view.target === '*' ? '/' : comparablePath(view.target);
    return path === undefined ? 'bad-path' : this.#table.find(listener.name, view, path);
  }

  /** As #limit, and nothing is taken. */
  waitMs(route: Route, limit: RateLimit, view: RequestView, client: ClientInfo): number {
    const { buckets, nowMs } = this.#options;
    const key = bucketKey(route, limit, view, client);
    return (limit.shared ? buckets.shared : buckets.own).waitMs(key, limitOf(limit), nowMs());
  }

  allows({ name }: Route, address: string): boolean {
    return isAdmitted(this.#routes.get(name), address);
  }

  decide(
    listener: Listener,
    view: RequestView,
    client: ClientInfo,
    done: (decision: Decision) => void,
  ): void {
    done(this.#decide(listener, view, client));
  }

  #decide(listener: Listener, view: RequestView, client: ClientInfo): Decision {
    if (this.#options.isFull()) return answer(503, 'shed', '', 'overloaded');
    const route = this.routeOf(listener, view);
    if (route === 'bad-path') return answer(400, 'bad-request', '', 'the path is ambiguous');
    if (route === undefined) return answer(404, 'no-route', '', 'no route');
    const { name, action, rateLimit } = route;
    if (!this.allows(route, client.address)) {
      return answer(403, 'denied', name, 'not allowed');
    }
    if (rateLimit !== undefined) {
      const waitMs = this.#limit(route, rateLimit, view, client);
      if (waitMs > 0) {
        const headers = [['Retry-After', String(Math.ceil(waitMs / 1000))]] as const;
        return answer(429, 'rate-limited', name, 'too many requests', headers);
      }
    }
    if (isLoop(view.header('via'), this.#options.self)) {
      return answer(508, 'bad-request', name, 'the request was here before');
    }
    switch (action.kind) {
      case 'pool':
        return { kind: 'forward', route };
      case 'redirect': {
        const to = redirectTarget(action.to, view, client.scheme);
        return answer(action.status, 'answered', name, `see ${to}`, [['Location', to]]);
      }
      case 'respond': {
        const headers = [['Content-Type', action.contentType] as const];
        const body = Buffer.from(action.body);
        const { status } = action;
        return { kind: 'answer', status, headers, body, cause: 'answered', route: name };
      }
    }
  }

  /** Via is appended by who writes the head, in both directions. */
  requestEdits(route: Route, view: RequestView, client: ClientInfo): HeadEdits {
    const isPlain = !client.isTrusted && route.rewritePath === undefined;
    const before = isPlain ? this.#requestEdits.get(client) : undefined;
    if (before?.route === route && before.host === view.host) return before.edits;
    const { drop, add } = editsOf(route.request, FORWARDED_NAMES, forwardedFields(view, client));
    const target = rewritten(route, view);
    const authority = route.rewriteHost;
    const edits: HeadEdits = {
      drop,
      add,
      ...(target === undefined ? {} : { target }),
      ...(authority === undefined ? {} : { authority }),
    };
    if (isPlain) this.#requestEdits.set(client, { client, route, host: view.host, edits });
    return edits;
  }

  responseEdits(route: Route, _client: ClientInfo): HeadEdits {
    const before = this.#responseEdits.get(route);
    if (before !== undefined) return before;
    const { drop, add } = editsOf(route.response, [], []);
    const edits = { drop, add };
    this.#responseEdits.set(route, edits);
    return edits;
  }

  mayCompress(route: Route, view: RequestView, head: ResponseHead): boolean {
    if (!route.compress || view.method === 'HEAD') return false;
    const length = head.framing === 'length' ? head.contentLength : -1;
    return isCompressible(
      {
        status: head.status,
        contentType: fieldOf(head, FIELD.CONTENT_TYPE),
        contentEncoding: fieldOf(head, FIELD.CONTENT_ENCODING),
        cacheControl: fieldOf(head, FIELD.CACHE_CONTROL),
        contentLength: length,
      },
      view.header('accept-encoding'),
    );
  }

  #limit(route: Route, limit: RateLimit, view: RequestView, client: ClientInfo): number {
    const { buckets, nowMs } = this.#options;
    const key = bucketKey(route, limit, view, client);
    return (limit.shared ? buckets.shared : buckets.own).take(key, limitOf(limit), nowMs());
  }
}

function bucketKey(route: Route, { by }: RateLimit, view: RequestView, client: ClientInfo): string {
  let whose = '';
  if (by === 'source') whose = sourceOf(client.address);
  else if (by !== 'all') whose = view.header(by.header)?.slice(0, HEADER_KEY_CHARACTERS) ?? '';
  return `${route.name}|${whose}`;
}

/** IPv6: its /64, for a client has all of that. */
export function sourceOf(address: string): string {
  if (!address.includes(':')) return address;
  const [head = '', tail] = address.split('::');
  const first = head === '' ? [] : head.split(':');
  const last = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = tail === undefined ? 0 : 8 - first.length - last.length;
  return [...first, ...Array<string>(zeros).fill('0'), ...last].slice(0, 4).join(':');
}

function accessOf({ allow, deny }: Pick<Route, 'allow' | 'deny'>): Access {
  return { allow: new PrefixSet(allow), deny: new PrefixSet(deny) };
}

/** Who is denied is not let in, whatever is allowed. */
function isAdmitted(access: Access | undefined, address: string): boolean {
  if (access === undefined) return true;
  if (access.deny.has(address)) return false;
  return access.allow.isEmpty || access.allow.has(address);
}

function editsOf(
  { set, add, remove }: HeaderEdits,
  dropped: readonly string[],
  own: readonly (readonly [string, string])[],
): { drop: ReadonlySet<string>; add: readonly (readonly [string, string])[] } {
  const replaced = set.map(([name]) => name.toLowerCase());
  const removed = [...replaced, ...remove.map((name) => name.toLowerCase())];
  const gone = new Set(removed);
  const kept = own.filter(([name]) => !gone.has(name.toLowerCase()));
  return { drop: new Set([...dropped, ...removed]), add: [...kept, ...set, ...add] };
}

/** The prefix that led to the route is replaced. */
function rewritten({ rewritePath, paths }: Route, { target }: RequestView): string | undefined {
  if (rewritePath === undefined || target === '*') return undefined;
  const path = comparablePath(target) ?? target;
  const matching = (paths.length === 0 ? ['/'] : paths)
    .map((prefix) => prefix.replace(/\/$/, ''))
    .filter((prefix) => path === prefix || path.startsWith(`${prefix}/`))
    .sort((a, b) => b.length - a.length);
  const question = target.indexOf('?');
  const query = question < 0 ? '' : target.slice(question);
  const rest = path.slice(matching[0]?.length ?? 0);
  const base = rewritePath.replace(/\/$/, '');
  return `${base}${rest === '' && base === '' ? '/' : rest}${query}`;
}

function fieldOf({ bytes, names, offsets, count }: ResponseHead, name: FieldName) {
  for (let at = 0; at < count; at++) {
    if (names[at] === name)
      return bytes.toString('latin1', offsets[at * 4 + 2], offsets[at * 4 + 3]);
  }
  return undefined;
}

function answer(
  status: number,
  cause: TerminationCause,
  route: string,
  text: string,
  headers: readonly (readonly [string, string])[] = [],
): Decision {
  const all = [['Content-Type', 'text/plain; charset=utf-8'] as const, ...headers];
  return {
    kind: 'answer',
    status,
    headers: all,
    body: Buffer.from(`${status} ${text}\n`),
    cause,
    route,
  };
}
