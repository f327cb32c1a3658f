// Routing tables in MRT's TABLE_DUMP_V2 (RFC 6396 §4.3; paths' ids: RFC 8050). The line of a
// prefix is that of its origin: the last AS of the first path that ends with one (§4.3.4: 4 bytes
// each), as an AS_SET at the end names nobody. Default routes are nobody's. Pure.
import type { Family } from '../columns.ts';
import type { ListSink } from './sink.ts';

const HEADER_BYTES = 12;
const TABLE_DUMP = 12;
export const TABLE_DUMP_V2 = 13;
export const PEER_INDEX_TABLE = 1;

type Subtype = { family: Family; hasPathIds: boolean };
const RIBS: Readonly<Record<number, Subtype>> = {
  2: { family: 4, hasPathIds: false },
  4: { family: 6, hasPathIds: false },
  8: { family: 4, hasPathIds: true },
  10: { family: 6, hasPathIds: true },
};

const AS_PATH = 2;
const EXTENDED_LENGTH = 0x10;
const AS_SEQUENCE = 2;

/** What is wrong inside of a record, with its place in the file. */
class MrtError extends Error {}

/** `row` of an entry is its record, from 1. */
export function readMrt(bytes: Uint8Array, sink: ListSink): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const record = new RibRecord(view, sink);
  let at = 0;
  let ribs = 0;
  for (let row = 1; at < bytes.length && !sink.isFull; row++) {
    try {
      if (at + HEADER_BYTES > bytes.length) throw new MrtError('the last header is cut off');
      const [type, subtype] = [view.getUint16(at + 4), view.getUint16(at + 6)];
      const end = at + HEADER_BYTES + view.getUint32(at + 8);
      if (end > bytes.length) throw new MrtError('the last record is cut off');
      if (type === TABLE_DUMP) throw new MrtError('is TABLE_DUMP, the old form: use TABLE_DUMP_V2');
      const rib = type === TABLE_DUMP_V2 ? RIBS[subtype] : undefined;
      if (rib !== undefined) {
        record.read(rib, at + HEADER_BYTES, end, row);
        ribs++;
      }
      at = end;
    } catch (error) {
      if (!(error instanceof MrtError)) throw error;
      sink.problem(0, 0, `byte ${at}: ${error.message}`, 'load the file again');
      return;
    }
  }
  if (ribs === 0) sink.problem(0, 0, 'has no route of TABLE_DUMP_V2', 'take a RIB dump');
}

class RibRecord {
  readonly #view: DataView;
  readonly #sink: ListSink;
  readonly #words = new Uint32Array(4);
  #at = 0;
  #end = 0;

  constructor(view: DataView, sink: ListSink) {
    this.#view = view;
    this.#sink = sink;
  }

  read({ family, hasPathIds }: Subtype, start: number, end: number, row: number): void {
    this.#at = start;
    this.#end = end;
    this.#take(4); // sequence number
    const bits = this.#view.getUint8(this.#take(1));
    if (bits > (family === 4 ? 32 : 128)) throw new MrtError(`a prefix of ${bits} bits`);
    this.#readPrefix(bits);
    const entries = this.#view.getUint16(this.#take(2));
    let origin: number | undefined;
    for (let entry = 0; entry < entries && origin === undefined; entry++) {
      this.#take(2 + 4 + (hasPathIds ? 4 : 0)); // peer, time, path's id
      const length = this.#view.getUint16(this.#take(2));
      origin = this.#originIn(this.#take(length), length);
    }
    const line = origin === undefined || bits === 0 ? undefined : this.#sink.lineOfAsn(origin);
    this.#sink.add(family, this.#words, bits, line, row);
  }

  /** Bits beyond the length may be anything (RFC 4271 §4.3). */
  #readPrefix(bits: number): void {
    this.#words.fill(0);
    const length = (bits + 7) >> 3;
    const from = this.#take(length);
    for (let index = 0; index < length; index++) {
      const unused = Math.max(0, 8 * (index + 1) - bits);
      const byte = this.#view.getUint8(from + index) & (0xff << unused);
      this.#words[index >> 2] = (this.#words[index >> 2] ?? 0) | (byte << (24 - 8 * (index & 3)));
    }
  }

  #originIn(from: number, length: number): number | undefined {
    const end = from + length;
    let at = from;
    while (at + 3 <= end) {
      const flags = this.#view.getUint8(at);
      const type = this.#view.getUint8(at + 1);
      const isLong = (flags & EXTENDED_LENGTH) !== 0;
      if (isLong && at + 4 > end) break;
      const size = isLong ? this.#view.getUint16(at + 2) : this.#view.getUint8(at + 2);
      at += isLong ? 4 : 3;
      if (at + size > end) throw new MrtError('an attribute is longer than its entry');
      if (type === AS_PATH) return this.#originOf(at, at + size);
      at += size;
    }
    return undefined;
  }

  #originOf(at: number, end: number): number | undefined {
    let origin: number | undefined;
    while (at + 2 <= end) {
      const type = this.#view.getUint8(at);
      const count = this.#view.getUint8(at + 1);
      at += 2 + 4 * count;
      if (at > end) throw new MrtError('an AS path is longer than its attribute');
      origin = type === AS_SEQUENCE && count > 0 ? this.#view.getUint32(at - 4) : undefined;
    }
    return origin;
  }

  /** Where the next bytes of the record start. */
  #take(count: number): number {
    const at = this.#at;
    if (at + count > this.#end) throw new MrtError('a record is shorter than what it says');
    this.#at += count;
    return at;
  }
}
