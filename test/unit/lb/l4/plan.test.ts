// From objects and health to numbered entries; what is refused, and why.
import { describe, expect, test } from 'vitest';
import type { L4Capacity } from '../../../../lb/l4/capacity.ts';
import { REVERSE_FLAGS, SERVER_FLAGS } from '../../../../lb/l4/entries.ts';
import { type L4Plan, type PlanInput, Planner, type Recovered } from '../../../../lb/l4/plan.ts';
import { parseIpv4 } from '../../../../shared/net/ipv4.ts';
import { isRefusal } from '../../../../shared/site/refusal.ts';
import { input, pool, server, VIP } from '../../../support/lb/l4-objects.ts';

const CAPACITY: L4Capacity = { servers: 8, pools: 4, targets: 16, connections: 64 };
const NOTHING: Recovered = { servers: new Map(), targets: [] };

const planner = (recovered = NOTHING, capacity = CAPACITY) => new Planner(capacity, recovered);
const ip = (text: string): number => parseIpv4(text) ?? 0;

function planned(of: PlanInput, by = planner()): L4Plan {
  const plan = by.plan(of);
  if (isRefusal(plan)) throw new Error(plan.reasons.join('\n'));
  return plan;
}

function reasons(of: PlanInput, by = planner()): readonly string[] {
  const plan = by.plan(of);
  return isRefusal(plan) ? plan.reasons : [];
}

const at = (address: string, port: number, protocol = 6) => ({
  address: ip(address),
  port,
  protocol,
});

describe('entries', () => {
  test('of one nat server: its port, what its VIP has, and the way back', () => {
    const { entries } = planned(input([server()], [pool('web', ['10.0.0.1:8080', '10.0.0.2'])]));
    const value = { slot: 1, pool_slot: 1, flags: 0, first_port: 80 };
    expect(entries.servers).toEqual({
      ports: [
        { key: at(VIP, 80), value },
        { key: at(VIP, 0), value: { ...value, flags: SERVER_FLAGS.only } },
      ],
      ranges: [],
    });
    const back = { address: ip(VIP), server_slot: 1 };
    const first = { ...back, port_offset: (80 - 8080) & 0xffff, target_slot: 1 };
    const second = { ...back, port_offset: 0, target_slot: 2 };
    expect(entries.reverse.ports).toEqual([
      { key: at('10.0.0.1', 8080), value: { ...first, flags: 0 } },
      { key: at('10.0.0.2', 80), value: { ...second, flags: 0 } },
      { key: at('10.0.0.1', 0), value: { ...first, flags: REVERSE_FLAGS.only } },
      { key: at('10.0.0.2', 0), value: { ...second, flags: REVERSE_FLAGS.only } },
    ]);
    expect(entries.targets).toEqual([
      { slot: 1, value: { address: ip('10.0.0.1'), port: 8080, flags: 0, generation: 1 } },
      { slot: 2, value: { address: ip('10.0.0.2'), port: 0, flags: 0, generation: 1 } },
    ]);
  });

  test('of a range: blocks of a trie, both ways, and the first port', () => {
    const range = server({ port: 8000, lastPort: 8003, protocol: 'udp' });
    const { entries } = planned(input([range], [pool('web', ['10.0.0.1:9001'])]));
    const value = { slot: 1, pool_slot: 1, flags: 0, first_port: 8000 };
    const { only, hasRanges } = SERVER_FLAGS;
    expect(entries.servers).toEqual({
      ports: [{ key: at(VIP, 0, 17), value: { ...value, flags: only | hasRanges } }],
      ranges: [{ key: { ...at(VIP, 8000, 17), prefix_bits: 62 }, value }],
    });
    expect(entries.reverse.ranges.map(({ key }) => [key.port, key.prefix_bits])).toEqual([
      [9001, 64],
      [9002, 63],
      [9004, 64],
    ]);
    expect(entries.reverse.ranges[0]?.value.port_offset).toBe((8000 - 9001) & 0xffff);
    expect(entries.reverse.ports.map(({ key, value }) => [key.port, value.flags])).toEqual([
      [0, REVERSE_FLAGS.only | REVERSE_FLAGS.hasRanges],
    ]);
  });

  test('of several servers of a VIP: the entry of port 0 is nobody’s', () => {
    const servers = [server(), server({ port: 443 }), server({ port: 8000, lastPort: 8001 })];
    const { entries } = planned(input(servers, [pool('web', ['10.0.0.1'])]));
    const shared = entries.servers.ports.filter(({ key }) => key.port === 0);
    const value = { slot: 0, pool_slot: 0, flags: SERVER_FLAGS.hasRanges, first_port: 0 };
    expect(shared).toEqual([{ key: at(VIP, 0), value }]);
  });

  test('of a dsr server: flags, and no way back', () => {
    const dsr = server({ mode: 'dsr', hash: 'source', lost: 'leave' });
    const { entries } = planned(input([dsr], [pool('web', ['10.0.0.1'])]));
    const { dsr: direct, hashSource, leave } = SERVER_FLAGS;
    expect(entries.servers.ports[0]?.value.flags).toBe(direct | hashSource | leave);
    expect(entries.reverse).toEqual({ ports: [], ranges: [] });
  });

  test('say which targets are gone, and leave out pools without a server', () => {
    const pools = [pool('web', ['10.0.0.1', '10.0.0.2']), pool('other', ['10.0.0.3'])];
    const plan = planned(input([server()], pools, { '10.0.0.2': 'down' }));
    expect(plan.entries.targets.map(({ value }) => value.flags)).toEqual([0, 1]);
    expect(plan.pools.map(({ name }) => name)).toEqual(['web']);
  });
});

describe('what is refused', () => {
  const web = pool('web', ['10.0.0.1:80']);
  const CASES: [string, PlanInput, string[]][] = [
    [
      'a pool that is not there',
      input([server({ pool: 'none' })], [web]),
      [`vserver ${VIP}:80/tcp: there is no pool "none"`],
    ],
    [
      'an IPv6 target',
      input([server()], [pool('web', ['[2001:db8::1]'])]),
      [`vserver ${VIP}:80/tcp: pool web has 2001:db8::1; L4 has IPv4 targets only`],
    ],
    [
      'ports of another server',
      input([server({ port: 80, lastPort: 90 }), server({ port: 85 })], [pool('web', [])]),
      [`vserver ${VIP}:85/tcp: has ports of ${VIP}:80-90/tcp`],
    ],
    [
      'a target that two nat servers would answer for',
      input([server(), server({ port: 443 })], [web]),
      [
        `vserver ${VIP}:443/tcp: its target 10.0.0.1:80/tcp serves ${VIP}:80/tcp already: ` +
          'whose reply would it send?',
      ],
    ],
    [
      'the same through another pool and a range',
      input(
        [server({ pool: 'a', port: 7000, lastPort: 7009 }), server({ pool: 'b', port: 53 })],
        [pool('a', ['10.0.0.1']), pool('b', ['10.0.0.1:7005'])],
      ),
      [
        `vserver ${VIP}:53/tcp: its target 10.0.0.1:7005/tcp serves ${VIP}:7000-7009/tcp ` +
          'already: whose reply would it send?',
      ],
    ],
    [
      'a target without room for the range',
      input([server({ port: 1, lastPort: 100 })], [pool('web', ['10.0.0.1:65500'])]),
      [`vserver ${VIP}:1-100/tcp: of pool web 10.0.0.1:65500 has no room for the range`],
    ],
    [
      'one target twice, by its own port and by the server’s',
      input([server()], [pool('web', ['10.0.0.1', '10.0.0.1:80'])]),
      [`vserver ${VIP}:80/tcp: two targets of its pool are 10.0.0.1:80/tcp`],
    ],
    [
      'more than there is room for',
      input(
        Array.from({ length: 9 }, (_, index) => server({ port: 80 + index })),
        [
          pool(
            'web',
            Array.from({ length: 17 }, (_, index) => `10.0.0.${index + 1}`),
          ),
        ],
      ),
      [
        '9 virtual servers, with room for 8: raise capacity.servers of lb',
        '17 targets, with room for 16: raise capacity.targets of lb',
        '170 pairs of nat server and target, with room for 64: raise capacity.targets of lb',
      ],
    ],
  ];

  test.each(CASES)('%s', (_what, of, wanted) => {
    expect(reasons(of)).toEqual(wanted);
  });

  test.each([
    ['dsr beside nat', [server(), server({ address: '198.51.100.11', mode: 'dsr' })]],
    ['another protocol', [server(), server({ protocol: 'udp' })]],
    [
      'another VIP’s dsr',
      [server({ mode: 'dsr' }), server({ mode: 'dsr', address: '198.51.100.11' })],
    ],
  ])('not a target of %s', (_what, servers) => {
    expect(reasons(input(servers, [web]))).toEqual([]);
  });

  test('a refusal leaves the numbers as they were', () => {
    const by = planner();
    const before = planned(input([server()], [web]), by);
    reasons(input([server({ pool: 'none' }), server()], [web]), by);
    expect(planned(input([server()], [web]), by).entries).toEqual(before.entries);
  });
});

describe('numbers', () => {
  const pools = [pool('web', ['10.0.0.1', '10.0.0.2']), pool('api', ['10.0.0.1', '10.0.0.3'])];
  const servers = [server(), server({ port: 443, pool: 'api', lost: 'leave' })];

  test('stay through changes, and are fresh once', () => {
    const by = planner();
    const first = planned(input(servers, pools), by);
    expect(first.fresh).toEqual({ servers: [1, 2], targets: [1, 2, 3, 4] });
    const second = planned(
      input([...servers, server({ port: 81, pool: 'web' })].toReversed(), pools),
      by,
    );
    expect(second.fresh).toEqual({ servers: [3], targets: [] });
    expect(new Set(second.entries.targets.map(({ slot }) => slot))).toEqual(new Set([1, 2, 3, 4]));
  });

  test('a target that comes back has its number and generation', () => {
    const by = planner();
    const only = (...targets: string[]) => input([server()], [pool('web', targets)]);
    const [, before] = planned(only('10.0.0.1', '10.0.0.2'), by).entries.targets;
    planned(only('10.0.0.1', '10.0.0.3'), by);
    const [, after] = planned(only('10.0.0.1', '10.0.0.2'), by).entries.targets;
    expect(after).toEqual(before);
  });

  test('are taken up from an earlier run', () => {
    const before = planned(input(servers, pools));
    const found = new Map([
      [`${ip(VIP)} 6 80/16`, { slot: 5, poolSlot: 3 }],
      [`${ip(VIP)} 6 443/16`, { slot: 2, poolSlot: 6 }],
    ]);
    const targets = [
      { slot: 9, generation: 4, alias: '10.0.0.3:0' },
      { slot: 7, generation: 2, alias: '10.0.0.1:0' },
    ];
    const after = planned(input(servers, pools), planner({ servers: found, targets }));
    expect(after.servers.map(({ slot, pool: { name, slot: of } }) => [slot, name, of])).toEqual([
      [5, 'web', 3],
      [2, 'api', 6],
    ]);
    const slots = after.pools.flatMap((one) =>
      one.targets.map(({ id, slot }) => [one.name, id, slot]),
    );
    expect(slots).toEqual([
      ['api', '10.0.0.1', 7],
      ['api', '10.0.0.3', 9],
      ['web', '10.0.0.1', 1],
      ['web', '10.0.0.2', 2],
    ]);
    expect(after.fresh).toEqual({ servers: [], targets: [1, 2] });
    expect(before.servers).toHaveLength(2);
  });

  test('a pool’s is that which most of its servers had', () => {
    const found = new Map([
      [`${ip(VIP)} 6 80/16`, { slot: 1, poolSlot: 1 }],
      [`${ip(VIP)} 6 81/16`, { slot: 2, poolSlot: 2 }],
      [`${ip(VIP)} 6 82/16`, { slot: 3, poolSlot: 2 }],
    ]);
    const moved = [
      server(),
      server({ port: 81 }),
      server({ port: 82 }),
      server({ port: 443, pool: 'api' }),
    ];
    const plan = planned(input(moved, pools), planner({ servers: found, targets: [] }));
    expect(plan.pools.map(({ name, slot }) => [name, slot])).toEqual([
      ['api', 3],
      ['web', 2],
    ]);
  });
});

test('the plan says when slow start changes it', () => {
  const slow = pool('web', ['10.0.0.1', '10.0.0.2'], { slowStartMs: 10_000 });
  const health = { '10.0.0.2': { state: 'up', upSinceMs: 999_500 } } as const;
  expect(planned(input([server()], [slow], health)).untilMs).toBe(1_000_500);
  expect(planned(input([server()], [slow])).untilMs).toBe(Number.POSITIVE_INFINITY);
});
