// L4 over a fake kernel and a fake host: one run after the other, and what stays.
import { beforeEach, describe, expect, test } from 'vitest';
import { L4 } from '../../../../lb/l4/l4.ts';
import { reasonWords, stepWords } from '../../../../lb/l4/words.ts';
import {
  createFakeBpf,
  createFakeKernel,
  type FakeContext,
  type FakeKernel,
} from '../../../../shared/bpf/fake.ts';
import type { LinkPlan } from '../../../../shared/links/links.ts';
import { silentLog } from '../../../../shared/log.ts';
import { parseIpv4 } from '../../../../shared/net/ipv4.ts';
import { seededRandom } from '../../../../shared/random.ts';
import { FakeHost } from '../../../support/lb/fake-host.ts';
import { input, pool, server, VIP } from '../../../support/lb/l4-objects.ts';

const OTHER_VIP = '198.51.100.11';

let kernel: FakeKernel;
let host: FakeHost;
/** What the fake programs say. */
let verdict: (context: FakeContext) => number;

function start(links: Partial<LinkPlan> = {}): L4 {
  const run = (context: FakeContext) => verdict(context);
  const programs = { lb_uplink: run, lb_inside: run, lb_egress: run };
  return new L4({
    bpf: createFakeBpf({ kernel, programs }),
    pinDirectory: '/pins',
    capacity: { servers: 8, pools: 4, targets: 16, connections: 64 },
    links: { hook: 'tc', uplink: ['up0'], inside: ['in0'], ...links },
    host,
    random: seededRandom(1),
    log: silentLog,
    turn: async () => {},
  });
}

const WEB = pool('web', ['10.0.0.1:8080', '10.0.0.2:8080']);
const wanted = input(
  [server(), server({ address: OTHER_VIP, port: 443, mode: 'dsr', pool: 'any' })],
  [WEB, pool('any', ['10.0.0.3'])],
);

beforeEach(() => {
  kernel = createFakeKernel();
  host = new FakeHost();
  verdict = () => 0;
});

test('programs are attached once there is a plan, and taken away by detach alone', async () => {
  const l4 = start();
  await l4.links.look();
  l4.attach();
  expect(kernel.filters).toEqual([]);
  expect(await l4.want(wanted)).toBeUndefined();
  l4.attach();
  const places = () =>
    kernel.filters.map(({ ifindex, direction, priority }) => [ifindex, direction, priority]);
  const attached = [
    [2, 'egress', 158],
    [2, 'ingress', 158],
    [3, 'ingress', 158],
  ];
  expect(places()).toEqual(attached);
  expect(l4.links.missing).toEqual([]);
  await l4.close();
  expect(places()).toEqual(attached);
  const next = start();
  await next.links.look();
  next.detach();
  expect(places()).toEqual([]);
});

test('a refusal changes no object; what the kernel refuses may be asked again', async () => {
  const l4 = start();
  await l4.want(wanted);
  const before = l4.plan;
  const refused = await l4.want(input([server({ pool: 'none' })], [], { '10.0.0.3': 'down' }));
  expect(refused?.reasons).toHaveLength(1);
  expect(l4.plan?.entries.servers).toEqual(before?.entries.servers);
  expect(l4.plan?.pools.map(({ kind }) => kind)).toEqual(['fail-open', 'up']);
  const servers = l4.datapath.map('servers');
  const { updateBatch } = servers;
  servers.updateBatch = () => {
    throw new Error('refused');
  };
  const more = input([server(), server({ port: 81, pool: 'b' })], [WEB, pool('b', ['10.0.0.9'])]);
  await expect(l4.want(more)).rejects.toThrow('refused');
  servers.updateBatch = updateBatch;
  expect(await l4.want(more)).toBeUndefined();
  expect(await l4.audit()).toEqual({ added: 0, changed: 0, removed: 0 });
  expect(l4.serverStats().map(({ id }) => id)).toEqual([`${VIP}:80/tcp`, `${VIP}:81/tcp`]);
  expect(l4.targetStats().map(({ pool: name, id }) => `${name} ${id}`)).toEqual([
    'b 10.0.0.9',
    'web 10.0.0.1:8080',
    'web 10.0.0.2:8080',
  ]);
});

describe('explain', () => {
  const flow = {
    source: 0xc0000201,
    sourcePort: 40_000,
    destination: parseIpv4(VIP) ?? 0,
    destinationPort: 80,
    protocol: 6,
  };

  async function ready(): Promise<L4> {
    const l4 = start();
    await l4.links.look();
    await l4.want(wanted);
    l4.attach();
    return l4;
  }

  test('tells server, pool, target, hash and slot', async () => {
    const l4 = await ready();
    const { reasons, steps } = l4.datapath.layout;
    verdict = ({ cb }) => {
      const taken = (steps.STEP_SERVER_FOUND ?? 0) | (steps.STEP_BY_TABLE ?? 0);
      cb.splice(0, 5, reasons.DROP_NO_ROUTE ?? 0, taken, 1, 3, 65_538);
      return 2;
    };
    const { steps: told, ...rest } = l4.explain({ flow });
    expect(rest).toEqual({
      link: 'up0',
      program: 'lb_uplink',
      verdict: 'dropped',
      reason: 'DROP_NO_ROUTE',
      server: `${VIP}:80/tcp`,
      pool: 'web',
      target: '10.0.0.2:8080',
      slot: 1,
    });
    expect(told).toEqual([
      `comes in by up0 (uplink), where lb_uplink runs at tc: 192.0.2.1:40000 > ${VIP}:80/tcp`,
      `virtual server ${VIP}:80/tcp, pool web`,
      'hash 10002, slot 1 of the table: 10.0.0.2:8080, which has 50.0 % of it',
      'dsr: the target is not on a link of this host',
    ]);
  });

  test('has words for every reason, and for no other', async () => {
    const { layout } = (await ready()).datapath;
    const reasons = Object.keys(layout.reasons).filter((name) => name !== 'REASON_COUNT');
    expect(Object.keys(reasonWords).toSorted()).toEqual(reasons.toSorted());
    expect(Object.keys(layout.steps)).toEqual(expect.arrayContaining(Object.keys(stepWords)));
  });

  test('asks where the packet comes from', async () => {
    const l4 = await ready();
    const reply = { ...flow, source: parseIpv4('10.0.0.1') ?? 0 };
    expect(l4.explain({ flow: reply }).program).toBe('lb_inside');
    expect(l4.explain({ flow: reply }, 'up0').program).toBe('lb_uplink');
    const nowhere = expect.objectContaining({ code: 'EDGE_LB_LINK' });
    expect(() => l4.explain({ flow }, 'eth9')).toThrow(nowhere);
  });

  test('a self-test says what is wrong', async () => {
    const l4 = await ready();
    const { reasons } = l4.datapath.layout;
    verdict = ({ cb }) => {
      cb[0] = reasons.PASS_NOT_SERVER ?? 0;
      return 0;
    };
    expect(l4.selfTest()).toMatch(
      /^198.51.100.1[01]:\d+\/tcp: the program says PASS_NOT_SERVER, not /,
    );
  });
});
