// A map in memory, with the semantics of the kernel's: what fits, what is refused, which errno.
import { viewOf } from './bytes.ts';
import { E2BIG, EBADF, EEXIST, EINVAL, ENOENT, ENOSPC } from './failure.ts';
import {
  expectLength,
  expectRoom,
  isArray,
  isMapped,
  isPerCpu,
  mapFailed,
  viewStride,
} from './map-rules.ts';
import type { InnerMap, MapShape, MapType, UpdateFlag } from './types.ts';
import { numberKey } from './words.ts';

const BATCH_ENTRIES = 4096;
const RECORD_HEADER_BYTES = 8;

interface Entry {
  key: Uint8Array;
  value: Uint8Array;
}

/** What the map holds: shared by all that opened it. */
interface Contents {
  entries: Map<string, Entry>;
  /** Of an array: all its entries, as view() shows them. */
  memory: Uint8Array;
  /** Of a ring buffer: what was submitted and not yet consumed. */
  records: Uint8Array[];
  /** Of a map of maps, by index. */
  held: Map<number, FakeMap>;
}

/** What fits into a map of maps, and how it is known by its descriptor. */
export interface FakeInner {
  shape: MapShape;
  find(fd: number): FakeMap | undefined;
}

/** A descriptor of a map: usable until it is closed, while the map may live on. */
export class FakeMap implements InnerMap {
  readonly fd: number;
  readonly name: string;
  readonly type: MapType;
  readonly keySize: number;
  readonly valueSize: number;
  readonly maxEntries: number;
  readonly flags: number;
  readonly cells: number;
  /** The kernel's number of the map; the same by any descriptor. */
  readonly id: number;
  readonly #contents: Contents;
  readonly #inner: FakeInner | undefined;
  #closed = false;

  constructor(
    shape: MapShape,
    fd: number,
    possibleCpus: number,
    inner?: FakeInner,
    same?: FakeMap,
  ) {
    this.fd = fd;
    this.id = same?.id ?? fd;
    this.#inner = inner;
    this.name = shape.name;
    this.type = shape.type;
    this.keySize = shape.keySize;
    this.valueSize = shape.valueSize;
    this.maxEntries = shape.maxEntries;
    this.flags = shape.flags;
    this.cells = isPerCpu(shape.type) ? possibleCpus : 1;
    this.#contents = same === undefined ? this.#empty() : same.#contents;
  }

  #empty(): Contents {
    const bytes = isArray(this.type) ? this.maxEntries * viewStride(this) * this.cells : 0;
    return { entries: new Map(), memory: new Uint8Array(bytes), records: [], held: new Map() };
  }

  /** The same map by another descriptor. */
  reopen(fd: number): FakeMap {
    return new FakeMap(this, fd, this.cells, this.#inner, this);
  }

  /** What a program finds in a map of maps. */
  innerAt(index: number): FakeMap | undefined {
    return this.#open.held.get(index);
  }

  close(): void {
    this.#closed = true;
  }

  get isOpen(): boolean {
    return !this.#closed;
  }

  get #open(): Contents {
    if (this.#closed) throw mapFailed(this, 'use', -EBADF);
    return this.#contents;
  }

  lookup(key: Uint8Array): Uint8Array | undefined {
    expectLength(this, key, this.keySize, 'key');
    if (isArray(this.type)) return this.#cell(key)?.slice();
    if (this.type === 'lpm_trie') return this.#longestMatch(key)?.value.slice();
    if (this.#inner !== undefined) return this.#heldId(indexOf(key));
    return this.#open.entries.get(this.#identity(key))?.value.slice();
  }

  update(key: Uint8Array, value: Uint8Array, flag: UpdateFlag = 'any'): void {
    expectLength(this, key, this.keySize, 'key');
    expectLength(this, value, this.valueSize * this.cells, 'value');
    const result = this.#set(key.slice(), value.slice(), flag);
    if (result < 0) throw mapFailed(this, 'update', result);
  }

  delete(key: Uint8Array): boolean {
    expectLength(this, key, this.keySize, 'key');
    if (isArray(this.type)) throw mapFailed(this, 'delete', -EINVAL);
    if (this.#inner !== undefined) return this.#open.held.delete(indexOf(key));
    return this.#open.entries.delete(this.#identity(key));
  }

  updateBatch(keys: Uint8Array, values: Uint8Array, count: number): void {
    const valueBytes = this.valueSize * this.cells;
    expectRoom(this, keys, this.keySize * count, 'keys');
    expectRoom(this, values, valueBytes * count, 'values');
    for (let index = 0; index < count; index++) {
      const key = keys.slice(index * this.keySize, (index + 1) * this.keySize);
      const value = values.slice(index * valueBytes, (index + 1) * valueBytes);
      const result = this.#set(key, value, 'any');
      if (result < 0) throw mapFailed(this, 'update', result, index, count);
    }
  }

  deleteBatch(keys: Uint8Array, count: number): void {
    expectRoom(this, keys, this.keySize * count, 'keys');
    for (let index = 0; index < count; index++) {
      this.delete(keys.subarray(index * this.keySize, (index + 1) * this.keySize));
    }
  }

  *batches(
    most = BATCH_ENTRIES,
  ): Generator<{ keys: Uint8Array; values: Uint8Array; count: number }> {
    const entries = this.#allEntries();
    for (let start = 0; start < entries.length; start += most) {
      const some = entries.slice(start, start + most);
      const keys = Buffer.concat(some.map((entry) => entry.key));
      const values = Buffer.concat(some.map((entry) => entry.value));
      yield { keys, values, count: some.length };
    }
  }

  view(): Uint8Array | undefined {
    return isMapped(this) ? this.#open.memory : undefined;
  }

  /** What a reader does with a ring buffer: the oldest record. */
  take(): Uint8Array | undefined {
    return this.#open.records.shift();
  }

  /** What a program does with a ring buffer. false: no room, the record is lost. */
  submit(record: Uint8Array): boolean {
    const used = this.#open.records.reduce((sum, one) => sum + recordBytes(one), 0);
    if (used + recordBytes(record) > this.maxEntries) return false;
    this.#open.records.push(record.slice());
    return true;
  }

  #allEntries(): Entry[] {
    if (isArray(this.type)) return this.#arrayEntries();
    if (this.#inner === undefined) return [...this.#open.entries.values()];
    const held = [...this.#open.held].sort(([a], [b]) => a - b);
    return held.map(([index, map]) => ({ key: numberKey(index), value: numberKey(map.id) }));
  }

  #heldId(index: number): Uint8Array | undefined {
    const held = this.#open.held.get(index);
    return held && numberKey(held.id);
  }

  /** 0 or a negative errno. */
  #hold(index: number, fd: number, flag: UpdateFlag, inner: FakeInner): number {
    if (flag !== 'any') return -EINVAL;
    if (index >= this.maxEntries) return -E2BIG;
    const map = inner.find(fd);
    if (map === undefined) return -EBADF;
    if (!isSameShape(map, inner.shape)) return -EINVAL;
    this.#open.held.set(index, map.reopen(map.fd));
    return 0;
  }

  /** 0 or a negative errno. */
  #set(key: Uint8Array, value: Uint8Array, flag: UpdateFlag): number {
    if (this.#inner !== undefined) {
      return this.#hold(indexOf(key), indexOf(value), flag, this.#inner);
    }
    if (isArray(this.type)) {
      const cell = this.#cell(key);
      if (!cell) return -E2BIG;
      if (flag === 'noexist') return -EEXIST;
      cell.set(value);
      return 0;
    }
    if (this.type === 'lpm_trie' && prefixBits(key) > this.keySize * 8 - 32) return -EINVAL;
    const identity = this.#identity(key);
    const exists = this.#open.entries.has(identity);
    if (exists && flag === 'noexist') return -EEXIST;
    if (!exists && flag === 'exist') return -ENOENT;
    if (!exists && this.#open.entries.size >= this.maxEntries) {
      if (!this.type.startsWith('lru')) return this.type === 'lpm_trie' ? -ENOSPC : -E2BIG;
      const [oldest] = this.#open.entries.keys();
      if (oldest !== undefined) this.#open.entries.delete(oldest);
    }
    this.#open.entries.set(identity, { key, value });
    return 0;
  }

  #identity(key: Uint8Array): string {
    const bytes = this.type === 'lpm_trie' ? masked(key, prefixBits(key)) : key;
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
  }

  /** The longest prefix that covers the key, no longer than the key's own. */
  #longestMatch(key: Uint8Array): Entry | undefined {
    for (let bits = Math.min(prefixBits(key), this.keySize * 8 - 32); bits >= 0; bits--) {
      const shorter = key.slice();
      viewOf(shorter).setUint32(0, bits, true);
      const found = this.#open.entries.get(this.#identity(shorter));
      if (found) return found;
    }
    return undefined;
  }

  #cell(key: Uint8Array): Uint8Array | undefined {
    const index = indexOf(key);
    if (index >= this.maxEntries) return undefined;
    const stride = viewStride(this) * this.cells;
    const start = index * stride;
    return this.#open.memory.subarray(start, start + this.valueSize * this.cells);
  }

  #arrayEntries(): Entry[] {
    return Array.from({ length: this.maxEntries }, (_, index) => {
      const key = new Uint8Array(4);
      viewOf(key).setUint32(0, index, true);
      return { key, value: this.#cell(key) ?? new Uint8Array(0) };
    });
  }
}

const recordBytes = (record: Uint8Array): number =>
  RECORD_HEADER_BYTES + Math.ceil(record.length / 8) * 8;

const indexOf = (key: Uint8Array): number => viewOf(key).getUint32(0, true);

const isSameShape = (a: MapShape, b: MapShape): boolean =>
  a.type === b.type &&
  a.keySize === b.keySize &&
  a.valueSize === b.valueSize &&
  a.maxEntries === b.maxEntries &&
  a.flags === b.flags;

const prefixBits = (key: Uint8Array): number => viewOf(key).getUint32(0, true);

/** The key with all bits after the prefix at zero. */
function masked(key: Uint8Array, bits: number): Uint8Array {
  return key.map((byte, index) => {
    if (index < 4) return byte;
    const kept = Math.min(8, Math.max(0, bits - (index - 4) * 8));
    return byte & (0xff00 >> kept);
  });
}
