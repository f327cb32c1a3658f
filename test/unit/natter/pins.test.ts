// Pinned maps of another shape: what forwards goes on, what was counted is kept, and a start that
// ends anywhere is taken up by the next.
import { expect, test } from 'vitest';
import { OBJECT_PATH } from '../../../natter/daemon.ts';
import { Datapath } from '../../../natter/datapath.ts';
import { Keeper } from '../../../natter/keeper.ts';
import type { Capacity } from '../../../natter/state.ts';
import type { Bpf } from '../../../shared/bpf/types.ts';
import { numberKey } from '../../../shared/bpf/words.ts';
import { type Log, silentLog } from '../../../shared/log.ts';
import { parseIpv4 } from '../../../shared/net/ipv4.ts';
import type { ObjectRecord } from '../../../shared/store/types.ts';
import { FakeMachine } from '../../support/natter-fake.ts';

const PINS = '/fake/edge/default/natter';
const LINK = 7;
const small = { eips: 16, forwards: 16, limits: 16 };
const large = { eips: 32, forwards: 16, limits: 32 };
const addressOf = (text: string): number => parseIpv4(text) ?? 0;

const eip = (last: number, more: object = {}): ObjectRecord => ({
  kind: 'eip',
  id: `198.51.100.${last}`,
  value: JSON.stringify({ private: `10.0.0.${last}`, ...more }),
});
const group: ObjectRecord = { kind: 'group', id: 'gold', value: '{"in":1000000}' };
const site = [group, eip(1), eip(2, { in: 1_000_000, group: 'gold' }), eip(3)];
const [A, B] = [addressOf('198.51.100.1'), addressOf('198.51.100.2')];

async function* batch(records: ObjectRecord[]): AsyncGenerator<ObjectRecord[]> {
  yield records;
}

type Start = {
  machine: FakeMachine;
  capacity?: Capacity;
  records?: ObjectRecord[];
  /** Before each step that leaves something behind; may throw. */
  step?: () => void;
  log?: Log;
};

/** As the daemon starts: maps, table, programs. */
async function start({ machine, log = silentLog, ...options }: Start) {
  const { capacity = small, records = site, step = () => {} } = options;
  const watched: Bpf = {
    ...machine.bpf,
    load: (load) => step() ?? machine.bpf.load(load),
    movePins: (from, to) => step() ?? machine.bpf.movePins(from, to),
    removePins: (directory) => step() ?? machine.bpf.removePins(directory),
  };
  const bpf = { bpf: watched, objectPath: OBJECT_PATH, pinDirectory: PINS };
  const datapath = new Datapath({ ...bpf, capacity, log });
  const turn = async () => step();
  const shared = { capacity, isLocal: () => false, log, turn, onApplied() {} };
  const keeper = new Keeper({ ...shared, datapath });
  const refusal = await keeper.reset(batch(records), 1);
  const { table } = keeper;
  const attach = () => {
    step();
    datapath.map('links').update(numberKey(LINK), new Uint8Array(4).fill(1));
    step();
  };
  if (table !== undefined) datapath.attachOver(table.state, attach);
  return { datapath, state: table?.state, refusal };
}

type Started = Awaited<ReturnType<typeof start>>;

const slotOf = ({ state }: Started, address: number) => state?.slotOfEip.get(address) ?? -1;
const metered = (started: Started, address: number) =>
  started.datapath.meter(slotOf(started, address)).in_packets;

/** What an attached program does with a packet. */
function count(started: Started, address: number, packets: number): void {
  const view = started.datapath.map('meters').view();
  if (view === undefined) throw new Error('meters are not mapped');
  const words = new BigUint64Array(view.buffer, view.byteOffset);
  const at = slotOf(started, address) * 4;
  words[at] = (words[at] ?? 0n) + BigInt(packets);
}

function directories({ kernel }: FakeMachine): string[] {
  return [...new Set([...kernel.pins.keys()].map((path) => path.replace(/\/[^/]*$/, '')))];
}

function logged(): { log: Log; events: string[] } {
  const events: string[] = [];
  const write = (event: string, message: string) => void events.push(`${event}: ${message}`);
  return { log: { debug: write, info: write, warn: write, error: write }, events };
}

test('another capacity: slots and meters go on, and the old maps are let go', async () => {
  const machine = new FakeMachine();
  const first = await start({ machine });
  count(first, B, 7);
  const { log, events } = logged();
  const records = [eip(9), ...site];
  const second = await start({ machine, capacity: large, records, log });
  expect(metered(second, B)).toBe(7);
  expect(metered(second, A)).toBe(0);
  expect(slotOf(second, B)).toBe(slotOf(first, B));
  expect(second.datapath.map('eip_to_private').maxEntries).toBe(32);
  expect(directories(machine)).toEqual([PINS]);
  expect(events).toEqual([
    expect.stringMatching(/^maps-replaced: map \w+ is pinned as .*\d entries.* but .*\d entries/),
    expect.stringMatching(/^table-applied: /),
    expect.stringMatching(/^maps-let-go: /),
  ]);
});

test('the same capacity replaces nothing', async () => {
  const machine = new FakeMachine();
  await start({ machine });
  const { log, events } = logged();
  await start({ machine, log });
  expect(events.map((event) => event.split(':')[0])).toEqual(['table-applied']);
});

test('what the old programs count until they are replaced is not lost', async () => {
  const machine = new FakeMachine();
  const first = await start({ machine });
  count(first, B, 7);
  const arrive = () => count(first, B, 1);
  let arrived = 0;
  const step = () => {
    arrive();
    arrived += 1;
  };
  const second = await start({ machine, capacity: large, step });
  expect(arrived).toBeGreaterThan(5);
  // The last steps move and remove what is in use no more.
  expect(7 + arrived - metered(second, B)).toBe(2);
});

test('fewer slots: an EIP whose slot is out of range keeps what was counted', async () => {
  const machine = new FakeMachine();
  const many = Array.from({ length: 20 }, (_, index) => eip(index + 1));
  const first = await start({ machine, capacity: large, records: many });
  const [kept] = many.filter(({ id }) => slotOf(first, addressOf(id)) >= small.eips);
  if (kept === undefined) throw new Error('no slot is out of range');
  count(first, addressOf(kept.id), 5);
  const second = await start({ machine, records: [kept, eip(1)] });
  expect(slotOf(second, addressOf(kept.id))).toBeLessThan(small.eips);
  expect(metered(second, addressOf(kept.id))).toBe(5);
});

test('fewer than there are EIPs: refused, and the old maps stay until it is mended', async () => {
  const machine = new FakeMachine();
  const many = Array.from({ length: 20 }, (_, index) => eip(index + 1));
  const first = await start({ machine, capacity: large, records: many });
  count(first, A, 5);
  const refused = await start({ machine, records: many });
  expect(refused.refusal?.reasons[0]).toMatch(/room for 16 eips/);
  expect(directories(machine).toSorted()).toEqual([PINS, `${PINS}-before`]);
  count(first, A, 1);
  const mended = await start({ machine, capacity: large, records: many });
  expect(metered(mended, A)).toBe(6);
  expect(slotOf(mended, A)).toBe(slotOf(first, A));
  expect(directories(machine)).toEqual([PINS]);
});

test('buckets keep their debts, those of groups too, and links are known', async () => {
  const machine = new FakeMachine();
  const first = await start({ machine });
  const states = first.datapath.map('bucket_states');
  for (const { keys, count: found } of states.batches()) {
    for (let at = 0; at < found; at += 1) {
      states.update(keys.slice(at * 4, at * 4 + 4), new Uint8Array(states.valueSize).fill(at + 1));
    }
  }
  first.datapath.map('links').update(numberKey(99), new Uint8Array(4).fill(1));
  const second = await start({ machine, capacity: large });
  const debts = ({ datapath }: Started) => {
    const map = datapath.map('bucket_states');
    return [...map.batches()].flatMap(({ values, count: found }) =>
      Array.from({ length: found }, (_, at) => values[at * map.valueSize]).toSorted(),
    );
  };
  expect(debts(second)).toEqual([1, 2]);
  expect(second.datapath.map('links').lookup(numberKey(99))).toBeDefined();
});

test('a map of another layout starts afresh, and the log says so', async () => {
  const machine = new FakeMachine();
  const first = await start({ machine });
  count(first, B, 7);
  const meters = machine.kernel.pins.get(`${PINS}/meters`);
  if (meters === undefined) throw new Error('meters are not pinned');
  const other = { name: 'meters', type: 'array', keySize: 4, valueSize: 16 } as const;
  Object.defineProperties(meters, { valueSize: { value: other.valueSize } });
  const { log, events } = logged();
  const second = await start({ machine, capacity: large, log });
  expect(events).toContain('maps-afresh: meters: another layout, nothing is taken over');
  expect(metered(second, B)).toBe(0);
  expect(slotOf(second, B)).toBe(slotOf(first, B));
});

class Crash extends Error {}

test('a start that ends before any of its steps is taken up by the next', async () => {
  let ended = 0;
  for (let last = 0; ; last += 1) {
    const machine = new FakeMachine();
    const first = await start({ machine });
    count(first, B, 7);
    let steps = 0;
    const step = () => {
      if (steps === last) throw new Crash();
      steps += 1;
    };
    try {
      await start({ machine, capacity: large, step });
      break;
    } catch (error) {
      if (!(error instanceof Crash)) throw error;
    }
    ended += 1;
    for (const capacity of last % 2 === 0 ? [large] : [small, large]) {
      const next = await start({ machine, capacity });
      expect(metered(next, B), `after ${last} steps`).toBe(7);
      expect(slotOf(next, B)).toBe(slotOf(first, B));
      expect(next.datapath.map('eip_to_private').maxEntries).toBe(capacity.eips);
      expect(directories(machine)).toEqual([PINS]);
    }
  }
  expect(ended).toBeGreaterThan(8);
});
