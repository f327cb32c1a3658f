// What the cases of the conformance suite work with.
import { join } from 'node:path';
import { afterEach, beforeEach, expect } from 'vitest';
import type { Bpf, BpfMap, BpfObject, BpfProgram, LoadOptions } from '../../../shared/bpf/types.ts';

export const OBJECT = join(import.meta.dirname, '../bpf/conformance.bpf.o');
export const LOOPBACK = 1;

export const u32 = (...words: number[]): Uint8Array =>
  new Uint8Array(Uint32Array.from(words).buffer);
export const u64 = (...words: number[]): Uint8Array =>
  new Uint8Array(BigUint64Array.from(words, BigInt).buffer);
/** struct prefix: host-order length, then the address as written. */
export const prefix = (bits: number, ...address: number[]): Uint8Array =>
  Uint8Array.of(...u32(bits), ...address);
export const frame = Uint8Array.from({ length: 64 }, (_, index) => index);

export interface Setup {
  bpf: Bpf;
  /** New and on a bpffs. */
  pinDirectory: string;
  /** The same kernel as a new process would see it. */
  restart(): Bpf;
  close(): void;
}

export interface Fixture {
  setup(): Setup;
  /** Closed after the test. */
  load(options?: Partial<LoadOptions>, bpf?: Bpf): BpfObject;
  mapOf(name: string, object?: BpfObject): BpfMap;
  programOf(name: string, object?: BpfObject): BpfProgram;
  /** Matches an error. */
  failure(code: string, details?: object): unknown;
}

/** A set-up for each test of the current block. */
export function useFixture(setUp: () => Setup): Fixture {
  let setup: Setup;
  let objects: BpfObject[];
  beforeEach(() => {
    setup = setUp();
    objects = [];
  });
  afterEach(() => {
    for (const object of objects) object.close();
    setup.close();
  });
  function load(options: Partial<LoadOptions> = {}, bpf = setup.bpf): BpfObject {
    const object = bpf.load({ objectPath: OBJECT, ...options });
    objects.push(object);
    return object;
  }
  return {
    setup: () => setup,
    load,
    mapOf: (name, object = load()) => found(object.maps.get(name), name),
    programOf: (name, object = load()) => found(object.programs.get(name), name),
    failure: (code, details = {}) => expect.objectContaining({ code, ...details }),
  };
}

function found<T>(value: T | undefined, name: string): T {
  if (value === undefined) throw new Error(`the object has no ${name}`);
  return value;
}

export const keyOf = (key: Uint8Array): string => Buffer.from(key).toString('hex');

/** Key in hex → value. */
export function contents(map: BpfMap, count?: number): Map<string, Uint8Array> {
  const all = new Map<string, Uint8Array>();
  const valueBytes = map.valueSize * map.cells;
  for (const batch of map.batches(count)) {
    for (let index = 0; index < batch.count; index++) {
      const key = batch.keys.subarray(index * map.keySize, (index + 1) * map.keySize);
      const value = batch.values.subarray(index * valueBytes, (index + 1) * valueBytes);
      all.set(keyOf(key), Uint8Array.from(value));
    }
  }
  return all;
}
