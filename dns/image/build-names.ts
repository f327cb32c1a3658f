// All names of a zone while it is built, numbered as they come; their ancestors up to the apex too,
// which are empty non-terminals unless they have records (RFC 4592 §2.2.2). Pure.
import { LOWER } from '../../shared/dns/names.ts';
import type { Name } from '../../shared/dns/types.ts';
import { NameWalk, sameBytes } from './name-walk.ts';

const FIRST_NAMES = 16;
/** Bytes of a sort key that a double holds exactly. */
const KEY_BYTES = 6;

/** Scratch of one call. */
const walk = new NameWalk();

export class BuildNames {
  count = 0;
  /** By number: the parent's, −1 for the apex; labels; first and last record, −1 for none. */
  parent = new Int32Array(FIRST_NAMES);
  depth = new Uint8Array(FIRST_NAMES);
  first = new Int32Array(FIRST_NAMES);
  last = new Int32Array(FIRST_NAMES);
  readonly #originDepth: number;
  #bytes = new Uint8Array(16 * FIRST_NAMES);
  #used = 0;
  #at = new Float64Array(FIRST_NAMES);
  #length = new Uint8Array(FIRST_NAMES);
  #hash = new Int32Array(FIRST_NAMES);
  /** Number + 1 of who is in a slot. */
  #table = new Int32Array(2 * FIRST_NAMES);

  constructor(origin: Name) {
    walk.take(origin);
    this.#originDepth = walk.depth;
    this.intern(origin);
  }

  /** Its number; new ones get one, and so do their ancestors. Must be at or below the origin. */
  intern(name: Name): number {
    walk.take(name);
    const found = this.#lookUp(name, 0, walk.depth);
    if (found >= 0) return found;
    const id = this.#add(name, 0, walk.depth);
    let child = id;
    for (let depth = walk.depth - 1; depth >= this.#originDepth; depth--) {
      const at = walk.at[depth] as number;
      const known = this.#lookUp(name, at, depth);
      const parent = known >= 0 ? known : this.#add(name, at, depth);
      this.parent[child] = parent;
      if (known >= 0) break;
      child = parent;
    }
    return id;
  }

  /** The number of a name that is there, or −1. */
  find(name: Name): number {
    walk.take(name);
    return this.#lookUp(name, 0, walk.depth);
  }

  /** A view, good until the next intern(). */
  name(id: number): Name {
    const at = this.#at[id] as number;
    return this.#bytes.subarray(at, at + (this.#length[id] as number));
  }

  hash(id: number): number {
    return this.#hash[id] as number;
  }

  /** An ancestor made before its own records came has the letters of who came first. */
  spell(id: number, name: Name): void {
    this.#bytes.set(name, this.#at[id] as number);
  }

  /** All numbers, by the canonical order of their names (RFC 4034 §6.1). */
  inOrder(): Int32Array {
    const keys = this.#sortKeys();
    const order = Int32Array.from({ length: this.count }, (_, id) => id);
    return order.sort((one, other) => compareKeys(keys, one, other));
  }

  #lookUp(name: Name, at: number, depth: number): number {
    const hash = walk.hash[depth] as number;
    const length = (walk.at[0] as number) + 1 - at;
    const mask = this.#table.length - 1;
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const id = (this.#table[slot] as number) - 1;
      if (id < 0) return -1;
      if (this.#hash[id] !== hash || this.#length[id] !== length) continue;
      if (sameBytes(name, at, this.#bytes, this.#at[id] as number, length)) return id;
    }
  }

  #add(name: Name, at: number, depth: number): number {
    const id = this.count++;
    if (id === this.parent.length) this.#growNames();
    const length = (walk.at[0] as number) + 1 - at;
    if (this.#used + length > this.#bytes.length) {
      this.#bytes = grown(this.#bytes, new Uint8Array(2 * this.#bytes.length + length));
    }
    for (let index = 0; index < length; index++) {
      this.#bytes[this.#used + index] = name[at + index] as number;
    }
    this.#at[id] = this.#used;
    this.#used += length;
    this.#length[id] = length;
    this.depth[id] = depth;
    this.#hash[id] = walk.hash[depth] as number;
    this.parent[id] = -1;
    this.first[id] = -1;
    this.last[id] = -1;
    this.#place(id);
    if (3 * this.count > 2 * this.#table.length) this.#growTable();
    return id;
  }

  #place(id: number): void {
    const mask = this.#table.length - 1;
    let slot = (this.#hash[id] as number) & mask;
    while (this.#table[slot] !== 0) slot = (slot + 1) & mask;
    this.#table[slot] = id + 1;
  }

  #growTable(): void {
    this.#table = new Int32Array(2 * this.#table.length);
    for (let id = 0; id < this.count; id++) this.#place(id);
  }

  #growNames(): void {
    const size = 2 * this.parent.length;
    this.parent = grown(this.parent, new Int32Array(size));
    this.depth = grown(this.depth, new Uint8Array(size));
    this.first = grown(this.first, new Int32Array(size));
    this.last = grown(this.last, new Int32Array(size));
    this.#at = grown(this.#at, new Float64Array(size));
    this.#length = grown(this.#length, new Uint8Array(size));
    this.#hash = grown(this.#hash, new Int32Array(size));
  }

  /**
   * Bytes whose plain order is the canonical one: labels below the origin from its side, in lower
   * case, each ended by 00; 00 and 01 within them are 01 01 and 01 02.
   */
  #sortKeys(): SortKeys {
    const at = new Float64Array(this.count + 1);
    let bytes = new Uint8Array(this.#used + 16);
    let used = 0;
    for (let id = 0; id < this.count; id++) {
      at[id] = used;
      if (used + 512 > bytes.length) {
        bytes = grown(bytes, new Uint8Array(bytes.length + (bytes.length >>> 1) + 512));
      }
      const from = this.#at[id] as number;
      walk.take(this.#bytes, from);
      for (let depth = this.#originDepth + 1; depth <= walk.depth; depth++) {
        const start = from + (walk.at[depth] as number);
        const end = start + (this.#bytes[start] as number);
        for (let index = start + 1; index <= end; index++) {
          const byte = LOWER[this.#bytes[index] as number] as number;
          if (byte < 2) bytes[used++] = 1;
          bytes[used++] = byte < 2 ? byte + 1 : byte;
        }
        bytes[used++] = 0;
      }
    }
    at[this.count] = used;
    return { bytes, at, high: keyNumbers(bytes, at, 0), low: keyNumbers(bytes, at, KEY_BYTES) };
  }
}

type SortKeys = { bytes: Uint8Array; at: Float64Array; high: Float64Array; low: Float64Array };

/** Most comparisons end with these: bytes `from` and on of each key, as one number. */
function keyNumbers(bytes: Uint8Array, at: Float64Array, from: number): Float64Array {
  const numbers = new Float64Array(at.length - 1);
  for (let id = 0; id < numbers.length; id++) {
    const start = (at[id] as number) + from;
    const end = at[id + 1] as number;
    let number = 0;
    for (let index = start; index < start + KEY_BYTES; index++) {
      number = number * 256 + (index < end ? (bytes[index] as number) : 0);
    }
    numbers[id] = number;
  }
  return numbers;
}

function compareKeys(keys: SortKeys, one: number, other: number): number {
  const high = (keys.high[one] as number) - (keys.high[other] as number);
  if (high !== 0) return high;
  const low = (keys.low[one] as number) - (keys.low[other] as number);
  if (low !== 0) return low;
  const { bytes, at } = keys;
  const skip = 2 * KEY_BYTES;
  let index = (at[one] as number) + skip;
  let against = (at[other] as number) + skip;
  const end = at[one + 1] as number;
  const otherEnd = at[other + 1] as number;
  while (index < end && against < otherEnd) {
    const order = (bytes[index++] as number) - (bytes[against++] as number);
    if (order !== 0) return order;
  }
  return end - index - (otherEnd - against);
}

function grown<T extends Uint8Array | Int32Array | Float64Array>(from: T, into: T): T {
  into.set(from);
  return into;
}
