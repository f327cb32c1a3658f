// Makes the kernel's maps equal to the table, whatever they hold: only what differs is written, so
// a restart over pinned maps loses no packet. In slices, between which the table may change: a
// slice finds keys; what to write there is asked of the table when it is written.

import type { BpfMap } from '../shared/bpf/types.ts';

/** One map, and what the table wants it to hold. */
export type WantedMap = {
  map: BpfMap;
  /** Writes the wanted value into `value`; false: the key shall not be there. */
  wanted(key: Uint8Array, value: Uint8Array): boolean;
  /** Every key that shall be there; the bytes are valid until the next. */
  keys(): Iterable<Uint8Array>;
  count(): number;
  /** Only presence counts: the kernel itself changes the values. */
  presenceOnly?: boolean;
  /** Called with each entry before it is written; `isNew`: the map did not have the key. */
  beforeWrite?(key: Uint8Array, value: Uint8Array, isNew: boolean): void;
};

export type Repairs = { added: number; changed: number; removed: number };

const SLICE = 8192;

type Found = { wantedMap: WantedMap; missing: Keys; differing: Keys; stray: Keys; present: number };

/** `maps` in the order in which entries shall appear; they disappear in the reverse one. */
export function* reconcile(maps: readonly WantedMap[]): Generator<undefined, Repairs> {
  const repairs: Repairs = { added: 0, changed: 0, removed: 0 };
  const found: Found[] = [];
  for (const wantedMap of maps) found.push(yield* compare(wantedMap));
  const full = found.some(({ wantedMap, present, missing }) => {
    return present + missing.count > wantedMap.map.maxEntries;
  });
  if (full) yield* removeAll(found, repairs);
  for (const { wantedMap, missing, differing } of found) {
    repairs.added += yield* write(wantedMap, missing, true);
    repairs.changed += yield* write(wantedMap, differing, false);
  }
  if (!full) yield* removeAll(found, repairs);
  return repairs;
}

function* removeAll(found: readonly Found[], repairs: Repairs): Generator<undefined> {
  for (const { wantedMap, stray } of found.toReversed()) {
    repairs.removed += yield* remove(wantedMap, stray);
  }
}

function* compare(wantedMap: WantedMap): Generator<undefined, Found> {
  const { map } = wantedMap;
  const [missing, differing, stray] = [new Keys(map), new Keys(map), new Keys(map)];
  const value = new Uint8Array(map.valueSize);
  let [present, right] = [0, 0];
  for (const { keys, values, count } of map.batches(SLICE)) {
    for (let index = 0; index < count; index += 1) {
      const key = keys.subarray(index * map.keySize, (index + 1) * map.keySize);
      const isWanted = wantedMap.wanted(key, value);
      if (!isWanted) stray.add(key);
      else if (wantedMap.presenceOnly || equalAt(values, index * map.valueSize, value)) right += 1;
      else differing.add(key);
    }
    present += count;
    yield;
  }
  const kept = right + differing.count;
  if (kept !== wantedMap.count()) yield* findMissing(wantedMap, missing, kept === 0);
  return { wantedMap, missing, differing, stray, present };
}

function* findMissing(wantedMap: WantedMap, missing: Keys, all: boolean): Generator<undefined> {
  let inSlice = 0;
  for (const key of wantedMap.keys()) {
    if (all || wantedMap.map.lookup(key) === undefined) missing.add(key);
    inSlice += 1;
    if (inSlice % SLICE === 0) yield;
  }
}

function* write(wantedMap: WantedMap, pending: Keys, isNew: boolean): Generator<undefined, number> {
  const { map } = wantedMap;
  const keys = new Uint8Array(SLICE * map.keySize);
  const values = new Uint8Array(SLICE * map.valueSize);
  const value = new Uint8Array(map.valueSize);
  let written = 0;
  for (let start = 0; start < pending.count; start += SLICE) {
    let count = 0;
    for (const key of pending.slice(start, SLICE)) {
      if (!wantedMap.wanted(key, value)) continue;
      wantedMap.beforeWrite?.(key, value, isNew);
      keys.set(key, count * map.keySize);
      values.set(value, count * map.valueSize);
      count += 1;
    }
    map.updateBatch(keys, values, count);
    written += count;
    yield;
  }
  return written;
}

function* remove(wantedMap: WantedMap, pending: Keys): Generator<undefined, number> {
  const { map } = wantedMap;
  const keys = new Uint8Array(SLICE * map.keySize);
  const value = new Uint8Array(map.valueSize);
  let removed = 0;
  for (let start = 0; start < pending.count; start += SLICE) {
    let count = 0;
    for (const key of pending.slice(start, SLICE)) {
      if (wantedMap.wanted(key, value)) continue;
      keys.set(key, count * map.keySize);
      count += 1;
    }
    map.deleteBatch(keys, count);
    removed += count;
    yield;
  }
  return removed;
}

/** A growing list of keys, packed. */
class Keys {
  readonly #size: number;
  #bytes = new Uint8Array(0);
  #count = 0;

  constructor(map: BpfMap) {
    this.#size = map.keySize;
  }

  get count(): number {
    return this.#count;
  }

  add(key: Uint8Array): void {
    const at = this.#count * this.#size;
    if (at + this.#size > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(64 * this.#size, this.#bytes.length * 2));
      grown.set(this.#bytes);
      this.#bytes = grown;
    }
    this.#bytes.set(key, at);
    this.#count += 1;
  }

  *slice(start: number, length: number): Generator<Uint8Array> {
    const end = Math.min(this.#count, start + length);
    for (let index = start; index < end; index += 1) {
      yield this.#bytes.subarray(index * this.#size, (index + 1) * this.#size);
    }
  }
}

function equalAt(bytes: Uint8Array, at: number, value: Uint8Array): boolean {
  for (let index = 0; index < value.length; index += 1) {
    if (bytes[at + index] !== value[index]) return false;
  }
  return true;
}
