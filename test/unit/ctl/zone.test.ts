// edgectl's verbs of zones that need no store: a control socket that the test answers for, files.
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { COMMANDS } from '../../../shared/ctl/commands.ts';
import { bashCompletion } from '../../../shared/ctl/completion.ts';
import { OperationalError } from '../../../shared/errors.ts';
import { Harness } from './harness.ts';

const FILE = `$ORIGIN example.com.
$TTL 300
@ IN SOA ns1 hostmaster 7 3600 600 1209600 300
@ NS ns1
ns1 A 192.0.2.1
mail 3600 MX 10 mx.example.net.
www A 192.0.2.10
`;
const SERVED = [
  'example.com.\t300\tIN\tSOA\tns1.example.com. hostmaster.example.com. 9 3600 600 1209600 300\n',
  'example.com.\t300\tIN\tNS\tns1.example.com.\nmail.example.com.\t3600\tIN\tMX\t10 mx.example.net.\n',
  'ns1.example.com.\t300\tIN\tA\t192.0.2.1\nwww.example.com.\t300\tIN\tA\t192.0.2.10\n',
];

let site: Harness;
let directory: string;

beforeEach(() => {
  site = new Harness();
  directory = mkdtempSync(join(tmpdir(), 'edge-zone-'));
});

afterEach(() => rmSync(directory, { recursive: true }));

function file(name: string, text: string): string {
  const path = join(directory, name);
  writeFileSync(path, text);
  return path;
}

function serve(chunks: readonly string[], fail?: Error): void {
  site.control.stream = async function* () {
    for (const chunk of chunks) yield Buffer.from(chunk);
    if (fail !== undefined) throw fail;
  };
}

const GONE = new OperationalError('EDGE_CONTROL_FAILED', 'the socket could not be asked');

describe('zone list', () => {
  const zones = [
    {
      ...{ zone: 'a.example', source: 'objects', serial: 12, records: 5, names: 3 },
      ...{ loadedAt: '2026-11-21T09:00:00.123Z', warnings: [], problems: [] },
    },
    {
      ...{ zone: 'b.example', source: 'file', serial: 7, records: 9, names: 4 },
      ...{ loadedAt: '2026-11-21T09:00:00.000Z', problems: [] },
      warnings: ['/z/b.zone:3:1: TTLs differ', 'another'],
    },
    {
      ...{ zone: 'c.example', source: 'file', serial: null, records: 0, names: 0 },
      ...{ loadedAt: null, warnings: [], problems: ['/z/c.zone:1:1: there is no SOA'] },
    },
  ];

  it('says what is served, and what is wrong', async () => {
    site.control.get = async () => ({ zones });
    const { code, out, err } = await site.run('zone', 'list');
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(site.asked).toEqual([{ path: '/zones' }]);
    expect(out).toBe(
      [
        'ZONE       FROM     SERIAL  RECORDS  LOADED                STATE',
        'a.example  objects      12        5  2026-11-21T09:00:00Z  served',
        'b.example  file          7        9  2026-11-21T09:00:00Z  warning: /z/b.zone:3:1: TTLs differ',
        'c.example  file          -        0  -                     /z/c.zone:1:1: there is no SOA',
        '',
      ].join('\n'),
    );
    expect(JSON.parse((await site.run('zone', 'list', '--json')).out)).toEqual(zones);
  });
});

describe('zone show', () => {
  it('prints the zone file as it comes', async () => {
    serve(SERVED);
    expect(await site.run('zone', 'show', 'Example.COM.')).toEqual({
      code: 0,
      out: SERVED.join(''),
      err: '',
    });
    expect(site.asked).toEqual([{ path: '/zone?zone=example.com' }]);
  });

  it('--json has a record a line', async () => {
    serve(SERVED);
    const { out } = await site.run('zone', 'show', 'example.com', '--json');
    expect(JSON.parse(out)).toHaveLength(5);
    expect(JSON.parse(out)[2]).toEqual({
      name: 'mail.example.com',
      type: 'MX',
      ttlSeconds: 3600,
      data: '10 mx.example.net.',
    });
  });

  it('is no success when the zone is cut short', async () => {
    serve(SERVED.slice(0, 1), GONE);
    expect((await site.run('zone', 'show', 'example.com')).code).toBe(1);
    site.control.stream = async function* () {
      yield Buffer.from(SERVED[0] ?? '');
      site.interrupt.abort(); // the stream then ends quietly
    };
    expect((await site.run('zone', 'show', 'example.com')).code).toBe(130);
  });

  it('refuses what is no name', async () => {
    expect((await site.run('zone', 'show', 'a..b')).code).toBe(2);
  });
});

describe('zone export', () => {
  it('writes the file once all has come', async () => {
    serve(SERVED);
    const path = file('out.zone', 'old');
    const { code, out, err } = await site.run('zone', 'export', 'example.com', path);
    expect({ code, out }).toEqual({ code: 0, out: '' });
    expect(err).toBe(`edgectl: zone example.com written to ${path}\n`);
    expect(readFileSync(path, 'latin1')).toBe(SERVED.join(''));
    expect(readdirSync(directory)).toEqual(['out.zone']);
  });

  it('leaves the file as it was when the zone is cut short', async () => {
    serve(SERVED.slice(0, 2), GONE);
    const path = file('out.zone', 'old');
    const { code, err } = await site.run('zone', 'export', 'example.com', path);
    expect(code).toBe(1);
    expect(err).toContain('could not be asked');
    expect(readFileSync(path, 'latin1')).toBe('old');
    expect(readdirSync(directory)).toEqual(['out.zone']);
  });

  it('says where it cannot write', async () => {
    serve(SERVED);
    const path = join(directory, 'none', 'x');
    const { code, err } = await site.run('zone', 'export', 'example.com', path);
    expect(code).toBe(1);
    expect(err).toContain(`${path} cannot be written`);
  });

  it('without a file goes to stdout', async () => {
    serve(SERVED);
    expect((await site.run('zone', 'export', 'example.com')).out).toBe(SERVED.join(''));
  });
});

describe('zone check', () => {
  it.each([
    ['example.com.zone', FILE.replace('$ORIGIN example.com.\n', ''), []],
    ['db.example', FILE, []],
    ['other.zone', FILE, ['--zone', 'example.com']],
  ])('takes %s, and knows which zone it is', async (name, text, flags) => {
    const { code, out, err } = await site.run('zone', 'check', file(name, text), ...flags);
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out).toBe('zone example.com: serial 7, 5 records, can be served\n');
  });

  it('reads stdin, and what the file includes', async () => {
    file('hosts', 'host A 192.0.2.77\n');
    site.stdin = `${FILE}$INCLUDE ${join(directory, 'hosts')}\n`;
    expect((await site.run('zone', 'check', '-')).out).toContain('6 records');
    const path = file('example.com.zone', `${FILE}$INCLUDE hosts\n`);
    expect((await site.run('zone', 'check', path)).out).toContain('6 records');
  });

  it('tells every problem at its place', async () => {
    const text = `${FILE}a A 1.2.3\nb CH A 192.0.2.1\nwww.example.net. A 192.0.2.1\n`;
    const path = file('example.com.zone', text);
    const { code, out, err } = await site.run('zone', 'check', path);
    expect({ code, out }).toEqual({ code: 1, out: '' });
    expect(err.split('\n')).toEqual([
      `${path}:8:5: error: A: "1.2.3" is not an IPv4 address`,
      `${path}:9:3: error: class CH is not served: only IN is`,
      `edgectl: ${path}:10:1: warning: www.example.net. is not in the zone example.com.: left out`,
      'edgectl: zone example.com would not be served',
      '',
    ]);
    const json = await site.run('zone', 'check', path, '--json');
    expect(json.code).toBe(1);
    const found = JSON.parse(json.out);
    expect(found).toMatchObject({ zone: 'example.com', serial: null, records: null });
    expect(found.problems[0]).toEqual({
      ...{ level: 'refusal', file: path, line: 8, column: 5 },
      message: 'A: "1.2.3" is not an IPv4 address',
    });
  });

  it('warns of a zone that can be served', async () => {
    const path = file('example.com.zone', `${FILE}www A 192.0.2.10\n`);
    const { code, out, err } = await site.run('zone', 'check', path);
    expect(code).toBe(0);
    expect(out).toContain('5 records, can be served');
    expect(err).toContain(`${path}:8:1: warning: www.example.com. A is there twice: left out`);
  });

  it('asks for the name when nothing says it, and for a file that is there', async () => {
    const path = file('db', FILE.replace('$ORIGIN example.com.\n', ''));
    const { code, err } = await site.run('zone', 'check', path);
    expect(code).toBe(2);
    expect(err).toContain(`which zone is in ${path}? Give --zone NAME`);
    const none = await site.run('zone', 'check', join(directory, 'none'));
    expect(none.code).toBe(78);
    expect(none.err).toContain('none: error: does not exist');
    expect((await site.run('zone', 'check', path, '--zone', 'a..b')).code).toBe(2);
  });

  it('does not read what never ends', async () => {
    const { code, err } = await site.run('zone', 'check', '/dev/zero', '--zone', 'example.com');
    expect(code).toBe(1);
    expect(err).toContain('it is a device');
  });
});

describe('zone diff', () => {
  const diff = (text: string, ...flags: string[]) =>
    site.run('zone', 'diff', 'example.com', file('f', text), ...flags);

  it('is 0 when only the serial differs', async () => {
    serve(SERVED);
    const { code, out, err } = await diff(FILE);
    expect({ code, out }).toEqual({ code: 0, out: '' });
    expect(err).toBe(
      `edgectl: 0 only served, 0 only in ${join(directory, 'f')}; serial 9 is served, the file has 7\n`,
    );
  });

  it('shows what is only served and what only the file has', async () => {
    serve(SERVED);
    const text = FILE.replace('mail 3600', 'mail 1800').replace('www A', 'web A');
    const { code, out } = await diff(text);
    expect(code).toBe(1);
    expect(out).toBe(
      [
        '- mail.example.com.\t3600\tIN\tMX\t10 mx.example.net.',
        '- www.example.com.\t300\tIN\tA\t192.0.2.10',
        '+ mail.example.com.\t1800\tIN\tMX\t10 mx.example.net.',
        '+ web.example.com.\t300\tIN\tA\t192.0.2.10',
        '',
      ].join('\n'),
    );
    serve(SERVED);
    const json = await diff(text, '--json');
    expect(json.code).toBe(1);
    expect(JSON.parse(json.out)[3]).toEqual({
      ...{ action: 'add', name: 'web.example.com', type: 'A' },
      ...{ ttlSeconds: 300, data: '192.0.2.10' },
    });
  });

  it('shows an SOA that differs by more than its serial', async () => {
    serve(SERVED);
    const { code, out } = await diff(FILE.replace('7 3600', '7 1800'));
    expect(code).toBe(1);
    expect(out.split('\n').map((line) => line.slice(0, 25))).toEqual([
      '- example.com.\t300\tIN\tSOA',
      '+ example.com.\t300\tIN\tSOA',
      '',
    ]);
  });

  it('tells trouble by 2, and a wrong file by 78', async () => {
    serve([], GONE);
    expect((await diff(FILE)).code).toBe(2);
    serve(['nothing\n']);
    expect((await diff(FILE)).err).toContain('is no zone example.com');
    expect((await diff('@ 300 A 1.2.3\n')).code).toBe(78);
  });
});

it('completes files where a verb takes one', () => {
  const script = bashCompletion(COMMANDS);
  const line = script.split('\n').find((text) => text.includes("'zone check'*|"));
  expect(line).toBe(
    "    'zone export'*|'zone import'*|'zone check'*|'zone diff'*) compopt -o default ;;",
  );
});
