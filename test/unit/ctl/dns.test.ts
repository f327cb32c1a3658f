// Sites with dns and pools: what edgectl applies and in which order, whom it waits for, what it
// warns of and shows.
import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { checkSite } from '../../../shared/site/check.ts';
import { formatObject } from '../../../shared/site/kinds.ts';
import { placeOf, storedChange, UNITS } from '../../../shared/site/place.ts';
import type { Member } from '../../../shared/store/types.ts';
import { anyDnsObject } from '../shared/site/any-dns-object.ts';
import { Harness, type Result } from './harness.ts';

let site: Harness;
const at = (...argv: string[]) => site.run(...argv, '--store', 'memory:');

/** A dns that has applied everything of both units, or what `member` says. */
async function dns(node: string, member: Partial<Member> = {}): Promise<void> {
  const store = site.server.connect();
  const applied = {
    dns: (await store.head('dns')).version,
    pools: (await store.head('pools')).version,
  };
  await site.natter(node, { service: 'dns', applied, ...member });
}

function apply(text: string, ...flags: string[]): Promise<Result> {
  site.stdin = text;
  return at('apply', '-f', '-', ...flags);
}

const LINES = `
lines:
  - { name: telecom, prefixes: [59.43.0.0/16] }
`;
const POOLS = `
pools:
  - { name: www, targets: [{ address: 59.43.0.10, weight: 3 }], check: { type: tcp, port: 443 } }
  - { name: spare, targets: [{ address: 192.0.2.9 }] }
overrides:
  - { address: 59.43.0.10, pool: www, state: drain, who: ann, why: moves, until: 2026-12-01T00:00Z }
`;
const RECORDS = `
zones:
  - { zone: example.com, soa: { primary: ns.example.com, mail: h.example.com } }
records:
  - { name: example.com, type: NS, data: [ns.example.net] }
  - { name: mail.example.com, type: MX, ttl: 1h, data: ["10 mx.example.net"] }
  - name: www.example.com
    type: A
    lines: { telecom: { pool: www }, default: { sources: [{ pool: www }, { data: [192.0.2.1] }] } }
`;
const NODES = `
nodes:
  - { name: dns-1, service: dns, drain: false }
`;
const ALL = LINES + POOLS + RECORDS;

beforeEach(async () => {
  site = new Harness();
  await dns('dns-1');
  site.clock.onSleep = () => dns('dns-1');
});

describe('apply', () => {
  it('stores pools before the records that name them, and waits for dns twice', async () => {
    const { code, out, err } = await apply(ALL);
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out).toBe(
      [
        '+ pool spare targets address=192.0.2.9',
        '+ pool www targets address=59.43.0.10 weight=3 check type=tcp port=443',
        '+ override 59.43.0.10/www state drain who ann why moves until 2026-12-01T00:00:00Z',
        '+ line telecom prefixes 59.43.0.0/16',
        '+ zone example.com soa primary=ns.example.com mail=h.example.com',
        '+ record example.com/NS data ns.example.net.',
        '+ record mail.example.com/MX ttl 1h data 10 mx.example.net.',
        '+ record www.example.com/A lines.default sources=pool=www,data=192.0.2.1 lines.telecom pool=www',
        '8 added',
        'pools: version 1: in force on 1 instance',
        'dns: version 1: in force on 1 instance',
        '',
      ].join('\n'),
    );
    const store = site.server.connect();
    expect(await store.get('dns', 'record', 'mail.example.com/MX')).toBe(
      '{"data":["10 mx.example.net."],"ttl":3600}',
    );
    expect(await store.get('pools', 'override', '59.43.0.10/www')).toContain('"until":1796083200');
    expect((await apply(ALL, '--prune')).out).toMatch(/^8 unchanged\npools: version 1: in force/);
  });

  it('shows what of a record changes, by line', async () => {
    await apply(ALL);
    const { out } = await apply(
      RECORDS.replace('telecom: { pool: www }', 'telecom: { pool: spare }'),
    );
    expect(out).toBe(
      [
        '~ record www.example.com/A lines.telecom pool=www -> pool=spare',
        '1 changed, 3 unchanged',
        'version 2: in force on 1 instance',
        '',
      ].join('\n'),
    );
  });

  it('of pools alone is waited for with dns, by what it has applied of pools', async () => {
    const version = async () => (await site.server.connect().head('pools')).version;
    site.clock.onSleep = async () =>
      dns('dns-1', { applied: { dns: 9, pools: (await version()) - 1 } });
    const lagging = await apply(POOLS, '--wait', '1s');
    expect(lagging.code).toBe(1);
    expect(lagging.err).toContain('stored as version 1, but not in force on 1 of 1 live instances');
    expect(lagging.err).toContain('dns-1 is at version 0 of 1');
    site.clock.onSleep = async () => dns('dns-1', { applied: { dns: 0, pools: await version() } });
    const { code, out } = await apply(POOLS, '--json');
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({
      version: 1,
      inForce: true,
      warnings: [],
      live: [{ node: 'dns-1', service: 'dns', applied: 1 }],
      units: [{ unit: 'pools', version: 1 }],
    });
  });

  it('without a dns says who is missing', async () => {
    site = new Harness();
    const { code, err } = await apply(POOLS);
    expect(code).toBe(3);
    expect(err).toContain('stored as version 1, but no live dns or lb is there to apply it');
  });

  it('deletes pools only once nothing names them any more', async () => {
    await apply(ALL);
    const pruned = await apply(
      'pools: []\noverrides: []\nrecords:\n  - { name: example.com, type: NS, data: [ns.example.net] }\n  - { name: mail.example.com, type: MX, data: ["10 mx"] }\n',
      '--prune',
      '--yes',
    );
    expect(pruned.code).toBe(0);
    expect(pruned.out.split('\n').slice(0, 6)).toEqual([
      '- override 59.43.0.10/www state drain who ann why moves until 2026-12-01T00:00:00Z',
      expect.stringMatching(/^- record www.example.com\/A /),
      '~ record mail.example.com/MX ttl 1h -> -, data 10 mx.example.net. -> 10 mx.',
      expect.stringMatching(/^- pool spare /),
      expect.stringMatching(/^- pool www /),
      '1 changed, 4 deleted, 1 unchanged',
    ]);
  });

  it('asks before most of a kind goes', async () => {
    await apply(ALL);
    const { code, err } = await apply('records: []\n', '--prune');
    expect(code).toBe(1);
    expect(err).toContain('this would delete 3 of 3 records');
    expect((await apply('overrides: []\n', '--prune')).code).toBe(0);
  });

  it('prunes the nodes of dns with those of all services, and only them', async () => {
    await apply(ALL + NODES);
    expect((await apply('nodes: []\n', '--prune')).out).toContain('- node dns/dns-1\n');
  });
});

describe('what the units refer to of each other', () => {
  it('is checked from either side', async () => {
    const alone = await apply(RECORDS + LINES);
    expect(alone.code).toBe(78);
    expect(alone.err).toContain(
      'stdin:9:31: error: record www.example.com/A: there is no pool "www" (add it under pools)',
    );
    expect(alone.err).toContain('edgectl: 2 errors, nothing was changed');
    await apply(POOLS);
    expect((await apply(RECORDS + LINES)).code).toBe(0);
    const { code, err } = await at('delete', 'pool', 'www');
    expect(code).toBe(1);
    expect(err).toContain('stored record www.example.com/A: there is no pool "www"');
    expect(err).toContain('stored override 59.43.0.10/www: there is no pool "www"');
    expect(err).toContain('still in use: change or delete what uses it first');
    const other = 'pools:\n  - { name: www, targets: [{ address: "2001:db8::1" }] }\n';
    const turned = await apply(other);
    expect(turned.code).toBe(78);
    expect(turned.err).toContain('pool www has IPv6 addresses, but A is for IPv4');
    expect((await at('diff', '-f', '-')).code).toBe(78);
  });

  it('is in force on dns by the version of the changed unit alone', async () => {
    await apply(ALL);
    const { out } = await at('delete', 'pool', 'spare');
    expect(out).toBe('pool spare deleted\nversion 2: in force on 1 instance\n');
  });
});

describe('a record that is in no zone', () => {
  const LONE = 'records:\n  - { name: a.example.org, type: A, data: [192.0.2.1] }\n';
  const WARNING =
    'record a.example.org/A: is in no zone of the site: served only where a file or a transfer has its zone (add its zone under zones, or correct the name)';

  it('is stored, with a warning at its place', async () => {
    const { code, out, err } = await apply(LONE);
    expect(code).toBe(0);
    expect(out).toContain('1 added\nversion 1: in force');
    expect(err).toBe(`edgectl: stdin:2:13: warning: ${WARNING}\n`);
    expect((await apply(LONE)).err).toBe('');
  });

  it('is told by --json, --dry-run and diff, too', async () => {
    site.stdin = LONE;
    const diff = await at('diff', '-f', '-');
    expect(diff.code).toBe(1);
    expect(diff.err).toContain(`edgectl: stdin:2:13: warning: ${WARNING}\n`);
    expect((await apply(LONE, '--dry-run')).err).toContain(WARNING);
    const { out } = await apply(LONE, '--json');
    expect(JSON.parse(out).warnings).toEqual([`stdin:2:13: warning: ${WARNING}`]);
  });

  it('is one of many: the first are told', async () => {
    const many = Array.from({ length: 25 }, (_, n) => {
      return `  - { name: a${n}.example.org, type: A, data: [192.0.2.1] }\n`;
    });
    const { err } = await apply(`records:\n${many.join('')}`);
    expect(err.split('\n').slice(19)).toEqual([
      expect.stringContaining('a19.example.org/A'),
      'edgectl: and 5 more warnings',
      '',
    ]);
  });
});

describe('get', () => {
  it('prints tables of each kind', async () => {
    await apply(ALL);
    expect((await at('get', 'zones')).out).toBe(
      [
        'ZONE         TTL  PRIMARY         FROM  NOTIFY',
        'example.com   5m  ns.example.com  -     -',
        '',
      ].join('\n'),
    );
    expect((await at('get', 'records')).out).toBe(
      [
        'NAME              TYPE  TTL  DATA',
        'example.com       NS      -  ns.example.net.',
        'mail.example.com  MX     1h  10 mx.example.net.',
        'www.example.com   A       -  default: pool www, else 192.0.2.1; telecom: pool www',
        '',
      ].join('\n'),
    );
    expect((await at('get', 'line')).out).toContain('telecom         1  -');
    expect((await at('get', 'pools')).out).toContain('www    59.43.0.10  tcp:443  weighted   0%');
    expect((await at('get', 'override')).out).toBe(
      [
        'TARGET      POOL  STATE  UNTIL                 WHO  WHY',
        '59.43.0.10  www   drain  2026-12-01T00:00:00Z  ann  moves',
        '',
      ].join('\n'),
    );
  });

  it.each([
    ['record', 'WWW.example.com./a'],
    ['zone', 'EXAMPLE.com'],
    ['override', '59.43.0.10/www'],
  ])('finds a %s by %s', async (kind, id) => {
    await apply(ALL);
    expect((await at('get', kind, id)).code).toBe(0);
    expect((await at('delete', kind, id, '--yes', '--with-records')).code).toBe(0);
    expect((await at('get', kind, id)).code).toBe(1);
    expect((await at('delete', kind, id)).out).toContain('was not there');
  });

  it('finds records whose names are those of units', async () => {
    const names = ['dns', 'natter', 'pools'];
    const lines = names.map((name) => `  - { name: ${name}, type: A, data: [192.0.2.1] }\n`);
    expect((await apply(`records:\n${lines.join('')}`)).code).toBe(0);
    expect((await site.server.connect().head('dns')).count).toBe(3);
    for (const name of names) {
      expect((await at('get', 'record', `${name}/A`)).code).toBe(0);
      expect((await at('delete', 'record', `${name}/A`)).code).toBe(0);
    }
    expect((await site.server.connect().head('dns')).count).toBe(0);
  });

  it('refuses to delete what no object can be called', async () => {
    expect((await at('delete', 'record', 'www.example.com')).code).toBe(2);
    expect((await at('delete', 'override', 'www')).code).toBe(2);
    expect((await at('delete', 'record', 'www.example.com/A')).code).toBe(0);
  });

  it('writes no empty section of overrides, so that prune ends none', async () => {
    await apply(LINES + POOLS.slice(0, POOLS.indexOf('overrides')));
    const { out } = await at('get', '-o', 'yaml');
    expect(out).toContain('pools:');
    expect(out).not.toContain('overrides');
    expect((await at('get', 'override', '-o', 'yaml')).out).toBe('');
  });

  it('writes what can be applied again, for any site', async () => {
    const stored = fc
      .uniqueArray(anyDnsObject, {
        selector: (item) => `${item.kind} ${formatObject(item).id}`,
        maxLength: 12,
      })
      .map((items) => {
        const fits: typeof items = [];
        for (const item of items) {
          if (checkSite([...fits, item]).length === 0) fits.push(item);
        }
        return fits;
      });
    await fc.assert(
      fc.asyncProperty(stored, fc.constantFrom('yaml', 'json'), async (items, form) => {
        site = new Harness();
        const store = site.server.connect();
        for (const record of items.map(formatObject)) {
          await store.apply(placeOf(record.kind, record.id).unit, [storedChange(record)]);
        }
        const digests = (of: typeof store) => Promise.all(UNITS.map((unit) => of.head(unit)));
        const before = (await digests(store)).map(({ digest }) => digest);
        const text = (await at('get', '-o', form)).out;
        expect((await apply(text, '--prune', '--no-wait')).code).toBe(0);
        expect((await digests(store)).map(({ digest }) => digest)).toEqual(before);
        site = new Harness();
        expect((await apply(text, '--no-wait')).code).toBe(0);
        const fresh = await digests(site.server.connect());
        expect(fresh.map(({ digest }) => digest)).toEqual(before);
      }),
      { numRuns: 60 },
    );
  });
});

describe('status, nodes, drain and confirm', () => {
  it('show both units that dns follows', async () => {
    await apply(ALL);
    await apply(POOLS.replace('weight: 3', 'weight: 4'));
    const { code, out } = await at('status');
    expect(code).toBe(0);
    expect(out).toMatch(/^dns +1 +0 +1 running +0\.1\.0 +8 +dns:1 pools:2 +0$/m);
    expect((await at('nodes')).out).toMatch(
      /^dns-1 +dns +running +0\.1\.0 +dns:1\/1 pools:2\/2 +- /m,
    );
    const { services } = JSON.parse((await at('status', '--json')).out);
    expect(services).toMatchObject([
      {
        service: 'dns',
        objects: 8,
        desired: 1,
        units: [{ unit: 'dns' }, { unit: 'pools', desired: 2 }],
      },
    ]);
  });

  it('name the unit that lags', async () => {
    await apply(ALL);
    await dns('dns-1', { applied: { dns: 1, pools: 0 } });
    const { code, out } = await at('status');
    expect(code).toBe(1);
    expect(out).toContain('dns-1: pools: 1 version behind');
    expect((await at('doctor')).out).toContain('dns-1: pools: 1 version behind');
    const [node] = JSON.parse((await at('nodes', '--json')).out);
    expect(node).toMatchObject({
      applied: 1,
      desired: 1,
      drift: 'pools: 1 version behind',
      units: [
        { unit: 'dns', applied: 1, desired: 1 },
        { unit: 'pools', applied: 0, desired: 1 },
      ],
    });
  });

  it('drains a dns', async () => {
    site.clock.onSleep = () => dns('dns-1', { state: 'drained' });
    expect((await at('drain', 'dns-1')).out).toBe('node dns-1 drained\n');
    expect(await site.server.connect().get('dns', 'node', 'dns-1')).toBe('{"drain":true}');
    expect((await at('drain', 'dns-1', '--service', 'pools')).code).toBe(2);
  });

  it('confirm the pools that went back, by the members of dns', async () => {
    await apply(ALL);
    await dns('dns-1', { applied: { dns: 1, pools: 50 } });
    const { code, out } = await at('confirm', '--yes');
    expect(code).toBe(0);
    expect(out).toBe(
      '3 objects confirmed: version 1 is now 51\nversion 51: in force on 1 instance\n',
    );
  });
});
