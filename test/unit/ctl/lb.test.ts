// Sites with load balancers: what edgectl applies and in which order, whom it waits for, what it
// says of certificates, and what it shows.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { certificateFor } from '../dns/transports/certificate.ts';
import { Harness, type Result } from './harness.ts';

const EXAMPLES = join(import.meta.dirname, '../../../deploy/examples');
const PEM = readFileSync(join(EXAMPLES, 'www.example.com.pem'), 'utf8');
const MADE = certificateFor('other.example.com');
const OTHER = MADE.certificate.toString();

const FACTS = 'www.example.com and 1 more until 2126-01-01 \\(SHA-256 [0-9a-f]{16}\\)';

let site: Harness;
let directory: string;
const at = (...argv: string[]) => site.run(...argv, '--store', 'memory:');

/** An instance that has applied everything of both units. */
async function follows(service: 'dns' | 'lb', node: string): Promise<void> {
  const store = site.server.connect();
  const version = async (unit: string) => (await store.head(unit)).version;
  const applied = { [service]: await version(service), pools: await version('pools') };
  await site.natter(node, { service, applied });
}

function apply(text: string, ...flags: string[]): Promise<Result> {
  site.stdin = text;
  return at('apply', '-f', '-', ...flags);
}

const CERTIFICATE = `
certificates:
  - ${JSON.stringify({ name: 'www', chain: PEM })}
`;
const POOLS = `
pools:
  - name: www
    targets: ["10.0.0.5:8080", { address: 10.0.0.6, port: 8080, weight: 3 }]
    check: { type: http }
    proxy: { algorithm: ring }
  - { name: sql, targets: [10.0.0.7] }
`;
const LISTENERS = `
listeners:
  - { name: web, at: "0.0.0.0:443", protocol: https, certificates: [www] }
  - { name: sql, at: ["0.0.0.0:5432", "[::]:5432"], protocol: tcp, pool: sql }
`;
const ROUTES = `
routes:
  - { name: www, hosts: [www.example.com], pool: www }
  - name: old
    paths: [/old]
    methods: [GET]
    headers: [{ name: x-a, value: b }]
    redirect: { to: /new }
`;
const VSERVERS = `
vservers:
  - { at: "198.51.100.10:53/udp", pool: sql }
`;
const ALL = CERTIFICATE + POOLS + LISTENERS + ROUTES + VSERVERS;

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'edge-lb-'));
  site = new Harness();
  site.clock.onSleep = () => follows('lb', 'lb-1');
  await follows('lb', 'lb-1');
});
afterEach(() => rmSync(directory, { recursive: true }));

describe('apply', () => {
  it('stores pools before what names them, and waits for lb twice', async () => {
    const { code, out, err } = await apply(ALL);
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out.split('\n')).toEqual([
      '+ pool sql targets address=10.0.0.7',
      '+ pool www targets address=10.0.0.5 port=8080,address=10.0.0.6 port=8080 weight=3 check type=http proxy.algorithm ring',
      expect.stringMatching(new RegExp(`^\\+ certificate www chain ${FACTS}$`)),
      '+ vserver 198.51.100.10:53/udp pool sql',
      '+ listener sql at 0.0.0.0:5432,[::]:5432 protocol tcp pool sql',
      '+ listener web at 0.0.0.0:443 protocol https certificates www',
      '+ route old redirect to=/new paths /old methods GET headers name=x-a value=b',
      '+ route www pool www hosts www.example.com',
      '8 added',
      'pools: version 1: in force on 1 instance',
      'lb: version 1: in force on 1 instance',
      '',
    ]);
    const store = site.server.connect();
    expect(await store.get('lb', 'certificate', 'www')).toBe(JSON.stringify({ chain: PEM }));
    expect(await store.get('lb', 'route', 'old')).toContain('"redirect":{"to":"/new"}');
    expect((await apply(ALL, '--prune')).out).toMatch(/^8 unchanged\n/);
  });

  it('of pools waits for dns and for lb', async () => {
    await follows('dns', 'dns-1');
    await apply(ALL, '--no-wait');
    const { code, err } = await apply(POOLS.replace('weight: 3', 'weight: 4'), '--wait', '1s');
    expect(code).toBe(1);
    expect(err).toContain('not in force on 1 of 2 live instances');
    expect(err).toContain('dns-1');
  });

  it('deletes pools only once nothing names them any more', async () => {
    await apply(ALL);
    const { code, out } = await apply(
      'pools: []\nlisteners: []\nroutes: []\nvservers: []\ncertificates: []\n',
      '--prune',
      '--yes',
    );
    expect(code).toBe(0);
    const kinds = out.split('\n').filter((line) => line.startsWith('- '));
    expect(kinds.map((line) => line.split(' ')[1])).toEqual([
      ...['route', 'route', 'listener', 'listener', 'vserver', 'certificate', 'pool', 'pool'],
    ]);
  });

  it('refuses what would leave others without what they name', async () => {
    await apply(ALL);
    const { code, err } = await at('delete', 'pool', 'sql', '--yes');
    expect(code).toBe(1);
    expect(err).toContain('stored vserver 198.51.100.10:53/udp: there is no pool "sql"');
    expect(err).toContain('stored listener sql: there is no pool "sql"');
  });
});

describe('a certificate', () => {
  const file = (name: string, text: string) => writeFileSync(join(directory, name), text);

  it('is read from the file that the site file names, from where that is', async () => {
    file('a.pem', `subject=a\n${PEM}`);
    const text = ALL.replace(
      JSON.stringify({ name: 'www', chain: PEM }),
      '{ name: www, file: a.pem }',
    );
    file('site.yaml', text);
    const { code, err } = await at('apply', '-f', join(directory, 'site.yaml'));
    expect({ code, err }).toEqual({ code: 0, err: '' });
    const stored = await site.server.connect().get('lb', 'certificate', 'www');
    expect(stored).toBe(JSON.stringify({ chain: PEM }));
  });

  it.each<[string, string, string | undefined]>([
    ['is not there', 'a.pem does not exist', undefined],
    [
      'has its key',
      'chain holds a private key, which is never stored (leave only the certificates; the key is the file <keyDirectory>/NAME.key of each lb)',
      PEM + MADE.key.toString(),
    ],
    ['is no PEM', 'chain is no certificate in PEM', 'x'],
    [
      'is no X.509',
      'certificate www: the certificate cannot be read: its content is not X.509',
      '-----BEGIN CERTIFICATE-----\nMAMCAQE=\n-----END CERTIFICATE-----\n',
    ],
  ])('whose file %s is refused at the name of the file', async (_, message, text) => {
    if (text !== undefined) file('a.pem', text);
    file('site.yaml', 'certificates:\n  - { name: www, file: a.pem }\n');
    const { code, err } = await at('apply', '-f', join(directory, 'site.yaml'));
    expect(code).toBe(78);
    expect(err).toContain(`${join(directory, 'site.yaml')}:2:24: error: ${message}`);
    expect(err).not.toContain('MII');
  });

  it('that is not for a host of a route is warned of', async () => {
    const { code, err } = await apply(
      ALL.replace('[www.example.com]', '[www.example.com, a.b.example.com]'),
    );
    expect(code).toBe(0);
    expect(err).toContain(
      'stdin:17:43: warning: route www: no certificate of listener web is for a.b.example.com',
    );
  });

  it('that is over, or not signed by the next, is warned of', async () => {
    const chain = { name: 'www', chain: OTHER + PEM };
    const text = ALL.replace(JSON.stringify({ name: 'www', chain: PEM }), JSON.stringify(chain));
    await site.clock.advance(300 * 366 * 86_400_000);
    await follows('lb', 'lb-1');
    const { code, err } = await apply(text);
    expect(code).toBe(0);
    expect(err).toMatch(/stdin:3:27: warning: certificate www: is over since 20\d\d-/);
    expect(err).toContain(
      'certificate 1 of the chain is not signed by the next one (first the one',
    );
  });

  it('that changes is told by what it is, not by its text', async () => {
    await apply(ALL);
    const other = JSON.stringify({ name: 'www', chain: OTHER });
    const { out } = await apply(ALL.replace(JSON.stringify({ name: 'www', chain: PEM }), other));
    expect(out).toMatch(
      new RegExp(`^~ certificate www chain ${FACTS} -> other.example.com and 1 more until `, 'm'),
    );
    expect(out).not.toContain('BEGIN');
  });
});

describe('get', () => {
  it('prints tables of each kind', async () => {
    await apply(ALL);
    expect((await at('get', 'vservers')).out).toBe(
      [
        'VSERVER               POOL  MODE  HASH  LOST',
        '198.51.100.10:53/udp  sql   nat   flow  reset',
        '',
      ].join('\n'),
    );
    expect((await at('get', 'listener')).out).toBe(
      [
        'LISTENER  AT                       PROTOCOL  CERTIFICATES  POOL',
        'sql       0.0.0.0:5432, [::]:5432  tcp       -             sql',
        'web       0.0.0.0:443              https     www           -',
        '',
      ].join('\n'),
    );
    expect((await at('get', 'routes')).out).toBe(
      [
        'ROUTE  LISTENERS  HOSTS            PATHS  WHEN       ACTION',
        'old    -          -                /old   GET x-a=b  308 to /new',
        'www    -          www.example.com  -      -          pool www',
        '',
      ].join('\n'),
    );
    expect((await at('get', 'certificates')).out).toMatch(
      /^www {10}www.example.com, \*.example.com {2}2126-01-01T00:00:00Z {6}1 {2}[0-9a-f]{16}$/m,
    );
    expect((await at('get', 'pool', 'www')).out).toContain(
      'www   10.0.0.5:8080, 10.0.0.6:8080  http/',
    );
  });

  it.each(['yaml', 'json'])('gives as %s what apply takes back', async (output) => {
    await apply(ALL);
    const { out } = await at('get', '-o', output);
    expect((await apply(out, '--prune')).out).toMatch(/^8 unchanged\n/);
  });

  it.each([
    ['vserver', '198.51.100.10:53/udp'],
    ['listener', 'web'],
    ['route', 'www'],
    ['certificate', 'www'],
  ])('finds a %s by %s, and delete takes it', async (kind, id) => {
    await apply(ALL);
    expect((await at('get', kind, id)).code).toBe(0);
    expect((await at('get', kind, 'nobody')).code).toBe(1);
    const deleted = await at('delete', kind, id, '--yes', '--dry-run');
    expect(deleted.err).toContain(kind === 'certificate' ? 'there is no certificate' : 'dry run');
  });

  it('has nothing of lb that is not there', async () => {
    await apply(POOLS);
    expect((await at('get', '-o', 'yaml')).out).not.toContain('listeners');
  });
});

it('diff and dry runs take the example file', async () => {
  const file = join(EXAMPLES, 'site-lb.yaml');
  const dry = await at('apply', '-f', file, '--dry-run');
  expect(dry).toMatchObject({
    code: 0,
    err: 'edgectl: dry run, nothing was stored: 19 to add\n',
  });
  const { code, err } = await at('diff', '-f', file);
  expect({ code, err }).toEqual({ code: 1, err: 'edgectl: 19 to add\n' });
});

it('drain of an lb is stored in its unit', async () => {
  site.clock.onSleep = async () => {
    const version = (await site.server.connect().head('lb')).version;
    await site.natter('lb-1', {
      service: 'lb',
      applied: { lb: version, pools: 0 },
      state: 'drained',
    });
  };
  expect(await at('drain', 'lb-1')).toMatchObject({ code: 0, out: 'node lb-1 drained\n' });
  expect(await site.server.connect().get('lb', 'node', 'lb-1')).toBe('{"drain":true}');
});
