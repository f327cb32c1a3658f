// Canonical order of a zone's records (RFC 4034 §6): owners, types, data; the SOA before all. By
// keys that compare as bytes, so that a million records are in order in a second or two. Pure.
import { compareBytes } from '../../bytes.ts';
import { TYPES } from '../constants.ts';
import { LOWER } from '../names.ts';
import { canonicalRdata } from '../rdata.ts';
import type { Name } from '../types.ts';
import type { RecordList } from './record-list.ts';

/** Of the key, as a number: what fits one exactly. */
const HEAD_BYTES = 6;

/** Indexes of the list's records in canonical order, the SOA of `origin` first. */
export function canonicalOrder(records: RecordList, origin: Name): Uint32Array {
  const keys = new Keys(records, origin);
  const order = Uint32Array.from({ length: records.count }, (_, index) => index);
  return order.sort((one, other) => keys.compare(one, other));
}

/** Of owners, one behind the other; that of an owner which is its predecessor's is kept once. */
class Keys {
  readonly #records: RecordList;
  readonly #bytes: Uint8Array;
  readonly #from: Float64Array;
  readonly #to: Float64Array;
  readonly #head: Float64Array;
  #used = 0;

  constructor(records: RecordList, origin: Name) {
    this.#records = records;
    // A byte of a label may become two, and the key of a name has no more than that.
    this.#bytes = new Uint8Array(2 * ownersBytes(records));
    this.#from = new Float64Array(records.count);
    this.#to = new Float64Array(records.count);
    this.#head = new Float64Array(records.count);
    for (let index = 0; index < records.count; index++) this.#add(index, origin.length);
  }

  #add(index: number, originBytes: number): void {
    const from = this.#used;
    this.#write(this.#records.owner(index), originBytes);
    this.#from[index] = from;
    this.#to[index] = this.#used;
    let head = 0;
    for (let at = from; at < from + HEAD_BYTES; at++) {
      head = head * 256 + (at < this.#used ? (this.#bytes[at] ?? 0) : 0);
    }
    this.#head[index] = head;
  }

  /**
   * Labels from the root's side, in lower case, each ended by 0, so that the shorter of two is the
   * lesser; 0 and 1 in a label have a 1 before them. The origin, which all have, is left out.
   */
  #write(owner: Name, originBytes: number): void {
    const end = owner.length - originBytes;
    let labels = 0;
    for (let at = 0; at < end; at += 1 + (owner[at] ?? 0)) starts[labels++] = at;
    while (labels > 0) {
      const start = starts[--labels] ?? 0;
      const stop = start + 1 + (owner[start] ?? 0);
      for (let at = start + 1; at < stop; at++) {
        const byte = LOWER[owner[at] ?? 0] ?? 0;
        if (byte <= 1) this.#bytes[this.#used++] = 1;
        this.#bytes[this.#used++] = byte <= 1 ? byte + 1 : byte;
      }
      this.#bytes[this.#used++] = 0;
    }
  }

  compare(one: number, other: number): number {
    const head = (this.#head[one] ?? 0) - (this.#head[other] ?? 0);
    if (head !== 0) return head;
    return this.#compareOwners(one, other) || this.#compareData(one, other);
  }

  #compareOwners(one: number, other: number): number {
    const bytes = this.#bytes;
    let [at, against] = [this.#from[one] ?? 0, this.#from[other] ?? 0];
    const [end, otherEnd] = [this.#to[one] ?? 0, this.#to[other] ?? 0];
    for (; at < end && against < otherEnd; at++, against++) {
      const order = (bytes[at] ?? 0) - (bytes[against] ?? 0);
      if (order !== 0) return order;
    }
    return end - at - (otherEnd - against);
  }

  #compareData(one: number, other: number): number {
    const [type, otherType] = [this.#records.type(one), this.#records.type(other)];
    if (type !== otherType) {
      // Types of one owner: the SOA stands first, wherever its number is.
      return (type === TYPES.SOA ? -1 : type) - (otherType === TYPES.SOA ? -1 : otherType);
    }
    const mine = canonicalRdata(type, this.#records.rdata(one));
    const theirs = canonicalRdata(type, this.#records.rdata(other));
    return compareBytes(mine, theirs) || one - other;
  }
}

const starts = new Uint8Array(128);

function ownersBytes(records: RecordList): number {
  let sum = 0;
  for (let index = 0; index < records.count; index++) sum += records.owner(index).length;
  return sum;
}
