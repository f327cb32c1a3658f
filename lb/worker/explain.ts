// Why a request is answered as it is: the real decision, step by step, with nothing sent, counted
// or taken (`edgectl explain GET URL`).
import { parseEndpoint } from '../../shared/net/ports.ts';
import type { Listener, Route } from '../../shared/site/lb-objects.ts';
import { pickKeyOf } from '../l7/forward/pick-key.ts';
import type { Sticky } from '../l7/forward/sticky.ts';
import type { RoutePolicy } from '../l7/policy/policy.ts';
import type { ClientInfo, RequestView } from '../l7/types.ts';
import type { Balancer, PoolState } from '../pools/types.ts';
import type { ExplainRequest } from '../workers/messages.ts';

export type ExplainContext = {
  listeners: readonly Listener[];
  policy: RoutePolicy;
  pool: (name: string) => PoolState | undefined;
  balancer: (name: string) => Balancer | undefined;
  sticky: Sticky;
  nowMs: number;
};

export type ExplainStep = { step: string; result: string };

export type ExplainAnswer = {
  listener: string | null;
  route: string | null;
  pool: string | null;
  /** The target that a cookie or a hash means; null: whose turn it is. */
  pick: string | null;
  steps: ExplainStep[];
  targets: { id: string; health: string; weight: number; open: number; skipped: string | null }[];
};

export function explainRequest(request: ExplainRequest, context: ExplainContext): ExplainAnswer {
  const nobody = { listener: null, route: null, pool: null, pick: null };
  const answer: ExplainAnswer = { ...nobody, steps: [], targets: [] };
  const say = (step: string, result: string) => answer.steps.push({ step, result });
  const url = new URL(request.url);
  const listener = listenerOf(url, context.listeners);
  if (listener === undefined) {
    say('listener', `none for ${url.protocol}//…:${portOf(url)}`);
    return answer;
  }
  answer.listener = listener.name;
  say('listener', `${listener.name} at ${listener.at.join(', ')}`);
  const { policy } = context;
  if (!policy.admits(listener, request.from)) {
    say('access', `${request.from} is not let in by the listener: closed at once`);
    return answer;
  }
  const view = viewOf(request, url);
  const client = clientOf(request, url, listener);
  const route = policy.routeOf(listener, view);
  if (route === 'bad-path') say('route', '400: the path means two things to two readers');
  else if (route === undefined) say('route', '404: no route matches host, path and conditions');
  else explainRoute({ route, view, client, answer, say, context });
  return answer;
}

type Explaining = {
  route: Route;
  view: RequestView;
  client: ClientInfo;
  answer: ExplainAnswer;
  say: (step: string, result: string) => void;
  context: ExplainContext;
};

function explainRoute({ route, view, client, answer, say, context }: Explaining): void {
  answer.route = route.name;
  const { hosts, paths, methods, rateLimit, action } = route;
  const on = (what: readonly string[], any: string) => (what.length === 0 ? any : what.join(', '));
  const conditions = `${on(hosts, 'any host')}; ${on(paths, 'any path')}`;
  say(
    'route',
    `${route.name} (${conditions}${methods.length > 0 ? `; ${methods.join(', ')}` : ''})`,
  );
  if (!context.policy.allows(route, client.address)) {
    say('access', `403: ${client.address} is not allowed by the route`);
    return;
  }
  if (rateLimit !== undefined) {
    const waitMs = context.policy.waitMs(route, rateLimit, view, client);
    const counted = rateLimit.shared ? 'by all instances' : 'by this instance';
    say('rate limit', waitMs > 0 ? `429: ${Math.ceil(waitMs)} ms too early` : `free, ${counted}`);
  }
  if (action.kind === 'redirect') say('action', `${action.status} to ${action.to}`);
  if (action.kind === 'respond') say('action', `${action.status}, answered here`);
  if (action.kind !== 'pool') return;
  explainPool(action.pool, { route, view, client, answer, say, context });
}

function explainPool(name: string, { view, client, answer, say, context }: Explaining): void {
  const pool = context.pool(name);
  const balancer = context.balancer(name);
  if (pool === undefined || balancer === undefined) {
    say('pool', `503: there is no pool ${name}`);
    return;
  }
  answer.pool = name;
  const { algorithm, hash } = pool.proxy;
  const isHashed = algorithm === 'ring' || algorithm === 'maglev';
  say('pool', `${name}, ${algorithm}${isHashed ? ` on ${hash.on}` : ''}`);
  if (balancer.isFailOpen) say('fail open', 'too few targets are healthy: health is ignored');
  const key = pickKeyOf(pool, view, client, context.sticky);
  if (key.sticky !== undefined) say('sticky', `the cookie names ${key.sticky}`);
  const explained = balancer.explain(key, context.nowMs);
  answer.pick = explained.find(({ isPicked }) => isPicked)?.target.id ?? null;
  answer.targets = explained.map(({ target, weight, skipped }) => ({
    id: target.id,
    health: target.state.health,
    weight,
    open: target.open,
    skipped: skipped ?? null,
  }));
  const free = answer.targets.filter(({ skipped }) => skipped === null).length;
  say('targets', free === 0 ? '503: none is free' : `${free} of ${answer.targets.length} are free`);
}

const portOf = (url: URL): number =>
  url.port === '' ? (url.protocol === 'https:' ? 443 : 80) : Number(url.port);

/** By scheme and port; the port may be another one inside of the site: then by scheme alone. */
function listenerOf(url: URL, listeners: readonly Listener[]): Listener | undefined {
  const own = listeners.filter(({ protocol }) => `${protocol}:` === url.protocol);
  const port = portOf(url);
  return own.find(({ at }) => at.some((each) => parseEndpoint(each)?.port === port)) ?? own[0];
}

function viewOf({ method, headers }: ExplainRequest, url: URL): RequestView {
  const all = new Map([
    ['host', url.host],
    ...headers.map(([n, v]) => [n.toLowerCase(), v] as const),
  ]);
  return {
    method,
    host: url.hostname.replace(/\.$/, ''),
    target: `${url.pathname}${url.search}`,
    header: (name) => all.get(name),
  };
}

function clientOf({ from }: ExplainRequest, url: URL, { protocol }: Listener): ClientInfo {
  return {
    address: from,
    port: 0,
    localAddress: '',
    localPort: portOf(url),
    scheme: protocol === 'https' ? 'https' : 'http',
    isTrusted: false,
  };
}
