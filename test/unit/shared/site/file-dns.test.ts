// The site files of dns in the docs and in deploy/examples, how their objects are stored, and that
// nothing is lost on the way to a file and back.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { checkSite, warnSite } from '../../../../shared/site/check.ts';
import { formatSite, readSite, type SiteSource } from '../../../../shared/site/file.ts';
import { idFrom, isIdOf } from '../../../../shared/site/ids.ts';
import { formatObject, keyOf, parseObject } from '../../../../shared/site/kinds.ts';
import { formatMoment, MAX_MOMENT_MS, parseMoment } from '../../../../shared/site/moment.ts';
import {
  checkedWith,
  FOLLOWERS,
  placeOf,
  UNITS,
  unitsFollowedBy,
} from '../../../../shared/site/place.ts';
import { anyDnsName, anyDnsObject } from './any-dns-object.ts';

const NOW_SECONDS = 1_790_000_000;
const root = join(import.meta.dirname, '../../../..');
const fileOf = (path: string): SiteSource => ({
  file: path,
  text: readFileSync(join(root, path), 'utf8'),
});
const page = fileOf('docs/contracts.md').text;
const section = page.slice(page.indexOf("## shared/site: dns' objects"));
const documented = /```yaml\n([\s\S]*?)```/.exec(section)?.[1] ?? '';

function stored(...sources: SiteSource[]): Map<string, string> {
  const items = readSite(sources).objects.map(({ item }) => item);
  expect(checkSite(items)).toEqual([]);
  expect(warnSite(items, NOW_SECONDS)).toEqual([]);
  return new Map(items.map(formatObject).map((record) => [keyOf(record), record.value]));
}

test('the example of docs/contracts.md gives the stored values written there', () => {
  const objects = stored({ file: 'site.yaml', text: documented });
  expect([...objects.keys()]).toEqual([
    'line telecom',
    'line unicom',
    'line china',
    'pool www-telecom',
    'pool www-unicom',
    'override 59.43.0.10/www-telecom',
    'zone example.com',
    'zone example.net',
    'record example.com/NS',
    'record ns1.example.com/A',
    'record mail.example.com/MX',
    'record www.example.com/A',
  ]);
  const shown = ['line telecom', 'pool www-telecom', 'override 59.43.0.10/www-telecom'];
  shown.push('zone example.com', 'record mail.example.com/MX', 'record www.example.com/A');
  for (const key of shown) expect(section).toContain(`\`${objects.get(key)}\``);
  expect(objects.get('line china')).toBe('{}');
});

test('the example files are right, alone and together', () => {
  const dns = fileOf('deploy/examples/site-dns.yaml');
  expect(stored(dns).size).toBe(19);
  const others = ['site.yaml', 'site-dhcp.yaml'].map((name) => fileOf(`deploy/examples/${name}`));
  expect(stored(dns, ...others).size).toBeGreaterThan(30);
});

test('the override that the example only shows is right, too', () => {
  const { text } = fileOf('deploy/examples/site-dns.yaml');
  const shown = text.replace(/^# (overrides:| {2}- )/gm, '$1');
  expect(stored({ file: 'a', text: shown }).size).toBe(20);
});

test('parse after format is the identity, for any object', () => {
  fc.assert(
    fc.property(anyDnsObject, (item) => {
      expect(parseObject(formatObject(item))).toEqual(item);
    }),
    { numRuns: 2000 },
  );
});

test('stored values are canonical JSON: keys sorted, nothing that is not said', () => {
  const check = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return;
    const keys = Object.keys(value);
    const isNumber = (key: string) => /^\d+$/.test(key); // JSON.parse() has these first
    const named = Array.isArray(value) ? [] : keys.filter((key) => !isNumber(key));
    expect(named).toEqual(named.toSorted());
    for (const key of keys) check(Reflect.get(value, key));
  };
  fc.assert(
    fc.property(anyDnsObject, (item) => {
      const { value } = formatObject(item);
      expect(JSON.stringify(JSON.parse(value))).toBe(value);
      check(JSON.parse(value));
    }),
  );
});

test('any objects survive the way to a site file and back', () => {
  const objects = fc.uniqueArray(anyDnsObject, {
    selector: (item) => keyOf(formatObject(item)),
    maxLength: 12,
  });
  fc.assert(
    fc.property(objects, (items) => {
      const back = readSite([{ file: 'a', text: formatSite(items) }]);
      const values = (records: object[]) => records.map((each) => JSON.stringify(each)).sort();
      expect(values(back.objects.map(({ record }) => record))).toEqual(
        values(items.map(formatObject)),
      );
    }),
    { numRuns: 300 },
  );
});

describe('one spelling', () => {
  const only = (text: string) => {
    const [object, ...more] = readSite([{ file: 'a', text }]).objects;
    expect(more).toEqual([]);
    return `${object?.record.kind} ${object?.record.id} ${object?.record.value}`;
  };

  test.each([
    [
      'zones: [{ zone: Example.COM., primaries: [{ from: "[2001:DB8::0:53]:53" }] }]',
      'zone example.com {"primaries":[{"from":"[2001:db8::53]:53"}]}',
    ],
    [
      'zones: [{ zone: ".", primaries: [{ from: "NS1.example.com:53" }] }]',
      'zone . {"primaries":[{"from":"ns1.example.com:53"}]}',
    ],
    [
      'records: [{ name: WWW.Example.com., type: a, data: [192.0.2.1] }]',
      'record www.example.com/A {"data":["192.0.2.1"]}',
    ],
    [
      'records: [{ name: a.example, type: TYPE28, data: ["2001:DB8:0:0::1"] }]',
      'record a.example/AAAA {"data":["2001:db8::1"]}',
    ],
    [
      'records: [{ name: a.example, type: type65280, data: ["\\\\# 2 ABcd"] }]',
      'record a.example/TYPE65280 {"data":["\\\\# 2 ABCD"]}',
    ],
    [
      'records: [{ name: a.example, type: A, data: ["\\\\# 4 c0000201"] }]',
      'record a.example/A {"data":["192.0.2.1"]}',
    ],
    [
      'records: [{ name: a.example, type: MX, ttl: 0s, data: ["10   Mail.example.com"] }]',
      'record a.example/MX {"data":["10 Mail.example.com."],"ttl":0}',
    ],
    [
      `records: [{ name: a.example, type: TXT, data: ['v=1 "a b"c "\\;"'] }]`,
      'record a.example/TXT {"data":["\\"v=1\\" \\"a b\\" \\"c\\" \\";\\""]}',
    ],
    [
      "records: [{ name: '\\065\\.b.example', type: NS, data: [ns] }]",
      'record a\\.b.example/NS {"data":["ns."]}',
    ],
    [
      'records: [{ name: dns, type: A, data: [192.0.2.1] }]',
      'record dns/dns/A {"data":["192.0.2.1"]}',
    ],
    [
      'records: [{ name: 0/25.2.0.192.in-addr.arpa, type: NS, data: [ns.example] }]',
      'record 0/25.2.0.192.in-addr.arpa/NS {"data":["ns.example."]}',
    ],
    [
      'records: [{ name: a.example, type: A, lines: { default: { sources: [{ data: [192.0.2.1] }] } }, allDown: all, minTtl: 5s, overflow: { default: [] } }]',
      'record a.example/A {"lines":{"default":{"data":["192.0.2.1"]}}}',
    ],
    [
      'pools: [{ name: p, targets: [{ address: "2001:DB8::A", weight: 1, tier: 0 }], answer: weighted, answers: 1, minHealthy: 0 }]',
      'pool p {"targets":[{"address":"2001:db8::a"}]}',
    ],
    [
      'pools: [{ name: p, targets: [], check: { type: https, path: /, status: 200-399, verify: false, interval: 5s, timeout: 2s, rise: 2, fall: 3 } }]',
      'pool p {"check":{"type":"https"}}',
    ],
    [
      'pools: [{ name: p, targets: [192.0.2.1, "192.0.2.2:80", { address: 192.0.2.3, port: 81 }], check: { type: http, port: 80 } }]',
      'pool p {"check":{"port":80,"type":"http"},"targets":[{"address":"192.0.2.1"},{"address":"192.0.2.2","port":80},{"address":"192.0.2.3","port":81}]}',
    ],
    [
      'pools: [{ name: p, targets: ["[2001:DB8::A]:80", "2001:db8::b"] }]',
      'pool p {"targets":[{"address":"2001:db8::a","port":80},{"address":"2001:db8::b"}]}',
    ],
    [
      'pools: [{ name: p, targets: [], check: { type: tcp }, proxy: {} }]',
      'pool p {"check":{"type":"tcp"}}',
    ],
    [
      'overrides: [{ address: 192.0.2.1, port: 80, pool: p, state: up, who: a, why: b }]',
      'override 192.0.2.1:80/p {"state":"up","who":"a","why":"b"}',
    ],
    [
      'overrides: [{ address: "2001:DB8::A", port: 80, state: up, who: a, why: b }]',
      'override [2001:db8::a]:80 {"state":"up","who":"a","why":"b"}',
    ],
    [
      'pools: [{ name: p, targets: [], check: { type: http, status: 204, timeout: 250ms } }]',
      'pool p {"check":{"status":[204,204],"timeout":250,"type":"http"}}',
    ],
    [
      'pools: [{ name: p, targets: [], check: { type: dns, name: A.example., recordType: soa } }]',
      'pool p {"check":{"name":"a.example","type":"dns"}}',
    ],
    [
      'pools: [{ name: p, targets: [], check: { type: dns, name: a.example, recordType: TYPE1 } }]',
      'pool p {"check":{"name":"a.example","recordType":"A","type":"dns"}}',
    ],
    [
      'overrides: [{ address: 2001:DB8::A, state: up, who: a, why: b, until: 2026-12-01T08:00+08:00 }]',
      'override 2001:db8::a {"state":"up","until":1796083200000,"who":"a","why":"b"}',
    ],
    ['nodes: [{ name: dns-1, service: dns, drain: true }]', 'node dns/dns-1 {"drain":true}'],
  ])('%s', (text, expected) => {
    expect(only(text)).toBe(expected);
  });

  test('any name that is written, in any case and with a final dot, is the stored one', () => {
    fc.assert(
      fc.property(anyDnsName, fc.boolean(), (name, isUpper) => {
        const shouted = isUpper ? name.toUpperCase() : name;
        const entry = { name: name === '.' ? '.' : `${shouted}.`, type: 'ns', data: [shouted] };
        const text = JSON.stringify({ records: [entry] });
        const [object] = readSite([{ file: 'a', text }]).objects;
        const id = object?.record.id ?? '';
        expect(placeOf('record', id).id).toBe(`${name}/NS`);
        expect(isIdOf('record', id)).toBe(true);
        expect(idFrom('record', `${entry.name}/ns`)).toBe(id);
      }),
    );
  });
});

test.each([
  ['zone', 'Example.com', '{}', 'zone Example.com: the id is not a domain name in lower case'],
  ['zone', 'example.com.', '{"primaries":[{"from":"192.0.2.1:53"}]}', 'the id is not'],
  ['zone', 'example.com', '{}', 'zone example.com: a zone without an soa'],
  ['zone', 'example.com', '{"soa":{"primary":"a"}}', 'zone example.com: soa: there is no mail'],
  [
    'zone',
    'example.com',
    '{"soa":{"mail":"a","primary":"B"}}',
    'soa: primary is "B", not a domain',
  ],
  ['zone', 'example.com', '{"soa":{"mail":"a","primary":"b","refresh":-1}}', 'refresh is -1'],
  [
    'zone',
    'example.com',
    '{"soa":{"mail":"a","primary":"b"},"ttl":2147483648}',
    'ttl is 2147483648',
  ],
  ['zone', 'example.com', '{"primaries":[{}]}', 'primaries 1: there is no from'],
  [
    'zone',
    'example.com',
    '{"primaries":[{"from":"192.0.2.1"}]}',
    'from is "192.0.2.1", not host:port',
  ],
  ['zone', 'example.com', '{"primaries":[{"from":"NS:53"}]}', 'from is "NS:53"'],
  ['zone', 'example.com', '{"primaries":[{"from":"ns:53"}],"ttl":60}', 'ttl has no use'],
  ['zone', 'example.com', '{"primaries":["ns:53"]}', 'primaries is ["ns:53"], not a list of maps'],
  ['zone', 'example.com', '{"secret":"x"}', 'unknown key "secret"'],
  ['zone', 'example.com', '{"transfer":{"keys":["K"]}}', 'transfer: keys is ["K"], not a list of'],
  ['zone', 'example.com', '{"transfer":{"prefixes":["2001:DB8::/32"]}}', 'transfer: prefixes is'],
  ['record', 'www.example.com', '{}', 'the id is not a name and a type'],
  ['record', 'www.example.com/a', '{"data":["192.0.2.1"]}', 'the id is not a name and a type'],
  ['record', 'WWW.example.com/A', '{"data":["192.0.2.1"]}', 'the id is not a name and a type'],
  ['record', 'www.example.com/TYPE1', '{"data":["192.0.2.1"]}', 'the id is not a name and a type'],
  ['record', 'www.example.com/ANY', '{"data":["192.0.2.1"]}', 'the id is not a name and a type'],
  ['record', 'a/A', '{}', 'record a/A: there is no data'],
  ['record', 'a/A', '{"data":[]}', 'record a/A: there is no data'],
  ['record', 'a/A', '{"data":["192.0.2"]}', 'data "192.0.2": "192.0.2" is not an IPv4 address'],
  ['record', 'a/A', '{"data":[1]}', 'data is [1], not a list of texts'],
  ['record', 'a/A', '{"data":["192.0.2.1"],"minTtl":1}', 'only a record with lines has allDown'],
  ['record', 'a/A', '{"data":["192.0.2.1","192.0.2.1"]}', '192.0.2.1 is there twice'],
  ['record', 'a/SOA', '{"data":["a. b. 1 2 3 4 5"]}', 'an SOA is no record'],
  [
    'record',
    'a/A',
    '{"data":["192.0.2.1"],"lines":{"default":{"pool":"p"}}}',
    'has data and lines',
  ],
  ['record', 'a/A', '{"lines":{"telecom":{"pool":"p"}}}', 'there is no line default'],
  ['record', 'a/A', '{"lines":{"default":{}}}', 'has no source'],
  ['record', 'a/A', '{"lines":{"default":{"data":["x"]}}}', 'data "x": "x" is not an IPv4 address'],
  ['record', 'a/A', '{"lines":{"default":{"sources":[{}]}}}', 'sources 1: has neither data nor a'],
  ['record', 'a/A', '{"lines":{"default":{"pool":"p","sources":[{"pool":"q"}]}}}', 'beside others'],
  ['record', 'a/A', '{"lines":{"default":{"pool":"p"},"a b":{"pool":"p"}}}', '"a b" is not a name'],
  ['record', 'a/A', '{"lines":{"default":{"pool":"p"}},"allDown":"some"}', 'allDown is "some"'],
  ['record', 'a/CNAME', '{"lines":{"default":{"pool":"p"}}}', 'a CNAME takes no pool'],
  ['record', 'a/MX', '{"lines":{"default":{"data":["1 a."]}}}', 'a MX has no lines'],
  ['line', 'default', '{}', 'default is everybody whom no other line names'],
  ['line', 'a b', '{}', 'the id is not a name'],
  ['line', 'a', '{"prefixes":["59.43.0.1/16"]}', 'prefixes is ["59.43.0.1/16"]'],
  ['line', 'a', '{"fallback":["a"]}', 'falls back to itself'],
  ['pool', 'a', '{"targets":[{}]}', 'targets 1: there is no address'],
  ['pool', 'a', '{"targets":[{"address":"2001:DB8::1"}]}', 'address is "2001:DB8::1"'],
  ['pool', 'a', '{"targets":[{"address":"::ffff:192.0.2.1"}]}', 'address is "::ffff:192.0.2.1"'],
  ['pool', 'a', '{"targets":[{"address":"192.0.2.1","weight":1001}]}', 'weight is 1001'],
  ['pool', 'a', '{"check":{}}', 'check: there is no type'],
  ['pool', 'a', '{"check":{"type":"udp"}}', 'check: type is "udp"'],
  [
    'pool',
    'a',
    '{"check":{"type":"tcp"},"targets":[{"address":"192.0.2.1","port":1},{"address":"192.0.2.2"}]}',
    'the check has no port, and target 192.0.2.2 has none',
  ],
  ['pool', 'a', '{"targets":[{"address":"192.0.2.1","port":0}]}', 'port is 0'],
  ['pool', 'a', '{"check":{"port":1,"type":"icmp"}}', 'check: port is nothing of icmp'],
  ['pool', 'a', '{"check":{"type":"http","verify":true}}', 'check: verify is nothing of http'],
  ['pool', 'a', '{"check":{"status":[300,200],"type":"http"}}', 'status is not the first and the'],
  ['pool', 'a', '{"check":{"type":"dns"}}', 'check: there is no name'],
  ['pool', 'a', '{"answer":"all","answers":2}', 'answers has no use'],
  ['override', 'www', '{}', 'the id is not an address, address:port, or one of them and /pool'],
  ['override', '192.0.2.1:080', '{"state":"up","who":"a","why":"b"}', 'the id is not an address'],
  ['override', '2001:db8::1:80x', '{"state":"up","who":"a","why":"b"}', 'the id is not an address'],
  ['override', '192.0.2.1', '{"state":"up","who":"a"}', 'there is no why'],
  ['override', '192.0.2.1', '{"state":"off","who":"a","why":"b"}', 'state is "off"'],
  ['override', '192.0.2.1', '{"state":"up","until":"now","who":"a","why":"b"}', 'until is "now"'],
  ['node', 'pools/a', '{}', 'there are no objects'],
  ['pool', 'dns/a', '{}', 'there are no objects'],
])('%s %s %s is refused', (kind, id, value, reason) => {
  const item = parseObject({ kind, id, value });
  expect('reasons' in item ? item.reasons.join() : item).toContain(reason);
});

test('a moment is what Date takes it for, and what it writes', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: MAX_MOMENT_MS }), (milliseconds) => {
      const text = new Date(milliseconds).toISOString();
      expect(parseMoment(text)).toBe(milliseconds);
      expect(formatMoment(milliseconds)).toBe(text.replace('.000Z', 'Z'));
    }),
    { numRuns: 2000 },
  );
  expect(parseMoment('2024-02-29T23:59-12:00')).toBe(Date.parse('2024-02-29T23:59-12:00'));
});

test('units, the services that follow them, and what is checked with them', () => {
  for (const unit of UNITS) {
    for (const service of FOLLOWERS[unit]) expect(unitsFollowedBy(service)).toContain(unit);
  }
  expect(unitsFollowedBy('dns')).toEqual(['dns', 'pools']);
  expect(checkedWith(['natter'])).toEqual(['natter']);
  expect(checkedWith(['dns'])).toEqual(['pools', 'dns']);
  expect(unitsFollowedBy('lb')).toEqual(['lb', 'pools']);
  expect(checkedWith(['lb'])).toEqual(['pools', 'lb']);
  expect(checkedWith(['pools', 'dhcpd'])).toEqual(['dhcpd', 'pools', 'dns', 'lb']);
});
