// What the kernel holds after a plan, over changes, restarts and foreign hands.
import fc from 'fast-check';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import type { L4Capacity } from '../../../../lb/l4/capacity.ts';
import { Datapath } from '../../../../lb/l4/datapath.ts';
import { REVERSE_FLAGS, SERVER_FLAGS, TARGET_GONE } from '../../../../lb/l4/entries.ts';
import { OBJECT_PATH } from '../../../../lb/l4/l4.ts';
import { MAGLEV_SLOTS } from '../../../../lb/l4/maglev.ts';
import { type PlanInput, Planner } from '../../../../lb/l4/plan.ts';
import { createFakeBpf, createFakeKernel, type FakeKernel } from '../../../../shared/bpf/fake.ts';
import type { FakeMap } from '../../../../shared/bpf/fake-map.ts';
import { numberKey, readNumber } from '../../../../shared/bpf/words.ts';
import { formatIpv4, ipv4, parseIpv4 } from '../../../../shared/net/ipv4.ts';
import { isRefusal } from '../../../../shared/site/refusal.ts';
import { input, pool, server, VIP } from '../../../support/lb/l4-objects.ts';

const CAPACITY: L4Capacity = { servers: 8, pools: 4, targets: 32, connections: 64 };
const PINS = '/pins';

let kernel: FakeKernel;
let replaced: string[];

/** One run of the daemon. */
class Run {
  readonly datapath: Datapath;
  readonly #planner: Planner;

  constructor(capacity = CAPACITY) {
    const bpf = createFakeBpf({ kernel });
    const onReplaced = (what: string) => replaced.push(what);
    const options = { bpf, objectPath: OBJECT_PATH, pinDirectory: PINS, capacity, onReplaced };
    this.datapath = new Datapath(options);
    this.#planner = new Planner(capacity, this.datapath.recover());
  }

  want(wanted: PlanInput): void {
    const plan = this.#planner.plan(wanted);
    if (isRefusal(plan)) throw new Error(plan.reasons.join('\n'));
    for (const _ of this.datapath.apply(plan));
  }

  audit(): unknown {
    const steps = this.datapath.audit();
    for (let step = steps.next(); ; step = steps.next()) if (step.done) return step.value;
  }

  /** `VIP:port/protocol` → slot, pool slot, flags. */
  servers(): Record<string, number[]> {
    const { portKey, server: codec } = this.datapath.layout;
    return this.#entries('servers', (key, value) => {
      const { slot, pool_slot: poolSlot, flags } = codec.decode(value);
      return [place(portKey.decode(key)), [slot, poolSlot, flags]];
    });
  }

  /** Slot → address, flags, generation. */
  targets(): Record<string, unknown[]> {
    const { target } = this.datapath.layout;
    return this.#entries('targets', (key, value) => {
      const { address, flags, generation } = target.decode(value);
      if (address === 0) return undefined;
      return [`${readNumber(key)}`, [formatIpv4(ipv4(address)), flags, generation]];
    });
  }

  /** Targets that have the way back, by `target:port/protocol`. */
  reverse(): string[] {
    const { portKey } = this.datapath.layout;
    const found = this.#entries('reverse', (key) => [place(portKey.decode(key)), []]);
    return Object.keys(found).sort();
  }

  /** How many slots each target slot has in a pool's table; undefined: no table. */
  table(poolSlot: number): Record<number, number> | undefined {
    const inner = (this.datapath.map('tables') as FakeMap).innerAt(poolSlot);
    if (inner === undefined) return undefined;
    const counts: Record<number, number> = {};
    for (let at = 0; at < MAGLEV_SLOTS; at += 1) {
      const slot = readNumber(inner.lookup(numberKey(at)) ?? new Uint8Array(4));
      counts[slot] = (counts[slot] ?? 0) + 1;
    }
    return counts;
  }

  #entries<T>(name: string, read: (key: Uint8Array, value: Uint8Array) => [string, T] | undefined) {
    const map = this.datapath.map(name);
    const found: Record<string, T> = {};
    for (const { keys, values, count } of map.batches()) {
      for (let at = 0; at < count; at += 1) {
        const [key, value] = [keys.subarray(at * map.keySize), values.subarray(at * map.valueSize)];
        const entry = read(key, value);
        if (entry !== undefined) found[entry[0]] = entry[1];
      }
    }
    return found;
  }
}

const place = ({ address, port, protocol }: { address: number; port: number; protocol: number }) =>
  `${formatIpv4(ipv4(address))}:${port}/${protocol}`;

beforeEach(() => {
  kernel = createFakeKernel();
  replaced = [];
});

const WEB = pool('web', ['10.0.0.1', '10.0.0.2*3']);
const { only } = SERVER_FLAGS;

test('a first plan is in the maps, tables and all', () => {
  const run = new Run();
  run.want(input([server()], [WEB]));
  expect(run.servers()).toEqual({ [`${VIP}:80/6`]: [1, 1, 0], [`${VIP}:0/6`]: [1, 1, only] });
  expect(run.targets()).toEqual({ 1: ['10.0.0.1', 0, 1], 2: ['10.0.0.2', 0, 1] });
  expect(run.reverse()).toEqual(['10.0.0.1:0/6', '10.0.0.1:80/6', '10.0.0.2:0/6', '10.0.0.2:80/6']);
  const { 1: first = 0, 2: second = 0 } = run.table(1) ?? {};
  expect([first + second, Math.round(second / first)]).toEqual([MAGLEV_SLOTS, 3]);
});

test('whatever leads to another is written after it, and goes before it', () => {
  const run = new Run();
  const seen: string[] = [];
  for (const name of ['servers', 'tables', 'targets', 'reverse']) {
    const map = run.datapath.map(name);
    const watch = (verb: 'updateBatch' | 'deleteBatch' | 'delete') => {
      const real = map[verb].bind(map) as (...args: unknown[]) => unknown;
      vi.spyOn(map, verb).mockImplementation((...args: unknown[]) => {
        const count = args.at(-1);
        if (count !== 0) seen.push(`${verb === 'updateBatch' ? '+' : '-'}${name}`);
        return real(...args) as never;
      });
    };
    watch('updateBatch');
    watch(name === 'tables' ? 'delete' : 'deleteBatch');
  }
  run.want(input([server()], [WEB]));
  expect(seen.splice(0)).toEqual(['+targets', '+reverse', '+tables', '+servers']);
  run.want(input([server()], [WEB]));
  expect(seen.splice(0)).toEqual([]);
  run.want(input([server()], [WEB], { '10.0.0.1': 'drain' }));
  expect(seen.splice(0)).toEqual(['+tables']);
  run.want(input([], []));
  expect(seen).toEqual(['+targets', '-servers', '-reverse', '-tables']);
});

describe('a target', () => {
  test('that is down is gone and out of the table; up again it is as before', () => {
    const run = new Run();
    run.want(input([server()], [WEB]));
    const before = run.table(1);
    run.want(input([server()], [WEB], { '10.0.0.2': 'down' }));
    expect(run.targets()[2]).toEqual(['10.0.0.2', TARGET_GONE, 1]);
    expect(run.table(1)).toEqual({ 1: MAGLEV_SLOTS });
    run.want(input([server()], [WEB]));
    expect(run.targets()[2]).toEqual(['10.0.0.2', 0, 1]);
    expect(run.table(1)).toEqual(before);
  });

  test('that is removed is gone; its way back, too', () => {
    const run = new Run();
    run.want(input([server()], [WEB]));
    run.want(input([server()], [pool('web', ['10.0.0.1'])]));
    expect(run.targets()[2]).toEqual(['10.0.0.2', TARGET_GONE, 1]);
    expect(run.reverse()).toEqual(['10.0.0.1:0/6', '10.0.0.1:80/6']);
  });

  test('that is removed goes on answering where flows are left to it, after a restart too', () => {
    const leave = server({ lost: 'leave' });
    const run = new Run();
    run.want(input([leave], [WEB]));
    const before = run.reverse();
    run.want(input([leave], [pool('web', ['10.0.0.1'])]));
    expect(run.reverse()).toEqual(before);
    const next = new Run();
    next.want(input([leave], [pool('web', ['10.0.0.1'])]));
    expect(next.reverse()).toEqual(before);
    next.want(input([server()], [pool('web', ['10.0.0.1'])]));
    expect(next.reverse()).toEqual(['10.0.0.1:0/6', '10.0.0.1:80/6']);
  });
});

test('nobody serves: there is no table, and no known flow is let go', () => {
  const closed = pool('web', ['10.0.0.1'], { failOpenPercent: 0 });
  const run = new Run();
  run.want(input([server()], [closed]));
  run.want(input([server()], [closed], { '10.0.0.1': 'drain' }));
  expect(run.table(1)).toBeUndefined();
  expect(run.targets()[1]).toEqual(['10.0.0.1', 0, 1]);
});

describe('a restart', () => {
  const api = pool('api', ['10.0.0.1:9', '10.0.0.7']);
  const range = server({ port: 8000, lastPort: 8099, pool: 'api', protocol: 'udp' });
  const servers = [server(), range];

  test('finds all as it was, and writes tables only', () => {
    const run = new Run();
    run.want(input(servers, [WEB, api]));
    run.want(input(servers.toReversed(), [pool('web', ['10.0.0.2*3']), api]));
    const before = [run.servers(), run.targets(), run.reverse(), run.table(1), run.table(2)];
    const next = new Run();
    next.want(input(servers, [pool('web', ['10.0.0.2*3']), api]));
    expect([next.servers(), next.targets(), next.reverse(), next.table(1), next.table(2)]).toEqual(
      before,
    );
  });

  test('gives nobody’s slots to others last, with another generation', () => {
    const small = { ...CAPACITY, targets: 1 };
    const run = new Run(small);
    run.want(input([server()], [pool('web', ['10.0.0.1'])]));
    const next = new Run(small);
    next.want(input([server()], [pool('web', ['10.0.0.2'])]));
    next.want(input([server()], [pool('web', ['10.0.0.3'])]));
    expect(next.targets()).toEqual({
      1: ['10.0.0.3', 0, 2],
      2: ['10.0.0.2', TARGET_GONE, 1],
    });
  });

  test('over maps of another size begins anew, and lets the old ones go', () => {
    new Run().want(input(servers, [WEB, api]));
    const next = new Run({ ...CAPACITY, connections: 128 });
    expect(replaced).toHaveLength(1);
    next.want(input(servers, [WEB, api]));
    const old = () => [...kernel.pins.keys()].filter((path) => !path.startsWith(`${PINS}/`));
    expect(old()).not.toEqual([]);
    next.datapath.attachOver(() => {});
    expect(old()).toEqual([]);
  });
});

test('meters begin at 0 for who is new, and are added up over CPUs', () => {
  const run = new Run();
  const { meter } = run.datapath.layout;
  const map = run.datapath.map('server_meters');
  const value = new Uint8Array(map.valueSize * map.cells);
  const one = { in_packets: 1, in_bytes: 2 ** 33, out_packets: 3, out_bytes: 4, connections: 5 };
  for (let cell = 0; cell < map.cells; cell += 1) meter.encode(one, value, cell * map.valueSize);
  map.update(numberKey(1), value);
  expect(run.datapath.serverMeter(1)).toEqual({
    in_packets: map.cells,
    in_bytes: map.cells * 2 ** 33,
    out_packets: 3 * map.cells,
    out_bytes: 4 * map.cells,
    connections: 5 * map.cells,
  });
  run.want(input([server()], [WEB]));
  expect(run.datapath.serverMeter(1).in_packets).toBe(0);
});

test('an audit puts right what others wrote', () => {
  const run = new Run();
  run.want(input([server()], [WEB]));
  const state = () => [run.servers(), run.targets(), run.reverse(), run.table(1)];
  const before = state();
  expect(run.audit()).toEqual({ added: 0, changed: 0, removed: 0 });
  const { datapath } = run;
  const { portKey } = datapath.layout;
  const key = portKey.encode({ address: parseIpv4(VIP) ?? 0, port: 80, protocol: 6 });
  datapath.map('servers').delete(key);
  datapath
    .map('reverse')
    .update(portKey.encode({ address: 1, port: 2, protocol: 3 }), new Uint8Array(16));
  datapath.map('targets').update(numberKey(1), new Uint8Array(12));
  datapath.map('targets').update(numberKey(9), new Uint8Array(12).fill(1));
  datapath.map('tables').delete(numberKey(1));
  expect(run.audit()).toEqual({ added: 2, changed: 1, removed: 2 });
  expect(state()).toEqual(before);
});

describe('over any changes and restarts', () => {
  const anyTargets = fc.subarray(['10.0.0.1', '10.0.0.2:8080', '10.0.0.3', '10.0.0.4*0']);
  const anyStep = fc.record({
    web: anyTargets,
    lost: fc.constantFrom('reset' as const, 'leave' as const),
    ranged: fc.boolean(),
    down: fc.subarray(['10.0.0.1', '10.0.0.2:8080', '10.0.0.3']),
    restart: fc.boolean(),
  });

  test('the maps hold what the plan says, and of targets that left no more than is told', () => {
    fc.assert(
      fc.property(fc.array(anyStep, { minLength: 2, maxLength: 5 }), (steps) => {
        kernel = createFakeKernel();
        let run = new Run();
        for (const { web, lost, ranged, down, restart } of steps) {
          if (restart) run = new Run();
          const servers = [server({ lost, lastPort: ranged ? 83 : 80 })];
          const health = Object.fromEntries(down.map((id) => [id, 'down' as const]));
          run.want(input(servers, [pool('web', web)], health));
          expect(Object.keys(run.servers()).sort()).toEqual(
            ranged ? [`${VIP}:0/6`] : [`${VIP}:0/6`, `${VIP}:80/6`],
          );
          const gone = Object.values(run.targets()).filter(([, flags]) => flags === TARGET_GONE);
          const inTable = Object.keys(run.table(1) ?? {}).length;
          expect(Object.values(run.targets()).length - gone.length).toBeGreaterThanOrEqual(inTable);
          const addresses = web.map((text) => text.split(/[:*]/)[0] ?? '');
          const answering = new Set(run.reverse().map((at) => at.split(':')[0] ?? ''));
          expect([...answering]).toEqual(expect.arrayContaining(addresses));
          if (lost === 'reset') expect(answering).toEqual(new Set(addresses));
          expect(run.audit()).toEqual({ added: 0, changed: 0, removed: 0 });
        }
      }),
      { numRuns: 6 },
    );
  });
});

test('flags are those of the header', async () => {
  const { readFile } = await import('node:fs/promises');
  const header = await readFile(new URL('../../../../lb/l4/bpf/lb.h', import.meta.url), 'utf8');
  const define = (name: string) =>
    1 << Number(new RegExp(`#define ${name} \\(1u << (\\d+)\\)`).exec(header)?.[1]);
  expect(SERVER_FLAGS).toEqual({
    dsr: define('SERVER_DSR'),
    hashSource: define('SERVER_HASH_SOURCE'),
    leave: define('SERVER_LEAVE'),
    hasRanges: define('SERVER_HAS_RANGES'),
    only: define('SERVER_ONLY'),
  });
  expect(REVERSE_FLAGS).toEqual({
    hasRanges: define('REVERSE_HAS_RANGES'),
    only: define('REVERSE_ONLY'),
  });
  expect(TARGET_GONE).toBe(define('TARGET_GONE'));
});
