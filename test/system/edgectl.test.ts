// edgectl as its users run it: a process, a real redis-server, and a member that heartbeats.
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { until } from '../../lab/ready.ts';
import { ByteStream, ControlServer } from '../../shared/admin/control.ts';
import { openStore } from '../../shared/store/open.ts';
import type { Store } from '../../shared/store/types.ts';
import { FakeMember, type Options, runEdgectl, startEdgectl } from '../support/edgectl.ts';
import { type RedisProcess, startRedis } from '../support/redis.ts';

let redis: RedisProcess;
let store: Store;
let directory: string;
let member: FakeMember;

type Own = Partial<Options>;
const at = (own: Own): Options => ({ storeUrl: redis.url, directory, ...own });
const start = (argv: readonly string[], own: Own = {}) => startEdgectl(argv, at(own));
const edgectl = (argv: readonly string[], own: Own = {}) => runEdgectl(argv, at(own));

/** Splits at spaces; must succeed without a word on stderr. */
async function ok(line: string, options: Own = {}): Promise<string> {
  const { code, out, err } = await edgectl(line.split(' '), options);
  expect(`${code} ${err}`, line).toBe('0 ');
  return out;
}

function file(name: string, text: string): string {
  const path = join(directory, name);
  writeFileSync(path, text);
  return path;
}

beforeAll(async () => {
  redis = await startRedis();
  store = openStore({ url: redis.url });
});

afterAll(async () => {
  await store?.close();
  await redis?.stop();
});

beforeEach(async () => {
  expect(await redis.ask('FLUSHALL')).toContain('OK');
  directory = mkdtempSync(join(tmpdir(), 'edge-ctl-'));
  member = new FakeMember(store, 'natter-1');
  await until('the member is there', async () => (await store.members('natter')).length === 1);
});

afterEach(async () => {
  await member.stop();
  rmSync(directory, { recursive: true, force: true });
});

const SITE = `eips:
  - address: 198.51.100.7
    private: 10.0.0.5
    limit: { in: 100mbit, out: 50mbit, burst: 256kb }
    group: gold
  - { address: 198.51.100.8 }
  - { address: 198.51.100.9, private: 10.0.0.9, group: "1e3" }
forwards:
  - { from: "198.51.100.8:443/tcp", to: "10.0.0.6:8443" }
  - { from: "198.51.100.8:8000-8099/udp", to: "10.0.0.7:9000" }
groups:
  - { name: gold, in: 1gbit, out: 1gbit, burst: 1mb }
  - { name: "1e3", in: 1mbit }
nodes:
  - { name: natter-9, drain: true }
`;

describe('a site from files', () => {
  it('is applied, shown, applied again without a change, and read back the same', async () => {
    const path = file('site.yaml', SITE);
    expect((await edgectl(['diff', '-f', path])).code).toBe(1);
    const applied = await ok(`apply -f ${path}`);
    expect(applied).toContain('+ eip 198.51.100.7 private 10.0.0.5 in 100mbit out 50mbit');
    expect(applied).toContain('8 added\nversion 1: in force on 1 instance\n');
    expect((await edgectl(['diff', '-f', path])).code).toBe(0);
    expect(await ok(`apply -f ${path}`)).toBe('8 unchanged\nversion 1: in force on 1 instance\n');
    for (const form of ['yaml', 'json']) {
      const text = await ok(`get -o ${form}`);
      const back = await edgectl(['apply', '--prune', '-f', '-'], { stdin: text });
      expect(back).toEqual({
        code: 0,
        out: '8 unchanged\nversion 1: in force on 1 instance\n',
        err: '',
      });
    }
    const fresh = await ok('get -o yaml');
    await redis.ask('FLUSHALL');
    expect((await edgectl(['apply', '-f', '-'], { stdin: fresh })).code).toBe(0);
    expect(await ok('get -o yaml')).toBe(fresh);
  });

  it('may be in several files, which refer to each other', async () => {
    const a = file('a.yaml', 'eips:\n  - { address: 198.51.100.7, group: gold }\n');
    const b = file('b.yaml', 'groups:\n  - { name: gold, in: 1gbit }\n');
    expect((await edgectl(['apply', '-f', a])).code).toBe(78);
    expect(await ok(`apply -f ${a} -f ${b}`)).toContain('2 added');
  });

  it('is refused whole, with every error at its place', async () => {
    const path = file(
      'bad.yaml',
      `eips:
  - { address: 198.51.100.7, private: 10.0.0.5 }
  - { address: 198.51.100.8, private: 10.0.0.5 }
  - { address: 198.51.100.9, privat: 10.0.0.6 }
forwards:
  - { from: "203.0.113.1:443/tcp", to: "10.0.0.6:8443" }
`,
    );
    const { code, out, err } = await edgectl(['apply', '-f', path]);
    expect(code).toBe(78);
    expect(out).toBe('');
    expect(err).toContain(`${path}:4:`);
    expect(err).toContain('nothing was changed');
    expect((await store.head('natter')).version).toBe(0);
    const fixed = file('fixed.yaml', 'eips:\n  - { address: 198.51.100.8, private: 10.0.0.5 }\n');
    await ok(`apply -f ${fixed}`);
    const clash = file('clash.yaml', '\neips:\n  - { address: 198.51.100.7, private: 10.0.0.5 }\n');
    const second = await edgectl(['apply', '-f', clash]);
    expect(second.code).toBe(78);
    expect(second.err).toContain(`${clash}:3:`);
    expect(second.err).toContain('198.51.100.8');
  });

  it.each([
    ['no file', ['apply'], 2],
    ['a file that is not there', ['apply', '-f', 'nowhere.yaml'], 78],
    ['a file that is no YAML', ['apply', '-f', 'broken.yaml'], 78],
    ['a section that is none', ['apply', '-f', 'section.yaml'], 78],
  ])('%s is refused', async (_, argv, expected) => {
    file('broken.yaml', 'eips: [\n');
    file('section.yaml', 'eipz: []\n');
    const { code, err } = await edgectl(argv);
    expect(code).toBe(expected);
    expect(err).not.toBe('');
  });

  it('is pruned, only in the sections that the file has, and guarded', async () => {
    await ok(`apply -f ${file('site.yaml', SITE)}`);
    const fewer = file('fewer.yaml', 'forwards: []\n');
    const refused = await edgectl(['apply', '--prune', '-f', fewer]);
    expect(refused.code).toBe(1);
    expect(refused.err).toContain('this would delete 2 of 2 forwards');
    const shown = await edgectl(['diff', '--prune', '-f', fewer]);
    expect(shown.code).toBe(1);
    expect(shown.out).toContain('- forward 198.51.100.8:443/tcp');
    expect(shown.err).toContain('needs --yes');
    const dry = await edgectl(['apply', '--prune', '--dry-run', '-f', fewer]);
    expect(dry.code).toBe(0);
    expect((await store.head('natter')).count).toBe(8);
    expect(await ok(`apply --prune --yes -f ${fewer}`)).toContain('2 deleted');
    expect((await store.head('natter')).count).toBe(6);
  });

  it('is deleted by the same file', async () => {
    const path = file('site.yaml', SITE);
    await ok(`apply -f ${path}`);
    expect((await edgectl(['delete', '-f', path])).code).toBe(1);
    expect(await ok(`delete --yes -f ${path}`)).toContain('8 deleted');
    expect((await store.head('natter')).count).toBe(0);
  });
});

describe('the effect is waited for', () => {
  it('and a member that lags makes exit 1 with its reason', async () => {
    member.state = { applied: { natter: 0 }, drift: 'eip 198.51.100.7 is a local address' };
    const argv = ['eip', 'add', '198.51.100.7', '10.0.0.5', '--wait', '300ms'];
    const { code, err } = await edgectl(argv);
    expect(code).toBe(1);
    expect(err).toContain('natter-1 is at version 0 of 1');
    expect(err).toContain('eip 198.51.100.7 is a local address');
    const status = await edgectl(['status']);
    expect(status.code).toBe(1);
    expect(status.out).toContain('natter-1: eip 198.51.100.7 is a local address');
  });

  it('and nobody there is exit 3', async () => {
    await member.stop();
    const { code, err } = await edgectl(['eip', 'add', '198.51.100.7', '10.0.0.5']);
    expect(code).toBe(3);
    expect(err).toContain('stored as version 1, but no live natter');
    expect((await edgectl(['status'])).code).toBe(3);
    member = new FakeMember(store, 'natter-1');
  });
});

describe('races', () => {
  it('of two at once lose nothing', async () => {
    const argvs = Array.from({ length: 4 }, (_, at) => ['eip', 'add', `198.51.100.${at + 1}`]);
    const results = await Promise.all(argvs.map((argv) => edgectl(argv)));
    expect(results.map(({ code, err }) => `${code} ${err}`)).toEqual(argvs.map(() => '0 '));
    expect((await store.head('natter')).count).toBe(4);
  });

  it('of two for one private address: one gets it, the other is told who has it', async () => {
    const results = await Promise.all(
      ['198.51.100.1', '198.51.100.2'].map((eip) => edgectl(['eip', 'add', eip, '10.0.0.5'])),
    );
    expect(results.map(({ code }) => code).sort()).toEqual([0, 1]);
    expect(results.find(({ code }) => code === 1)?.err).toContain('10.0.0.5');
    expect((await store.head('natter')).count).toBe(1);
  });
});

describe('nodes', () => {
  it('are listed, drained and undrained', async () => {
    expect(await ok('nodes')).toMatch(/^natter-1 +natter +running +0\.1\.0 +0\/0 +- +0\.\ds$/m);
    expect(await ok('drain natter-1')).toBe('node natter-1 drained\n');
    expect(await ok('nodes')).toContain('drained');
    expect(await ok('undrain natter-1')).toBe('node natter-1 serving\n');
    expect(JSON.parse(await ok('status --json'))).toMatchObject({
      services: [{ service: 'natter', live: 1, silent: 0, drifting: [] }],
    });
  });
});

describe('the control socket', () => {
  const quiet = () => {};
  const log = { trace: quiet, debug: quiet, info: quiet, warn: quiet, error: quiet };

  async function withDaemon(
    routes: ConstructorParameters<typeof ControlServer>[0]['routes'],
    run: (socket: string) => Promise<void>,
  ) {
    const socketPath = join(directory, 'natter.sock');
    // The server logs one line that nobody reads here.
    const server = new ControlServer({ socketPath, routes, log: log as never });
    await server.start();
    try {
      await run(socketPath);
    } finally {
      await server.stop();
    }
  }

  it('answers explain', async () => {
    const handle = () => ({ verdict: 'dropped', reason: 'DROP_NO_FORWARD', steps: ['no forward'] });
    await withDaemon([{ method: 'POST', path: '/explain', handle }], async (socket) => {
      const flow = '203.0.113.5:4242 > 198.51.100.7:443/tcp';
      const { code, out } = await edgectl(['explain', flow, '--socket', socket]);
      expect(code).toBe(0);
      expect(out).toBe(`${flow}\n  no forward\ndropped: DROP_NO_FORWARD\n`);
      const absent = await edgectl(['eip', 'stats', '--socket', socket]);
      expect(absent.code).toBe(1);
      expect(absent.err).toContain('there is no GET /stats here');
    });
  });

  it('streams a trace that tcpdump reads', async () => {
    // Ethernet, IPv4 203.0.113.9 > 198.51.100.7, TCP 4242 > 443, SYN.
    const ethernet = '020000000002'.concat('020000000001', '0800');
    const ip = '450000280001000040060000cb007109c6336407';
    const tcp = '109201bb0000000100000000500210000000'.concat('0000');
    const record = {
      timeNs: '1790000000123456789',
      interface: 'uplink0',
      egress: false,
      after: true,
      reason: 'DROP_NO_FORWARD',
      frameBytes: 54,
      frame: Buffer.from(ethernet + ip + tcp, 'hex').toString('base64'),
    };
    const handle = () => {
      const line = Buffer.from(`${JSON.stringify(record)}\n`);
      return new ByteStream('application/x-ndjson', Readable.from([line, line]));
    };
    await withDaemon([{ method: 'GET', path: '/trace', handle }], async (socket) => {
      const path = join(directory, 'trace.pcapng');
      await ok(`trace --pcap ${path} --socket ${socket}`);
      const text = execFileSync('tcpdump', ['-nn', '-tt', '-r', path], { encoding: 'utf8' });
      const line = 'IP 203.0.113.9.4242 > 198.51.100.7.443: Flags [S]';
      expect(text.split('\n').filter((each) => each.includes(line))).toHaveLength(2);
      expect(text).toContain('1790000000.123456');
      expect(await ok(`trace --socket ${socket}`)).toMatch(/tcp SYN ttl 64 54 bytes DROP_NO_F/);
      expect((await edgectl(['trace', '--pcap', '-', '--socket', socket])).code).toBe(0);
    });
  });

  it('is exit 77 for who may not', async () => {
    const handle = () => ({ eips: [] });
    await withDaemon([{ method: 'GET', path: '/stats', handle }], async (socket) => {
      chmodSync(directory, 0o755);
      const nobody = await edgectl(['eip', 'stats', '--socket', socket], { uid: 65534 });
      expect(nobody.code).toBe(77);
      expect(nobody.err).toContain('may not be opened');
    });
  });

  it('is exit 3 when nobody is there', async () => {
    const socket = join(directory, 'nobody.sock');
    expect((await edgectl(['trace', '--socket', socket])).code).toBe(3);
  });
});

describe('as a process', () => {
  it('is quiet when its reader goes', async () => {
    const changes = Array.from({ length: 1000 }, (_, at) => ({
      kind: 'eip',
      id: `10.1.${at >> 8}.${at & 255}`,
      value: '{}',
    })).filter(({ id }) => id !== '10.1.0.0');
    for (let block = 0; block < 20; block++) {
      const moved = changes.map(({ id, ...rest }) => ({
        id: id.replace('10.1', `10.${block}`),
        ...rest,
      }));
      await store.apply('natter', moved);
    }
    const child = start(['eip', 'list']);
    let err = '';
    child.stderr.on('data', (chunk: Buffer) => {
      err += chunk.toString();
    });
    child.stdout.once('data', () => child.stdout.destroy());
    const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
    expect({ code, err }).toEqual({ code: 0, err: '' });
  });

  it('ends on SIGINT while it waits, with 130, and says what is stored', async () => {
    member.state = { applied: { natter: 0 } };
    const child = start(['eip', 'add', '198.51.100.7', '10.0.0.5', '--wait', '60s']);
    let err = '';
    child.stderr.on('data', (chunk: Buffer) => {
      err += chunk.toString();
    });
    const closed = new Promise<number | null>((resolve) => child.once('close', resolve));
    await until('it is stored', async () => (await store.head('natter')).version === 1);
    child.kill('SIGINT');
    expect(await closed).toBe(130);
    expect(err).toMatch(/stored as version 1, but .*\nedgectl: interrupted\n$/);
  });

  it('reads edgectl.yaml, and says where it is wrong', async () => {
    const env = { EDGE_STORE: '' };
    const good = file('edgectl.yaml', `store: ${redis.url}\n`);
    expect((await edgectl(['eip', 'list', '--config', good], { env })).code).toBe(0);
    const bad = file('bad.yaml', 'stroe: redis://x\n');
    const { code, err } = await edgectl(['eip', 'list', '--config', bad], { env });
    expect(code).toBe(78);
    expect(err).toContain(`${bad}:1:1`);
    expect(err).toContain('store');
  });

  it.each([
    ['ftp://x', 1],
    ['redis://127.0.0.1:1', 1],
    ['unix:/nowhere/redis.sock', 1],
  ])('says so when the store %s is none', async (url, expected) => {
    const { code, err } = await edgectl(['eip', 'list', '--store', url]);
    expect(code).toBe(expected);
    expect(err).toMatch(/^edgectl: .*store/);
    const doctor = await edgectl(['doctor', '--store', url]);
    expect(doctor.out).toMatch(/^fail {2}store\.reach/m);
  });
});
