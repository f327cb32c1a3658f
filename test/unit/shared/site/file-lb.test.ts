// The site files of lb in the docs and in deploy/examples, how their objects are stored, and that
// nothing is lost on the way to a file and back.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { checkSite, warnSite } from '../../../../shared/site/check.ts';
import { formatSite, readSite, type SiteSource } from '../../../../shared/site/file.ts';
import { idFrom, isIdOf } from '../../../../shared/site/ids.ts';
import { formatObject, keyOf, parseObject } from '../../../../shared/site/kinds.ts';
import { DEFAULT_PROXY } from '../../../../shared/site/lb-objects.ts';
import { checkOf } from '../../../../shared/site/target-check.ts';
import { anyLbObject, PEM } from './any-lb-object.ts';

const NOW_SECONDS = 1_800_000_000;
const root = join(import.meta.dirname, '../../../..');
const read = () => ({ text: PEM });
const fileOf = (path: string): SiteSource => ({
  file: path,
  text: readFileSync(join(root, path), 'utf8'),
  read,
});
const page = fileOf('docs/contracts.md').text;
const section = page.slice(page.indexOf("## shared/site: lb's objects"));
const documented = /```yaml\n([\s\S]*?)```/.exec(section)?.[1] ?? '';

function stored(...sources: SiteSource[]): Map<string, string> {
  const items = readSite(sources).objects.map(({ item }) => item);
  expect(checkSite(items)).toEqual([]);
  expect(warnSite(items, NOW_SECONDS)).toEqual([]);
  return new Map(items.map(formatObject).map((record) => [keyOf(record), record.value]));
}

test('the example of docs/contracts.md gives the stored values written there', () => {
  const objects = stored({ file: 'site.yaml', text: documented, read });
  expect([...objects.keys()]).toEqual([
    'node lb/lb-1',
    'pool www',
    'pool resolvers',
    'pool games',
    'pool sql',
    'pool mail',
    'override 10.0.0.5:8080/www',
    'certificate www',
    'vserver 198.51.100.10:53/udp',
    'vserver 198.51.100.10:8000-8099/tcp',
    'listener web',
    'listener web-tls',
    'listener sql',
    'listener mail',
    'route to-https',
    'route api',
    'route www',
    'route away',
  ]);
  const shown = ['vserver 198.51.100.10:8000-8099/tcp', 'listener web', 'listener mail'];
  shown.push('route to-https', 'route api', 'route away', 'override 10.0.0.5:8080/www');
  for (const key of shown) expect(section).toContain(`\`${objects.get(key)}\``);
  const { proxy } = JSON.parse(objects.get('pool www') ?? '');
  expect(proxy).toMatchObject({
    algorithm: 'ring',
    hash: { header: 'x-user' },
    sticky: { cookie: 'lb', ttl: 3_600_000 },
    tls: { ca: PEM, serverName: 'www.internal' },
    agent: { port: 9000 },
  });
});

test('the example file is right, alone and with the others', () => {
  const lb = fileOf('deploy/examples/site-lb.yaml');
  expect(stored(lb).size).toBe(19);
  const names = ['site.yaml', 'site-dhcp.yaml', 'site-dns.yaml'];
  const others = names.map((name) => fileOf(`deploy/examples/${name}`));
  expect(stored(lb, ...others).size).toBeGreaterThan(50);
});

test('the override that the example only shows is right, too', () => {
  const { text } = fileOf('deploy/examples/site-lb.yaml');
  const shown = text.replace(/^# (overrides:| {2}- )/gm, '$1');
  expect(stored({ file: 'a', text: shown, read }).size).toBe(20);
});

test('parse after format is the identity, for any object', () => {
  fc.assert(
    fc.property(anyLbObject, (item) => {
      expect(parseObject(formatObject(item))).toEqual(item);
    }),
    { numRuns: 2000 },
  );
});

test('stored values are canonical JSON: keys sorted, nothing that is not said', () => {
  const check = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return;
    const keys = Object.keys(value);
    if (!Array.isArray(value)) expect(keys).toEqual(keys.toSorted());
    for (const key of keys) check(Reflect.get(value, key));
  };
  fc.assert(
    fc.property(anyLbObject, (item) => {
      const { value } = formatObject(item);
      expect(JSON.stringify(JSON.parse(value))).toBe(value);
      check(JSON.parse(value));
    }),
  );
});

test('any objects survive the way to a site file and back', () => {
  const objects = fc.uniqueArray(anyLbObject, {
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

test('what is stored in any other spelling is refused', () => {
  fc.assert(
    fc.property(anyLbObject, fc.nat(), (item, at) => {
      fc.pre(item.kind !== 'override' && item.kind !== 'node' && item.kind !== 'pool');
      const record = formatObject(item);
      const entries = Object.entries(JSON.parse(record.value));
      fc.pre(entries.length > 1);
      const turned = [...entries.slice(1 + (at % (entries.length - 1))), ...entries];
      const value = JSON.stringify(Object.fromEntries(turned));
      fc.pre(value !== record.value);
      expect(parseObject({ ...record, value })).toHaveProperty('reasons');
    }),
  );
});

test('any id is one, and is found as it is written', () => {
  fc.assert(
    fc.property(anyLbObject, (item) => {
      const { kind, id } = formatObject(item);
      expect(isIdOf(item.kind, id)).toBe(true);
      expect(idFrom(item.kind, id)).toBe(id);
      expect(kind).toBe(item.kind);
    }),
  );
  expect(idFrom('override', '[2001:DB8::0:5]:80/p')).toBe('[2001:db8::5]:80/p');
  expect(isIdOf('vserver', '198.51.100.10:80-80/tcp')).toBe(false);
});

describe('one spelling', () => {
  const only = (text: string) => {
    const [object, ...more] = readSite([{ file: 'a', text, read }]).objects;
    expect(more).toEqual([]);
    return `${object?.record.kind} ${object?.record.id} ${object?.record.value}`;
  };

  test.each([
    [
      'vservers: [{ at: "198.51.100.10:80/tcp", pool: www, mode: nat, hash: flow, lost: reset }]',
      'vserver 198.51.100.10:80/tcp {"pool":"www"}',
    ],
    [
      'listeners: [{ name: a, at: "[2001:DB8::0:1]:80", protocol: http, http2: false, maxConnections: 0, clientCertificate: none, minTls: 1.2, allow: [], certificates: [] }]',
      'listener a {"at":["[2001:db8::1]:80"],"protocol":"http"}',
    ],
    [
      'listeners: [{ name: a, at: "0.0.0.0:443", protocol: https, certificates: w, http2: true, minTls: 1.3 }]',
      'listener a {"at":["0.0.0.0:443"],"certificates":["w"],"minTls":"1.3","protocol":"https"}',
    ],
    [
      'listeners: [{ name: a, at: "0.0.0.0:443", protocol: tls, names: [{ name: "*.Example.com.", pool: p }] }]',
      'listener a {"at":["0.0.0.0:443"],"names":[{"name":"*.example.com","pool":"p"}],"protocol":"tls"}',
    ],
    [
      'routes: [{ name: a, pool: p, hosts: WWW.Example.com., paths: /api/, methods: get, compress: false, upgrade: false, maxBody: 0b, request: {}, timeouts: {} }]',
      'route a {"hosts":["www.example.com"],"methods":["GET"],"paths":["/api"],"pool":"p"}',
    ],
    [
      'routes: [{ name: a, pool: p, headers: [{ name: X-B, value: "*" }, { name: X-A, value: "" }] }]',
      'route a {"headers":[{"name":"x-a","value":""},{"name":"x-b"}],"pool":"p"}',
    ],
    [
      'routes: [{ name: a, redirect: { to: /b, status: 308 } }]',
      'route a {"redirect":{"to":"/b"}}',
    ],
    [
      'routes: [{ name: a, respond: { status: 200, contentType: text/plain; charset=utf-8, body: "" } }]',
      'route a {"respond":{"status":200}}',
    ],
    [
      'routes: [{ name: a, pool: p, rateLimit: { rate: 100/1s, burst: 100, by: source, shared: false } }]',
      'route a {"pool":"p","rateLimit":{"rate":"100/s"}}',
    ],
    [
      'routes: [{ name: a, pool: p, rateLimit: { rate: 5/60s, by: { header: X-Key } } }]',
      'route a {"pool":"p","rateLimit":{"by":{"header":"x-key"},"rate":"5/m"}}',
    ],
    [
      'routes: [{ name: a, pool: p, response: { add: { B: x, A: [y, z] }, set: { D: "", C: v } } }]',
      'route a {"pool":"p","response":{"add":{"A":["y","z"],"B":"x"},"set":{"C":"v","D":""}}}',
    ],
    [
      'routes: [{ name: a, pool: p, timeouts: { queue: 0s, connect: 1500ms } }]',
      'route a {"pool":"p","timeouts":{"connect":1500,"queue":0}}',
    ],
    [
      'pools: [{ name: p, targets: [], proxy: { algorithm: round-robin, hash: source, timeouts: { connect: 3s, tunnel: 1h }, retries: { statuses: [] }, passive: {} } }]',
      'pool p {}',
    ],
    [
      'pools: [{ name: p, targets: [], proxy: { tls: {}, timeouts: { connect: 1s }, retries: { budget: 10 } } }]',
      'pool p {"proxy":{"retries":{"budget":10},"timeouts":{"connect":1000},"tls":{}}}',
    ],
    [
      'pools: [{ name: p, targets: [], proxy: { algorithm: ring, hash: { cookie: Sid }, sticky: { cookie: lb, ttl: 1d } } }]',
      'pool p {"proxy":{"algorithm":"ring","hash":{"cookie":"Sid"},"sticky":{"cookie":"lb"}}}',
    ],
    ['nodes: [{ name: lb-1, service: lb, drain: true }]', 'node lb/lb-1 {"drain":true}'],
    [
      'records: [{ name: lb, type: A, data: [192.0.2.1] }]',
      'record dns/lb/A {"data":["192.0.2.1"]}',
    ],
  ])('%s', (text, expected) => {
    expect(only(text)).toBe(expected);
  });

  test('a certificate is its PEM alone, in lines of 64', () => {
    const base64 = PEM.split('\n').slice(1, -2).join('');
    const odd = `subject=x\n-----BEGIN CERTIFICATE-----\r\n${base64}\r\n-----END CERTIFICATE-----`;
    const text = JSON.stringify({ certificates: [{ name: 'a', chain: `${odd}\n${PEM}` }] });
    expect(only(text)).toBe(`certificate a ${JSON.stringify({ chain: PEM + PEM })}`);
    const byFile = 'certificates: [{ name: a, file: a.pem }]';
    expect(only(byFile)).toBe(`certificate a ${JSON.stringify({ chain: PEM })}`);
  });
});

test.each([
  ['vserver', '198.51.100.10:80', '{"pool":"p"}', 'the id is not like 198.51.100.10:80/tcp'],
  ['vserver', '198.51.100.10:80/tcp', '{}', 'there is no pool'],
  ['vserver', '198.51.100.10:80/tcp', '{"mode":"tun","pool":"p"}', 'mode is "tun", not nat or dsr'],
  ['vserver', '198.51.100.10:80/tcp', '{"mode":"nat","pool":"p"}', 'not as edgectl writes it'],
  ['listener', 'a', '{}', 'there is no protocol'],
  ['listener', 'a b', '{"at":["0.0.0.0:80"],"protocol":"http"}', 'the id is not a name'],
  ['listener', 'a', '{"protocol":"http"}', 'listens nowhere'],
  ['listener', 'a', '{"at":["::1:80"],"protocol":"http"}', 'at is ["::1:80"], not a list of'],
  ['listener', 'a', '{"at":["0.0.0.0:443"],"protocol":"https"}', 'https without a certificate'],
  ['listener', 'a', '{"at":["0.0.0.0:80"],"names":[{}],"protocol":"tls"}', 'names 1: there is no'],
  ['route', 'a', '{}', 'needs exactly one of pool, redirect and respond'],
  ['route', 'a', '{"pool":"p","redirect":{"to":"/"}}', 'needs exactly one of'],
  ['route', 'a', '{"redirect":{"status":305,"to":"/"}}', 'status 305 is none of a redirect'],
  ['route', 'a', '{"hosts":["A.example"],"pool":"p"}', 'not as edgectl writes it'],
  ['route', 'a', '{"paths":["/a/../b"],"pool":"p"}', 'paths is ["/a/../b"], not a list of'],
  ['route', 'a', '{"pool":"p","request":{"set":{"X-A":1}}}', 'set "X-A" is not a text'],
  ['route', 'a', '{"pool":"p","request":{"set":{"Host":"b"}}}', 'Host is not edited as a field'],
  ['route', 'a', '{"pool":"p","rateLimit":{}}', 'rateLimit: there is no rate'],
  ['route', 'a', '{"pool":"p","rateLimit":{"by":{},"rate":"1/s"}}', 'by: there is no header'],
  ['certificate', 'a', '{}', 'there is no chain'],
  ['certificate', 'a', '{"chain":"x"}', 'chain is no certificate in PEM'],
  ['pool', 'a', '{"proxy":{}}', 'proxy: is not as edgectl writes it'],
  ['pool', 'a', '{"proxy":{"bound":125}}', 'proxy: is not as edgectl writes it'],
  ['pool', 'a', '{"proxy":{"hash":"uri"}}', 'hash has no use with round-robin'],
  ['pool', 'a', '{"proxy":{"hash":{},"algorithm":"ring"}}', 'needs one of header and cookie'],
  ['pool', 'a', '{"proxy":{"sticky":{}}}', 'proxy: sticky: there is no cookie'],
  ['vserver', 'dns/198.51.100.10:80/tcp', '{"pool":"p"}', 'there are no objects'],
  ['listener', 'lb/a', '{"at":["0.0.0.0:80"],"protocol":"http"}', 'there are no objects'],
])('%s %s %s is refused', (kind, id, value, reason) => {
  const item = parseObject({ kind, id, value });
  expect('reasons' in item ? item.reasons.join() : item).toContain(reason);
});

test('what a newer edgectl lets this one ignore is taken', () => {
  const value = '{"colour":"red","pool":"p","v":2}';
  const item = parseObject({ kind: 'vserver', id: '198.51.100.10:80/tcp', value });
  expect(item).toMatchObject({ kind: 'vserver', object: { pool: 'p', mode: 'nat' } });
});

describe('a check', () => {
  const timing = { intervalMs: 5000, timeoutMs: 2000, rise: 2, fall: 3 };
  const tcp = { ...timing, type: 'tcp', port: 0 } as const;
  const http = { type: 'http', path: '/', status: [200, 399], verify: false } as const;

  test('without a port goes to that of the target, as one object for each port', () => {
    const first = checkOf({ check: tcp }, { port: 8080 });
    expect(first).toEqual({ ...tcp, port: 8080 });
    expect(checkOf({ check: tcp }, { port: 8080 })).toBe(first);
    expect(checkOf({ check: tcp }, { port: 8081 })).toEqual({ ...tcp, port: 8081 });
  });

  test('with a port goes there, icmp to none', () => {
    const at = { ...tcp, port: 1 };
    expect(checkOf({ check: at }, { port: 8080 })).toBe(at);
    const icmp = { ...timing, type: 'icmp' } as const;
    expect(checkOf({ check: icmp }, { port: 8080 })).toBe(icmp);
    expect(checkOf({}, { port: 8080 })).toBeUndefined();
  });

  test('of http goes to the usual port where neither has one', () => {
    expect(checkOf({ check: { ...timing, ...http, port: 0 } }, {})).toHaveProperty('port', 80);
  });
});

test('a pool without a proxy section is used as the default says', () => {
  const text = 'pools: [{ name: p, targets: [], proxy: { maxIdle: 64 } }]';
  const [object] = readSite([{ file: 'a', text }]).objects;
  expect(object?.item.object).not.toHaveProperty('proxy');
  expect(DEFAULT_PROXY.maxIdle).toBe(64);
});
