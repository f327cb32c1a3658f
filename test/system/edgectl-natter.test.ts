// edgectl against real natters: two daemons, one Redis, a client and two VMs. That exit 0 means "in
// force" is checked in each natter's kernel, by its live program, right after edgectl returned.
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Result } from '../../lab/exec.ts';
import { until } from '../../lab/ready.ts';
import { type Site, site } from '../../lab/site.ts';
import { needs, program, root } from '../support/skip.ts';

const MAIN = fileURLToPath(new URL('../../shared/ctl/main.ts', import.meta.url));
const EIP = '198.51.100.7';
const SHARED = '198.51.100.8';
const CLIENT = '203.0.113.5';

let lab: Site;

const isRoot = root().met;
beforeAll(async () => {
  if (!isRoot) return;
  lab = await site({ isps: 1, natters: 2, vms: 2 });
  await lab.converged();
});
beforeEach((context) => needs(context, root(), program('redis-server'), program('bird')));
afterAll(() => lab?.down());

async function run(argv: readonly string[], input?: string): Promise<Result> {
  const env = { EDGE_STORE: lab.redis.url };
  const own = { env, allowFailure: true, ...(input === undefined ? {} : { input }) };
  return lab.store.exec(process.execPath, [MAIN, ...argv], own);
}

/** Splits at spaces; must end with 0 and nothing on stderr. */
async function ok(line: string): Promise<string> {
  const { code, stdout, stderr } = await run(line.split(' '));
  expect(`${code} ${stderr}`, line).toBe('0 ');
  return stdout;
}

async function json(line: string): Promise<unknown> {
  return JSON.parse(await ok(`${line} --json`));
}

/** What the live program of each natter makes of the flow, as edgectl explains it. */
async function verdicts(flow: string): Promise<unknown[]> {
  const asked = lab.natters.map(async ({ socketPath }) => {
    const { stdout } = await run(['explain', flow, '--socket', socketPath, '--json']);
    const { verdict, reason, translated } = JSON.parse(stdout) as Record<string, unknown>;
    // Translated is translated, whether or not the stack must resolve the neighbour first.
    return translated === undefined ? `${verdict} ${reason}` : `${verdict} ${translated}`;
  });
  return Promise.all(asked);
}

const both = (text: string) => [text, text];
const explain = (...flow: string[]) =>
  run(['explain', ...flow, '--socket', lab.natter(1).socketPath]);

async function curl(host: string): Promise<string> {
  const args = ['-sS', '--max-time', '5', `http://${host}/`];
  const { stdout } = await lab.client(1).exec('curl', args, { allowFailure: true });
  return stdout.split(' ')[0] ?? '';
}

const inward = (host: string, port = 80) => `${CLIENT}:4242 > ${host}:${port}/tcp`;
const IN_FORCE = /version \d+: in force on 2 instances\n$/;

describe('a change is in both kernels when edgectl ends with 0', () => {
  it('an EIP: added, listed, metered, deleted', async () => {
    const vm = lab.vm(1).address;
    expect(await ok(`eip add ${EIP} ${vm}`)).toMatch(IN_FORCE);
    const to = `${CLIENT}:4242 > ${vm}:80/tcp`;
    expect(await verdicts(inward(EIP))).toEqual(both(`translated ${to}`));
    expect(await curl(EIP)).toBe('vm-1');
    expect(await ok(`eip add ${EIP} ${vm}`)).toContain(`eip ${EIP} unchanged\n`);
    const other = await run(['eip', 'add', EIP, lab.vm(2).address]);
    expect(other.code).toBe(1);
    expect(other.stderr).toContain('--replace');
    expect(await json('eip list')).toMatchObject([{ address: EIP, private: vm, forwards: 0 }]);
    expect(await ok(`eip del ${EIP}`)).toMatch(IN_FORCE);
    expect(await verdicts(inward(EIP))).toEqual(both('passed PASS_NOT_EIP'));
    expect(await ok(`eip del ${EIP}`)).toContain(`eip ${EIP} was not there\n`);
  });

  it('a forward next to nothing: the other ports stay shut', async () => {
    const vm = lab.vm(2).address;
    await ok(`eip add ${SHARED}`);
    expect(await ok(`forward add ${SHARED}:8080/tcp ${vm}:80`)).toMatch(IN_FORCE);
    const to = `${CLIENT}:4242 > ${vm}:80/tcp`;
    expect(await verdicts(inward(SHARED, 8080))).toEqual(both(`translated ${to}`));
    expect(await verdicts(inward(SHARED, 8081))).toEqual(both('dropped DROP_NO_FORWARD'));
    expect(await curl(`${SHARED}:8080`)).toBe('vm-2');
    expect(await ok('forward list')).toContain(`${SHARED}:8080/tcp`);
    const kept = await run(['eip', 'del', SHARED]);
    expect(kept.code).toBe(1);
    expect(kept.stderr).toContain('--forwards deletes them too');
    expect(await ok(`eip del ${SHARED} --forwards`)).toMatch(IN_FORCE);
    expect(await verdicts(inward(SHARED, 8080))).toEqual(both('passed PASS_NOT_EIP'));
  });

  it('a natter that hangs makes it 1 with its name; when it goes on, 0', async () => {
    const { daemon } = lab.natter(2);
    daemon?.kill('SIGSTOP');
    const stopped = await run(['eip', 'add', EIP, lab.vm(1).address, '--wait', '300ms']);
    daemon?.kill('SIGCONT');
    expect(stopped.code).toBe(1);
    expect(stopped.stderr).toMatch(
      /not in force on 1 of 2 live instances:\n.*natter-2 is at versi/,
    );
    expect(await ok(`eip add ${EIP} ${lab.vm(1).address}`)).toMatch(IN_FORCE);
    expect((await verdicts(inward(EIP))).map((text) => `${text}`.split(' ')[0])).toEqual(
      both('translated'),
    );
  });
});

describe('limits', () => {
  it('of an EIP and of a group are in force, and explain shows both', async () => {
    await ok(`limit set ${EIP} --in 100mbit --out 50mbit`);
    await ok('limit group add gold --in 1gbit --out 1gbit --burst 1mb');
    expect(await ok(`limit join gold ${EIP}`)).toMatch(IN_FORCE);
    const { code, stdout } = await explain(inward(EIP));
    expect(code).toBe(0);
    expect(stdout).toContain('own limit: in 100mbit, out 50mbit');
    expect(stdout).toContain('limit of group gold: in 1gbit, out 1gbit');
    expect(await json('limit list')).toMatchObject({ groups: [{ name: 'gold', members: 1 }] });
    const kept = await run(['limit', 'group', 'del', 'gold', '--yes']);
    expect(kept.code).toBe(1);
    await ok(`limit leave ${EIP}`);
    await ok(`limit clear ${EIP}`);
    expect(await ok('limit group del gold --yes')).toMatch(IN_FORCE);
    expect((await explain(inward(EIP))).stdout).not.toContain('limit');
  });
});

describe('a site from a file', () => {
  it('is compared, applied, read back the same, and guarded', async () => {
    const wanted = {
      eips: [
        { address: EIP, private: lab.vm(1).address, limit: { in: '200mbit' } },
        { address: SHARED },
        { address: '198.51.100.9', private: '10.0.1.99' },
      ],
      forwards: [
        { from: `${SHARED}:8000-8099/udp`, to: `${lab.vm(2).address}:9000` },
        { from: `${SHARED}:443/tcp`, to: `${lab.vm(2).address}:8443` },
      ],
    };
    const text = JSON.stringify(wanted);
    expect((await run(['diff', '-f', '-'], text)).code).toBe(1);
    expect((await run(['apply', '-f', '-'], text)).stdout).toMatch(IN_FORCE);
    expect((await run(['diff', '-f', '-'], text)).code).toBe(0);
    for (const form of ['yaml', 'json']) {
      const back = await run(['apply', '--prune', '-f', '-'], await ok(`get -o ${form}`));
      expect(`${back.code} ${back.stdout}`).toMatch(/^0 5 unchanged\n/);
    }
    const bad = await run(
      ['apply', '-f', '-'],
      'eips:\n  - { address: 198.51.100.7, privat: x }\n',
    );
    expect(bad.code).toBe(78);
    expect(bad.stderr).toContain('stdin:2:');
    const pruned = await run(['apply', '--prune', '-f', '-'], 'eips: []\nforwards: []\n');
    expect(pruned.code).toBe(1);
    expect(pruned.stderr).toContain('this would delete 2 of 2 forwards, 3 of 3 eips');
    expect((await run(['delete', 'eip', EIP, '198.51.100.9'])).code).toBe(1);
    expect(await verdicts(inward(EIP))).toEqual(
      both(`translated ${CLIENT}:4242 > ${lab.vm(1).address}:80/tcp`),
    );
    expect(await ok('delete eip 198.51.100.9')).toMatch(IN_FORCE);
  });
});

describe('explain', () => {
  it('runs both directions, a forward, and what is not ours', async () => {
    const outward = await explain(`${lab.vm(1).address}:80 > ${CLIENT}:4242/tcp`);
    expect(outward.stdout).toMatch(/\n {2}source 10\.0\.1\.1 has eip 198\.51\.100\.7\n/);
    expect(outward.stdout).toMatch(/\nleaves as 198\.51\.100\.7:80 > 203\.0\.113\.5:4242\/tcp\n$/);
    const asEip = await explain(`${EIP}:80`, `${CLIENT}:4242/tcp`);
    expect(asEip.stdout).toContain(`${EIP} is the EIP of 10.0.1.1, which sends this`);
    const forward = await explain(`${CLIENT}:4242 > ${SHARED}:8005/udp`);
    expect(forward.stdout).toContain(`leaves as ${CLIENT}:4242 > ${lab.vm(2).address}:9005/udp`);
    const shut = await explain(`${CLIENT}:4242 > ${SHARED}:7999/udp`);
    expect(shut.stdout).toMatch(/\ndropped: DROP_NO_FORWARD\n$/);
    const foreign = await explain(CLIENT, '192.0.2.200');
    expect(foreign.stdout).toMatch(/\npassed: PASS_NOT_EIP\n$/);
    const codes = [outward, asEip, forward, shut, foreign].map(({ code }) => code);
    expect(codes).toEqual([0, 0, 0, 0, 0]);
  });

  it.each([
    ['no flow', ['198.51.100.7']],
    ['a port too large', ['203.0.113.5:70000 > 198.51.100.7:80/tcp']],
    ['no protocol', ['203.0.113.5:1 > 198.51.100.7:80']],
    ['a name', ['client > 198.51.100.7/icmp']],
    ['IPv6', ['2001:db8::1 > 198.51.100.7/icmp']],
  ])('%s is answered with one line and the way to help', async (_, flow) => {
    const { code, stdout, stderr } = await explain(...flow);
    expect(code).toBe(2);
    expect(stdout).toBe('');
    expect(stderr).toMatch(/^edgectl: [^\n]+\n[^\n]*edgectl explain --help[^\n]*\n$/);
  });
});

describe('trace', () => {
  /** Traces on natter 1 until `enough` says so of stdout, while the client asks for `url`. */
  async function traced(args: string[], send: () => Promise<unknown>, lines: number) {
    const argv = [MAIN, 'trace', ...args, '--socket', lab.natter(1).socketPath, '--json'];
    const child = lab.store.spawn(process.execPath, argv, { name: `trace-${args.join('-')}` });
    const count = () => child.output().split('\n').length - 1;
    await child.ready('has traced', async () => {
      await send();
      return count() >= lines;
    });
    child.kill('SIGINT');
    return { exit: await child.exited, text: child.output() };
  }

  it('shows only drops when asked for a reason', async () => {
    // Whichever natter the ToR picks for a flow: many source ports reach both.
    const send = () =>
      Promise.all([
        lab.client(1).exec('ping', ['-c', '2', '-i', '0.1', EIP], { allowFailure: true }),
        lab.client(1).exec('sh', ['-c', burst(SHARED, 7000)], { allowFailure: true }),
      ]);
    const { exit, text } = await traced(['--reason', 'drop_no_forward'], send, 4);
    expect(exit.code).toBe(0);
    const records = text
      .trim()
      .split('\n')
      .map((line): unknown => JSON.parse(line));
    for (const record of records) {
      expect(record).toMatchObject({ reason: 'DROP_NO_FORWARD', after: true });
    }
  });

  it('writes a capture that tcpdump reads from a pipe, and ends with its reader', async () => {
    const trace = `"$0" "$1" trace ${EIP} --pcap - --socket "$2"`;
    const script = `${trace} | tcpdump -nn -c 40 -r -`;
    const argv = ['-o', 'pipefail', '-c', script];
    const own = [process.execPath, MAIN, lab.natter(1).socketPath];
    const child = lab.store.spawn('bash', [...argv, ...own], { name: 'pcap' });
    const exit = await until('the pipe ends', async () => {
      await lab.client(1).exec('sh', ['-c', burst(EIP, 7)]);
      return child.exit;
    });
    expect(exit).toEqual({ code: 0, signal: null });
    const text = child.output();
    expect(text).toContain('reading from file -, link-type EN10MB');
    for (const to of [EIP, '10.0.1.1']) {
      expect(text).toMatch(new RegExp(`IP 203\\.0\\.113\\.\\d+\\.\\d+ > ${to}\\.7: UDP`));
    }
  });

  it('names the reasons when one is unknown', async () => {
    const socket = ['--socket', lab.natter(1).socketPath];
    const { code, stdout, stderr } = await run(['trace', '--reason', 'DROP_IT', ...socket]);
    expect(`${code}${stdout}`).toBe('1');
    expect(stderr).toContain('no reason is called "DROP_IT"');
    expect(stderr).toContain('DROP_NO_FORWARD');
    expect((await run(['trace', 'nowhere', ...socket])).code).toBe(2);
  });
});

/** A datagram from each of 16 source ports. */
function burst(host: string, port: number): string {
  const one = `(echo x | socat -t 0 - UDP:${host}:${port},sourceport=$((40000 + n)))`;
  return `for n in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16; do ${one}; done`;
}

describe('the cluster', () => {
  it('meters what each natter carried', async () => {
    await curl(EIP);
    const of = async (index: number): Promise<number> => {
      const { socketPath } = lab.natter(index);
      const rows = await json(`eip stats ${EIP} --socket ${socketPath}`);
      const [row] = rows as { inPackets: number }[];
      return row?.inPackets ?? 0;
    };
    expect((await of(1)) + (await of(2))).toBeGreaterThan(0);
    const { socketPath } = lab.natter(1);
    const absent = await run(['eip', 'stats', '198.51.100.77', '--socket', socketPath]);
    expect(absent.code).toBe(1);
    expect(absent.stderr).toContain('has no EIP 198.51.100.77');
  });

  it('adds up all natters whose admin port can be reached', async () => {
    const alone = await run(['eip', 'stats', '--all', EIP]);
    expect(alone.code).toBe(3);
    expect(alone.stderr).toContain('not natter-2: its admin pages are on loopback only');
    for (const natter of lab.natters) {
      await natter.stopDaemon();
      natter.config.admin = { listen: `${natter.address}:9101` };
      await natter.start({ wait: false });
    }
    await until('both are back', async () => (await run(['status'])).stdout.includes('2 running'));
    const rows = (await json(`eip stats --all ${EIP}`)) as Record<string, number>[];
    const parts = await Promise.all(
      lab.natters.map(({ socketPath }) => json(`eip stats ${EIP} --socket ${socketPath}`)),
    );
    const all = parts.flat() as Record<string, number>[];
    expect(all.reduce((sum, { outBytes }) => sum + (outBytes ?? 0), 0)).toBe(rows[0]?.outBytes);
    expect(rows[0]?.outBytes).toBeGreaterThan(0);
  });

  it('is shown by status, nodes and doctor', async () => {
    expect(await json('status')).toMatchObject({
      services: [{ service: 'natter', live: 2, silent: 0, drifting: [], states: '2 running' }],
    });
    expect(await json('nodes')).toMatchObject([
      { node: 'natter-1', live: true, state: 'running', drift: null },
      { node: 'natter-2', live: true, state: 'running', drift: null },
    ]);
    const { stdout } = await run(['doctor', '--json']);
    const findings = JSON.parse(stdout) as { check: string; level: string; message: string }[];
    const levels = Object.fromEntries(findings.map(({ check, level }) => [check, level]));
    expect(levels).toMatchObject({
      'store.reach': 'ok',
      'natter.live': 'ok',
      'natter.versions': 'ok',
      'natter.clocks': 'ok',
    });
    expect(levels).not.toHaveProperty('natter.drift');
  });

  it('drains a node and gives it its traffic back', async () => {
    expect(await ok('drain natter-2')).toBe('node natter-2 drained\n');
    await lab.converged([lab.natter(1)]);
    expect(await curl(EIP)).toBe('vm-1');
    expect(await json('nodes')).toMatchObject([{ state: 'running' }, { state: 'drained' }]);
    expect(await ok('undrain natter-2')).toBe('node natter-2 serving\n');
    await lab.converged();
    const unknown = await run(['drain', 'natter-3']);
    expect(unknown.code).toBe(3);
    expect(unknown.stderr).toContain('known: natter-1, natter-2');
  });
});

describe('a store that lost everything', () => {
  it('is not followed, not after a restart either, until it is confirmed', async () => {
    expect(await lab.redis.cli('FLUSHALL')).toContain('OK');
    const says = (text: RegExp) => async () => {
      const { code, stdout } = await run(['status']);
      return code === 1 && text.test(stdout);
    };
    // Without a change to wake it, the daemon looks once a minute; edgectl sees it at once.
    await until('it is seen', says(/natter-1: ahead of .*\nnatter-2: ahead of the store/));
    await lab.natter(2).stopDaemon();
    await lab.natter(2).start({ wait: false });
    await until('it holds on', says(/natter-2: the store went back .*edgectl confirm$/m));
    expect((await verdicts(inward(EIP))).join()).toMatch(/^translated .*translated /);
    const other = await run(['eip', 'add', '198.51.100.50', '--wait', '300ms']);
    expect(other.code).toBe(1);
    expect(other.stderr).toContain('not in force on 2 of 2 live instances');
    await until('natter-1 knows', says(/natter-1: the store went back .*edgectl confirm$/m));
    const asked = await run(['confirm']);
    expect(asked.code).toBe(1);
    expect(asked.stderr).toContain('the store stands at version 1 with 1 objects');
    expect(await ok('confirm --yes')).toMatch(IN_FORCE);
    expect(await verdicts(inward(EIP))).toEqual(both('passed PASS_NOT_EIP'));
    expect(await verdicts(inward('198.51.100.50'))).toEqual(both('dropped DROP_NO_FORWARD'));
    expect(await ok('confirm')).toContain('nothing to confirm');
  });
});
