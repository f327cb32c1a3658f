// Records found by what makes them the same: owner and type, and data in canonical form; the TTL is
// not among it (RFC 2181 §5.2, RFC 2136 §1.1.1). Pure.
import { hashName, sameName } from '../names.ts';
import type { Name } from '../types.ts';
import { slotsFor } from './name-table.ts';
import type { RecordList } from './record-list.ts';
import { hashData, isSameData } from './same-data.ts';

/** Over a list that may grow up to `capacity`; holds those indexes that were put into it. */
export class RecordTable {
  readonly #records: RecordList;
  readonly #slots: Int32Array;
  readonly #hashes: Int32Array;

  constructor(records: RecordList, capacity = records.count) {
    this.#records = records;
    this.#slots = new Int32Array(slotsFor(capacity)).fill(-1);
    this.#hashes = new Int32Array(capacity);
  }

  /** The index that was put for such a record; −1 without. */
  find(owner: Name, type: number, rdata: Uint8Array): number {
    return this.#slots[this.#slotOf(owner, type, rdata, hashOf(owner, type, rdata))] ?? -1;
  }

  /** In place of the one that was put for the same record. */
  put(index: number): void {
    const [owner, type] = [this.#records.owner(index), this.#records.type(index)];
    const rdata = this.#records.rdata(index);
    const hash = hashOf(owner, type, rdata);
    this.#slots[this.#slotOf(owner, type, rdata, hash)] = index;
    this.#hashes[index] = hash;
  }

  #slotOf(owner: Name, type: number, rdata: Uint8Array, hash: number): number {
    const mask = this.#slots.length - 1;
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const index = this.#slots[slot] ?? -1;
      if (index < 0) return slot;
      if (this.#hashes[index] === hash && this.#isSame(index, owner, type, rdata)) return slot;
    }
  }

  #isSame(index: number, owner: Name, type: number, rdata: Uint8Array): boolean {
    const records = this.#records;
    if (records.type(index) !== type || !sameName(records.owner(index), owner)) return false;
    return isSameData(type, records.rdata(index), rdata);
  }
}

function hashOf(owner: Name, type: number, rdata: Uint8Array): number {
  const hash = Math.imul(hashName(owner) ^ type, 0x9e3779b1) ^ hashData(rdata);
  return hash ^ (hash >>> 15);
}
