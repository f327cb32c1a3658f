// One side's mappings as one map: entries in the pages of their /24s, and in a hash those for which
// there is no page. An entry that moved to a page stays in the hash until no program can be between
// the two lookups; the page is right.

import { EEXIST, ENOENT } from '../shared/bpf/failure.ts';
import { expectLength, expectRoom, mapFailed } from '../shared/bpf/map-rules.ts';
import type { BpfMap, MapType, UpdateFlag } from '../shared/bpf/types.ts';
import { readAddress, writeAddress } from '../shared/bpf/words.ts';
import type { Clock } from '../shared/clock.ts';
import { GRACE_MS, type PageMaps, Pages } from './pages.ts';

const BATCH_ENTRIES = 4096;

export type PagedMapOptions = PageMaps & { hash: BpfMap; clock: Pick<Clock, 'monotonicMs'> };

/** Name and shape are the hash's. */
export class PagedMap implements BpfMap {
  readonly name: string;
  readonly type: MapType;
  readonly keySize: number;
  readonly valueSize: number;
  readonly maxEntries: number;
  readonly flags: number;
  readonly cells: number;
  readonly #hash: BpfMap;
  readonly #pages: Pages;
  readonly #clock: Pick<Clock, 'monotonicMs'>;
  #hashWrites = 0;
  /**
   * Nothing leaves the hash before: a program may have found no page, and look there next, and
   * those of a natter without pages run until this one's are attached.
   */
  #keepUntilMs = 0;

  constructor({ hash, pages, entries, clock }: PagedMapOptions) {
    this.name = hash.name;
    this.type = hash.type;
    this.keySize = hash.keySize;
    this.valueSize = hash.valueSize;
    this.maxEntries = hash.maxEntries;
    this.flags = hash.flags;
    this.cells = hash.cells;
    this.#hash = hash;
    this.#clock = clock;
    this.#pages = new Pages({ pages, entries }, clock);
    this.#keep();
  }

  get fd(): number {
    return this.#hash.fd;
  }

  lookup(key: Uint8Array): Uint8Array | undefined {
    expectLength(this, key, this.keySize, 'key');
    const index = this.#pages.find(readAddress(key));
    const value = new Uint8Array(this.valueSize);
    if (index !== undefined && this.#pages.read(index, value)) return value;
    return this.#pages.holdAll ? undefined : this.#hash.lookup(key);
  }

  update(key: Uint8Array, value: Uint8Array, flag: UpdateFlag = 'any'): void {
    expectLength(this, value, this.valueSize, 'value');
    if (flag !== 'any') {
      const exists = this.lookup(key) !== undefined;
      if (exists && flag === 'noexist') throw mapFailed(this, 'update', -EEXIST);
      if (!exists && flag === 'exist') throw mapFailed(this, 'update', -ENOENT);
    }
    expectLength(this, key, this.keySize, 'key');
    if (!this.#toPage(key, value)) this.#toHash(key, value, 1);
  }

  delete(key: Uint8Array): boolean {
    expectLength(this, key, this.keySize, 'key');
    // The hash first: it may hold an older entry.
    const wasHashed = !this.#pages.holdAll && this.#hash.delete(key);
    const index = this.#pages.find(readAddress(key));
    const wasPaged = index !== undefined && this.#pages.clear(index);
    return wasHashed || wasPaged;
  }

  /** What the hash refuses in a batch is told of its part alone: `done` counts no more. */
  updateBatch(keys: Uint8Array, values: Uint8Array, count: number): void {
    expectRoom(this, keys, this.keySize * count, 'keys');
    expectRoom(this, values, this.valueSize * count, 'values');
    const rest = new Packed(this, count);
    for (let index = 0; index < count; index += 1) {
      const key = keys.subarray(index * this.keySize, (index + 1) * this.keySize);
      const value = values.subarray(index * this.valueSize, (index + 1) * this.valueSize);
      if (!this.#toPage(key, value)) rest.add(key, value);
    }
    if (rest.count > 0) this.#toHash(rest.keys, rest.values, rest.count);
  }

  deleteBatch(keys: Uint8Array, count: number): void {
    expectRoom(this, keys, this.keySize * count, 'keys');
    if (!this.#pages.holdAll) this.#hash.deleteBatch(keys, count);
    for (let at = 0; at < count * this.keySize; at += this.keySize) {
      const index = this.#pages.find(readAddress(keys, at));
      if (index !== undefined) this.#pages.clear(index);
    }
  }

  /** Sees what others wrote to the maps behind it. */
  *batches(
    count = BATCH_ENTRIES,
  ): Generator<{ keys: Uint8Array; values: Uint8Array; count: number }> {
    this.#pages.refresh();
    const out = new Packed(this, Math.max(1, count));
    for (const batch of this.#hash.batches(count)) {
      if (batch.count > 0) this.#pages.holdAll = false;
      for (const [key, value] of entriesOf(this, batch)) {
        const index = this.#pages.find(readAddress(key));
        if (index !== undefined && this.#pages.has(index)) continue;
        if (out.isFull) yield out.take();
        out.add(key, value);
      }
    }
    const [key, value] = [new Uint8Array(this.keySize), new Uint8Array(this.valueSize)];
    for (const [address, index] of this.#pages.entries()) {
      if (out.isFull) yield out.take();
      writeAddress(address, key);
      if (this.#pages.read(index, value)) out.add(key, value);
    }
    if (out.count > 0) yield out.take();
  }

  view(): undefined {
    return undefined;
  }

  /**
   * Brings to pages what lies in the hash, in slices: for pins of a time before pages, and after
   * pages had run out. A later call takes from the hash what this one copied.
   */
  *settle(): Generator<undefined> {
    if (this.#pages.holdAll) return;
    this.#pages.refresh();
    const writes = this.#hashWrites;
    let kept = 0;
    for (const batch of this.#hash.batches()) {
      const moved = new Packed(this, batch.count);
      const mayLeave = this.#clock.monotonicMs() >= this.#keepUntilMs;
      for (const [key, value] of entriesOf(this, batch)) {
        const index = this.#pages.place(readAddress(key));
        const wasThere = index !== undefined && this.#pages.has(index);
        if (index !== undefined && !wasThere) this.#pages.write(index, value);
        if (wasThere && mayLeave) moved.add(key, value);
        else kept += 1;
        if (index !== undefined && !wasThere) this.#keep();
      }
      this.#hash.deleteBatch(moved.keys, moved.count);
      yield;
    }
    if (kept === 0 && writes === this.#hashWrites) this.#pages.holdAll = true;
  }

  #toPage(key: Uint8Array, value: Uint8Array): boolean {
    const index = this.#pages.place(readAddress(key));
    if (index === undefined) return false;
    this.#pages.write(index, value);
    if (!this.#pages.holdAll) this.#keep();
    return true;
  }

  /** Programs must ask the hash before it holds something. */
  #toHash(keys: Uint8Array, values: Uint8Array, count: number): void {
    this.#hashWrites += 1;
    this.#pages.holdAll = false;
    if (count === 1) {
      this.#hash.update(keys.subarray(0, this.keySize), values.subarray(0, this.valueSize));
    } else this.#hash.updateBatch(keys, values, count);
  }

  #keep(): void {
    this.#keepUntilMs = this.#clock.monotonicMs() + GRACE_MS;
  }
}

type Batch = { keys: Uint8Array; values: Uint8Array; count: number };
type Sizes = Pick<BpfMap, 'keySize' | 'valueSize'>;

function* entriesOf(
  { keySize, valueSize }: Sizes,
  { keys, values, count }: Batch,
): Generator<[key: Uint8Array, value: Uint8Array]> {
  for (let index = 0; index < count; index += 1) {
    yield [
      keys.subarray(index * keySize, (index + 1) * keySize),
      values.subarray(index * valueSize, (index + 1) * valueSize),
    ];
  }
}

/** Keys and values, packed, as batches have them. */
class Packed {
  readonly keys: Uint8Array;
  readonly values: Uint8Array;
  readonly #sizes: Sizes;
  count = 0;

  constructor(sizes: Sizes, room: number) {
    this.keys = new Uint8Array(room * sizes.keySize);
    this.values = new Uint8Array(room * sizes.valueSize);
    this.#sizes = sizes;
  }

  get isFull(): boolean {
    return this.count * this.#sizes.keySize >= this.keys.length;
  }

  add(key: Uint8Array, value: Uint8Array): void {
    this.keys.set(key, this.count * this.#sizes.keySize);
    this.values.set(value, this.count * this.#sizes.valueSize);
    this.count += 1;
  }

  /** What it holds, valid until the next add(). */
  take(): Batch {
    const { keys, values, count } = this;
    this.count = 0;
    return { keys, values, count };
  }
}
