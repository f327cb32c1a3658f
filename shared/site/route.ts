// A route of L7: which requests, and what becomes of them. Id: its name. Pure.
import { formatPrefix, type Prefix } from '../net/prefix.ts';
import type { ObjectRecord } from '../store/types.ts';
import { canonicalValue, ifCanonical } from './canonical.ts';
import {
  editProblems,
  HEADER_NAME,
  isHeaderValue,
  parseFieldName,
  readEdits,
  saidEdits,
} from './header-edits.ts';
import { parseHostPattern } from './host-pattern.ts';
import type { Route } from './lb-objects.ts';
import { readTimeouts, storedTimeouts } from './lb-times.ts';
import { nameOf } from './line.ts';
import { parseCheckHost } from './pool-check.ts';
import type { ObjectProblem } from './problem.ts';
import { readRateLimit, saidRateLimit } from './rate-limit.ts';
import { type Refusal, refusal } from './refusal.ts';
import { ACTION_KEYS, actionProblems, readAction, saidAction } from './route-action.ts';
import { parseRewritePath, parseRoutePath } from './route-path.ts';
import { isName, ValueReader } from './value.ts';
import { parseStoredPrefix, unlessEmpty } from './zone.ts';

export const MAX_BODY_LIMIT_BYTES = 2 ** 50;
export const METHOD = 'a method such as GET';
export const HOST = 'a name such as www.example.com or *.example.com';
export const PATH = 'a path such as /api';

const KEYS = [
  ...ACTION_KEYS,
  ...['allow', 'compress', 'deny', 'headers', 'hosts', 'listeners', 'maxBody', 'methods'],
  ...['paths', 'rateLimit', 'request', 'response', 'rewriteHost', 'rewritePath', 'timeouts'],
  'upgrade',
];

/** From a stored object. */
export function parseRoute(id: string, value: string): Route | Refusal {
  const reader = new ValueReader(`route ${id}`, value, KEYS);
  if (!isName(id)) reader.refuse('the id is not a name');
  const action = readAction(reader);
  const rewritePath = reader.parsed('rewritePath', PATH, parseRewritePath);
  const rewriteHost = reader.parsed('rewriteHost', 'the name of a host', parseCheckHost);
  const rateLimit = readRateLimit(reader);
  if (action === undefined) return refusal(...reader.reasons);
  const route: Route = {
    name: id,
    listeners: reader.list('listeners', 'names', nameOf),
    hosts: reader.list('hosts', HOST, parseHostPattern),
    paths: reader.list('paths', PATH, parseRoutePath),
    methods: reader.list('methods', METHOD, parseMethod),
    headers: reader.each('headers', ['name', 'value'], readCondition),
    action,
    ...(rewritePath === undefined ? {} : { rewritePath }),
    ...(rewriteHost === undefined ? {} : { rewriteHost }),
    request: readEdits(reader, 'request'),
    response: readEdits(reader, 'response'),
    allow: reader.list('allow', 'prefixes', parseStoredPrefix),
    deny: reader.list('deny', 'prefixes', parseStoredPrefix),
    ...(rateLimit === undefined ? {} : { rateLimit }),
    compress: reader.flag('compress') ?? false,
    upgrade: reader.flag('upgrade') ?? false,
    maxBodyBytes: reader.integer('maxBody', 0, MAX_BODY_LIMIT_BYTES) ?? 0,
    timeouts: readTimeouts(reader),
  };
  return ifCanonical(reader, value, route, { problemsOf: routeProblems, format: formatRoute });
}

type Condition = Route['headers'][number];

function readCondition(reader: ValueReader): Condition {
  const name = reader.parsed('name', HEADER_NAME, parseFieldName);
  if (name === undefined && reader.reasons.length === 0) reader.refuse('there is no name');
  const value = reader.text('value');
  return { name: name ?? '', ...(value === undefined ? {} : { value }) };
}

/** In upper case, as methods are. */
export function parseMethod(text: string): string | undefined {
  const method = text.toUpperCase();
  return /^[A-Z][A-Z-]{0,31}$/.test(method) ? method : undefined;
}

/** By name; a value of `*` alone is any. */
export function sortedConditions(conditions: readonly Condition[]): Condition[] {
  return conditions
    .map(({ name, value }) => (value === undefined || value === '*' ? { name } : { name, value }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** Of what the balancer answers itself, what only a pool would have a use for. */
const ONLY_POOL = ['rewritePath', 'rewriteHost', 'request', 'compress', 'upgrade', 'timeouts'];

/** What is wrong with a route in itself. */
export function routeProblems(route: Route): ObjectProblem[] {
  const { action, methods, headers, request, response } = route;
  const problems = [
    ...actionProblems(action),
    ...editProblems('request', request),
    ...editProblems('response', response),
  ];
  const say = (message: string, ...at: (string | number)[]) => problems.push({ message, at });
  const lists = { listeners: route.listeners, hosts: route.hosts, paths: route.paths, methods };
  for (const [key, list] of Object.entries(lists)) {
    for (const [index, each] of list.entries()) {
      if (list.indexOf(each) < index) say(`${each} is there twice`, key, index);
    }
  }
  for (const [index, method] of methods.entries()) {
    if (method !== 'CONNECT' && method !== 'TRACE') continue;
    say(`${method} is never sent on: the balancer answers it`, 'methods', index);
  }
  for (const [index, { name, value }] of headers.entries()) {
    const isAgain = headers.findIndex((other) => other.name === name) < index;
    if (isAgain) say(`${name} is there twice`, 'headers', index);
    if (value !== undefined && !isHeaderValue(value)) {
      say(`the value of ${name} is not printable ASCII`, 'headers', index);
    }
  }
  if (action.kind === 'pool') return problems;
  const said = saidRoute(route);
  for (const key of ONLY_POOL) {
    if (Reflect.get(said, key) === undefined) continue;
    say(`${key} has no use: the balancer answers itself`, key);
  }
  return problems;
}

/** As stored; what a site file has in another form (times, sizes) is in numbers. */
export function saidRoute(route: Route) {
  const prefixes = (list: readonly Prefix[]) => unlessEmpty(list.map(formatPrefix));
  return {
    ...saidAction(route.action),
    listeners: unlessEmpty(route.listeners),
    hosts: unlessEmpty(route.hosts),
    paths: unlessEmpty(route.paths),
    methods: unlessEmpty(route.methods),
    headers: unlessEmpty(route.headers),
    rewritePath: route.rewritePath,
    rewriteHost: route.rewriteHost,
    request: saidEdits(route.request),
    response: saidEdits(route.response),
    allow: prefixes(route.allow),
    deny: prefixes(route.deny),
    rateLimit: route.rateLimit === undefined ? undefined : saidRateLimit(route.rateLimit),
    compress: route.compress ? true : undefined,
    upgrade: route.upgrade ? true : undefined,
    maxBody: route.maxBodyBytes === 0 ? undefined : route.maxBodyBytes,
    timeouts: storedTimeouts(route.timeouts, {}),
  };
}

export function formatRoute(route: Route): ObjectRecord {
  return { kind: 'route', id: route.name, value: canonicalValue(saidRoute(route)) };
}
