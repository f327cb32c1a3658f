// The real daemon against a clumsy operator, an unlucky machine and hostile packets.
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { until } from '../../lab/ready.ts';
import { NatterRig } from '../support/natter-rig.ts';
import { ip } from '../support/network-namespace.ts';
import { needs, program, root } from '../support/skip.ts';

const EIP = '198.51.100.7';
const rig = new NatterRig();
const put = (id: string, value: object) => ({ kind: 'eip', id, value: JSON.stringify(value) });
const routes = () => ip('route show proto 157').trim();

const isRoot = root().met;
beforeAll(() => (isRoot ? rig.up() : undefined));
beforeEach((context) => needs(context, root(), program('redis-server'), program('ip')));
afterAll(() => rig.down());

/** Runs a second daemon, whose settings differ in what is given, until it ends. */
async function second(settings: object, as: string[] = [], ...args: string[]) {
  const socket = join(rig.directory, 'second');
  const doors = { control: { socket }, admin: { listen: '127.0.0.1:9199' } };
  const first = rig.config;
  rig.config = { ...first, ...doors, ...settings };
  rig.writeConfig();
  rig.config = first;
  return rig.runAs([...as, process.execPath], ...args);
}

describe('started wrong', () => {
  test('a second daemon of the instance is refused, and the first one forwards on', async () => {
    await rig.start();
    await rig.apply([put(EIP, { private: '10.0.0.5' })]);
    const before = rig.programId('up0');
    const { code, text } = await second({});
    expect(text).toMatch(/EDGE_ALREADY_RUNNING.*another daemon has the maps in/);
    expect(code).toBe(1);
    expect(rig.programId('up0')).toBe(before);
    const detach = await second({}, [], '--detach');
    expect(detach).toMatchObject({ code: 1 });
    expect(rig.ping(EIP)).toBe(0);
    await rig.end('SIGTERM');
  });

  test('too few open files, or a capability too few, are called so', async () => {
    const files = await second({}, ['prlimit', '--nofile=40:40', '--']);
    expect(files.text).toMatch(/EMFILE.*limit of open files/);
    const caps = '-all,+net_admin,+bpf';
    const bpf = ['setpriv', '--bounding-set', caps, '--inh-caps', caps, '--'];
    const { code, text } = await second({}, bpf);
    expect(text).toMatch(/EDGE_BPF_PERMISSION.*CAP_PERFMON/);
    expect(code).toBe(77);
    expect(rig.ping(EIP)).toBe(0);
  });

  test('a state directory that is a file is no matter of permission', async () => {
    writeFileSync(join(rig.directory, 'file'), '');
    const { code, text } = await second({ stateDirectory: join(rig.directory, 'file') });
    expect(text).toMatch(/EDGE_NATTER_STATE/);
    expect(code).toBe(1);
  });

  test('without a store, and with an unreadable snapshot, it waits for the store', async () => {
    const state = rig.config.stateDirectory;
    rig.config.stateDirectory = join(rig.directory, 'other');
    mkdirSync(join(rig.directory, 'other', 'natter.snapshot'), { recursive: true });
    await rig.redis.kill();
    await rig.launch();
    await until('it says so', () => rig.logText().includes('"snapshot-refused"'));
    expect(rig.ping(EIP)).toBe(0);
    await rig.redis.start();
    await until('the store takes a change', async () => {
      await rig.apply([put(EIP, { private: '10.0.0.5' })]); // fails until it is connected again
      return true;
    });
    expect(rig.ping(EIP)).toBe(0);
    await rig.end('SIGTERM');
    rig.config.stateDirectory = state;
  });
});

describe('the links', () => {
  const ready = (code: number) => async () => (await rig.readyz()) === code;

  test('a restart leaves the announced routes alone', async () => {
    await rig.start();
    await until('the routes', () => routes() !== '');
    const monitor = spawn('ip', ['-o', 'monitor', 'route']);
    let text = '';
    monitor.stdout.on('data', (chunk: Buffer) => {
      text += chunk.toString();
    });
    let metric = 0;
    const marked = (mark: string) => () => {
      // Another metric each time: the kernel tells nobody of a route that it has already.
      ip(`route add unreachable ${mark} proto 99 metric ${++metric}`);
      return text.includes(mark);
    };
    await until('the monitor watches', marked('203.0.113.1'));
    await rig.end('SIGTERM');
    await rig.start();
    await until('it announces', async () =>
      /edge_natter_announced 1/.test(await rig.admin('/metrics')),
    );
    await until('all was seen', marked('203.0.113.2'));
    monitor.kill();
    ip('route flush proto 99');
    expect(text).not.toContain('Deleted unreachable 198.51.100.0/24');
  });

  test('an inside link without a carrier: it withdraws, and comes back', async () => {
    rig.vm.run('ip', 'link', 'set', 'e0', 'down');
    await until('it withdraws', () => routes() === '');
    expect(await rig.admin('/readyz')).toContain('[-]carrier: no inside link is up');
    rig.vm.run('ip', 'link', 'set', 'e0', 'up');
    rig.vm.run('ip', 'route', 'replace', 'default', 'via', '10.0.0.1');
    await until('it is ready', ready(200));
    expect(rig.ping(EIP)).toBe(0);
  });

  test('a qdisc that cannot hold both directions: not ready, until it goes', async () => {
    rig.tc('qdisc del dev up0 clsact');
    rig.tc('qdisc add dev up0 ingress');
    await until('it withdraws', () => routes() === '', { timeoutMs: 15_000 });
    expect(rig.logText()).toContain('its qdisc is not clsact');
    rig.tc('qdisc del dev up0 ingress');
    await until('it is ready', ready(200), { timeoutMs: 15_000 });
    expect(rig.ping(EIP)).toBe(0);
  });

  test('a filter of another program stays, before and after', async () => {
    rig.tc('filter add dev up0 ingress prio 10 protocol ip u32 match u32 1 0xffffffff classid 1:1');
    rig.tc('filter del dev up0 ingress prio 157');
    await until(
      'ours is back',
      () => rig.tc('filter show dev up0 ingress').includes('pref 157 bpf'),
      {
        timeoutMs: 15_000,
      },
    );
    await rig.end('SIGTERM');
    await rig.start();
    expect(rig.tc('filter show dev up0 ingress')).toContain('pref 10 u32');
    expect(rig.ping(EIP)).toBe(0);
    rig.tc('filter del dev up0 ingress prio 10');
  });

  test('a link that is renamed: its filters go, and come with the name', async () => {
    ip('link set up0 down', 'link set up0 name other0', 'link set other0 up');
    await until('not ready', ready(503));
    await until('clean', () => !rig.tc('filter show dev other0 ingress').includes('bpf'));
    ip('link set other0 down', 'link set other0 name up0', 'link set up0 up');
    await until('it is ready', ready(200), { timeoutMs: 15_000 });
    expect(rig.ping(EIP)).toBe(0);
  });

  test('pins that somebody removed: it forwards on, and a restart makes them anew', async () => {
    rmSync(rig.pins, { recursive: true, force: true });
    expect(rig.ping(EIP)).toBe(0);
    await rig.end('SIGKILL');
    expect(rig.ping(EIP)).toBe(0);
    await rig.start();
    expect(rig.ping(EIP)).toBe(0);
    expect(existsSync(join(rig.pins, 'eip_to_private'))).toBe(true);
  });
});

describe('hostile packets', () => {
  const FLOOD = join(import.meta.dirname, '../support/natter-flood.ts');
  const SECONDS = 4;
  const macOf = (link: string) => /link\/ether (\S+)/.exec(ip(`link show ${link}`))?.[1] ?? '';

  test('no private address leaves, no EIP comes in, each drop counts; it stays well', async () => {
    await rig.apply([
      put('198.51.100.8', {}),
      { kind: 'forward', id: '198.51.100.8:443/tcp', value: '{"to":"10.0.0.6:8443"}' },
    ]);
    // What the host's own ICMP errors quote counts, too: a VM's may quote what it likes.
    const quoting = 'src host 192.0.2.1 and icmp[0] = 11 and icmp[24] = 10';
    const outside = rig.sniff(rig.client, `src net 10.0.0.0/8 or (${quoting})`);
    const inside = rig.sniff(rig.vm, 'dst net 198.51.100.0/24');
    await Promise.all([outside.ready, inside.ready]);
    const before = await rig.counters();
    const flood = (host: typeof rig.vm, link: string, side: string) =>
      host.spawn(process.execPath, FLOOD, 'e0', macOf(link), side, `${SECONDS}`, '7');
    const sent = await Promise.all([flood(rig.client, 'up0', 'in'), flood(rig.vm, 'in0', 'out')]);
    expect(Math.min(...sent.map(Number))).toBeGreaterThan(1000);
    expect(rig.ping(EIP)).toBe(0);
    expect(await outside.end()).toEqual([]);
    expect(await inside.end()).toEqual([]);
    const after = await rig.counters();
    const grown = Object.keys(after).filter((name) => (after[name] ?? 0) > (before[name] ?? 0));
    expect(grown).toEqual(
      expect.arrayContaining([
        'DROP_MALFORMED',
        'DROP_NO_FORWARD',
        'DROP_FRAGMENT_UNKNOWN',
        'DROP_ICMP_REDIRECT',
        'DROP_ERROR_MISMATCH',
        'PASS_NOT_FOR_US',
        'PASS_MARTIAN',
        'IN_REDIRECTED',
        'IN_TO_STACK',
        'OUT_REDIRECTED',
      ]),
    );
    expect(after.DROP_REWRITE_FAILED).toBe(before.DROP_REWRITE_FAILED);
    expect(await rig.readyz()).toBe(200);
    expect((await rig.status()).drift).toEqual([]);
  });

  test('a trace takes no reason that the programs do not have', async () => {
    for (const reason of ['__proto__', 'constructor', 'REASON_COUNT', 'NOPE']) {
      const opened = rig.stream(`/trace?reason=${reason}`, AbortSignal.timeout(5000)).next();
      await expect(opened).rejects.toThrow(`no reason is called "${reason}"`);
    }
    await rig.end('SIGTERM');
  });
});
