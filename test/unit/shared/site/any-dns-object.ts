// Objects of dns and of pools for property tests: any that are right in themselves.
import fc from 'fast-check';
import { displayName } from '../../../../shared/dns/names.ts';
import type { CheckSettings } from '../../../../shared/health/types.ts';
import { formatIpv4, ipv4 } from '../../../../shared/net/ipv4.ts';
import { formatIpv6, ipv6 } from '../../../../shared/net/ipv6.ts';
import { networkOf, type Prefix } from '../../../../shared/net/prefix.ts';
import { canonicalData } from '../../../../shared/site/dns-data.ts';
import type {
  Line,
  LineAnswer,
  RecordObject,
  Source,
  ZoneObject,
} from '../../../../shared/site/dns-objects.ts';
import { MAX_TTL_SECONDS } from '../../../../shared/site/dns-times.ts';
import type { SiteObject } from '../../../../shared/site/kinds.ts';
import { MAX_MOMENT_MS } from '../../../../shared/site/moment.ts';
import type { HealthOverride, Pool } from '../../../../shared/site/pool-objects.ts';

const optional = { requiredKeys: [] };
const word = fc.stringMatching(/^[a-zA-Z0-9]([a-zA-Z0-9._-]{0,20}[a-zA-Z0-9])?$/);
const lineWord = fc.oneof(fc.constantFrom('default', 'telecom', '163', 'options'), word);
const label = fc.oneof(
  fc.stringMatching(/^[a-z0-9_]([a-z0-9-]{0,10}[a-z0-9])?$/),
  fc.constantFrom('*', 'dns', 'pools', 'lb', '0/25'),
  fc.uint8Array({ minLength: 1, maxLength: 8 }).map((bytes) => String.fromCharCode(...bytes)),
);
/** Any bytes within the labels. */
export const anyDnsName = fc.array(label, { maxLength: 4 }).map((labels) => {
  const parts = labels.flatMap((each) => [each.length, ...Buffer.from(each, 'latin1')]);
  return displayName(Uint8Array.of(...parts, 0));
});
const ttl = fc.integer({ min: 0, max: MAX_TTL_SECONDS });
const v4 = fc.integer({ min: 0, max: 0xffffffff }).map((value) => formatIpv4(ipv4(value)));
const v6 = fc
  .bigInt({ min: 1n << 64n, max: (1n << 128n) - 1n })
  .map((value) => formatIpv6(ipv6(value)));
const port = fc.integer({ min: 1, max: 65535 });

const prefix: fc.Arbitrary<Prefix> = fc.oneof(
  fc
    .tuple(fc.integer({ min: 0, max: 0xffffffff }), fc.integer({ min: 0, max: 32 }))
    .map(([value, bits]) => networkOf({ family: 4, address: ipv4(value), bits })),
  fc
    .tuple(fc.bigInt({ min: 0n, max: (1n << 128n) - 1n }), fc.integer({ min: 0, max: 128 }))
    .map(([value, bits]) => networkOf({ family: 6, address: ipv6(value), bits })),
);
const distinct = <T>(one: fc.Arbitrary<T>, maxLength: number, minLength = 0) =>
  fc.uniqueArray(one, { selector: (value) => JSON.stringify(value, plain), minLength, maxLength });

function plain(_: string, value: unknown): unknown {
  return typeof value === 'bigint' ? String(value) : value;
}

const peer = fc
  .tuple(
    fc.oneof(
      v4,
      v6.map((address) => `[${address}]`),
      fc.constant('ns1.example.com'),
    ),
    port,
  )
  .map(([host, to]) => `${host}:${to}`);
const key = fc.record({ key: anyDnsName }, optional);
const soa = fc.record({
  primary: anyDnsName,
  mail: anyDnsName,
  refreshSeconds: ttl,
  retrySeconds: ttl,
  expireSeconds: ttl,
  minimumSeconds: fc.oneof(fc.constant(300), ttl),
});
const notify = fc.array(fc.tuple(peer, key), { maxLength: 2 }).map((list) => {
  return list.map(([to, named]) => ({ to, ...named }));
});
const zone: fc.Arbitrary<ZoneObject> = fc
  .record({
    name: anyDnsName,
    soa: fc.option(soa),
    ttlSeconds: ttl,
    serialBase: fc.integer({ min: 0, max: 0xffffffff }),
    transfer: fc.record({
      prefixes: fc.array(prefix, { maxLength: 2 }),
      keys: fc.array(anyDnsName, { maxLength: 2 }),
    }),
    notify,
    from: peer,
  })
  .map(({ soa: start, from, ttlSeconds, serialBase, ...rest }) => {
    if (start !== null) return { ...rest, soa: start, ttlSeconds, serialBase, primaries: [] };
    return { ...rest, ttlSeconds: 300, serialBase: 0, primaries: [{ from }] };
  });

const text = fc.string({ maxLength: 20 }).map((each) => each.replace(/[^ -~]/g, '?'));
const dataOf: Record<string, fc.Arbitrary<string>> = {
  A: v4,
  AAAA: v6,
  NS: anyDnsName,
  MX: fc.tuple(fc.nat(65535), anyDnsName).map((pair) => pair.join(' ')),
  TXT: fc
    .array(
      text.map((each) => JSON.stringify(each)),
      { minLength: 1, maxLength: 3 },
    )
    .map((all) => all.join(' ')),
  SRV: fc.tuple(fc.nat(9), fc.nat(9), fc.nat(65535), anyDnsName).map((four) => four.join(' ')),
  TYPE65280: fc
    .uint8Array({ maxLength: 8 })
    .map((bytes) => `\\# ${bytes.length} ${Buffer.from(bytes).toString('hex')}`),
};
const ofType = (type: string) =>
  (dataOf[type] ?? anyDnsName).map((each) => canonicalData(type, each));

const plainRecord: fc.Arbitrary<RecordObject> = fc
  .constantFrom(...Object.keys(dataOf))
  .chain((type) =>
    fc.tuple(
      fc.record({ name: anyDnsName, type: fc.constant(type), data: distinct(ofType(type), 3, 1) }),
      fc.record({ ttlSeconds: ttl }, optional),
    ),
  )
  .map(([record, more]) => ({ ...record, ...more }));

const answerOf = (type: string): fc.Arbitrary<LineAnswer> => {
  const hasPools = type === 'A' || type === 'AAAA';
  const data = distinct(ofType(type), hasPools ? 3 : 1, 1).map((each): Source => ({ data: each }));
  const source = hasPools
    ? fc.oneof(
        data,
        word.map((pool): Source => ({ pool })),
      )
    : data;
  return fc
    .tuple(
      fc.array(source, { minLength: 1, maxLength: 3 }),
      fc.record({ ttlSeconds: ttl }, optional),
    )
    .map(([sources, more]) => ({ sources, ...more }));
};
const smartRecord: fc.Arbitrary<RecordObject> = fc
  .constantFrom('A', 'AAAA', 'CNAME', 'ALIAS')
  .chain((type) =>
    fc.record({
      name: anyDnsName,
      type: fc.constant(type),
      minTtlSeconds: fc.oneof(fc.constant(5), ttl),
      allDown: fc.constantFrom('all', 'default', 'none'),
      lines: distinct(lineWord, 4).chain((names) => {
        const all = [...new Set(['default', ...names])];
        return fc.tuple(...all.map((each) => answerOf(type).map((a) => [each, a] as const)));
      }),
      overflows: fc.nat(3),
    }),
  )
  .map(({ lines, overflows, ...record }) => {
    const names = lines.map(([name]) => name);
    const pairs = names.slice(0, overflows).map((name, at) => [name, names.slice(at + 1)] as const);
    const overflow = new Map(pairs.filter(([, others]) => others.length > 0));
    return { ...record, lines: new Map(lines), overflow };
  });

const line: fc.Arbitrary<Line> = fc
  .record({ name: word, prefixes: distinct(prefix, 3), fallback: distinct(word, 3) })
  .map((each) => ({
    ...each,
    fallback: each.fallback.filter((other) => other !== each.name && other !== 'default'),
  }))
  .filter(({ name }) => name !== 'default');

const timing = {
  intervalMs: fc.oneof(fc.constant(5000), fc.integer({ min: 2000, max: 3_600_000 })),
  timeoutMs: fc.integer({ min: 10, max: 2000 }),
  rise: fc.integer({ min: 1, max: 100 }),
  fall: fc.integer({ min: 1, max: 100 }),
};
const status = fc
  .tuple(fc.integer({ min: 100, max: 599 }), fc.integer({ min: 100, max: 599 }))
  .map(([a, b]): [number, number] => [Math.min(a, b), Math.max(a, b)]);
const request = fc.record(
  { host: fc.constant('www.example.com'), expect: fc.string({ minLength: 1, maxLength: 9 }) },
  optional,
);
const check: fc.Arbitrary<CheckSettings> = fc.oneof(
  fc.record({ ...timing, type: fc.constant('icmp' as const) }),
  fc.record({ ...timing, type: fc.constantFrom('tcp' as const, 'readyz' as const), port }),
  fc.record({
    ...timing,
    type: fc.constant('dns' as const),
    port,
    name: anyDnsName,
    recordType: fc.constantFrom(1, 6, 28, 65280),
  }),
  fc
    .tuple(
      fc.record({
        ...timing,
        type: fc.constantFrom('http' as const, 'https' as const),
        port: fc.oneof(fc.constantFrom(80, 443), port),
        path: fc.stringMatching(/^\/[!-~]{0,10}$/),
        status: fc.oneof(fc.constant<[number, number]>([200, 399]), status),
        verify: fc.boolean(),
      }),
      request,
    )
    .map(([each, more]) => ({ ...each, ...more, verify: each.type === 'https' && each.verify })),
);
const pool: fc.Arbitrary<Pool> = fc
  .tuple(fc.constantFrom(v4, v6), fc.record({ check }, optional), fc.boolean())
  .chain(([address, probed, isAll]) =>
    fc.record({
      name: word,
      targets: fc.uniqueArray(fc.record({ address, weight: fc.nat(1000), tier: fc.nat(255) }), {
        selector: (target) => target.address,
        maxLength: 4,
      }),
      probed: fc.constant(probed),
      answer: fc.constant(isAll ? ('all' as const) : ('weighted' as const)),
      answers: isAll ? fc.constant(1) : fc.integer({ min: 1, max: 32 }),
      minHealthyPercent: fc.nat(100),
    }),
  )
  .map(({ probed, ...rest }) => ({ ...rest, ...probed }));

const sentence = fc.stringMatching(/^[!-~][ -~]{0,40}$/);
const override: fc.Arbitrary<HealthOverride> = fc
  .tuple(
    fc.record({
      address: fc.oneof(v4, v6),
      state: fc.constantFrom('up' as const, 'down' as const, 'drain' as const),
      who: sentence,
      why: sentence,
    }),
    fc.record({ pool: word, untilMs: fc.integer({ min: 0, max: MAX_MOMENT_MS }) }, optional),
  )
  .map(([said, more]) => ({ ...said, ...more }));

const node = fc
  .record({ name: word, drain: fc.boolean() })
  .map((each): SiteObject => ({ kind: 'node', object: { ...each, service: 'dns' } }));

export const anyDnsObject: fc.Arbitrary<SiteObject> = fc.oneof(
  zone.map((object): SiteObject => ({ kind: 'zone', object })),
  plainRecord.map((object): SiteObject => ({ kind: 'record', object })),
  smartRecord.map((object): SiteObject => ({ kind: 'record', object })),
  line.map((object): SiteObject => ({ kind: 'line', object })),
  pool.map((object): SiteObject => ({ kind: 'pool', object })),
  override.map((object): SiteObject => ({ kind: 'override', object })),
  node,
);
