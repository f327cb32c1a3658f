// A message that is filled record by record, up to a size: what encodeMessage and transfers write
// with. Compresses names (RFC 1035 §4.1.4) only where all their letters are the same. Pure.
import { HEADER_BYTES, MAX_POINTER } from './constants.ts';
import { nameLength } from './names.ts';
import { typeOf } from './rdata.ts';
import type { MessageRecord, Name, Question } from './types.ts';

const MAX_BYTES = 0xffff;
const FIRST_BYTES = 1024;

export type Section = 'answers' | 'authorities' | 'additionals';
const SECTIONS = ['answers', 'authorities', 'additionals'] as const;

/** Questions first, then the sections in their order: an earlier one cannot be added to later. */
export class MessageWriter {
  #bytes = new Uint8Array(FIRST_BYTES);
  #view = new DataView(this.#bytes.buffer);
  #used = HEADER_BYTES;
  #section = -1; // of SECTIONS; −1: questions
  readonly #maxBytes: number;
  /** Where each name, and each end of one, was written; by its bytes as characters. */
  #offsets = new Map<string, number>();
  /** Those of the record that is being written: taken back when it does not fit. */
  #added: string[] = [];

  constructor({ id, flags }: { id: number; flags: number }, maxBytes = MAX_BYTES) {
    this.#maxBytes = Math.min(maxBytes, MAX_BYTES);
    this.#view.setUint16(0, id);
    this.#view.setUint16(2, flags);
  }

  get length(): number {
    return this.#used;
  }

  /** False, and nothing written, when it does not fit. */
  question({ name, type, class: of }: Question): boolean {
    if (this.#section >= 0) throw new RangeError('questions come first');
    return this.#whole(-1, () => {
      this.#name(name);
      this.#u16(type);
      this.#u16(of);
    });
  }

  /** False, and nothing written, when it does not fit. Throws RdataError for data that is none. */
  record(section: Section, record: MessageRecord): boolean {
    const index = SECTIONS.indexOf(section);
    if (index < this.#section) throw new RangeError(`${section} come earlier`);
    return this.#whole(index, () => {
      this.#name(record.owner);
      this.#u16(record.type);
      this.#u16(record.class);
      this.#u16(record.ttlSeconds >>> 16);
      this.#u16(record.ttlSeconds & 0xffff);
      this.#rdata(record.type, record.rdata);
    });
  }

  /** What is written until now: a copy. */
  bytes(): Uint8Array {
    return this.#bytes.slice(0, this.#used);
  }

  #whole(section: number, write: () => void): boolean {
    const start = this.#used;
    this.#added = [];
    try {
      write();
    } catch (error) {
      this.#takeBack(start);
      throw error;
    }
    if (this.#used > this.#maxBytes) {
      this.#takeBack(start);
      return false;
    }
    this.#section = section;
    const count = 6 + 2 * section;
    const before = this.#view.getUint16(count);
    if (before < 0xffff) this.#view.setUint16(count, before + 1);
    else this.#takeBack(start);
    return before < 0xffff;
  }

  #takeBack(start: number): void {
    this.#used = start;
    for (const key of this.#added) this.#offsets.delete(key);
  }

  #rdata(type: number, rdata: Uint8Array): void {
    const lengthAt = this.#used;
    this.#u16(0);
    let from = 0;
    const names = rdata.length === 0 ? [] : typeOf(type).names(rdata);
    for (const [offset, mayBeCompressed] of names) {
      if (!mayBeCompressed) continue;
      this.#raw(rdata.subarray(from, offset));
      from = offset + nameLength(rdata, offset);
      this.#name(rdata.subarray(offset, from));
    }
    this.#raw(rdata.subarray(from));
    const length = this.#used - lengthAt - 2;
    if (length <= 0xffff) this.#view.setUint16(lengthAt, length);
  }

  #name(name: Name): void {
    const text = String.fromCharCode(...name);
    let at = 0;
    while ((name[at] ?? 0) !== 0) {
      const key = text.slice(at);
      const offset = this.#offsets.get(key);
      if (offset !== undefined) {
        this.#u16(0xc000 | offset);
        return;
      }
      if (this.#used <= MAX_POINTER) {
        this.#offsets.set(key, this.#used);
        this.#added.push(key);
      }
      const next = at + 1 + (name[at] ?? 0);
      this.#raw(name.subarray(at, next));
      at = next;
    }
    this.#raw(name.subarray(at));
  }

  #u16(value: number): void {
    this.#reserve(2);
    this.#view.setUint16(this.#used, value);
    this.#used += 2;
  }

  #raw(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#bytes.set(bytes, this.#used);
    this.#used += bytes.length;
  }

  #reserve(bytes: number): void {
    if (this.#used + bytes <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(2 * this.#bytes.length, this.#used + bytes));
    grown.set(this.#bytes.subarray(0, this.#used));
    this.#bytes = grown;
    this.#view = new DataView(grown.buffer);
  }
}
