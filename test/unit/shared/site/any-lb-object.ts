// Objects of lb, and pools as lb uses them, for property tests: any that are right in themselves.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { formatIpv4, ipv4 } from '../../../../shared/net/ipv4.ts';
import { formatIpv6, ipv6 } from '../../../../shared/net/ipv6.ts';
import { networkOf, type Prefix } from '../../../../shared/net/prefix.ts';
import { NO_EDITS, sortedPairs } from '../../../../shared/site/header-edits.ts';
import type { SiteObject } from '../../../../shared/site/kinds.ts';
import {
  ALGORITHMS,
  DEFAULT_PROXY,
  type HeaderEdits,
  type Listener,
  type PoolProxy,
  type Route,
  type RouteAction,
  type VirtualServer,
} from '../../../../shared/site/lb-objects.ts';
import type { HealthOverride, Pool } from '../../../../shared/site/pool-objects.ts';
import { storedProxy } from '../../../../shared/site/pool-proxy.ts';
import { sortedConditions } from '../../../../shared/site/route.ts';

const file = join(import.meta.dirname, '../../../../deploy/examples/www.example.com.pem');
/** A certificate, as it is stored. */
export const PEM = readFileSync(file, 'utf8');

const optional = { requiredKeys: [] };
const word = fc.stringMatching(/^[a-zA-Z0-9]([a-zA-Z0-9._-]{0,12}[a-zA-Z0-9])?$/);
const port = fc.integer({ min: 1, max: 65535 });
const v4 = fc.integer({ min: 0x01000000, max: 0x7effffff }).map((each) => formatIpv4(ipv4(each)));
const v6 = fc
  .bigInt({ min: 1n << 64n, max: (1n << 128n) - 1n })
  .map((each) => formatIpv6(ipv6(each)));
const prefix: fc.Arbitrary<Prefix> = fc.oneof(
  fc
    .tuple(fc.integer({ min: 0, max: 0xffffffff }), fc.nat(32))
    .map(([value, bits]) => networkOf({ family: 4, address: ipv4(value), bits })),
  fc
    .tuple(fc.bigInt({ min: 0n, max: (1n << 128n) - 1n }), fc.nat(128))
    .map(([value, bits]) => networkOf({ family: 6, address: ipv6(value), bits })),
);
const prefixes = fc.array(prefix, { maxLength: 2 });
const distinct = <T>(one: fc.Arbitrary<T>, maxLength = 3, minLength = 0) =>
  fc.uniqueArray(one, { selector: (value) => JSON.stringify(value), minLength, maxLength });
const label = fc.stringMatching(/^[a-z][a-z0-9]{0,8}$/);
const host = fc
  .tuple(fc.constantFrom('', '*.'), fc.array(label, { minLength: 1, maxLength: 3 }))
  .map(([star, labels]) => `${star}${labels.join('.')}`);
const server = fc.array(label, { minLength: 1, maxLength: 3 }).map((labels) => labels.join('.'));
const sometimes = <T>(usual: T, other: fc.Arbitrary<T>) => fc.oneof(fc.constant(usual), other);
const bounded = (usual: number, min: number, max: number) =>
  sometimes(usual, fc.integer({ min, max }));

const vserver: fc.Arbitrary<VirtualServer> = fc
  .record({
    address: v4,
    protocol: fc.constantFrom('tcp' as const, 'udp' as const),
    ports: fc.tuple(port, port).map((two) => two.sort((a, b) => a - b)),
    pool: word,
    mode: fc.constantFrom('nat' as const, 'dsr' as const),
    hash: fc.constantFrom('source' as const, 'flow' as const),
    lost: fc.constantFrom('reset' as const, 'leave' as const),
  })
  .map(({ ports: [first = 1, lastPort = 1], ...rest }) => ({ ...rest, port: first, lastPort }));

const place = fc
  .tuple(
    fc.oneof(
      v4,
      fc.constant('0.0.0.0'),
      v6.map((each) => `[${each}]`),
    ),
    port,
  )
  .map(([at, to]) => `${at}:${to}`);
const common = {
  name: word,
  at: distinct(place, 3, 1),
  proxyFrom: prefixes,
  allow: prefixes,
  deny: prefixes,
  maxConnections: bounded(0, 0, 10_000_000),
};
const noTls = { certificates: [], clientCertificate: 'none', minTls: '1.2', http2: false } as const;
const listener: fc.Arbitrary<Listener> = fc.oneof(
  fc
    .record({ ...common, trusted: prefixes, http2: fc.boolean() })
    .map((each): Listener => ({ ...noTls, ...each, protocol: 'http', names: [] })),
  fc
    .tuple(
      fc.record({
        ...common,
        trusted: prefixes,
        http2: fc.boolean(),
        certificates: distinct(word, 3, 1),
        minTls: fc.constantFrom('1.2' as const, '1.3' as const),
      }),
      fc.constantFrom('none' as const, 'optional' as const, 'required' as const),
    )
    .map(([each, clientCertificate]): Listener => {
      const ca = clientCertificate === 'none' ? {} : { clientCa: PEM };
      return { ...each, ...ca, clientCertificate, protocol: 'https', names: [] };
    }),
  fc
    .record({ ...common, pool: word })
    .map((each): Listener => ({ ...noTls, ...each, protocol: 'tcp', trusted: [], names: [] })),
  fc
    .record({ ...common, pool: fc.option(word), named: distinct(host, 3, 1) })
    .map(({ pool, named, ...each }): Listener => {
      const own = pool === null ? {} : { pool };
      const names = named.map((name) => ({ name, pool: `to.${name.replace('*.', '')}` }));
      return { ...noTls, ...each, ...own, protocol: 'tls', trusted: [], names };
    }),
);

const text = fc.stringMatching(/^([!-~]([ -~]{0,12}[!-~])?)?$/);
const field = fc.stringMatching(/^X-[A-Za-z0-9-]{0,10}$/);
const fields = fc.uniqueArray(field, { selector: (each) => each.toLowerCase(), maxLength: 6 });
const edits: fc.Arbitrary<HeaderEdits> = fc
  .record({
    names: fields,
    values: fc.array(text, { minLength: 8, maxLength: 8 }),
    twice: fc.boolean(),
  })
  .map(({ names, values, twice }) => {
    const pair = (name: string, at: number) => [name, values[at] ?? ''] as const;
    const add = names.slice(2, 4).flatMap((name, at) => {
      return twice ? [pair(name, at), pair(name, at + 4)] : [pair(name, at)];
    });
    return {
      set: sortedPairs(names.slice(0, 2).map(pair)),
      add: sortedPairs(add),
      remove: names.slice(4),
    };
  });
const pathText = fc.stringMatching(/^(\/[a-z0-9.,;@:]{1,6}x){1,3}$/);
const timeouts = fc.record(
  {
    connectMs: fc.integer({ min: 10, max: 3_600_000 }),
    headMs: fc.integer({ min: 10, max: 3_600_000 }),
    idleMs: fc.integer({ min: 100, max: 3_600_000 }),
    tunnelMs: fc.integer({ min: 1000, max: 3_600_000 }),
    queueMs: fc.integer({ min: 0, max: 3_600_000 }),
  },
  optional,
);
const action: fc.Arbitrary<RouteAction> = fc.oneof(
  word.map((pool): RouteAction => ({ kind: 'pool', pool })),
  fc
    .constantFrom(301 as const, 302 as const, 303 as const, 307 as const, 308 as const)
    .chain((status) =>
      fc
        .constantFrom('https://{host}{path}{query}', '/new{path}', '{scheme}://www.example.com/')
        .map((to): RouteAction => ({ kind: 'redirect', status, to })),
    ),
  fc
    .record({
      status: fc.integer({ min: 400, max: 599 }),
      contentType: fc.constantFrom('text/plain; charset=utf-8', 'text/html'),
      body: fc.string({ maxLength: 20 }),
    })
    .map((each): RouteAction => ({ kind: 'respond', ...each })),
);
const limit: fc.Arbitrary<NonNullable<Route['rateLimit']>> = fc.record({
  requests: fc.integer({ min: 1, max: 1_000_000 }),
  perMs: fc.constantFrom(1, 1000, 1500, 10_000, 60_000, 3_600_000, 86_400_000),
  burst: fc.integer({ min: 1, max: 1_000_000 }),
  by: fc.constantFrom('source' as const, 'all' as const, { header: 'x-key' }),
  shared: fc.boolean(),
});
const condition = fc
  .tuple(
    field.map((each) => each.toLowerCase()),
    fc.record({ value: fc.stringMatching(/^[a-z]{1,5}\*?$/) }, optional),
  )
  .map(([name, more]) => ({ name, ...more }));
const route: fc.Arbitrary<Route> = fc
  .tuple(
    fc.record({
      name: word,
      listeners: distinct(word),
      hosts: distinct(host),
      paths: distinct(pathText),
      methods: distinct(fc.constantFrom('GET', 'POST', 'VERSION-CONTROL')),
      headers: fc
        .uniqueArray(condition, { selector: ({ name }) => name, maxLength: 3 })
        .map(sortedConditions),
      action,
      request: edits,
      response: edits,
      allow: prefixes,
      deny: prefixes,
      compress: fc.boolean(),
      upgrade: fc.boolean(),
      maxBodyBytes: bounded(0, 0, 2 ** 50),
      timeouts,
    }),
    fc.record({ rateLimit: limit }, optional),
    fc.record({ rewritePath: pathText, rewriteHost: server }, optional),
  )
  .map(([each, limited, rewrite]) => {
    if (each.action.kind === 'pool') return { ...each, ...limited, ...rewrite };
    const nothing = { request: NO_EDITS, compress: false, upgrade: false, timeouts: {} };
    return { ...each, ...limited, ...nothing };
  });

const hash: fc.Arbitrary<PoolProxy['hash']> = fc.oneof(
  fc.constantFrom('source' as const, 'uri' as const, 'path' as const).map((on) => ({ on })),
  fc.constantFrom(
    { on: 'header' as const, name: 'x-user' },
    { on: 'cookie' as const, name: 'Sid' },
  ),
);
const tls = fc
  .tuple(fc.boolean(), fc.record({ serverName: server, ca: fc.constant(PEM) }, optional))
  .map(([verify, more]) => ({ verify, ...more }));
const proxy: fc.Arbitrary<PoolProxy> = fc
  .tuple(
    fc.record({
      algorithm: fc.constantFrom(...ALGORITHMS),
      protocol: fc.constantFrom('http1' as const, 'h2c' as const),
      hash,
      boundPercent: bounded(125, 100, 1000),
      slowStartMs: bounded(0, 0, 3_600_000),
      maxRequests: bounded(0, 0, 1_000_000),
      maxQueue: bounded(1000, 0, 1_000_000),
      maxIdle: bounded(64, 0, 10_000),
      retries: fc.record({
        count: bounded(2, 0, 10),
        budgetPercent: bounded(20, 0, 100),
        statuses: distinct(fc.integer({ min: 400, max: 599 })),
      }),
      timeouts: timeouts.map((some) => ({ ...DEFAULT_PROXY.timeouts, ...some })),
      passive: fc.record({
        failures: bounded(5, 0, 1000),
        ejectMs: bounded(10_000, 100, 3_600_000),
        maxPercent: bounded(50, 0, 100),
      }),
      failOpenPercent: bounded(50, 0, 100),
    }),
    fc.record(
      {
        sticky: fc.record({
          cookie: fc.constantFrom('lb', 'A_b-c'),
          ttlMs: bounded(86_400_000, 1000, 86_400_000),
        }),
        agent: fc.record({ port, intervalMs: bounded(5000, 100, 3_600_000) }),
      },
      optional,
    ),
    fc.record({ tls, sendProxy: fc.constantFrom(1 as const, 2 as const) }, optional),
  )
  .map(([each, more, ofHttp1]) => {
    const hashes = each.algorithm === 'ring' || each.algorithm === 'maglev';
    const usual = hashes ? {} : { hash: DEFAULT_PROXY.hash, boundPercent: 125 };
    return { ...each, ...usual, ...more, ...(each.protocol === 'h2c' ? {} : ofHttp1) };
  });

const pool: fc.Arbitrary<Pool> = fc
  .tuple(fc.constantFrom(v4, v6), fc.record({ proxy }, optional))
  .chain(([address, more]) =>
    fc.record({
      name: word,
      targets: distinct(
        fc.record({ address, port, weight: fc.nat(1000), tier: fc.nat(255) }),
        3,
      ).filter(
        (all) => new Set(all.map((each) => `${each.address} ${each.port}`)).size === all.length,
      ),
      answers: fc.integer({ min: 1, max: 32 }),
      minHealthyPercent: fc.nat(100),
      used: fc.constant(more),
      check: fc.constantFrom(undefined, {
        type: 'tcp' as const,
        port: 0,
        intervalMs: 5000,
        timeoutMs: 2000,
        rise: 2,
        fall: 3,
      }),
    }),
  )
  .map(({ used, check, ...rest }) => {
    const isUsual = used.proxy !== undefined && storedProxy(used.proxy) === undefined;
    const checked = check === undefined ? {} : { check };
    return { ...rest, ...checked, answer: 'weighted' as const, ...(isUsual ? {} : used) };
  });

const override: fc.Arbitrary<HealthOverride> = fc
  .tuple(fc.oneof(v4, v6), fc.record({ port, pool: word }, optional))
  .map(([address, more]) => ({ address, ...more, state: 'drain', who: 'ann', why: 'move' }));

export const anyLbObject: fc.Arbitrary<SiteObject> = fc.oneof(
  vserver.map((object): SiteObject => ({ kind: 'vserver', object })),
  listener.map((object): SiteObject => ({ kind: 'listener', object })),
  route.map((object): SiteObject => ({ kind: 'route', object })),
  word.map((name): SiteObject => ({ kind: 'certificate', object: { name, chain: PEM } })),
  pool.map((object): SiteObject => ({ kind: 'pool', object })),
  override.map((object): SiteObject => ({ kind: 'override', object })),
  word.map((name): SiteObject => ({ kind: 'node', object: { name, drain: true, service: 'lb' } })),
);
