// The owners of a list's records by number, found by name: a hash table over the list's own bytes,
// with hashes from the root's side, so that all names above one are found in one pass. Pure.
import { LOWER, sameName } from '../names.ts';
import type { Name } from '../types.ts';
import type { RecordList } from './record-list.ts';

/** Of the name last hashed, by label from the left: where it begins, the hash from there on. */
const labelAt = new Uint8Array(128);
const hashAt = new Uint32Array(128);

/** The root's is not counted. */
function hashLabels(name: Name): number {
  let labels = 0;
  for (let at = 0; (name[at] ?? 0) !== 0 && labels < 127; at += 1 + (name[at] ?? 0)) {
    labelAt[labels++] = at;
  }
  let hash = 0x811c9dc5;
  for (let label = labels - 1; label >= 0; label--) {
    const at = labelAt[label] ?? 0;
    for (let byte = at + (name[at] ?? 0); byte >= at; byte--) {
      hash = Math.imul(hash ^ (LOWER[name[byte] ?? 0] ?? 0), 0x01000193);
    }
    // Hashes of short labels differ in few bits, and slots are found by the low ones.
    hash ^= hash >>> 15;
    hashAt[label] = hash;
  }
  return labels;
}

/** The list must not grow while the table is used. */
export class NameTable {
  readonly records: RecordList;
  /** By index of the record: the number of its owner. */
  readonly ownerOf: Uint32Array;
  /** Numbers are below it. */
  count = 0;
  /** By number: a record that it owns. */
  readonly #first: Uint32Array;
  readonly #hashes: Uint32Array;
  readonly #slots: Int32Array;

  constructor(records: RecordList) {
    this.records = records;
    this.ownerOf = new Uint32Array(records.count);
    this.#first = new Uint32Array(records.count);
    this.#hashes = new Uint32Array(records.count);
    this.#slots = new Int32Array(slotsFor(records.count)).fill(-1);
    let before: Name | undefined;
    for (let index = 0; index < records.count; index++) {
      const owner = records.owner(index);
      const isBefore = before !== undefined && sameName(owner, before);
      const id = isBefore ? (this.ownerOf[index - 1] ?? 0) : this.#intern(owner, index);
      this.ownerOf[index] = id;
      before = owner;
    }
  }

  name(id: number): Name {
    return this.records.owner(this.#first[id] ?? 0);
  }

  /** The index of one of its records: the first. */
  recordOf(id: number): number {
    return this.#first[id] ?? 0;
  }

  /** −1: no record has this owner. */
  find(name: Name): number {
    const labels = hashLabels(name);
    return this.#slots[this.#slotOf(name, labels === 0 ? ROOT_HASH : (hashAt[0] ?? 0))] ?? -1;
  }

  /**
   * Numbers of the owners strictly above a name, the nearest to the root first; `visit` ends it by
   * true. `from`: labels of names that are passed over, such as the zone's own less one.
   */
  above(name: Name, fromLabels: number, visit: (id: number) => boolean): void {
    const labels = hashLabels(name);
    for (let label = labels - Math.max(fromLabels, 1); label > 0; label--) {
      const id = this.#suffixOf(name, label);
      if (id >= 0 && visit(id)) return;
    }
  }

  /** Of the name last hashed, from one of its labels on. Most are nobody's: hashes come first. */
  #suffixOf(name: Name, label: number): number {
    const mask = this.#slots.length - 1;
    const hash = hashAt[label] ?? 0;
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const id = this.#slots[slot] ?? -1;
      if (id < 0) return -1;
      if (this.#hashes[id] !== hash) continue;
      if (sameName(this.name(id), name.subarray(labelAt[label]))) return id;
    }
  }

  #intern(owner: Name, index: number): number {
    const labels = hashLabels(owner);
    const hash = labels === 0 ? ROOT_HASH : (hashAt[0] ?? 0);
    const slot = this.#slotOf(owner, hash);
    const known = this.#slots[slot] ?? -1;
    if (known >= 0) return known;
    this.#slots[slot] = this.count;
    this.#first[this.count] = index;
    this.#hashes[this.count] = hash;
    return this.count++;
  }

  /** Where the name is, or where it would come. */
  #slotOf(name: Name, hash: number): number {
    const mask = this.#slots.length - 1;
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const id = this.#slots[slot] ?? -1;
      if (id < 0) return slot;
      if (this.#hashes[id] === hash >>> 0 && sameName(this.name(id), name)) return slot;
    }
  }
}

const ROOT_HASH = 0x811c9dc5;

/** A power of two, at most half of it used. */
export function slotsFor(count: number): number {
  return 2 ** Math.ceil(Math.log2(2 * count + 2));
}

/** The hashes of a list's owners and of all names above them, those without data too. */
export class ExistingNames {
  readonly #originLabels: number;
  #slots = new Uint32Array(1024);
  #count = 0;

  constructor({ records }: NameTable, originLabels: number) {
    this.#originLabels = originLabels;
    for (let index = 0; index < records.count; index++) {
      const labels = hashLabels(records.owner(index));
      for (let label = labels - originLabels - 1; label >= 0; label--) {
        this.#add(hashAt[label] ?? 0);
      }
    }
  }

  /**
   * Of a name of the zone, where in it its closest encloser begins (RFC 4592 §3.3.1), 0 when it
   * exists itself. Wrong when 32 bits of hash happen to be the same.
   */
  closestEncloser(name: Name): number {
    const zoneLabel = hashLabels(name) - this.#originLabels;
    for (let label = 0; label < zoneLabel; label++) {
      if (this.#slots[this.#slotOf(hashAt[label] ?? 0)] !== 0) return labelAt[label] ?? 0;
    }
    return zoneLabel === 0 ? 0 : apexAt(name, zoneLabel);
  }

  #add(hash: number): void {
    if (2 * this.#count >= this.#slots.length) this.#grow();
    const slot = this.#slotOf(hash);
    if (this.#slots[slot] !== 0) return;
    this.#slots[slot] = keyOf(hash);
    this.#count++;
  }

  #grow(): void {
    const before = this.#slots;
    this.#slots = new Uint32Array(2 * before.length);
    for (const key of before) if (key !== 0) this.#slots[this.#slotOf(key)] = key;
  }

  #slotOf(hash: number): number {
    const mask = this.#slots.length - 1;
    const key = keyOf(hash);
    let slot = hash & mask;
    while (this.#slots[slot] !== 0 && this.#slots[slot] !== key) slot = (slot + 1) & mask;
    return slot;
  }
}

/** Of the name last hashed. */
function apexAt(name: Name, zoneLabel: number): number {
  const before = labelAt[zoneLabel - 1] ?? 0;
  return before + 1 + (name[before] ?? 0);
}

/** 0 is a slot that is free. */
const keyOf = (hash: number): number => hash >>> 0 || 1;
