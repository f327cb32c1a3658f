// Client key → addresses, in four bytes a slot: open addressing in many small tables, each of which
// grows by itself, so that no insertion moves more than a small part. Keys are not stored: they are
// read from the records that the addresses lead to. Pure.

const PARTS = 2048;
const FIRST_SLOTS = 8;
const EMPTY = 0;
/** 0.0.0.1: a slot that had an address and must not end a search. */
const GONE = 1;

/** Reads what the index does not keep. */
export type KeyOf = (address: number) => number;

export class ClientIndex {
  readonly #hashOf: KeyOf;
  readonly #tables: Uint32Array[];
  readonly #filled: Uint32Array;
  #count = 0;

  /** `hashOf` is the hash of the key that the address's record has now. */
  constructor(hashOf: KeyOf) {
    this.#hashOf = hashOf;
    this.#tables = Array.from({ length: PARTS }, () => new Uint32Array(FIRST_SLOTS));
    this.#filled = new Uint32Array(PARTS);
  }

  get count(): number {
    return this.#count;
  }

  get bytes(): number {
    return this.#tables.reduce((sum, table) => sum + table.byteLength, 0);
  }

  /** The address must not be in it yet under this hash. */
  add(hash: number, address: number): void {
    const part = hash & (PARTS - 1);
    let table = this.#table(part);
    if ((this.#filled[part] ?? 0) + 1 > mostFilled(part, table.length))
      table = this.#rebuild(part, table);
    place(table, hash, address);
    this.#filled[part] = (this.#filled[part] ?? 0) + 1;
    this.#count++;
  }

  remove(hash: number, address: number): void {
    const table = this.#table(hash & (PARTS - 1));
    const mask = table.length - 1;
    for (let at = first(hash) & mask; table[at] !== EMPTY; at = (at + 1) & mask) {
      if (table[at] !== address) continue;
      table[at] = GONE;
      this.#count--;
      return;
    }
  }

  /** Addresses whose key may have this hash; the caller compares the keys. */
  each(hash: number, visit: (address: number) => void): void {
    const table = this.#table(hash & (PARTS - 1));
    const mask = table.length - 1;
    for (let at = first(hash) & mask; table[at] !== EMPTY; at = (at + 1) & mask) {
      const address = table[at] ?? EMPTY;
      if (address !== GONE) visit(address);
    }
  }

  #table(part: number): Uint32Array {
    return this.#tables[part] as Uint32Array; // one for each part, made above
  }

  /** Without what is gone, and larger when that is not enough. */
  #rebuild(part: number, old: Uint32Array): Uint32Array {
    let live = 0;
    for (const address of old) if (address > GONE) live++;
    const slots = (live + 1) * 5 > old.length * 2 ? old.length * 2 : old.length;
    const table = new Uint32Array(slots);
    for (const address of old) if (address > GONE) place(table, this.#hashOf(address), address);
    this.#tables[part] = table;
    this.#filled[part] = live;
    return table;
  }
}

function place(table: Uint32Array, hash: number, address: number): void {
  const mask = table.length - 1;
  let at = first(hash) & mask;
  while (table[at] !== EMPTY) at = (at + 1) & mask;
  table[at] = address;
}

/** Between a half and three quarters, so that parts that fill alike do not all grow at once. */
function mostFilled(part: number, slots: number): number {
  return (slots * (128 + (part & 63))) >> 8;
}

/** The low bits chose the part. */
function first(hash: number): number {
  return hash >>> 11;
}

/** Of a packed key (20 bytes), read as five words. */
export function hashKey(view: DataView, offset: number, seed: number): number {
  let hash = seed;
  for (let at = 0; at < 20; at += 4) {
    hash = Math.imul(hash ^ view.getUint32(offset + at), 0x9e3779b1);
    hash ^= hash >>> 15;
  }
  hash = Math.imul(hash ^ (hash >>> 13), 0x85ebca6b);
  return (hash ^ (hash >>> 16)) >>> 0;
}
