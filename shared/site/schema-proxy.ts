// The `proxy` section of a pool in a site file.
import { z } from 'zod';
import { durationWithin, port, written } from '../config/types.ts';
import { formatDuration } from '../net/units.ts';
import { HEADER_NAME, parseFieldName } from './header-edits.ts';
import { ALGORITHMS, DEFAULT_PROXY, type PoolProxy } from './lb-objects.ts';
import { TIMEOUTS, timeoutsOf, timeText } from './lb-times.ts';
import { canonicalPem } from './pem.ts';
import {
  COOKIE,
  PROXY_BOUNDS,
  PROXY_PROTOCOLS,
  parseCookieName,
  parseServerName,
  RETRY_STATUS,
  storedProxy,
} from './pool-proxy.ts';

const same = (text: string) => text;
type Bounds = { usual: number; least: number; most: number };
const count = ({ usual, least, most }: Bounds) => z.int().min(least).max(most).default(usual);
const time = ({ usual, least, most }: Bounds) =>
  durationWithin(timeText(least), timeText(most)).prefault(timeText(usual));

const cookie = written(COOKIE, parseCookieName, same);
const serverName = written('a name such as www.example.com', parseServerName, same);
export const fieldName = written(HEADER_NAME, parseFieldName, same);

const timeout = (key: (typeof TIMEOUTS)[number]['key']) => {
  const found = TIMEOUTS.find((each) => each.key === key);
  return durationWithin(
    formatDuration(found?.least ?? 0),
    formatDuration(found?.most ?? 0),
  ).optional();
};
export const timeouts = z.strictObject({
  connect: timeout('connect'),
  head: timeout('head'),
  idle: timeout('idle'),
  tunnel: timeout('tunnel'),
  queue: timeout('queue'),
});

const hash = z.union([
  z.enum(['source', 'uri', 'path']),
  z.strictObject({ header: fieldName }),
  z.strictObject({ cookie }),
]);

const B = PROXY_BOUNDS;
export const proxy = z.strictObject({
  protocol: z.enum(PROXY_PROTOCOLS).default(DEFAULT_PROXY.protocol),
  algorithm: z.enum(ALGORITHMS).default(DEFAULT_PROXY.algorithm),
  hash: hash.default('source'),
  bound: count(B.boundPercent),
  sticky: z.strictObject({ cookie, ttl: time(B.stickyTtlMs) }).optional(),
  slowStart: time(B.slowStartMs),
  maxRequests: count(B.maxRequests),
  maxQueue: count(B.maxQueue),
  maxIdle: count(B.maxIdle),
  retries: z
    .strictObject({
      count: count(B.retryCount),
      budget: count(B.retryBudget),
      statuses: z.array(z.int().min(RETRY_STATUS.least).max(RETRY_STATUS.most)).default([]),
    })
    .prefault({}),
  timeouts: timeouts.optional(),
  passive: z
    .strictObject({
      failures: count(B.passiveFailures),
      eject: time(B.passiveEjectMs),
      max: count(B.passivePercent),
    })
    .prefault({}),
  failOpen: count(B.failOpenPercent),
  tls: z
    .strictObject({
      serverName: serverName.optional(),
      verify: z.boolean().default(true),
      ca: z.string().optional(),
      caFile: z.string().min(1).optional(),
    })
    .optional(),
  sendProxy: z.union([z.literal(1), z.literal(2)]).optional(),
  agent: z.strictObject({ port, interval: time(B.agentIntervalMs) }).optional(),
});

type Written = z.output<typeof proxy>;

/** What a key with a text, or the other with a file's name, gives; undefined: neither is there. */
export type PemOf = (
  given: { text?: string | undefined; file?: string | undefined },
  at: { text: readonly string[]; file: readonly string[] },
) => string | undefined;

/** Undefined: all of it is as without the section. */
export function proxyOf(given: Written, pemOf: PemOf): PoolProxy | undefined {
  const { sticky, tls, agent, sendProxy, retries, passive } = given;
  const proxied: PoolProxy = {
    protocol: given.protocol,
    algorithm: given.algorithm,
    hash: hashOf(given.hash),
    boundPercent: given.bound,
    slowStartMs: given.slowStart,
    maxRequests: given.maxRequests,
    maxQueue: given.maxQueue,
    maxIdle: given.maxIdle,
    retries: { count: retries.count, budgetPercent: retries.budget, statuses: retries.statuses },
    timeouts: { ...DEFAULT_PROXY.timeouts, ...timeoutsOf(given.timeouts) },
    passive: { failures: passive.failures, ejectMs: passive.eject, maxPercent: passive.max },
    failOpenPercent: given.failOpen,
    ...(sticky === undefined ? {} : { sticky: { cookie: sticky.cookie, ttlMs: sticky.ttl } }),
    ...(tls === undefined ? {} : { tls: tlsOf(tls, pemOf) }),
    ...(sendProxy === undefined ? {} : { sendProxy }),
    ...(agent === undefined ? {} : { agent: { port: agent.port, intervalMs: agent.interval } }),
  };
  return storedProxy(proxied) === undefined ? undefined : proxied;
}

function hashOf(given: Written['hash']): PoolProxy['hash'] {
  if (typeof given === 'string') return { on: given };
  if ('header' in given) return { on: 'header', name: given.header };
  return { on: 'cookie', name: given.cookie };
}

function tlsOf(given: NonNullable<Written['tls']>, pemOf: PemOf): NonNullable<PoolProxy['tls']> {
  const at = ['proxy', 'tls'];
  const texts = { text: given.ca, file: given.caFile };
  const ca = pemOf(texts, { text: [...at, 'ca'], file: [...at, 'caFile'] });
  return {
    ...(given.serverName === undefined ? {} : { serverName: given.serverName }),
    verify: given.verify,
    ...(ca === undefined ? {} : { ca: canonicalPem(ca) }),
  };
}
