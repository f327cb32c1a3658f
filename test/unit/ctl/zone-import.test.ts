// `zone import`: a zone file becomes objects of the site. What of it is stored, how the serial goes
// on, what is refused at which place, what stays.
import { beforeEach, describe, expect, it } from 'vitest';
import { serialBaseOf } from '../../../shared/ctl/zone-import.ts';
import { Harness, type Result } from './harness.ts';

let site: Harness;
const at = (...argv: string[]) => site.run(...argv, '--store', 'memory:');

async function follow(): Promise<void> {
  const store = site.server.connect();
  const applied = {
    dns: (await store.head('dns')).version,
    pools: (await store.head('pools')).version,
  };
  await site.natter('dns-1', { service: 'dns', applied });
}

function importing(text: string, ...flags: string[]): Promise<Result> {
  site.stdin = text;
  return at('zone', 'import', '-', ...flags);
}

function apply(text: string): Promise<Result> {
  site.stdin = text;
  return at('apply', '-f', '-');
}

const stored = (kind: string, id: string) => site.server.connect().get('dns', kind, id);
const ZONE = 'example.com';

const FILE = `$ORIGIN example.com.
$TTL 300
@ IN SOA Ns1 hostmaster 2026010107 7200 600 1209600 60
@ NS ns1
ns1 A 192.0.2.1
Mail 3600 MX 10 MX.example.net.
www A 192.0.2.10
www A 192.0.2.11
txt TXT "a;b" c\\"d
x TYPE65400 \\# 2 0102
`;

beforeEach(async () => {
  site = new Harness();
  await follow();
  site.clock.onSleep = follow;
});

describe('zone import', () => {
  it('stores a zone and its records, and waits until they are in force', async () => {
    const { code, out, err } = await importing(FILE);
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out.split('\n').slice(-3)).toEqual(['7 added', 'version 1: in force on 1 instance', '']);
    expect(JSON.parse((await stored('zone', ZONE)) ?? '')).toEqual({
      serialBase: 2026010107,
      soa: {
        mail: 'hostmaster.example.com',
        minimum: 60,
        primary: 'ns1.example.com',
        refresh: 7200,
      },
    });
    const values = ['www.example.com/A', 'mail.example.com/MX', 'x.example.com/TYPE65400'].map(
      (id) => stored('record', id),
    );
    expect(await Promise.all(values)).toEqual([
      '{"data":["192.0.2.10","192.0.2.11"]}',
      '{"data":["10 MX.example.net."],"ttl":3600}',
      '{"data":["\\\\# 2 0102"]}',
    ]);
    expect((await importing(FILE)).out).toBe('7 unchanged\nversion 1: in force on 1 instance\n');
  });

  it('keeps texts as they are written in zone files', async () => {
    await importing(FILE);
    const { out } = await at('get', 'record', 'txt.example.com/TXT', '-o', 'json');
    const [record] = JSON.parse(out).records;
    expect(record.data).toEqual(['"a;b" "c\\"d"']);
  });

  it('takes data in another order for the same', async () => {
    await importing(FILE);
    const turned = FILE.replace('192.0.2.10', '0').replace('192.0.2.11', '192.0.2.10');
    const { out } = await importing(turned.replace('www A 0', 'www A 192.0.2.11'));
    expect(out).toBe('7 unchanged\nversion 1: in force on 1 instance\n');
  });

  it('stores nothing with --dry-run', async () => {
    const { code, out } = await importing(FILE, '--dry-run');
    expect(code).toBe(0);
    expect(out).toContain('+ record www.example.com/A data 192.0.2.10,192.0.2.11');
    expect((await site.server.connect().head('dns')).version).toBe(0);
  });

  it('keeps what no file says of a zone: transfers and who is notified', async () => {
    await apply(`zones:
  - zone: example.com
    soa: { primary: ns.example.com, mail: h.example.com }
    transfer: { prefixes: [192.0.2.0/24] }
    notify: [{ to: "192.0.2.53:53" }]
`);
    expect((await importing(FILE)).code).toBe(0);
    expect(JSON.parse((await stored('zone', ZONE)) ?? '')).toMatchObject({
      notify: [{ to: '192.0.2.53:53' }],
      serialBase: 2026010106,
      soa: { primary: 'ns1.example.com' },
      transfer: { prefixes: ['192.0.2.0/24'] },
    });
  });

  it('adds and changes, and deletes only with --replace', async () => {
    await importing(FILE);
    const less = FILE.replace(/^txt.*\n/m, '').replace('192.0.2.11', '192.0.2.12');
    const kept = await importing(less);
    expect(kept.out).toContain(
      '~ record www.example.com/A data 192.0.2.10,192.0.2.11 -> 192.0.2.10,192.0.2.12\n1 changed',
    );
    expect(await stored('record', 'txt.example.com/TXT')).toBeDefined();
    const { code, out } = await importing(less, '--replace');
    expect(code).toBe(0);
    expect(out).toMatch(/^- record txt\.example\.com\/TXT .*\n1 deleted, 6 unchanged\n/);
    expect(await stored('record', 'txt.example.com/TXT')).toBeUndefined();
  });

  it('asks before most of the records go', async () => {
    await importing(FILE);
    const least = FILE.split('\n').slice(0, 5).join('\n');
    const { code, err } = await importing(`${least}\n`, '--replace');
    expect(code).toBe(1);
    expect(err).toContain('this would delete 4 of 6 records');
    expect((await importing(`${least}\n`, '--replace', '--yes')).out).toContain('4 deleted');
  });

  it('leaves records of other zones alone, above and below', async () => {
    await apply(`zones:
  - { zone: sub.example.com, soa: { primary: ns.example.net, mail: h.example.net } }
records:
  - { name: sub.example.com, type: NS, data: [ns.example.net] }
  - { name: www.example.net, type: A, data: [192.0.2.9] }
`);
    const text = `${FILE}sub NS ns9\nns.sub A 192.0.2.9\n`;
    const { code, out, err } = await importing(text, '--replace');
    expect(code).toBe(0);
    expect(out).not.toContain('- record');
    expect(err).toContain(
      'left out, as another zone of the site has these names: sub.example.com/NS, ns.sub.example.com/A',
    );
    expect(await stored('record', 'sub.example.com/NS')).toBe('{"data":["ns.example.net."]}');
  });

  it('keeps records by line, and overwrites them only with --replace', async () => {
    await apply(`records:
  - { name: www.example.com, type: A, lines: { default: { data: [192.0.2.1] } } }
  - { name: api.example.com, type: A, lines: { default: { data: [192.0.2.1] } } }
`);
    const refused = await importing(FILE);
    expect(refused.code).toBe(78);
    expect(refused.err).toContain(
      'stdin:7:1: error: record www.example.com/A is by line in the store, and would be one',
    );
    const { code, out } = await importing(FILE, '--replace');
    expect(code).toBe(0);
    expect(out).toContain('by line, and so kept: api.example.com/A\n');
    expect(await stored('record', 'www.example.com/A')).toContain('"data":["192.0.2.10"');
    expect(await stored('record', 'api.example.com/A')).toContain('lines');
  });

  it('knows the names that are answered by line', async () => {
    await apply(`records:
  - { name: ns1.example.com, type: A, lines: { default: { data: [192.0.2.1] } } }
`);
    const text = FILE.replace('ns1 A 192.0.2.1\n', '');
    const { code, err } = await importing(text);
    expect({ code, err }).toEqual({ code: 0, err: '' });
  });

  it('does not make a zone that is transferred in one of records', async () => {
    await apply('zones: [{ zone: example.com, primaries: [{ from: "192.0.2.53:53" }] }]\n');
    const { code, err } = await importing(FILE);
    expect(code).toBe(1);
    expect(err).toContain('zone example.com is transferred in from its primaries');
  });
});

describe('zone import refuses', () => {
  it('every mistake of the file at its place, and stores nothing', async () => {
    const { code, err } = await importing(`${FILE}a A 1.2.3\nb CH A 192.0.2.1\n`);
    expect(code).toBe(78);
    expect(err).toBe(
      [
        'stdin:11:5: error: A: "1.2.3" is not an IPv4 address',
        'stdin:12:3: error: class CH is not served: only IN is',
        'edgectl: 2 errors, nothing was changed',
        '',
      ].join('\n'),
    );
    expect((await site.server.connect().head('dns')).version).toBe(0);
  });

  it('what objects cannot carry, with the reason', async () => {
    const key =
      'DNSKEY 257 3 13 mdsswUyr3DPW132mOi8V9xESWE8jTo0dxCjjnopKl+GqJxpVXckHAeF+KkxLbxILfDLUT0rAK9iUzy1L53eKGQ==';
    const { code, err } = await importing(`${FILE}@ ${key}\n@ ${key.replace('257', '256')}\n`);
    expect(code).toBe(78);
    expect(err).toContain(
      'stdin:11:1: error: DNSKEY (2 of them): a zone of site objects is not signed: its serial',
    );
    const digest = `@ ZONEMD 2026010107 1 1 ${'ab'.repeat(48)}`;
    expect((await importing(`${FILE}${digest}\n`)).err).toContain(
      'stdin:11:1: error: ZONEMD: its digest would be wrong with the next change of the site',
    );
  });

  it('what the site has against it, at its place in the file', async () => {
    await importing(FILE);
    const { code, err } = await importing(`${FILE.replace(/^www A.*\n/gm, '')}www CNAME ns1\n`);
    expect(code).toBe(78);
    expect(err).toContain('stdin:9:1: error: record www.example.com/CNAME');
  });

  it('a file without a zone', async () => {
    expect((await importing('')).code).toBe(2);
    expect((await importing('', '--zone', ZONE)).code).toBe(78);
    expect((await importing('www 300 A 192.0.2.1\n', '--zone', ZONE)).err).toContain('SOA');
  });
});

it('tells a warning once, whether the file or the site has it', async () => {
  const { code, err } = await importing(
    `${FILE}www A 192.0.2.11\nmail 60 A 192.0.2.1\nmail 30 A 192.0.2.2\n@ MX 10 none\n`,
  );
  expect(code).toBe(0);
  const lines = err.split('\n').slice(0, -1);
  expect(new Set(lines.map((line) => line.replace(/.*warning: (zone \S+: )?/, ''))).size).toBe(
    lines.length,
  );
  expect(err).toContain('stdin:11:1: warning: www.example.com. A is there twice: left out');
  expect(err).toContain('TTLs differ, 30 counts for all of them');
  expect(err).toContain('none.example.com');
});

// Version 5 is stored; what is served then is the base and the next version.
it.each([
  [100, undefined, 95],
  [3, undefined, 0xfffffffe],
  [100, 95, 95],
  [100, 200, 200],
  [2026010101, 0, 2026010096],
  [5, 0xfffffff0, 0],
])('a file with serial %i over a base of %s: %i', (serial, before, base) => {
  const zone = before === undefined ? undefined : { serialBase: before };
  expect(serialBaseOf(serial, 5, zone)).toBe(base);
});
