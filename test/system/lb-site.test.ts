// Two lbs of a whole site, L4: nat and direct returns through ECMP, while targets, daemons and
// machines come and go. Flows that a client keeps open show what each change does to them.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { targetRoute, VIPS } from '../../lab/lb.ts';
import { until } from '../../lab/ready.ts';
import { nextHops, type Site, site } from '../../lab/site.ts';
import { controlRequest } from '../../shared/admin/client.ts';
import { echoServer, Flows } from '../support/lb/lb-rig-flows.ts';
import { needs, program, root } from '../support/skip.ts';
import { establishedResets, failuresOf, run, type Transfer } from '../support/transfers.ts';

const [VIP, OTHER] = VIPS.isps;
/** Echo servers of the VMs; a (target, port) serves one server. */
const PORTS = { reset: 8090, leave: 8091 } as const;
const MB = 1_000_000;
const LB = join(import.meta.dirname, '../../lb/main.ts');

let lab: Site;
const open: Flows[] = [];

beforeAll(async () => {
  if (!root().met) return;
  // Clients offer a segment size that does not fit: path MTU discovery has to work for all.
  lab = await site({ isps: 1, natters: 1, vms: 3, lbs: 2, clientMtu: 1400 });
  await Promise.all(
    lab.vms.map(async (vm, at) => {
      // Replies go through the lbs by source: a rule by port is none for what the kernel learns of
      // a path's MTU, whose look-up has no ports.
      const own = targetOf(at + 1);
      await vm.ip(`address add ${own}/16 dev eth0`, `rule add pref 95 from ${own} lookup 100`);
      await echoServer(vm, Object.values(PORTS));
    }),
  );
  await lab.apply(objects());
  await bothAnnounce();
  await allUp();
}, 120_000);
beforeEach((context) => needs(context, root(), program('bird'), program('nft')));
afterEach(async () => {
  await Promise.all(open.splice(0).map((flows) => flows.stop()));
});
afterAll(() => lab?.down());

/** A VM's address of what lbs serve. */
const targetOf = (vm: number): string => `10.0.2.${vm}`;

/** `vms`: who is in the pool of echo that resets. */
function objects(vms: readonly number[] = [1, 2], more: Record<string, unknown> = {}) {
  const at = (port: number, which: readonly number[] = [1, 2, 3]) =>
    which.map((vm) => ({ address: targetOf(vm), port }));
  const check = {
    type: 'http',
    port: 80,
    path: '/',
    interval: '1s',
    timeout: '500ms',
    rise: 1,
    fall: 2,
  };
  return {
    pools: [
      { name: 'web', targets: at(8081), check },
      { name: 'echo', targets: lab.vms.map(({ address }) => ({ address, port: 7070 })), check },
      { name: 'direct', targets: [1, 2, 3].map((vm) => ({ address: targetOf(vm) })), check },
      { name: 'reset', targets: at(PORTS.reset, vms), check },
      { name: 'leave', targets: at(PORTS.leave), check },
    ],
    vservers: [
      { at: `${VIP}:80/tcp`, pool: 'web' },
      { at: `${VIP}:7/udp`, pool: 'echo' },
      { at: `${VIP}:90/tcp`, pool: 'reset' },
      { at: `${OTHER}:91/tcp`, pool: 'leave', lost: 'leave' },
      { at: `${VIPS.direct}:80/tcp`, pool: 'direct', mode: 'dsr' },
    ],
    overrides: [],
    ...more,
  };
}

const client = () => lab.client(1);

async function flowsTo(port: number, address: string = VIP, count = 12): Promise<Flows> {
  const flows = await Flows.open(client(), { protocol: 'tcp', address, port, count });
  open.push(flows);
  return flows;
}

/** The ToR sends to exactly these, whatever the VIP. */
async function announced(lbs: readonly number[]): Promise<void> {
  const hops = lbs.map((which) => lab.lb(which).plan.uplink.address).sort();
  await until(
    `the ToR sends to lb ${lbs.join(' and ')}`,
    async () => {
      const found = await Promise.all(
        [VIP, OTHER, VIPS.direct].map((vip) => nextHops(lab.tor, ['match', `${vip}/32`])),
      );
      return found.every((each) => `${each}` === `${hops}`);
    },
    { timeoutMs: 60_000 },
  );
}

const bothAnnounce = () => announced([1, 2]);

type Target = { pool: string; target: string; health: string };

async function targetsOf(which: number): Promise<Target[]> {
  const { targets } = (await controlRequest(lab.lb(which).socketPath, 'GET', '/targets')) as {
    targets: Target[];
  };
  return targets;
}

/** All targets of a VM, at both lbs. */
async function untilHealth(vm: number, health: string): Promise<void> {
  const addresses = [targetOf(vm), lab.vm(vm).address];
  await until(
    `vm-${vm} is ${health} for both`,
    async () => {
      const all = (await Promise.all([targetsOf(1), targetsOf(2)])).flat();
      const own = all.filter(({ target }) => addresses.includes(target.split(':')[0] ?? ''));
      return own.length > 0 && own.every((each) => each.health === health);
    },
    { timeoutMs: 30_000 },
  );
}

async function allUp(): Promise<void> {
  for (const vm of [1, 2, 3]) await untilHealth(vm, 'up');
}

/** Where a flow goes, as the programs of this lb would have it. */
async function pickOf(which: number, sourcePort: number, port: number): Promise<unknown> {
  const flow = {
    source: client().address,
    sourcePort,
    destination: VIP,
    destinationPort: port,
    protocol: 6,
    syn: true,
  };
  const told = await controlRequest(lab.lb(which).socketPath, 'POST', '/explain', flow);
  return (told as { target?: string }).target;
}

/** Who answers so many new connections. */
async function answerers(address: string, count: number): Promise<Set<string>> {
  const script = `for i in $(seq ${count}); do curl -sS --max-time 10 http://${address}/; done`;
  const { stdout } = await client().exec('sh', ['-c', script]);
  return new Set(
    stdout
      .trim()
      .split('\n')
      .map((line) => line.split(' saw ')[0] ?? ''),
  );
}

const transfer = (address: string, more: Partial<Transfer> = {}): Transfer => ({
  client: client(),
  address,
  direction: 'download',
  bytes: 12 * MB,
  bytesPerSecond: 40 * MB,
  ...more,
});

describe('a site of two lbs', () => {
  test('picks alike in both', async () => {
    const ports = Array.from({ length: 24 }, (_, at) => 20_000 + 101 * at);
    const [one, two] = await Promise.all(
      [1, 2].map((which) => Promise.all(ports.map((port) => pickOf(which, port, 80)))),
    );
    expect(one).toEqual(two);
    expect(new Set(one).size).toBe(3);
  });

  test('serves by nat and by direct return, and the client keeps its address', async () => {
    for (const address of [VIP, VIPS.direct]) {
      const script = `for i in $(seq 12); do curl -sS --max-time 10 http://${address}/; done`;
      const { stdout } = await client().exec('sh', ['-c', script]);
      const lines = stdout.trim().split('\n');
      expect(lines).toHaveLength(12);
      for (const line of lines) expect(line).toContain(` saw ${client().address} `);
      expect(new Set(lines.map((line) => line.split(' ')[0])).size).toBeGreaterThan(1);
    }
  });

  test.each([
    ['nat', 'download', VIP],
    ['nat', 'upload', VIP],
    ['dsr', 'download', VIPS.direct],
    ['dsr', 'upload', VIPS.direct],
  ] as const)('bytes are whole over a smaller path MTU: %s, %s', async (_, direction, address) => {
    expect(failuresOf([await run(transfer(address, { direction }))])).toEqual([]);
  });

  test('a smaller MTU behind the lbs is found out, too', async () => {
    const routes = [1, 2, 3].map((vm) => `${targetOf(vm)}/32 dev in0 mtu 1300`);
    for (const lb of lab.lbs) await lb.ip(...routes.map((route) => `route add ${route}`));
    try {
      const all = [VIP, VIPS.direct].map((address) =>
        run(transfer(address, { direction: 'upload', bytes: 4 * MB })),
      );
      expect(failuresOf(await Promise.all(all))).toEqual([]);
    } finally {
      for (const lb of lab.lbs) await lb.ip(...routes.map((route) => `route del ${route}`));
    }
  });

  test('datagrams come back, fragments of large ones as well', async () => {
    for (const bytes of [100, 4000]) {
      const flow = { protocol: 'udp', address: VIP, port: 7, count: 8, bytes } as const;
      const flows = await Flows.open(client(), flow);
      open.push(flows);
      await flows.goOn();
    }
    const { stdout } = await client().exec('ping', [
      '-c',
      '3',
      '-i',
      '0.2',
      '-s',
      '4000',
      '-W',
      '5',
      VIP,
    ]);
    expect(stdout).toContain('3 received');
  });

  test('traceroute ends at the VIP', async (context) => {
    needs(context, program('traceroute'));
    const args = ['-T', '-p', '80', '-n', '-q', '1', '-w', '3', '-m', '6', VIP];
    const { stdout } = await client().exec('traceroute', args);
    const hops = stdout
      .trim()
      .split('\n')
      .slice(1)
      .map((line) => line.trim().split(/\s+/)[1]);
    expect(hops.at(-1), stdout).toBe(VIP);
    expect(hops[0], stdout).toBe('203.0.113.1');
    for (const vm of [1, 2, 3]) expect(hops).not.toContain(targetOf(vm));
  });
});

describe('flows that are open', () => {
  test('stay while a target comes and goes, and while the pool is changed', async () => {
    const flows = [await flowsTo(90), await flowsTo(91, OTHER)];
    await lab.apply(objects([1, 2, 3]));
    for (const each of flows) await each.goOn();
    await until('the third takes flows', async () => {
      const picks = Array.from({ length: 30 }, (_, at) => pickOf(1, 30_000 + 7 * at, 90));
      return (await Promise.all(picks)).includes(`${targetOf(3)}:${PORTS.reset}`);
    });
    await lab.apply(objects([1, 2]));
    for (const each of flows) await each.goOn();
    expect(flows.flatMap(({ failures }) => failures)).toEqual([]);
  });

  test('stay where an operator drains; new ones go elsewhere', async () => {
    const flows = await flowsTo(91, OTHER);
    const said = { state: 'drain', who: 'test', why: 'a test' };
    const overrides = [targetOf(2), lab.vm(2).address].map((address) => ({ address, ...said }));
    await lab.apply(objects([1, 2], { overrides }));
    await untilHealth(2, 'drain');
    expect(await answerers(VIP, 20)).toEqual(new Set(['vm-1', 'vm-3']));
    await flows.goOn();
    expect(flows.failures).toEqual([]);
    await lab.apply(objects(), '--prune', '--yes');
    await allUp();
  });

  test('of a target that is down are reset or left, as the server says', async () => {
    const [reset, left] = [await flowsTo(90), await flowsTo(91, OTHER)];
    await lab.stopServer(lab.vm(1)); // what is checked; its echo goes on
    await untilHealth(1, 'down');
    await until('those of the one are reset', () => {
      return reset.failures.some((failure) => failure === 'ECONNRESET');
    });
    expect(new Set(reset.failures)).toEqual(new Set(['ECONNRESET']));
    expect(reset.failures.length).toBeLessThan(12);
    await reset.goOn();
    await left.goOn();
    expect(left.failures).toEqual([]);
    await lab.startServer(lab.vm(1));
    await allUp();
    await left.goOn();
    expect(left.failures).toEqual([]);
  });

  test('stay when a daemon is killed, and when it is back', async () => {
    const before = await resets();
    const flows = [await flowsTo(90), await flowsTo(91, OTHER)];
    const transfers = [VIP, VIPS.direct].map((address) =>
      run(transfer(address, { bytesPerSecond: 4 * MB })),
    );
    await lab.lb(1).kill9();
    await announced([2]);
    for (const each of flows) await each.goOn();
    expect(await answerers(VIP, 6)).not.toContain('');
    await lab.lb(1).start();
    await bothAnnounce();
    for (const each of flows) await each.goOn();
    expect(flows.flatMap(({ failures }) => failures)).toEqual([]);
    expect(failuresOf(await Promise.all(transfers))).toEqual([]);
    expect(await resets()).toBe(before);
  });

  test('stay when a machine loses its power, as soon as routers know', async () => {
    const before = await resets();
    const flows = [await flowsTo(90), await flowsTo(91, OTHER)];
    const dead = lab.lb(2);
    await dead.powerOff();
    await announced([1]);
    await repliesBy([1]);
    for (const each of flows) await each.goOn();
    await dead.powerOn();
    await dead.untilPeering();
    await dead.start();
    await bothAnnounce();
    await repliesBy([1, 2]);
    for (const each of flows) await each.goOn();
    expect(flows.flatMap(({ failures }) => failures)).toEqual([]);
    expect(await resets()).toBe(before);
  });
});

test('an lb that cannot reach its targets tells routers to send to the other', async () => {
  const flows = await flowsTo(90);
  await lab.lb(2).ip('link set in0 down');
  await announced([1]);
  await lab.lb(2).ip('link set in0 up');
  await bothAnnounce();
  await flows.goOn();
  expect(flows.failures).toEqual([]);
});

test('--detach is refused while the daemon runs, and leaves nothing of a stopped one', async () => {
  const gone = lab.lb(2);
  const detach = () => {
    const args = [LB, '--config', gone.configPath, '--detach'];
    return gone.exec(process.execPath, args, { allowFailure: true });
  };
  expect(await detach()).toMatchObject({ code: 1, stderr: expect.stringContaining('runs') });
  const left = async () => {
    const said = await Promise.all([
      gone.exec('ip', ['route', 'show', 'proto', '158']),
      gone.exec('ip', ['-4', '-o', 'address', 'show', 'label', 'lo:lb']),
      ...['up0', 'in0'].map((link) => gone.exec('tc', ['filter', 'show', 'dev', link, 'ingress'])),
    ]);
    return said.map(({ stdout }) => stdout.trim() !== '');
  };
  await gone.stopDaemon();
  expect(await left()).toEqual([expect.any(Boolean), true, true, true]);
  expect(await detach()).toMatchObject({ code: 0, stderr: '', stdout: '' });
  expect(await left()).toEqual([false, false, false, false]);
  expect(existsSync(gone.pinDirectory)).toBe(false);
  await gone.start();
  await bothAnnounce();
});

async function resets(): Promise<number> {
  const counts = await Promise.all([client(), ...lab.vms].map(establishedResets));
  return counts.reduce((sum, count) => sum + count, 0);
}

/** The targets' routes follow, as their router's would. */
async function repliesBy(lbs: readonly number[]): Promise<void> {
  const route = targetRoute(lbs.map((which) => lab.lb(which).plan));
  await Promise.all(lab.vms.map((vm) => vm.ip(route)));
}
