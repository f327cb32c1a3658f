// The kernel's side of the table: loads the programs over their pinned maps, writes operations,
// makes the maps equal to a table, reads meters and counters.

import { beforeOf, letGo, loadPinned } from '../shared/bpf/pins.ts';
import type { Bpf, BpfMap, BpfObject, BpfProgram } from '../shared/bpf/types.ts';
import { numberKey, readCount, writeAddress, writeNumber } from '../shared/bpf/words.ts';
import { type Clock, systemClock } from '../shared/clock.ts';
import { OperationalError } from '../shared/errors.ts';
import { type Log, silentLog } from '../shared/log.ts';
import type { Operation } from './entries.ts';
import type { NatterEvent } from './events.ts';
import { type Counter, createLayout, type Layout, type Meter } from './layout.ts';
import { MapsBefore } from './maps-before.ts';
import { PagedMap } from './paged-map.ts';
import { PAGE_ENTRIES } from './pages.ts';
import { type Repairs, reconcile } from './reconcile.ts';
import { recoverFrom } from './recover.ts';
import type { Capacity, Recovered, TableState } from './state.ts';
import { wantedMaps } from './wanted-maps.ts';

export type DatapathOptions = {
  bpf: Bpf;
  objectPath: string;
  /** Undefined: nothing is pinned, for tests. */
  pinDirectory?: string;
  capacity: Capacity;
  /** Either side's pages; by default one for 64 EIPs. 0: hashes only. */
  pages?: number;
  clock?: Pick<Clock, 'monotonicMs'>;
  /** Of what happens to pinned maps that have another shape. */
  log?: Log<NatterEvent>;
};

const EIPS_A_PAGE = 64;
const LEAST_PAGES = 64;

/** `private_to_eip` holds addresses that only forwards lead to, too. */
function mapSizes(options: DatapathOptions): Record<string, number> {
  const { eips, forwards, limits } = options.capacity;
  const pages = options.pages ?? Math.max(Math.ceil(eips / EIPS_A_PAGE), LEAST_PAGES);
  return {
    eip_to_private: eips,
    eip_pages: Math.max(1, pages),
    eip_entries: (pages + 1) * PAGE_ENTRIES,
    private_to_eip: eips + forwards,
    private_pages: Math.max(1, pages),
    private_entries: (pages + 1) * PAGE_ENTRIES,
    meters: eips,
    forwards_in: forwards,
    forwards_out: forwards,
    slot_limits: limits,
    bucket_configs: limits,
    bucket_states: limits,
  };
}

const PINNED = [
  'eip_to_private',
  'eip_pages',
  'eip_entries',
  'private_to_eip',
  'private_pages',
  'private_entries',
  'forwards_in',
  'forwards_out',
  'fragments',
  'slot_limits',
  'bucket_configs',
  'bucket_states',
  'meters',
  'counters',
  'links',
  'internal_prefixes',
  'neighbour_checks',
];

export class Datapath {
  readonly layout: Layout;
  readonly #object: BpfObject;
  readonly #zeroMeter: Uint8Array;
  readonly #paged: readonly PagedMap[];
  readonly #options: DatapathOptions;
  #before: MapsBefore | undefined;

  constructor(options: DatapathOptions) {
    this.#options = options;
    const { bpf, objectPath, pinDirectory, clock = systemClock, log = silentLog } = options;
    const load = { objectPath, maxEntries: mapSizes(options) };
    const pins = { pinned: PINNED, exclusive: true };
    this.#object =
      pinDirectory === undefined
        ? bpf.load(load)
        : loadPinned(bpf, { ...load, ...pins, pinDirectory }, (what) => {
            log.info('maps-replaced', what, {});
          });
    this.layout = createLayout(this.#object.types);
    this.#zeroMeter = new Uint8Array(this.layout.meter.size);
    const paged = (hash: string, pages: string, entries: string) => {
      const maps = { pages: this.#plainMap(pages), entries: this.#plainMap(entries) };
      return new PagedMap({ hash: this.#plainMap(hash), ...maps, clock });
    };
    this.#paged = [
      paged('eip_to_private', 'eip_pages', 'eip_entries'),
      paged('private_to_eip', 'private_pages', 'private_entries'),
    ];
    if (pinDirectory === undefined) return;
    const directory = beforeOf(pinDirectory);
    const fresh = (name: string) => this.#plainMap(name);
    this.#before = MapsBefore.open({ bpf, directory, fresh, layout: this.layout, log, clock });
  }

  /** The mappings are one map here: their pages are behind the hash's name. */
  map(name: string): BpfMap {
    return this.#paged.find((map) => map.name === name) ?? this.#plainMap(name);
  }

  program(name: string): BpfProgram {
    const program = this.#object.programs.get(name);
    if (program === undefined) throw new Error(`natter's object has no program ${name}`);
    return program;
  }

  /** Slots and buckets as an earlier run left them in the pinned maps. */
  recover(): Recovered {
    const own = recoverFrom((name) => this.map(name), this.layout);
    return this.#before?.recovered(own) ?? own;
  }

  /**
   * Runs `attach`, which replaces the programs. The first time over maps that were made in place of
   * others, what those hold goes over, and they are let go: the state must be in the kernel.
   */
  attachOver(state: TableState, attach: () => void): void {
    this.#before?.takeOver(state);
    try {
      attach();
    } finally {
      this.#before?.finish(state);
    }
    this.#leaveBefore();
  }

  /**
   * In their order; if a map is full, what goes makes room first. Throws what the kernel refuses.
   */
  apply(operations: readonly Operation[]): void {
    try {
      for (const operation of operations) this.#write(operation);
    } catch (error) {
      if (!(error instanceof OperationalError) || error.code !== 'EDGE_BPF_MAP_FULL') throw error;
      const deletes = operations.filter(({ value }) => value === undefined);
      if (deletes.length === 0) throw error;
      for (const operation of deletes) this.#write(operation);
      for (const operation of operations) this.#write(operation);
    }
  }

  /** Slice by slice; see reconcile.ts. */
  *reconcile(state: TableState): Generator<undefined, Repairs> {
    yield* this.settle();
    const zeroMeter = (slot: number) => this.zeroMeter(slot);
    return yield* reconcile(wantedMaps((name) => this.map(name), this.layout, state, zeroMeter));
  }

  /** Brings mappings to where they are found soonest, in slices. */
  *settle(): Generator<undefined> {
    for (const map of this.#paged) yield* map.settle();
  }

  zeroMeter(slot: number): void {
    const map = this.map('meters');
    const view = map.view();
    const bytes = this.layout.meter.size;
    if (view !== undefined) view.fill(0, slot * bytes, (slot + 1) * bytes);
    else map.update(numberKey(slot), this.#zeroMeter);
  }

  meter(slot: number): Meter {
    const map = this.map('meters');
    const { meter } = this.layout;
    const view = map.view();
    if (view !== undefined) return meter.decode(view, slot * meter.size);
    const value = map.lookup(numberKey(slot));
    return meter.decode(value ?? this.#zeroMeter);
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
        sum.packets += readCount(cells, at);
        sum.bytes += readCount(cells, at + 8);
      }
      sums.set(reason, sum);
    }
    return sums;
  }

  close(): void {
    this.#before?.close();
    this.#object.close();
  }

  #plainMap(name: string): BpfMap {
    const map = this.#object.maps.get(name);
    if (map === undefined) throw new Error(`natter's object has no map ${name}`);
    return map;
  }

  #leaveBefore(): void {
    const { bpf, pinDirectory, log = silentLog } = this.#options;
    if (this.#before === undefined || pinDirectory === undefined) return;
    letGo(bpf, pinDirectory);
    this.#before.close();
    this.#before = undefined;
    log.info('maps-let-go', 'the programs run over the new maps; the old ones are gone', {});
  }

  #write(operation: Operation): void {
    const { layout } = this;
    const map = this.map(operation.map);
    if (operation.map === 'meters') {
      this.zeroMeter(operation.key);
      return;
    }
    const key = this.#keyOf(operation, map);
    if (operation.value === undefined) {
      map.delete(key);
      return;
    }
    const value = new Uint8Array(map.valueSize);
    if (operation.map === 'slot_limits') layout.encodeSlotLimits(operation.value, value, 0);
    if (operation.map === 'bucket_configs') layout.encodeBucketConfig(operation.value, value, 0);
    if (isForward(operation)) layout.encodeForward(operation.value, value, 0);
    if (isMapping(operation)) layout.encodeMapping(operation.value, value, 0);
    map.update(key, value);
  }

  #keyOf({ map: name, key }: Operation, map: BpfMap): Uint8Array {
    const bytes = new Uint8Array(map.keySize);
    if (typeof key !== 'number') this.layout.encodeForwardKey(key, bytes, 0);
    else if (name === 'eip_to_private' || name === 'private_to_eip') writeAddress(key, bytes);
    else writeNumber(key, bytes);
    return bytes;
  }
}

type Written<Name extends Operation['map']> = Extract<Operation, { map: Name }> & {
  value: NonNullable<unknown>;
};

function isForward(operation: Operation): operation is Written<'forwards_in' | 'forwards_out'> {
  return operation.map === 'forwards_in' || operation.map === 'forwards_out';
}

function isMapping(
  operation: Operation,
): operation is Written<'eip_to_private' | 'private_to_eip'> {
  return operation.map === 'eip_to_private' || operation.map === 'private_to_eip';
}
