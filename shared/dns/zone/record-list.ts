// Records of a zone in one growing piece of memory, so that a million of them are four arrays and
// not four million objects. Owner and data in wire form, uncompressed. Pure.
import type { Name } from '../types.ts';

const FIRST_BYTES = 16 * 1024;
const FIRST_RECORDS = 256;
/** type 2, owner length 1, rdata length 2, ttl 4, tag 4. */
const HEADER_BYTES = 13;

/** What a list is made of, for another thread. */
export type RecordMemory = { bytes: Uint8Array; at: Float64Array; count: number; used: number };

/** Everything that is read is a view into the list: it stays true as long as the list is kept. */
export class RecordList {
  #bytes: Uint8Array = new Uint8Array(FIRST_BYTES);
  #view: DataView = new DataView(this.#bytes.buffer);
  #at: Float64Array = new Float64Array(FIRST_RECORDS);
  #used = 0;
  #count = 0;

  static of({ bytes, at, count, used }: RecordMemory): RecordList {
    const list = new RecordList();
    list.#bytes = bytes;
    list.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    list.#at = at;
    list.#used = used;
    list.#count = count;
    return list;
  }

  /** Not a copy: neither is to be added to afterwards. */
  get memory(): RecordMemory {
    return { bytes: this.#bytes, at: this.#at, count: this.#count, used: this.#used };
  }

  get count(): number {
    return this.#count;
  }

  /** Of owners, data and their headers. */
  get byteLength(): number {
    return this.#used;
  }

  /** `tag`: 32 bits of whoever fills the list, such as a line's number; 0 unless told. */
  add(owner: Name, type: number, ttlSeconds: number, rdata: Uint8Array, tag = 0): void {
    if (owner.length > 255 || rdata.length > 0xffff) throw new RangeError('not in wire form');
    this.#reserve(HEADER_BYTES + owner.length + rdata.length);
    const at = this.#used;
    this.#view.setUint16(at, type);
    this.#view.setUint8(at + 2, owner.length);
    this.#view.setUint16(at + 3, rdata.length);
    this.#view.setUint32(at + 5, ttlSeconds);
    this.#view.setUint32(at + 9, tag);
    this.#bytes.set(owner, at + HEADER_BYTES);
    this.#bytes.set(rdata, at + HEADER_BYTES + owner.length);
    this.#at[this.#count++] = at;
    this.#used = at + HEADER_BYTES + owner.length + rdata.length;
  }

  /** All of `other`, at the end of this one. */
  addAll(other: RecordList): void {
    for (let index = 0; index < other.count; index++) {
      const [owner, rdata] = [other.owner(index), other.rdata(index)];
      this.add(owner, other.type(index), other.ttlSeconds(index), rdata, other.tag(index));
    }
  }

  type(index: number): number {
    return this.#view.getUint16(this.#start(index));
  }

  ttlSeconds(index: number): number {
    return this.#view.getUint32(this.#start(index) + 5);
  }

  tag(index: number): number {
    return this.#view.getUint32(this.#start(index) + 9);
  }

  owner(index: number): Name {
    const at = this.#start(index) + HEADER_BYTES;
    return this.#bytes.subarray(at, at + this.#view.getUint8(at - HEADER_BYTES + 2));
  }

  rdata(index: number): Uint8Array {
    const start = this.#start(index);
    const at = start + HEADER_BYTES + this.#view.getUint8(start + 2);
    return this.#bytes.subarray(at, at + this.#view.getUint16(start + 3));
  }

  #start(index: number): number {
    const start = index < this.#count ? this.#at[index] : undefined;
    if (start === undefined) throw new RangeError(`no record ${index} of ${this.#count}`);
    return start;
  }

  #reserve(bytes: number): void {
    if (this.#count === this.#at.length) {
      const at = new Float64Array(2 * this.#count);
      at.set(this.#at);
      this.#at = at;
    }
    if (this.#used + bytes <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(2 * this.#bytes.length, this.#used + bytes));
    grown.set(this.#bytes.subarray(0, this.#used));
    this.#bytes = grown;
    this.#view = new DataView(grown.buffer);
  }
}
