// Maps that were set aside (pins.ts) and what goes over from them to those in their place: slots
// and buckets at the load, meters and what the programs remember when they are replaced.

import { join } from 'node:path';
import type { Bpf, BpfMap, PinnedMap } from '../shared/bpf/types.ts';
import { numberKey } from '../shared/bpf/words.ts';
import type { Clock } from '../shared/clock.ts';
import type { Log } from '../shared/log.ts';
import { AddressMap } from './addresses.ts';
import type { NatterEvent } from './events.ts';
import type { Layout } from './layout.ts';
import { PagedMap } from './paged-map.ts';
import { type Recovery, recoverFrom } from './recover.ts';
import type { Recovered, TableState } from './state.ts';
import { wantedSlotLimits } from './wanted.ts';

/** In this order they are told of. What is not here starts afresh: counters, and what is wanted. */
const CARRIED = [
  'eip_to_private',
  'slot_limits',
  'bucket_states',
  'meters',
  'fragments',
  'links',
] as const;
/** Where mappings lie, too; versions before pages have none. */
const PAGES = ['eip_pages', 'eip_entries'] as const;
type Carried = (typeof CARRIED)[number];

export type MapsBeforeOptions = {
  bpf: Bpf;
  directory: string;
  /** The map of this run. */
  fresh: (name: string) => BpfMap;
  layout: Layout;
  log: Log<NatterEvent>;
  clock: Pick<Clock, 'monotonicMs'>;
};

export class MapsBefore {
  readonly #fresh: (name: string) => BpfMap;
  readonly #opened: readonly PinnedMap[];
  readonly #usable: Map<string, BpfMap>;
  readonly #slots = new AddressMap();
  readonly #recovery: Pick<Recovery, 'buckets' | 'limited'>;
  /** What of the meters has gone over. */
  #readings: BigUint64Array | undefined;

  /** Undefined: nothing is set aside there. */
  static open(options: MapsBeforeOptions): MapsBefore | undefined {
    const { bpf, directory } = options;
    const names = [...CARRIED, ...PAGES];
    const opened = names.flatMap((name) => bpf.openPinned(join(directory, name)) ?? []);
    return opened.length === 0 ? undefined : new MapsBefore(options, opened);
  }

  private constructor(options: MapsBeforeOptions, opened: readonly PinnedMap[]) {
    const { fresh, layout, log, clock } = options;
    this.#fresh = fresh;
    this.#opened = opened;
    const usable = opened.filter((map) => isAlike(map, fresh(map.name)));
    this.#usable = new Map(usable.map((map) => [map.name, map]));
    const eips = mappingsOf(opened, this.#usable, clock);
    if (eips === undefined) this.#usable.delete('eip_to_private');
    else this.#usable.set('eip_to_private', eips);
    const afresh = CARRIED.filter((name) => !this.#usable.has(name));
    if (afresh.length > 0) {
      const message = `${afresh.join(', ')}: another layout, nothing is taken over`;
      log.warn('maps-afresh', message, { maps: afresh });
    }
    const { slots, buckets, limited } = recoverFrom((name) => this.#usable.get(name), layout);
    for (const [eip, slot] of slots) if (eip !== 0) this.#slots.set(eip, slot);
    this.#recovery = { buckets, limited };
  }

  /** After what the maps of this run have already: there each number has its owner. */
  recovered(own: Recovery): Recovered {
    const before = this.#slots;
    const known = new AddressMap();
    for (const [eip, slot] of own.slots) if (eip !== 0) known.set(eip, slot);
    function* slots(): Generator<[eip: number, slot: number]> {
      yield* known.entries();
      for (const [eip, slot] of before.entries()) if (!known.has(eip)) yield [eip, slot];
    }
    return { slots: slots(), buckets: [...own.buckets, ...this.#recovery.buckets] };
  }

  /** Right before the programs are replaced. */
  takeOver(state: TableState): void {
    this.#takeLinks();
    this.#takeFragments();
    this.#takeBuckets(state);
    if (this.#readings === undefined) this.#takeMeters(state);
  }

  /** Right after they were: what their predecessors counted meanwhile. */
  finish(state: TableState): void {
    const [maps, readings] = [this.#pair('meters'), this.#readings];
    const old = maps && words(maps.old);
    const fresh = maps && words(maps.fresh);
    if (old === undefined || fresh === undefined || readings === undefined) return;
    this.#eachMeter(state, old.length, fresh.length, (from, to) => {
      const now = old[from] ?? 0n;
      const grown = now - (readings[from] ?? 0n);
      readings[from] = now;
      if (grown > 0n) Atomics.add(fresh, to, grown);
    });
  }

  close(): void {
    for (const map of this.#opened) map.close();
  }

  #pair(name: Carried): { old: BpfMap; fresh: BpfMap } | undefined {
    const old = this.#usable.get(name);
    return old && { old, fresh: this.#fresh(name) };
  }

  /** Where programs are attached, so that those of links that are configured no more are found. */
  #takeLinks(): void {
    const maps = this.#pair('links');
    if (maps === undefined || !isEmpty(maps.fresh)) return;
    copyAll(maps.old, maps.fresh);
  }

  /** Later fragments of a datagram whose first one has passed. They hold slots of their EIPs. */
  #takeFragments(): void {
    const [maps, meters] = [this.#pair('fragments'), this.#pair('meters')];
    if (maps === undefined || meters === undefined) return;
    const mayHaveMoved = meters.fresh.maxEntries < meters.old.maxEntries;
    if (!mayHaveMoved) copyAll(maps.old, maps.fresh);
  }

  #takeBuckets(state: TableState): void {
    const maps = this.#pair('bucket_states');
    if (maps === undefined) return;
    for (const { eip, limits: old } of this.#recovery.limited) {
      const slot = state.slotOfEip.get(eip);
      const fresh = slot === undefined ? undefined : wantedSlotLimits(state, slot);
      if (fresh === undefined) continue;
      for (const name of ['inBucket', 'outBucket', 'inGroupBucket', 'outGroupBucket'] as const) {
        const [from, to] = [old[name], fresh[name]];
        const value = from === 0 || to === 0 ? undefined : maps.old.lookup(numberKey(from));
        if (value !== undefined) maps.fresh.update(numberKey(to), value);
      }
    }
  }

  #takeMeters(state: TableState): void {
    const maps = this.#pair('meters');
    const fresh = maps && words(maps.fresh);
    const readings = maps && words(maps.old)?.slice();
    if (fresh === undefined || readings === undefined) return;
    this.#readings = readings;
    this.#eachMeter(state, readings.length, fresh.length, (from, to) => {
      // A start that was broken off may have taken it over already: nothing counts twice.
      const missing = (readings[from] ?? 0n) - (fresh[to] ?? 0n);
      if (missing > 0n) Atomics.add(fresh, to, missing);
    });
  }

  /** Each word of the meters of each EIP that there was and is, by its place before and now. */
  #eachMeter(
    state: TableState,
    oldWords: number,
    freshWords: number,
    visit: (from: number, to: number) => void,
  ): void {
    const perMeter = this.#fresh('meters').valueSize / BigUint64Array.BYTES_PER_ELEMENT;
    for (const [eip, oldSlot] of this.#slots.entries()) {
      const slot = state.slotOfEip.get(eip);
      if (slot === undefined) continue;
      for (let word = 0; word < perMeter; word += 1) {
        const [from, to] = [oldSlot * perMeter + word, slot * perMeter + word];
        if (from < oldWords && to < freshWords) visit(from, to);
      }
    }
  }
}

/** Mappings lie in the hash or, where there are pages, in those. Undefined: not all can be read. */
function mappingsOf(
  opened: readonly BpfMap[],
  usable: ReadonlyMap<string, BpfMap>,
  clock: Pick<Clock, 'monotonicMs'>,
): BpfMap | undefined {
  const hash = usable.get('eip_to_private');
  if (!opened.some(({ name }) => name === PAGES[0] || name === PAGES[1])) return hash;
  const [pages, entries] = PAGES.map((name) => usable.get(name));
  if (hash === undefined || pages === undefined || entries === undefined) return undefined;
  return new PagedMap({ hash, pages, entries, clock });
}

/** Entries of the one are entries of the other. */
function isAlike(old: BpfMap, fresh: BpfMap): boolean {
  const [kind, other] = [old, fresh].map(({ type, keySize, valueSize }) => {
    return `${type} ${keySize} ${valueSize}`;
  });
  return kind === other;
}

function isEmpty(map: BpfMap): boolean {
  for (const { count } of map.batches()) if (count > 0) return false;
  return true;
}

function copyAll(from: BpfMap, to: BpfMap): void {
  for (const { keys, values, count } of from.batches()) to.updateBatch(keys, values, count);
}

/** The live memory of an array of 64-bit numbers. */
function words(map: BpfMap): BigUint64Array | undefined {
  const view = map.view();
  if (view === undefined) return undefined;
  const count = Math.floor(view.byteLength / BigUint64Array.BYTES_PER_ELEMENT);
  return new BigUint64Array(view.buffer, view.byteOffset, count);
}
