import { expect, test } from 'vitest';
import { OBJECT_PATH } from '../../../natter/daemon.ts';
import { Datapath } from '../../../natter/datapath.ts';
import type { Operation } from '../../../natter/entries.ts';
import { Keeper } from '../../../natter/keeper.ts';
import { writeAddress } from '../../../shared/bpf/words.ts';
import { OperationalError } from '../../../shared/errors.ts';
import { silentLog } from '../../../shared/log.ts';
import { parseIpv4 } from '../../../shared/net/ipv4.ts';
import type { ObjectRecord } from '../../../shared/store/types.ts';
import { FakeMachine } from '../../support/natter-fake.ts';

const capacity = { eips: 16, forwards: 16, limits: 16 };
const eip = (id: string, value: string): ObjectRecord => ({ kind: 'eip', id, value });
const first = eip('198.51.100.1', '{"private":"10.0.0.1"}');
const second = eip('198.51.100.2', '{"private":"10.0.0.2"}');

async function* batch(...records: ObjectRecord[]): AsyncGenerator<ObjectRecord[]> {
  yield records;
}

async function keep(...records: ObjectRecord[]) {
  const datapath = new Datapath({ bpf: new FakeMachine().bpf, objectPath: OBJECT_PATH, capacity });
  const keeper = new Keeper({
    datapath,
    capacity,
    isLocal: () => false,
    log: silentLog,
    turn: () => Promise.resolve(),
    onApplied() {},
  });
  expect(await keeper.reset(batch(...records), 1)).toBeUndefined();
  return { datapath, keeper };
}

function eips(datapath: Datapath): number {
  let sum = 0;
  for (const { count } of datapath.map('eip_to_private').batches()) sum += count;
  return sum;
}

test('what the kernel refuses halfway is put back at once', async () => {
  const { datapath, keeper } = await keep(first);
  const apply = datapath.apply.bind(datapath);
  datapath.apply = (operations: readonly Operation[]) => {
    apply(operations.slice(0, -1));
    throw new OperationalError('EDGE_BPF_MAP', 'map eip_to_private: update: ENOMEM');
  };
  const refusal = keeper.change([second], 2);
  expect(refusal?.reasons).toEqual(['map eip_to_private: update: ENOMEM']);
  expect(keeper.version).toBe(1);
  expect(keeper.complete).toBe(true);
  const ways = datapath.map('private_to_eip');
  const key = new Uint8Array(4);
  writeAddress(parseIpv4('10.0.0.2') ?? 0, key);
  expect(ways.lookup(key)).toBeUndefined();
  datapath.apply = apply;
  expect(keeper.change([second], 2)).toBeUndefined();
  expect(eips(datapath)).toBe(2);
});

test('an audit puts right what somebody else wrote, and counts it', async () => {
  const { datapath, keeper } = await keep(first, second);
  const map = datapath.map('eip_to_private');
  const key = new Uint8Array(4);
  writeAddress(parseIpv4('198.51.100.1') ?? 0, key);
  const right = map.lookup(key);
  map.update(key, new Uint8Array(map.valueSize).fill(9));
  writeAddress(parseIpv4('198.51.100.2') ?? 0, key);
  map.delete(key);
  writeAddress(parseIpv4('198.51.100.3') ?? 0, key);
  map.update(key, new Uint8Array(map.valueSize));
  await keeper.audit();
  expect(keeper.audits).toEqual({ runs: 1, added: 1, changed: 1, removed: 1 });
  writeAddress(parseIpv4('198.51.100.1') ?? 0, key);
  expect(map.lookup(key)).toEqual(right);
  await keeper.audit();
  expect(keeper.audits).toEqual({ runs: 2, added: 1, changed: 1, removed: 1 });
});

test('a state with one bad object is refused with every reason', async () => {
  const { datapath, keeper } = await keep(first);
  const bad = [second, eip('198.51.100.3', '{}x'), eip('198.51.100.4', '{"private":"10.0.0.2"}')];
  const refusal = await keeper.reset(batch(...bad), 5);
  expect(refusal?.reasons).toHaveLength(2);
  expect(keeper.version).toBe(1);
  expect(eips(datapath)).toBe(1);
});

test('a state with more contradictions than a call has arguments is refused like any', async () => {
  const { keeper } = await keep(first);
  async function* many(): AsyncGenerator<ObjectRecord[]> {
    for (let high = 0; high < 1000; high += 1) {
      yield Array.from({ length: 200 }, (_, low) => {
        const address = `11.${high >> 8}.${high & 255}.${low + 1}`;
        return eip(address, '{"group":"gone"}');
      });
    }
  }
  const wide = { ...capacity, eips: 200_000 };
  const datapath = new Datapath({
    bpf: new FakeMachine().bpf,
    objectPath: OBJECT_PATH,
    capacity: wide,
  });
  const options = { isLocal: () => false, turn: () => Promise.resolve(), onApplied() {} };
  const large = new Keeper({ datapath, capacity: wide, log: silentLog, ...options });
  const refusal = await large.reset(many(), 1);
  expect(refusal?.reasons).toHaveLength(101);
  expect(refusal?.reasons[100]).toMatch(/^and \d+ more$/);
  expect(keeper.version).toBe(1);
});

test('what a newer writer says may be ignored is; what else is unknown is refused', async () => {
  const balancer = { kind: 'balancer', id: 'x', value: '{"v":2}' };
  const { datapath, keeper } = await keep(first, balancer);
  const newer = eip('198.51.100.2', '{"colour":"red","private":"10.0.0.2","v":2}');
  expect(keeper.change([newer, { ...balancer, value: '{"v":3}' }], 2)).toBeUndefined();
  expect(eips(datapath)).toBe(2);
  expect(keeper.change([{ ...balancer, value: null }], 3)).toBeUndefined();
  expect(keeper.change([{ ...balancer, value: '{}' }], 4)?.reasons[0]).toContain('kind "balancer"');
  expect(keeper.version).toBe(3);
});
