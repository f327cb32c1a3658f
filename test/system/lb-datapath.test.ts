// L4 from objects to packets in the real kernel: what a plan makes of flows, by BPF_PROG_RUN, over
// changes, restarts and foreign hands.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { L4Capacity } from '../../lb/l4/capacity.ts';
import { L4 } from '../../lb/l4/l4.ts';
import { MAGLEV_SLOTS } from '../../lb/l4/maglev.ts';
import type { PlanInput } from '../../lb/l4/plan.ts';
import { lbPlanOf } from '../../lb/plan.ts';
import { Vips } from '../../lb/vips.ts';
import { createBpf } from '../../shared/bpf/kernel.ts';
import { unshareNetwork } from '../../shared/bpf/libc.ts';
import { ensureBpffs } from '../../shared/bpf/pin.ts';
import { numberKey } from '../../shared/bpf/words.ts';
import { systemClock } from '../../shared/clock.ts';
import { createIpHost } from '../../shared/links/ip-host.ts';
import { silentLog } from '../../shared/log.ts';
import { type FlowPacket, flowFrame, TCP_FLAGS } from '../../shared/net/frames.ts';
import { parseIpv4 } from '../../shared/net/ipv4.ts';
import { seededRandom } from '../../shared/random.ts';
import { input, pool, server, VIP } from '../support/lb/l4-objects.ts';
import { ip } from '../support/network-namespace.ts';
import { needs, program, root } from '../support/skip.ts';

const bpffs = mkdtempSync(join(tmpdir(), 'edge-lb-'));
const CAPACITY: L4Capacity = { servers: 16, pools: 8, targets: 256, connections: 4096 };
const LINKS = { hook: 'tc', uplink: ['up0'], inside: ['in0'] } as const;

beforeEach((context) => needs(context, root(), program('ip')));

beforeAll(() => {
  if (!root().met) return;
  unshareNetwork();
  ensureBpffs(bpffs);
  ip('link set lo up');
  for (const [name, address] of [
    ['up0', '192.0.2.254/24'],
    ['in0', '10.0.0.254/24'],
  ] as const) {
    ip(`link add ${name} type veth peer name ${name}-peer`);
    ip(`link set ${name} up`);
    ip(`link set ${name}-peer up`);
    ip(`address add ${address} dev ${name}`);
  }
  for (let last = 1; last <= 110; last += 1) {
    const mac = `02:00:00:00:01:${last.toString(16).padStart(2, '0')}`;
    ip(`neighbour replace 10.0.0.${last} lladdr ${mac} dev in0 nud permanent`);
  }
  ip('neighbour replace 192.0.2.1 lladdr 02:00:00:00:02:01 dev up0 nud permanent');
});

afterAll(() => {
  if (root().met) spawnSync('umount', [bpffs]);
  rmdirSync(bpffs);
});

let open: L4[] = [];
let pins = '';
let runs = 0;

beforeEach(() => {
  runs += 1;
  pins = join(bpffs, `${runs}`, 'lb');
});

afterEach(async () => {
  for (const l4 of open) {
    l4.detach();
    await l4.close();
  }
  open = [];
});

/** One run of the daemon, attached. */
async function start(wanted: PlanInput, capacity = CAPACITY): Promise<L4> {
  const l4 = new L4({
    bpf: createBpf(),
    pinDirectory: pins,
    capacity,
    links: LINKS,
    host: createIpHost(systemClock, 'EDGE_LB_HOST'),
    random: seededRandom(1),
    log: silentLog,
    turn: async () => {},
  });
  open.push(l4);
  expect(await l4.want(wanted)).toBeUndefined();
  await l4.links.look();
  l4.attach();
  return l4;
}

async function end(l4: L4): Promise<void> {
  open = open.filter((one) => one !== l4);
  await l4.close();
}

const flow = (sourcePort: number, change: Partial<FlowPacket> = {}): FlowPacket => ({
  source: 0xc0000201,
  sourcePort,
  destination: parseIpv4(VIP) ?? 0,
  destinationPort: 80,
  protocol: 6,
  ...change,
});

/** The packet really comes: it is counted, and its flow remembered. */
function send(l4: L4, packet: FlowPacket, tcpFlags: number): void {
  const link = l4.links.states.find(({ name }) => name === 'up0')?.link;
  const ifindex = link?.ifindex ?? 0;
  const frame = flowFrame(packet, link?.mac ?? 0, 64, tcpFlags);
  l4.datapath.program('lb_uplink').testRun({ frame, ifindex, ingressIfindex: ifindex });
}

const targetsOf = (l4: L4, ports: readonly number[]) =>
  ports.map((port) => l4.explain({ flow: flow(port) }).target);

const PORTS = Array.from({ length: 400 }, (_, index) => 20_000 + 7 * index);
const THREE = ['10.0.0.1:8080', '10.0.0.2:8080', '10.0.0.3:8080*2'];
const [FIRST = '', , THIRD = ''] = THREE.map((text) => text.split('*')[0] ?? '');

describe('a plan in the kernel', () => {
  test('sends flows to targets by their weight, and translates', async () => {
    const l4 = await start(input([server()], [pool('web', THREE)]));
    const counts: Record<string, number> = {};
    for (const name of targetsOf(l4, PORTS))
      counts[name ?? 'nobody'] = (counts[name ?? 'nobody'] ?? 0) + 1;
    expect(Object.keys(counts).toSorted()).toEqual(THREE.map((text) => text.split('*')[0]));
    expect((counts[THIRD] ?? 0) / PORTS.length).toBeGreaterThan(0.4);
    expect((counts[THIRD] ?? 0) / PORTS.length).toBeLessThan(0.6);
    const told = l4.explain({ flow: flow(20_000) });
    expect(told).toMatchObject({ verdict: 'translated', reason: 'IN_REDIRECTED', pool: 'web' });
    expect(told.translated).toBe(`192.0.2.1:20000 > ${told.target}/tcp`);
    for (let round = 0; round < 20; round += 1) expect(l4.selfTest()).toBeUndefined();
  });

  test('serves ranges, UDP, dsr and the source alone as key', async () => {
    const servers = [
      server({ port: 8000, lastPort: 8099, pool: 'range' }),
      server({ protocol: 'udp', port: 53, pool: 'range', hash: 'source' }),
      server({ port: 81, mode: 'dsr', pool: 'direct' }),
    ];
    const pools = [
      pool('range', ['10.0.0.1', '10.0.0.2', '10.0.0.3']),
      pool('direct', ['10.0.0.4']),
    ];
    const l4 = await start(input(servers, pools));
    const ranged = l4.explain({ flow: flow(20_000, { destinationPort: 8042 }) });
    expect(ranged.translated).toMatch(/> 10\.0\.0\.[123]:8042\/tcp$/);
    const udp = PORTS.map((port) => {
      return l4.explain({ flow: flow(port, { protocol: 17, destinationPort: 53 }) }).target;
    });
    expect(new Set(udp).size).toBe(1);
    const direct = l4.explain({ flow: flow(20_000, { destinationPort: 81 }) });
    expect(direct).toMatchObject({ verdict: 'sent', reason: 'DSR_REDIRECTED', target: '10.0.0.4' });
    const other = l4.explain({ flow: flow(20_000, { destinationPort: 8100 }) });
    expect(other).toMatchObject({ verdict: 'passed', reason: 'PASS_NOT_SERVER' });
    for (let round = 0; round < 30; round += 1) expect(l4.selfTest()).toBeUndefined();
  });

  test('brings replies back as the VIP’s', async () => {
    const l4 = await start(input([server()], [pool('web', THREE)]));
    const reply = {
      source: parseIpv4('10.0.0.2') ?? 0,
      sourcePort: 8080,
      destination: 0xc0000201,
      destinationPort: 20_000,
      protocol: 6,
    };
    expect(l4.explain({ flow: reply })).toMatchObject({
      program: 'lb_inside',
      reason: 'OUT_REDIRECTED',
      server: `${VIP}:80/tcp`,
      target: '10.0.0.2:8080',
      translated: `${VIP}:80 > 192.0.2.1:20000/tcp`,
    });
  });

  test('counts what is forwarded, and nothing that is explained', async () => {
    const l4 = await start(input([server()], [pool('web', [FIRST])]));
    const before = l4.counters().get('IN_REDIRECTED')?.packets ?? 0;
    l4.explain({ flow: flow(20_000), syn: true });
    l4.selfTest();
    expect(l4.serverStats()[0]?.meter.in_packets).toBe(0);
    for (const port of [1, 2, 3]) send(l4, flow(port), TCP_FLAGS.syn);
    expect(l4.serverStats()[0]?.meter).toMatchObject({ in_packets: 3, connections: 3 });
    expect(l4.targetStats()[0]?.meter).toMatchObject({ in_packets: 3, connections: 3 });
    expect((l4.counters().get('IN_REDIRECTED')?.packets ?? 0) - before).toBe(3);
  });
});

describe('known flows', () => {
  /** Remembered under the first plan; those that the second would send elsewhere. */
  async function moved(from: PlanInput, to: PlanInput) {
    const l4 = await start(from);
    const before = targetsOf(l4, PORTS);
    for (const port of PORTS) send(l4, flow(port), TCP_FLAGS.ack);
    await l4.want(to);
    const after = targetsOf(l4, PORTS);
    return { l4, before, after };
  }

  test('stay where they are when targets come, drain or change their weight', async () => {
    const first = input([server()], [pool('web', THREE)]);
    const second = input(
      [server()],
      [pool('web', ['10.0.0.1:8080', '10.0.0.2:8080*9', THIRD, '10.0.0.4:8080'])],
      {
        [THIRD]: 'drain',
      },
    );
    const { l4, before, after } = await moved(first, second);
    expect(after).toEqual(before);
    const anew = PORTS.map((port) => l4.explain({ flow: flow(port), syn: true }).target);
    expect(anew).not.toContain(THIRD);
    expect(anew).not.toEqual(before);
  });

  test.each(['down', 'removed'] as const)(
    'of a target that is %s are picked anew, or left',
    async (how) => {
      const left = how === 'removed' ? [FIRST, '10.0.0.2:8080'] : THREE;
      const health = how === 'removed' ? {} : ({ [THIRD]: 'down' } as const);
      const reset = await moved(
        input([server()], [pool('web', THREE)]),
        input([server()], [pool('web', left)], health),
      );
      expect(reset.after).not.toContain(THIRD);
      await reset.l4.detach();
      await end(reset.l4);
      pins += '-leave';
      const leave = server({ lost: 'leave' });
      const stayed = await moved(
        input([leave], [pool('web', THREE)]),
        input([leave], [pool('web', left)], health),
      );
      const third = stayed.before.indexOf(THIRD);
      const told = stayed.l4.explain({ flow: flow(PORTS[third] ?? 0) });
      expect(told.translated).toBe(`192.0.2.1:${PORTS[third]} > ${THIRD}/tcp`);
      const reply = flow(8080, {
        source: parseIpv4('10.0.0.3') ?? 0,
        destination: 0xc0000201,
        destinationPort: PORTS[third] ?? 0,
      });
      expect(stayed.l4.explain({ flow: reply }, 'in0').reason).toBe('OUT_REDIRECTED');
    },
  );

  test('outlive the daemon, with the numbers of all', async () => {
    const first = await start(input([server()], [pool('web', THREE)]));
    const before = targetsOf(first, PORTS);
    for (const port of PORTS) send(first, flow(port), TCP_FLAGS.ack);
    await end(first);
    const changed = input([server()], [pool('web', [...THREE.toReversed(), '10.0.0.9:8080*9'])]);
    const second = await start(changed);
    expect(targetsOf(second, PORTS)).toEqual(before);
    expect(second.serverStats()[0]?.meter.in_packets).toBe(PORTS.length);
  });
});

test('nobody serves: dropped, and the health that returns is enough', async () => {
  const closed = pool('web', [FIRST], { failOpenPercent: 0 });
  const l4 = await start(input([server()], [closed], { [FIRST]: 'down' }));
  expect(l4.explain({ flow: flow(1) })).toMatchObject({
    verdict: 'dropped',
    reason: 'DROP_NO_TARGET',
  });
  await l4.want(input([server()], [closed]));
  expect(l4.explain({ flow: flow(1) }).target).toBe(FIRST);
});

test('an audit puts right what others wrote', async () => {
  const l4 = await start(input([server()], [pool('web', THREE)]));
  expect(await l4.audit()).toEqual({ added: 0, changed: 0, removed: 0 });
  l4.datapath.map('tables').delete(numberKey(1));
  l4.datapath.map('targets').update(numberKey(2), new Uint8Array(12));
  expect(l4.explain({ flow: flow(1) }).reason).toBe('DROP_NO_TARGET');
  expect(await l4.audit()).toEqual({ added: 1, changed: 1, removed: 0 });
  expect(l4.selfTest()).toBeUndefined();
});

test('another capacity: new maps, and the old ones go', async () => {
  const wanted = input([server()], [pool('web', THREE)]);
  await end(await start(wanted));
  const l4 = await start(wanted, { ...CAPACITY, connections: 8192 });
  expect(l4.selfTest()).toBeUndefined();
  expect(execFileSync('ls', [join(pins, '..')], { encoding: 'utf8' }).trim()).toBe('lb');
});

test('VIPs are announced, and are addresses that answer', async () => {
  const host = createIpHost(systemClock, 'EDGE_LB_HOST');
  const announce = { table: 254, protocol: 158 };
  const vips = new Vips({ host, log: silentLog, link: 'lo', announce });
  const plan = lbPlanOf(new Map(), 1);
  vips.want({ ...plan, servers: [server()] });
  vips.serve({ ...plan, servers: [server()] });
  await vips.settled();
  expect(ip('route show proto 158')).toMatch(`unreachable ${VIP}`);
  expect(ip('-o address show dev lo')).toMatch(`inet ${VIP}/32 scope global lo:lb`);
  await vips.setDraining(true);
  expect(ip('route show proto 158').trim()).toBe('');
  vips.want(plan);
  await vips.settled();
  expect(ip('-o address show dev lo')).not.toMatch(VIP);
});

test('of 100 targets one goes: the others’ flows nearly all stay by the table alone', async () => {
  const all = Array.from({ length: 100 }, (_, index) => `10.0.0.${index + 1}:8080`);
  const l4 = await start(input([server()], [pool('web', all)]));
  const before = targetsOf(l4, PORTS);
  await l4.want(input([server()], [pool('web', all.slice(1))]));
  const after = targetsOf(l4, PORTS);
  const moved = before.filter((name, at) => name !== all[0] && after[at] !== name).length;
  expect(moved / PORTS.length).toBeLessThan(0.03);
  expect(l4.plan?.pools[0]?.targets).toHaveLength(99);
  expect(l4.explain({ flow: flow(1) }).slot).toBeLessThan(MAGLEV_SLOTS);
});
