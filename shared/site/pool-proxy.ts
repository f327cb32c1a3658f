// How L7 and TCP listeners use a pool: the `proxy` section of a stored pool. Pure.
import { inOrder, unlessNothing } from './canonical.ts';
import { pemProblems } from './certificate.ts';
import { HEADER_NAME, parseFieldName } from './header-edits.ts';
import { parseHostPattern } from './host-pattern.ts';
import { ALGORITHMS, DEFAULT_PROXY, type PoolProxy } from './lb-objects.ts';
import { readTimeouts, storedTimeouts } from './lb-times.ts';
import { canonicalPem } from './pem.ts';
import type { ObjectProblem } from './problem.ts';
import type { ValueReader } from './value.ts';
import { unless, unlessEmpty } from './zone.ts';

export const PROXY_PROTOCOLS = ['http1', 'h2c'] as const;
export const COOKIE = 'the name of a cookie, such as lb';
const DAY = 86_400_000;
/** Bounds of what is a number, and what it is without a word. */
export const PROXY_BOUNDS = {
  boundPercent: { usual: DEFAULT_PROXY.boundPercent, least: 0, most: 1000 },
  slowStartMs: { usual: DEFAULT_PROXY.slowStartMs, least: 0, most: DAY / 24 },
  maxRequests: { usual: DEFAULT_PROXY.maxRequests, least: 0, most: 1_000_000 },
  maxQueue: { usual: DEFAULT_PROXY.maxQueue, least: 0, most: 1_000_000 },
  maxIdle: { usual: DEFAULT_PROXY.maxIdle, least: 0, most: 10_000 },
  failOpenPercent: { usual: DEFAULT_PROXY.failOpenPercent, least: 0, most: 100 },
  retryCount: { usual: DEFAULT_PROXY.retries.count, least: 0, most: 10 },
  retryBudget: { usual: DEFAULT_PROXY.retries.budgetPercent, least: 0, most: 100 },
  passiveFailures: { usual: DEFAULT_PROXY.passive.failures, least: 0, most: 1000 },
  passiveEjectMs: { usual: DEFAULT_PROXY.passive.ejectMs, least: 100, most: DAY / 24 },
  passivePercent: { usual: DEFAULT_PROXY.passive.maxPercent, least: 0, most: 100 },
  stickyTtlMs: { usual: DAY, least: 1000, most: 400 * DAY },
  agentIntervalMs: { usual: 5000, least: 100, most: DAY / 24 },
} as const;
export const RETRY_STATUS = { least: 400, most: 599 } as const;

const KEYS = [
  ...['agent', 'algorithm', 'bound', 'failOpen', 'hash', 'maxIdle', 'maxQueue', 'maxRequests'],
  ...['passive', 'protocol', 'retries', 'sendProxy', 'slowStart', 'sticky', 'timeouts', 'tls'],
];
type Hash = PoolProxy['hash'];

/** A token (RFC 6265, 4.1.1). */
export function parseCookieName(text: string): string | undefined {
  return /^[\w!#$%&'*+.^`|~-]{1,64}$/.test(text) ? text : undefined;
}

/** From a stored value; undefined: there is none, or the reader says what is wrong. */
export function readProxy(reader: ValueReader): PoolProxy | undefined {
  return reader.within('proxy', KEYS, (inner) => {
    const { retries, passive } = DEFAULT_PROXY;
    const optional = readOptional(inner);
    const proxy: PoolProxy = {
      protocol: oneOf(inner, 'protocol', PROXY_PROTOCOLS) ?? DEFAULT_PROXY.protocol,
      algorithm: oneOf(inner, 'algorithm', ALGORITHMS) ?? DEFAULT_PROXY.algorithm,
      hash: readHash(inner),
      boundPercent: bounded(inner, 'bound', 'boundPercent'),
      slowStartMs: bounded(inner, 'slowStart', 'slowStartMs'),
      maxRequests: bounded(inner, 'maxRequests', 'maxRequests'),
      maxQueue: bounded(inner, 'maxQueue', 'maxQueue'),
      maxIdle: bounded(inner, 'maxIdle', 'maxIdle'),
      retries:
        inner.within('retries', ['budget', 'count', 'statuses'], (tries) => ({
          count: bounded(tries, 'count', 'retryCount'),
          budgetPercent: bounded(tries, 'budget', 'retryBudget'),
          statuses: readStatuses(tries),
        })) ?? retries,
      timeouts: { ...DEFAULT_PROXY.timeouts, ...readTimeouts(inner) },
      passive:
        inner.within('passive', ['eject', 'failures', 'max'], (ejects) => ({
          failures: bounded(ejects, 'failures', 'passiveFailures'),
          ejectMs: bounded(ejects, 'eject', 'passiveEjectMs'),
          maxPercent: bounded(ejects, 'max', 'passivePercent'),
        })) ?? passive,
      failOpenPercent: bounded(inner, 'failOpen', 'failOpenPercent'),
      ...optional,
    };
    const isSame = JSON.stringify(inOrder(storedProxy(proxy))) === JSON.stringify(inner.fields);
    if (inner.reasons.length === 0 && !isSame) inner.refuse('is not as edgectl writes it');
    return proxy;
  });
}

function bounded(reader: ValueReader, key: string, name: keyof typeof PROXY_BOUNDS): number {
  const { usual, least, most } = PROXY_BOUNDS[name];
  return reader.integer(key, least, most) ?? usual;
}

function oneOf<T extends string>(reader: ValueReader, key: string, words: readonly T[]) {
  return reader.parsed(key, words.join(' or '), (text) => words.find((each) => each === text));
}

function readStatuses(reader: ValueReader): number[] {
  return reader.integers('statuses', RETRY_STATUS.least, RETRY_STATUS.most) ?? [];
}

function readHash(reader: ValueReader): Hash {
  if (!reader.isMap('hash'))
    return { on: oneOf(reader, 'hash', ['source', 'uri', 'path']) ?? 'source' };
  const found = reader.within('hash', ['cookie', 'header'], (inner): Hash | undefined => {
    const header = inner.parsed('header', HEADER_NAME, parseFieldName);
    const cookie = inner.parsed('cookie', COOKIE, parseCookieName);
    if (inner.reasons.length > 0) return undefined;
    if ((header === undefined) === (cookie === undefined)) {
      inner.refuse('needs one of header and cookie');
    }
    if (header !== undefined) return { on: 'header', name: header };
    return { on: 'cookie', name: cookie ?? '' };
  });
  return found ?? { on: 'source' };
}

function readOptional(
  reader: ValueReader,
): Pick<PoolProxy, 'sticky' | 'tls' | 'sendProxy' | 'agent'> {
  const sticky = reader.within('sticky', ['cookie', 'ttl'], (inner) => {
    const cookie = inner.parsed('cookie', COOKIE, parseCookieName);
    if (cookie === undefined && inner.reasons.length === 0) inner.refuse('there is no cookie');
    return { cookie: cookie ?? '', ttlMs: bounded(inner, 'ttl', 'stickyTtlMs') };
  });
  const tls = reader.within('tls', ['ca', 'serverName', 'verify'], (inner) => {
    const serverName = inner.parsed('serverName', 'the name of a host', parseServerName);
    const ca = inner.text('ca');
    return {
      ...(serverName === undefined ? {} : { serverName }),
      verify: inner.flag('verify') ?? true,
      ...(ca === undefined ? {} : { ca: canonicalPem(ca) }),
    };
  });
  const version = reader.integer('sendProxy', 1, 2);
  const agent = reader.within('agent', ['interval', 'port'], (inner) => {
    const port = inner.integer('port', 1, 65535);
    if (port === undefined && inner.reasons.length === 0) inner.refuse('there is no port');
    return { port: port ?? 0, intervalMs: bounded(inner, 'interval', 'agentIntervalMs') };
  });
  return {
    ...(sticky === undefined ? {} : { sticky }),
    ...(tls === undefined ? {} : { tls }),
    ...(version === undefined ? {} : { sendProxy: version === 1 ? 1 : 2 }),
    ...(agent === undefined ? {} : { agent }),
  };
}

/** In a stored value; undefined: all of it is usual. */
export function storedProxy(proxy: PoolProxy) {
  const { hash, retries, passive, sticky, tls, agent } = proxy;
  return unlessNothing({
    agent: agent === undefined ? undefined : storedAgent(agent),
    algorithm: unless(DEFAULT_PROXY.algorithm, proxy.algorithm),
    bound: unless(DEFAULT_PROXY.boundPercent, proxy.boundPercent),
    failOpen: unless(DEFAULT_PROXY.failOpenPercent, proxy.failOpenPercent),
    hash: hash.on === 'source' ? undefined : saidHash(hash),
    maxIdle: unless(DEFAULT_PROXY.maxIdle, proxy.maxIdle),
    maxQueue: unless(DEFAULT_PROXY.maxQueue, proxy.maxQueue),
    maxRequests: unless(DEFAULT_PROXY.maxRequests, proxy.maxRequests),
    passive: unlessNothing({
      eject: unless(DEFAULT_PROXY.passive.ejectMs, passive.ejectMs),
      failures: unless(DEFAULT_PROXY.passive.failures, passive.failures),
      max: unless(DEFAULT_PROXY.passive.maxPercent, passive.maxPercent),
    }),
    protocol: unless(DEFAULT_PROXY.protocol, proxy.protocol),
    retries: unlessNothing({
      budget: unless(DEFAULT_PROXY.retries.budgetPercent, retries.budgetPercent),
      count: unless(DEFAULT_PROXY.retries.count, retries.count),
      statuses: unlessEmpty(retries.statuses),
    }),
    sendProxy: proxy.sendProxy,
    slowStart: unless(DEFAULT_PROXY.slowStartMs, proxy.slowStartMs),
    sticky:
      sticky === undefined
        ? undefined
        : { cookie: sticky.cookie, ttl: unless<number>(DAY, sticky.ttlMs) },
    timeouts: storedTimeouts(proxy.timeouts, DEFAULT_PROXY.timeouts),
    tls:
      tls === undefined
        ? undefined
        : { ca: tls.ca, serverName: tls.serverName, verify: tls.verify ? undefined : false },
  });
}

function storedAgent({ port, intervalMs }: NonNullable<PoolProxy['agent']>) {
  return { interval: unless<number>(PROXY_BOUNDS.agentIntervalMs.usual, intervalMs), port };
}

function saidHash(hash: Hash): string | { [K in 'header' | 'cookie']?: string } {
  return 'name' in hash ? { [hash.on]: hash.name } : hash.on;
}

/** Of SNI: a name, no address (RFC 6066, 3). */
export function parseServerName(text: string): string | undefined {
  return parseHostPattern(text) === text && !text.startsWith('*') ? text : undefined;
}

/** What is wrong with it in itself; `at` begins with `proxy`. */
export function proxyProblems(proxy: PoolProxy): ObjectProblem[] {
  const problems: ObjectProblem[] = [];
  const say = (message: string, ...at: string[]) =>
    problems.push({ message, at: ['proxy', ...at] });
  const { algorithm, hash, boundPercent, retries } = proxy;
  const hashes = algorithm === 'ring' || algorithm === 'maglev';
  if (!hashes && hash.on !== 'source') say(`hash has no use with ${algorithm}`, 'hash');
  if (!hashes && boundPercent !== DEFAULT_PROXY.boundPercent) {
    say(`bound has no use with ${algorithm}`, 'bound');
  }
  if (boundPercent > 0 && boundPercent < 100) {
    say(`bound ${boundPercent} is less than the mean: 0 is none, 100 and more is one`, 'bound');
  }
  if (new Set(retries.statuses).size < retries.statuses.length) {
    say('a status is there twice', 'retries', 'statuses');
  }
  if (proxy.protocol === 'h2c' && proxy.tls !== undefined) {
    say('h2c is without TLS: leave out one of them', 'tls');
  }
  if (proxy.protocol === 'h2c' && proxy.sendProxy !== undefined) {
    say('sendProxy is for one client a connection, h2c has many on one', 'sendProxy');
  }
  return [...problems, ...pemProblems(proxy.tls?.ca, ['proxy', 'tls', 'ca'])];
}
