// The target takes all or nothing, and a row of changes comes to the same as one reset.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { PlanTarget } from '../../../../dhcpd/plan/target.ts';
import type { Plan } from '../../../../dhcpd/plan/types.ts';
import type { Change, ObjectRecord } from '../../../../shared/store/types.ts';

async function* batches(...records: ObjectRecord[]): AsyncGenerator<ObjectRecord[]> {
  yield records.slice(0, 1);
  yield records.slice(1);
}

const SUBNET: ObjectRecord = { kind: 'subnet', id: '10.1.0.0/24', value: '{}' };
const reservation = (last: number, mac: number): ObjectRecord => ({
  kind: 'reservation',
  id: `10.1.0.${last}`,
  value: `{"mac":"02:00:00:00:00:0${mac}"}`,
});

function shown(plan: Plan | undefined) {
  if (plan === undefined) return undefined;
  const subnets = plan.subnets.map(({ network, ...rest }) => {
    return { ...rest, network: network.id, of: network.subnets.map(({ id }) => id) };
  });
  const { classes, l3nets } = plan;
  const reserved = Array.from({ length: 4 * 256 }, (_, at) => {
    return plan.reservationAt((0x0a010000 + at) as never);
  });
  const clients = reserved.map((each) => each && { ...each, subnet: each.subnet.id });
  return { subnets, classes, l3nets, clients };
}

test('takes a state, changes it, and says who is drained', async () => {
  const taken: number[] = [];
  const target = new PlanTarget({ onTaken: ({ version }) => taken.push(version) });
  expect(target.plan).toBeUndefined();
  const drain = { kind: 'node', id: 'dhcpd-1', value: '{"drain":true}' };
  const newer = { kind: 'weather', id: 'x', value: '{"v":2}' };
  expect(await target.reset(batches(SUBNET, drain, newer), 4)).toBeUndefined();
  expect(target.plan?.subnets).toHaveLength(1);
  expect([target.isDrainWanted('dhcpd-1'), target.isDrainWanted('dhcpd-2')]).toEqual([true, false]);
  expect(target.change([{ ...drain, value: null }, reservation(5, 1)], 5)).toBeUndefined();
  expect(target.isDrainWanted('dhcpd-1')).toBe(false);
  expect(target.plan?.reservationAt(0x0a010005 as never)).toBeDefined();
  expect(taken).toEqual([4, 5]);
});

test('of an object that comes twice the later one counts', async () => {
  const target = new PlanTarget();
  const other = { ...SUBNET, value: '{"authoritative":false}' };
  expect(await target.reset(batches(SUBNET, other), 1)).toBeUndefined();
  expect(target.plan?.subnets.map(({ authoritative }) => authoritative)).toEqual([false]);
});

test('a refused change leaves all as it was; what heals it is taken with the rest', async () => {
  const refused: [number, readonly string[]][] = [];
  const target = new PlanTarget({
    onRefused: (reasons, version) => refused.push([version, reasons]),
  });
  await target.reset(batches(SUBNET, reservation(5, 1)), 1);
  const before = target.plan;
  const bad: Change[] = [reservation(6, 1), { ...reservation(7, 2), value: '{"mac":3}' }];
  expect(target.change(bad, 2)?.reasons.join()).toContain('reservation 10.1.0.7: mac is 3');
  expect(target.change([reservation(6, 1)], 2)?.reasons).toEqual([
    'reservation 10.1.0.6: its client has 10.1.0.5 in the same network',
  ]);
  expect(target.change([{ ...SUBNET, value: null }], 3)?.reasons.join()).toContain('no subnet');
  expect(target.plan).toBe(before);
  expect(refused.map(([version]) => version)).toEqual([2, 2, 3]);
  expect(
    target.change([reservation(6, 1), { ...reservation(5, 1), value: null }], 4),
  ).toBeUndefined();
  expect(target.plan?.version).toBe(4);
});

test('a refused or torn reset leaves all as it was', async () => {
  const target = new PlanTarget();
  await target.reset(batches(SUBNET), 1);
  const before = target.plan;
  const wrong = { kind: 'eip', id: '198.51.100.7', value: '{}' };
  expect((await target.reset(batches(SUBNET, wrong), 2))?.reasons.join()).toContain('eip');
  // biome-ignore lint/correctness/useYield: it ends before the first batch
  async function* torn(): AsyncGenerator<ObjectRecord[]> {
    throw new Error('the connection is lost');
  }
  await expect(target.reset(torn(), 2)).rejects.toThrow('lost');
  expect(target.plan).toBe(before);
});

test('changes, some of them refused, come to the same as a reset with what is stored', async () => {
  const subnet = fc
    .record({
      third: fc.nat(3),
      bits: fc.constantFrom(23, 24),
      network: fc.option(fc.constantFrom('a', 'b')),
    })
    .map(
      ({ third, bits, network }): Change => ({
        kind: 'subnet',
        id: `10.1.${bits === 23 ? third & 2 : third}.0/${bits}`,
        value: network === null ? '{}' : `{"network":"${network}"}`,
      }),
    );
  const reserved = fc
    .record({ third: fc.nat(3), last: fc.integer({ min: 0, max: 3 }), mac: fc.nat(4) })
    .map(
      ({ third, last, mac }): Change => ({
        kind: 'reservation',
        id: `10.1.${third}.${last}`,
        value: `{"mac":"02:00:00:00:00:0${mac}"}`,
      }),
    );
  const other = fc.constantFrom<Change>(
    { kind: 'class', id: 'c', value: '{"bootFile":"x"}' },
    { kind: 'l3net', id: '10.1.3.0/24', value: '{"host":"h"}' },
    { kind: 'node', id: 'n', value: '{"drain":true}' },
    { kind: 'subnet', id: '10.1.0.0/24', value: 'broken' },
  );
  const change = fc
    .tuple(
      fc.oneof({ weight: 3, arbitrary: subnet }, { weight: 3, arbitrary: reserved }, other),
      fc.nat(3),
    )
    .map(([each, gone]): Change => (gone === 0 ? { ...each, value: null } : each));
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(change, { maxLength: 4 }), { maxLength: 12 }),
      async (rows) => {
        const target = new PlanTarget();
        await target.reset(batches(), 0);
        const stored = new Map<string, ObjectRecord>();
        let pending = new Map<string, Change>(); // cumulative after a refusal
        for (const [version, row] of rows.entries()) {
          for (const each of row) {
            pending.set(`${each.kind} ${each.id}`, each);
            const { kind, id, value } = each;
            if (value === null) stored.delete(`${kind} ${id}`);
            else stored.set(`${kind} ${id}`, { kind, id, value });
          }
          const refused = target.change([...pending.values()], version + 1);
          const whole = new PlanTarget();
          const expected = await whole.reset(batches(...stored.values()), version + 1);
          expect(refused === undefined).toBe(expected === undefined);
          if (refused !== undefined) continue;
          pending = new Map();
          expect(shown(target.plan)).toEqual(shown(whole.plan));
          expect(target.isDrainWanted('n')).toBe(whole.isDrainWanted('n'));
        }
      },
    ),
    { numRuns: 150 },
  );
});
