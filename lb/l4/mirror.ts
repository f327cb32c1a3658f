// A map of the kernel and what this process knows it to hold, so that only differences are written.
// An array holds what is not zero.

import type { BpfMap } from '../../shared/bpf/types.ts';

export type Entry = { key: Uint8Array; value: Uint8Array };
/** By the bytes of the key, one character each. */
export type EntriesByKey = ReadonlyMap<string, Entry>;

export type Repairs = { added: number; changed: number; removed: number };

export class Mirror {
  readonly #map: BpfMap;
  #known: Map<string, Entry>;
  /** All of it is there, and was not touched since. */
  #last: EntriesByKey | undefined;

  /** Reads what the map holds. */
  constructor(map: BpfMap) {
    this.#map = map;
    this.#known = readAll(map);
  }

  get known(): EntriesByKey {
    return this.#known;
  }

  /** Adds and changes what differs; how many. */
  put(wanted: EntriesByKey): number {
    if (wanted === this.#last) return 0;
    const differing = [...wanted.entries()].filter(
      ([name, { value }]) => !isEqual(this.#known.get(name)?.value, value),
    );
    this.#write(() => {
      const entries = differing.map(([, entry]) => entry);
      const [keys, values] = [pack(entries, 'key'), pack(entries, 'value')];
      this.#map.updateBatch(keys, values, entries.length);
    });
    for (const [name, entry] of differing) this.#known.set(name, entry);
    this.#last = wanted;
    return differing.length;
  }

  /** Takes away what is there and neither wanted nor kept; how many. */
  removeStray(wanted: EntriesByKey, isKept: (entry: Entry) => boolean = () => false): number {
    const stray = [...this.#known.entries()].filter(
      ([name, entry]) => !wanted.has(name) && !isKept(entry),
    );
    this.#write(() => {
      const entries = stray.map(([, entry]) => entry);
      const keys = pack(entries, 'key');
      if (this.#map.type !== 'array') this.#map.deleteBatch(keys, entries.length);
      else {
        const zeroes = new Uint8Array(this.#map.valueSize * entries.length);
        this.#map.updateBatch(keys, zeroes, entries.length);
      }
    });
    for (const [name] of stray) this.#known.delete(name);
    return stray.length;
  }

  /** Makes the map again what it was known to be. */
  repair(): Repairs {
    const before = this.#known;
    this.#readAgain();
    const present = [...before.keys()].filter((name) => this.#known.has(name)).length;
    const added = before.size - present;
    const changed = this.put(before) - added;
    return { added, changed, removed: this.removeStray(before) };
  }

  #readAgain(): void {
    this.#known = readAll(this.#map);
    this.#last = undefined;
  }

  #write(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#readAgain(); // how far it came
      throw error;
    }
  }
}

export const nameOf = (key: Uint8Array): string => String.fromCharCode(...key);

export function byKey(entries: Iterable<Entry>): Map<string, Entry> {
  return new Map(Array.from(entries, (entry) => [nameOf(entry.key), entry]));
}

/** Of an array, what is not zero. */
function readAll(map: BpfMap): Map<string, Entry> {
  const all = new Map<string, Entry>();
  const { keySize, valueSize } = map;
  for (const { keys, values, count } of map.batches()) {
    for (let at = 0; at < count; at += 1) {
      const key = keys.slice(at * keySize, (at + 1) * keySize);
      const value = values.slice(at * valueSize, (at + 1) * valueSize);
      const isPresent = map.type !== 'array' || value.some((byte) => byte !== 0);
      if (isPresent) all.set(nameOf(key), { key, value });
    }
  }
  return all;
}

function pack(entries: readonly Entry[], part: keyof Entry): Uint8Array {
  const size = entries[0]?.[part].length ?? 0;
  const bytes = new Uint8Array(size * entries.length);
  for (const [index, entry] of entries.entries()) bytes.set(entry[part], index * size);
  return bytes;
}

function isEqual(a: Uint8Array | undefined, b: Uint8Array): boolean {
  return a?.length === b.length && a.every((byte, at) => byte === b[at]);
}
