// A map in the kernel: bpf(2) BPF_MAP_* through libbpf.
import { ENOENT, ENOSPC, ENOTSUP, ENOTSUPP } from './failure.ts';
import { errno, forgetView, libbpf, libc, type Pointer, viewBytes } from './ffi.ts';
import { expectLength, expectRoom, isMapped, mapFailed, viewStride } from './map-rules.ts';
import type { BpfMap, MapShape, MapType, UpdateFlag } from './types.ts';

const UPDATE_FLAGS = { any: 0, noexist: 1, exist: 2 } as const;
const PROT_READ_WRITE = 3;
const MAP_SHARED = 1;
const BATCH_ENTRIES = 4096;
const CLOSED = -1;

const hasNoBatch = (result: number) => result === -ENOTSUPP || result === -ENOTSUP;

export class KernelMap implements BpfMap {
  readonly name: string;
  readonly type: MapType;
  readonly keySize: number;
  readonly valueSize: number;
  readonly maxEntries: number;
  readonly flags: number;
  readonly cells: number;
  readonly #valueBytes: number;
  #fd: number;
  #mapped: { address: Pointer; length: number; view: Uint8Array } | undefined;

  constructor(shape: MapShape, fd: number, cells: number) {
    this.name = shape.name;
    this.type = shape.type;
    this.keySize = shape.keySize;
    this.valueSize = shape.valueSize;
    this.maxEntries = shape.maxEntries;
    this.flags = shape.flags;
    this.cells = cells;
    this.#valueBytes = shape.valueSize * cells;
    this.#fd = fd;
  }

  get fd(): number {
    return this.#fd;
  }

  lookup(key: Uint8Array): Uint8Array | undefined {
    expectLength(this, key, this.keySize, 'key');
    const value = new Uint8Array(this.#valueBytes);
    const result = libbpf().bpf_map_lookup_elem(this.#fd, key, value);
    if (result === -ENOENT) return undefined;
    if (result < 0) throw this.#failed('look up', result);
    return value;
  }

  update(key: Uint8Array, value: Uint8Array, flag: UpdateFlag = 'any'): void {
    expectLength(this, key, this.keySize, 'key');
    expectLength(this, value, this.#valueBytes, 'value');
    const result = libbpf().bpf_map_update_elem(this.#fd, key, value, UPDATE_FLAGS[flag]);
    if (result < 0) throw this.#failed('update', result);
  }

  delete(key: Uint8Array): boolean {
    expectLength(this, key, this.keySize, 'key');
    const result = libbpf().bpf_map_delete_elem(this.#fd, key);
    if (result === -ENOENT) return false;
    if (result < 0) throw this.#failed('delete', result);
    return true;
  }

  updateBatch(keys: Uint8Array, values: Uint8Array, count: number): void {
    expectRoom(this, keys, this.keySize * count, 'keys');
    expectRoom(this, values, this.#valueBytes * count, 'values');
    if (count === 0) return;
    const done: [number] = [count];
    const result = libbpf().bpf_map_update_batch(this.#fd, keys, values, done, null);
    if (hasNoBatch(result)) this.#updateEach(keys, values, count);
    else if (result < 0) throw this.#failed('update', result, done[0], count);
  }

  deleteBatch(keys: Uint8Array, count: number): void {
    expectRoom(this, keys, this.keySize * count, 'keys');
    // The kernel stops at the first key that is not there; that one is skipped.
    for (let start = 0; start < count; ) {
      const done: [number] = [count - start];
      const rest = keys.subarray(start * this.keySize);
      const result = libbpf().bpf_map_delete_batch(this.#fd, rest, done, null);
      if (hasNoBatch(result)) {
        this.#deleteEach(rest, count - start);
        return;
      }
      if (result < 0 && result !== -ENOENT) {
        throw this.#failed('delete', result, start + done[0], count);
      }
      start += done[0] + (result === -ENOENT ? 1 : 0);
    }
  }

  *batches(
    entries = BATCH_ENTRIES,
  ): Generator<{ keys: Uint8Array; values: Uint8Array; count: number }> {
    // A cursor is a key, or for hashes a 32-bit bucket number.
    const cursor = new Uint8Array(Math.max(this.keySize, 4));
    let room = Math.max(1, Math.min(entries, this.maxEntries));
    let keys = new Uint8Array(room * this.keySize);
    let values = new Uint8Array(room * this.#valueBytes);
    for (let started = false; ; ) {
      const count: [number] = [room];
      const from = started ? cursor : null;
      const { bpf_map_lookup_batch: next } = libbpf();
      const result = next(this.#fd, from, cursor, keys, values, count, null);
      if (hasNoBatch(result) && !started) return yield* this.#walkKeys(room);
      if (result === -ENOSPC) {
        // One bucket of a hash holds more than there is room for.
        room *= 2;
        keys = new Uint8Array(room * this.keySize);
        values = new Uint8Array(room * this.#valueBytes);
        continue;
      }
      if (result < 0 && result !== -ENOENT) throw this.#failed('walk', result);
      if (count[0] > 0) yield { keys, values, count: count[0] };
      if (result === -ENOENT) return;
      started = true;
    }
  }

  view(): Uint8Array | undefined {
    if (!isMapped(this)) return undefined;
    if (this.#mapped === undefined) {
      const length = this.maxEntries * viewStride(this);
      const address = libc().mmap(null, length, PROT_READ_WRITE, MAP_SHARED, this.#fd, 0);
      // MAP_FAILED is -1.
      if (address === null || address === 2n ** 64n - 1n) throw this.#failed('map', -errno());
      this.#mapped = { address, length, view: viewBytes(address, length) };
    }
    return this.#mapped.view;
  }

  /** The object is closed: the descriptor is libbpf's, the mapping ours. */
  close(): void {
    this.#fd = CLOSED;
    if (this.#mapped === undefined) return;
    forgetView(this.#mapped.view);
    libc().munmap(this.#mapped.address, this.#mapped.length);
    this.#mapped = undefined;
  }

  #updateEach(keys: Uint8Array, values: Uint8Array, count: number): void {
    const { bpf_map_update_elem: updateOne } = libbpf();
    for (let index = 0; index < count; index++) {
      const key = keys.subarray(index * this.keySize);
      const result = updateOne(this.#fd, key, values.subarray(index * this.#valueBytes), 0);
      if (result < 0) throw this.#failed('update', result, index, count);
    }
  }

  #deleteEach(keys: Uint8Array, count: number): void {
    for (let index = 0; index < count; index++) {
      this.delete(keys.subarray(index * this.keySize, (index + 1) * this.keySize));
    }
  }

  *#walkKeys(room: number): Generator<{ keys: Uint8Array; values: Uint8Array; count: number }> {
    const keys = new Uint8Array(room * this.keySize);
    const values = new Uint8Array(room * this.#valueBytes);
    const key = new Uint8Array(this.keySize);
    let from: Uint8Array | null = null;
    let count = 0;
    // A key that is deleted under the walk starts it anew: the bound keeps it finite.
    for (let steps = 2 * this.maxEntries; steps > 0; steps--) {
      const result = libbpf().bpf_map_get_next_key(this.#fd, from, key);
      if (result === -ENOENT) break;
      if (result < 0) throw this.#failed('walk', result);
      from = key;
      const value = this.lookup(key);
      if (value === undefined) continue;
      keys.set(key, count * this.keySize);
      values.set(value, count * this.#valueBytes);
      if (++count < room) continue;
      yield { keys, values, count };
      count = 0;
    }
    if (count > 0) yield { keys, values, count };
  }

  #failed(verb: string, result: number, done?: number, count?: number): Error {
    return mapFailed(this, verb, result, done, count);
  }
}
