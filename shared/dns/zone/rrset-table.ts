// RRsets of a list's records: which record is of which, and what is said twice. RRSIGs are of an
// RRset by what they cover, as DNSSEC means it. Pure.
import { TYPES } from '../constants.ts';
import { type NameTable, slotsFor } from './name-table.ts';
import type { RecordList } from './record-list.ts';
import { hashData, isSameData } from './same-data.ts';

/** Added to the type that a RRSIG covers, for the key of its set. */
export const SIGNATURE_OF = 0x10000;

/** What an RRset has as its type here: RRSIG's is SIGNATURE_OF and what it covers. */
export function setType(records: RecordList, index: number): number {
  const type = records.type(index);
  if (type !== TYPES.RRSIG) return type;
  const rdata = records.rdata(index);
  return SIGNATURE_OF + (rdata[0] ?? 0) * 256 + (rdata[1] ?? 0);
}

export class RrsetTable {
  /** By index of the record: the number of its set. */
  readonly setOf: Uint32Array;
  /** Numbers are below it. */
  count = 0;
  /** By number: its first record, how many it has, their lowest TTL. */
  readonly first: Uint32Array;
  readonly size: Uint32Array;
  readonly ttlSeconds: Uint32Array;
  readonly #names: NameTable;
  readonly #slots: Int32Array;

  constructor(names: NameTable) {
    this.#names = names;
    const { records } = names;
    this.setOf = new Uint32Array(records.count);
    this.first = new Uint32Array(records.count);
    this.size = new Uint32Array(records.count);
    this.ttlSeconds = new Uint32Array(records.count);
    this.#slots = new Int32Array(slotsFor(records.count)).fill(-1);
    for (let index = 0; index < records.count; index++) this.#add(index);
  }

  /** −1: no such set. */
  find(owner: number, type: number): number {
    return this.#slots[this.#slotOf(owner, type)] ?? -1;
  }

  #add(index: number): void {
    const { records, ownerOf } = this.#names;
    const slot = this.#slotOf(ownerOf[index] ?? 0, setType(records, index));
    const ttlSeconds = records.ttlSeconds(index);
    let set = this.#slots[slot] ?? -1;
    if (set < 0) {
      set = this.count++;
      this.#slots[slot] = set;
      this.first[set] = index;
      this.ttlSeconds[set] = ttlSeconds;
    }
    this.setOf[index] = set;
    this.size[set] = (this.size[set] ?? 0) + 1;
    this.ttlSeconds[set] = Math.min(this.ttlSeconds[set] ?? 0, ttlSeconds);
  }

  #slotOf(owner: number, type: number): number {
    const { records, ownerOf } = this.#names;
    const mask = this.#slots.length - 1;
    for (let slot = mix(owner, type) & mask; ; slot = (slot + 1) & mask) {
      const set = this.#slots[slot] ?? -1;
      if (set < 0) return slot;
      const first = this.first[set] ?? 0;
      if (ownerOf[first] === owner && setType(records, first) === type) return slot;
    }
  }
}

function mix(one: number, other: number): number {
  const hash = Math.imul(one ^ Math.imul(other, 0x9e3779b1), 0x85ebca6b);
  return hash ^ (hash >>> 15);
}

/** Indexes of records that say what one before them said: same owner, type and canonical data. */
export function duplicatesOf(records: RecordList, sets: RrsetTable): Set<number> {
  const found = new Set<number>();
  let candidates = 0;
  for (let set = 0; set < sets.count; set++) {
    if ((sets.size[set] ?? 0) > 1) candidates += sets.size[set] ?? 0;
  }
  const slots = new Int32Array(slotsFor(candidates)).fill(-1);
  const mask = slots.length - 1;
  for (let index = 0; index < records.count; index++) {
    const set = sets.setOf[index] ?? 0;
    if ((sets.size[set] ?? 0) < 2) continue;
    const type = records.type(index);
    const rdata = records.rdata(index);
    let slot = mix(hashData(rdata), set) & mask;
    for (; ; slot = (slot + 1) & mask) {
      const other = slots[slot] ?? -1;
      if (other < 0) break;
      if (sets.setOf[other] !== set) continue;
      if (isSameData(type, records.rdata(other), rdata)) break;
    }
    if ((slots[slot] ?? -1) >= 0) found.add(index);
    else slots[slot] = index;
  }
  return found;
}
