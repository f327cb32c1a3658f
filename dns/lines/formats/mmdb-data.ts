// Values of a MaxMind DB's data section (format specification 2.0, "Output Data Section"). Pure.

export type MmdbValue = string | number | bigint | boolean | Uint8Array | MmdbValue[] | MmdbMap;
export type MmdbMap = { [key: string]: MmdbValue };

/** What is wrong with the file, with its place. */
export class MmdbError extends Error {}

const POINTER = 1;
const TEXT = 2;
const DOUBLE = 3;
const BYTES = 4;
const UINT16 = 5;
const UINT32 = 6;
const MAP = 7;
const INT32 = 8;
const UINT64 = 9;
const UINT128 = 10;
const ARRAY = 11;
const BOOLEAN = 14;
const FLOAT = 15;

/** A record may not nest deeper, nor hold more: pointers can fold a file into very much. */
const MAX_DEPTH = 16;
const MAX_VALUES = 10_000;

const decoder = new TextDecoder();

export class MmdbData {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;
  #values = 0;

  /** `bytes`: the section alone, as pointers count from its start. */
  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** The value at an offset in the section. Throws MmdbError. */
  read(offset: number): MmdbValue {
    this.#at = offset;
    this.#values = 0;
    return this.#value(0, true);
  }

  #value(depth: number, mayPoint: boolean): MmdbValue {
    if (depth > MAX_DEPTH || ++this.#values > MAX_VALUES)
      throw new MmdbError(`data byte ${this.#at}: a record is too large`);
    const control = this.#number(1);
    let type = control >> 5;
    if (type === POINTER) {
      if (!mayPoint) throw new MmdbError(`data byte ${this.#at}: a pointer to a pointer`);
      const target = this.#pointer(control);
      const back = this.#at;
      this.#at = target;
      const value = this.#value(depth + 1, false);
      this.#at = back;
      return value;
    }
    if (type === 0) type = 7 + this.#number(1);
    const size = this.#size(control);
    if (type === MAP) return this.#map(size, depth);
    if (type === ARRAY)
      return Array.from({ length: this.#bounded(size) }, () => this.#value(depth + 1, true));
    if (type === BOOLEAN) return size !== 0;
    return this.#scalar(type, size);
  }

  #map(size: number, depth: number): MmdbMap {
    const map: MmdbMap = Object.create(null);
    this.#bounded(size);
    for (let pair = 0; pair < size; pair++) {
      const key = this.#value(depth + 1, true);
      if (typeof key !== 'string') throw new MmdbError(`data byte ${this.#at}: a key is no text`);
      map[key] = this.#value(depth + 1, true);
    }
    return map;
  }

  #scalar(type: number, size: number): MmdbValue {
    const at = this.#take(size);
    const bytes = this.#bytes.subarray(at, at + size);
    if (type === TEXT) return decoder.decode(bytes);
    if (type === BYTES) return bytes.slice();
    if (type === DOUBLE && size === 8) return this.#view.getFloat64(at);
    if (type === FLOAT && size === 4) return this.#view.getFloat32(at);
    if ((type === UINT16 && size <= 2) || (type === UINT32 && size <= 4)) return whole(bytes);
    if (type === INT32 && size <= 4) return size === 4 ? whole(bytes) | 0 : whole(bytes);
    if ((type === UINT64 && size <= 8) || (type === UINT128 && size <= 16))
      return bytes.reduce((value, byte) => (value << 8n) | BigInt(byte), 0n);
    throw new MmdbError(`data byte ${at}: no value of type ${type} has ${size} bytes`);
  }

  #pointer(control: number): number {
    const bytes = ((control >> 3) & 3) + 1;
    const high = bytes === 4 ? 0 : (control & 7) * 2 ** (8 * bytes);
    return high + this.#number(bytes) + ([0, 2048, 526_336, 0][bytes - 1] ?? 0);
  }

  #size(control: number): number {
    const size = control & 31;
    if (size === 29) return 29 + this.#number(1);
    if (size === 30) return 285 + this.#number(2);
    if (size === 31) return 65_821 + this.#number(3);
    return size;
  }

  #bounded(size: number): number {
    if (size <= MAX_VALUES) return size;
    throw new MmdbError(`data byte ${this.#at}: a record is too large`);
  }

  #number(bytes: number): number {
    const at = this.#take(bytes);
    return whole(this.#bytes.subarray(at, at + bytes));
  }

  #take(count: number): number {
    const at = this.#at;
    if (at < 0 || at + count > this.#bytes.length)
      throw new MmdbError(`data byte ${at}: outside of the data`);
    this.#at += count;
    return at;
  }
}

/** Up to four bytes in network order. */
function whole(bytes: Uint8Array): number {
  return bytes.reduce((value, byte) => value * 256 + byte, 0);
}
