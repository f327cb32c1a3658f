// The kernel's side of L4: loads the programs over their pinned maps, takes up what an earlier run
// left there, writes what differs from a plan, reads meters and counters.

import { letGo, loadPinned } from '../../shared/bpf/pins.ts';
import type { Bpf, BpfMap, BpfObject, BpfProgram } from '../../shared/bpf/types.ts';
import { numberKey } from '../../shared/bpf/words.ts';
import { OperationalError } from '../../shared/errors.ts';
import { type L4Capacity, mapSizes } from './capacity.ts';
import { type PortEntries, TARGET_GONE, type TargetValue } from './entries.ts';
import { type Counter, createLayout, type Layout, type Meter } from './layout.ts';
import { byKey, type EntriesByKey, type Entry, Mirror, type Repairs } from './mirror.ts';
import type { L4Plan, Recovered } from './plan.ts';
import { recover } from './recover.ts';
import { Tables } from './tables.ts';

export type DatapathOptions = {
  bpf: Bpf;
  objectPath: string;
  /** Undefined: nothing is pinned, for tests. */
  pinDirectory?: string;
  capacity: L4Capacity;
  /** Pinned maps had another shape: new ones, without known flows, take their place. */
  onReplaced?: (what: string) => void;
};

const PINNED = [
  'servers',
  'server_ranges',
  'tables',
  'targets',
  'reverse',
  'reverse_ranges',
  'connections',
  'fragments',
  'server_meters',
  'target_meters',
  'counters',
  'links',
  'neighbour_checks',
];

/** The four maps that hold entries by port. */
type Mirrors = Record<'servers' | 'server_ranges' | 'reverse' | 'reverse_ranges', Mirror>;
const RANGES_OF = { servers: 'server_ranges', reverse: 'reverse_ranges' } as const;
type Wanted = Record<keyof Mirrors, EntriesByKey>;

export class Datapath {
  readonly layout: Layout;
  readonly #options: DatapathOptions;
  readonly #object: BpfObject;
  readonly #mirrors: Mirrors;
  readonly #targets: Mirror;
  readonly #tables: Tables;
  #plan: L4Plan | undefined;
  #attached = false;
  #encoded: (Pick<L4Plan['entries'], 'servers' | 'reverse'> & { wanted: Wanted }) | undefined;

  constructor(options: DatapathOptions) {
    this.#options = options;
    const { bpf, objectPath, pinDirectory, capacity } = options;
    const load = { objectPath, maxEntries: mapSizes(capacity) };
    this.#object =
      pinDirectory === undefined
        ? bpf.load(load)
        : loadPinned(bpf, { ...load, pinned: PINNED, exclusive: true, pinDirectory }, (what) => {
            options.onReplaced?.(what);
          });
    this.layout = createLayout(this.#object.types);
    const mirror = (name: string) => new Mirror(this.map(name));
    this.#mirrors = {
      servers: mirror('servers'),
      server_ranges: mirror('server_ranges'),
      reverse: mirror('reverse'),
      reverse_ranges: mirror('reverse_ranges'),
    };
    this.#targets = mirror('targets');
    this.#tables = new Tables(this.#object, this.map('tables'));
  }

  map(name: string): BpfMap {
    const map = this.#object.maps.get(name);
    if (map === undefined) throw new Error(`lb's object has no map ${name}`);
    return map;
  }

  program(name: string): BpfProgram {
    const program = this.#object.programs.get(name);
    if (program === undefined) throw new Error(`lb's object has no program ${name}`);
    return program;
  }

  /** Slots and generations as an earlier run left them. */
  recover(): Recovered {
    const { servers, server_ranges: ranges } = this.#mirrors;
    const { layout } = this;
    return recover({
      servers: servers.known,
      ranges: ranges.known,
      targets: this.#targets.known,
      layout,
    });
  }

  /**
   * Makes the kernel equal to the plan, in slices: whatever a packet meets on its way is there
   * before what leads to it, and goes after it. Throws what the kernel refuses; to be tried again.
   */
  *apply(plan: L4Plan): Generator<undefined> {
    for (const slot of plan.fresh.servers) this.#zeroMeter('server_meters', slot);
    for (const slot of plan.fresh.targets) this.#zeroMeter('target_meters', slot);
    const wanted = this.#encode(plan);
    this.#targets.put(this.#targetEntries(plan));
    yield;
    this.#putPorts(plan, wanted, 'reverse');
    yield* this.#tables.put(plan.pools);
    this.#putPorts(plan, wanted, 'servers');
    yield;
    this.#removeStray(plan, wanted);
    this.#tables.removeStray(plan.pools);
    this.#plan = plan;
  }

  /** Runs `attach`, which replaces the programs; the first time what those before ran over goes. */
  attachOver(attach: () => void): void {
    attach();
    const { bpf, pinDirectory } = this.#options;
    if (this.#attached || pinDirectory === undefined) return;
    letGo(bpf, pinDirectory);
    this.#attached = true;
  }

  /** Puts right what others wrote into the maps since the last plan. */
  *audit(): Generator<undefined, Repairs> {
    const sum: Repairs = { added: 0, changed: 0, removed: 0 };
    if (this.#plan === undefined) return sum;
    for (const mirror of [this.#targets, ...Object.values(this.#mirrors)]) {
      const { added, changed, removed } = mirror.repair();
      sum.added += added;
      sum.changed += changed;
      sum.removed += removed;
      yield;
    }
    sum.changed += this.#tables.forgetForeign();
    yield* this.#tables.put(this.#plan.pools);
    this.#tables.removeStray(this.#plan.pools);
    return sum;
  }

  serverMeter(slot: number): Meter {
    return this.#meter('server_meters', slot);
  }

  targetMeter(slot: number): Meter {
    return this.#meter('target_meters', slot);
  }

  /** By reason, summed over the CPUs. */
  counters(): Map<string, Counter> {
    const map = this.map('counters');
    const sums = new Map<string, Counter>();
    for (const [reason, number] of Object.entries(this.layout.reasons)) {
      if (reason === 'REASON_COUNT') continue;
      const cells = map.lookup(numberKey(number)) ?? new Uint8Array(0);
      const sum = { packets: 0, bytes: 0 };
      for (let at = 0; at + map.valueSize <= cells.length; at += map.valueSize) {
        const { packets, bytes } = this.layout.counter.decode(cells, at);
        sum.packets += packets;
        sum.bytes += bytes;
      }
      sums.set(reason, sum);
    }
    return sums;
  }

  close(): void {
    this.#object.close();
  }

  /** Where only health is another, the same maps again. */
  #encode({ entries }: L4Plan): Wanted {
    const known = this.#encoded;
    if (known?.servers === entries.servers && known.reverse === entries.reverse)
      return known.wanted;
    const { layout } = this;
    const bytes = <Value extends object>(
      { ports, ranges }: PortEntries<Value>,
      encode: (value: Value) => Uint8Array,
    ) => ({
      ports: byKey(
        ports.map(({ key, value }) => ({ key: layout.portKey.encode(key), value: encode(value) })),
      ),
      ranges: byKey(
        ranges.map(({ key, value }) => ({
          key: layout.rangeKey.encode(key),
          value: encode(value),
        })),
      ),
    });
    const servers = bytes(entries.servers, (value) => layout.server.encode(value));
    const reverse = bytes(entries.reverse, (value) => layout.reverse.encode(value));
    const wanted = {
      servers: servers.ports,
      server_ranges: servers.ranges,
      reverse: reverse.ports,
      reverse_ranges: reverse.ranges,
    };
    this.#encoded = { servers: entries.servers, reverse: entries.reverse, wanted };
    return wanted;
  }

  /** Those of the plan, and those that were there before, which are gone now. */
  #targetEntries({ entries }: L4Plan): EntriesByKey {
    const { target } = this.layout;
    const wanted = byKey(
      entries.targets.map(({ slot, value }) => {
        return { key: numberKey(slot), value: target.encode(value) };
      }),
    );
    for (const [name, { key, value }] of this.#targets.known) {
      if (wanted.has(name)) continue;
      const before: TargetValue = target.decode(value);
      if (before.address === 0 || (before.flags & TARGET_GONE) !== 0) continue;
      const flags = before.flags | TARGET_GONE;
      wanted.set(name, { key, value: target.encode({ ...before, flags }) });
    }
    return wanted;
  }

  /** Ranges before the entries that say there are some. If a map is full, what goes makes room. */
  #putPorts(plan: L4Plan, wanted: Wanted, name: 'servers' | 'reverse'): void {
    const ranges = RANGES_OF[name];
    const put = () => {
      this.#mirrors[ranges].put(wanted[ranges]);
      this.#mirrors[name].put(wanted[name]);
    };
    try {
      put();
    } catch (error) {
      if (!(error instanceof OperationalError) || error.code !== 'EDGE_BPF_MAP_FULL') throw error;
      this.#removeStray(plan, wanted);
      put();
    }
  }

  #removeStray(plan: L4Plan, wanted: Wanted): void {
    const {
      servers,
      server_ranges: ranges,
      reverse,
      reverse_ranges: reverseRanges,
    } = this.#mirrors;
    servers.removeStray(wanted.servers);
    ranges.removeStray(wanted.server_ranges);
    const isKept = this.#isStillAnswering(plan);
    reverse.removeStray(wanted.reverse, isKept);
    reverseRanges.removeStray(wanted.reverse_ranges, isKept);
  }

  /** Flows may stay with a target that was removed, where the server says so: its replies, too. */
  #isStillAnswering({ servers, pools }: L4Plan): (entry: Entry) => boolean {
    const leaving = new Set(
      servers.filter(({ server }) => server.lost === 'leave').map(({ slot }) => slot),
    );
    const taken = new Set(pools.flatMap(({ targets }) => targets.map(({ slot }) => slot)));
    return ({ value }) => {
      const { server_slot: server, target_slot: target } = this.layout.reverse.decode(value);
      return leaving.has(server) && !taken.has(target);
    };
  }

  #zeroMeter(name: string, slot: number): void {
    const map = this.map(name);
    map.update(numberKey(slot), new Uint8Array(map.valueSize * map.cells));
  }

  #meter(name: string, slot: number): Meter {
    const map = this.map(name);
    const cells = map.lookup(numberKey(slot)) ?? new Uint8Array(0);
    const sum = { in_packets: 0, in_bytes: 0, out_packets: 0, out_bytes: 0, connections: 0 };
    for (let at = 0; at + map.valueSize <= cells.length; at += map.valueSize) {
      const cell = this.layout.meter.decode(cells, at);
      for (const field of METER_FIELDS) sum[field] += cell[field];
    }
    return sum;
  }
}

const METER_FIELDS = ['in_packets', 'in_bytes', 'out_packets', 'out_bytes', 'connections'] as const;
