// A property of every PagedMap: it is one map, whatever lies where, for its user and for the
// programs, over restarts and while things move.
import fc from 'fast-check';
import { expect } from 'vitest';
import { Slot } from '../../natter/entries.ts';
import { PagedMap } from '../../natter/paged-map.ts';
import type { BpfMap } from '../../shared/bpf/types.ts';
import { numberKey, writeAddress, writeNumber } from '../../shared/bpf/words.ts';
import { addressKey, findMapping, partsOf, type SideName } from './find-mapping.ts';

type Maps = ReadonlyMap<string, BpfMap>;

const NETWORKS = [0, 0x0a000000, 0x0a000100, 0x64400000, 0xc6336400, 0xffffff00];
const OCTETS = [0, 1, 77, 255];
const ADDRESSES = NETWORKS.flatMap((network) => OCTETS.map((octet) => network + octet));

const address = fc.constantFrom(...ADDRESSES);
const entry = fc.tuple(address, fc.integer({ min: 0, max: 0xffffffff }));
const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ update: entry }) },
  { weight: 3, arbitrary: fc.record({ remove: address }) },
  { weight: 1, arbitrary: fc.record({ updateBatch: fc.array(entry, { maxLength: 12 }) }) },
  { weight: 1, arbitrary: fc.record({ deleteBatch: fc.array(address, { maxLength: 12 }) }) },
  { weight: 1, arbitrary: fc.record({ hashed: entry }) },
  { weight: 1, arbitrary: fc.record({ waitMs: fc.constantFrom(1, 1000) }) },
  { weight: 1, arbitrary: fc.record({ settle: fc.constant(true) }) },
  { weight: 1, arbitrary: fc.record({ restart: fc.constant(true) }) },
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

/** Slot and flags vary with the address; `present` is no flag of a mapping. */
function bytesOf(number: number): Uint8Array {
  const value = new Uint8Array(8);
  writeAddress(number, value);
  writeNumber((Math.imul(number, 2654435761) & ~Slot.present) >>> 0, value, 4);
  return value;
}

const hex = (bytes: Uint8Array | undefined): string | undefined =>
  bytes && Buffer.from(bytes).toString('hex');

/** The maps hold nothing, or what an earlier run of this property left there. */
export function expectOneMap(maps: Maps, side: SideName, numRuns: number): void {
  const property = fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
    const run = new PropertyRun(maps, side);
    for (const one of steps) run.take(one);
  });
  fc.assert(property, { numRuns, seed: 20263 });
}

class PropertyRun {
  readonly #maps: Maps;
  readonly #side: SideName;
  readonly #model = new Map<number, string>();
  #nowMs = 0;
  #paged: PagedMap;

  constructor(maps: Maps, side: SideName) {
    this.#maps = maps;
    this.#side = side;
    this.#paged = this.#open();
    this.#paged.deleteBatch(Buffer.concat(ADDRESSES.map(addressKey)), ADDRESSES.length);
  }

  take(one: Step): void {
    if ('update' in one) this.#update(...one.update);
    else if ('remove' in one) this.#delete(one.remove);
    else if ('updateBatch' in one) this.#updateBatch(one.updateBatch);
    else if ('deleteBatch' in one) this.#deleteBatch(one.deleteBatch);
    else if ('hashed' in one) this.#asBeforePages(...one.hashed);
    else if ('waitMs' in one) this.#nowMs += one.waitMs;
    else if ('settle' in one) for (const _ of this.#paged.settle()) this.#expectSame();
    else this.#paged = this.#open();
    this.#expectSame();
  }

  #open(): PagedMap {
    const clock = { monotonicMs: () => this.#nowMs };
    return new PagedMap({ ...partsOf(this.#maps, this.#side), clock });
  }

  #update(key: number, number: number): void {
    this.#paged.update(addressKey(key), bytesOf(number));
    this.#model.set(key, hex(bytesOf(number)) ?? '');
  }

  #delete(key: number): void {
    expect(this.#paged.delete(addressKey(key))).toBe(this.#model.delete(key));
  }

  #updateBatch(entries: readonly [number, number][]): void {
    const keys = Buffer.concat(entries.map(([key]) => addressKey(key)));
    const values = Buffer.concat(entries.map(([, number]) => bytesOf(number)));
    this.#paged.updateBatch(keys, values, entries.length);
    for (const [key, number] of entries) this.#model.set(key, hex(bytesOf(number)) ?? '');
  }

  #deleteBatch(keys: readonly number[]): void {
    this.#paged.deleteBatch(Buffer.concat(keys.map(addressKey)), keys.length);
    for (const key of keys) this.#model.delete(key);
  }

  /** What a natter without pages would have left. */
  #asBeforePages(key: number, number: number): void {
    if (this.#model.has(key)) return;
    const { hash, entries } = partsOf(this.#maps, this.#side);
    hash.update(addressKey(key), bytesOf(number));
    entries.update(numberKey(0), new Uint8Array(8));
    this.#model.set(key, hex(bytesOf(number)) ?? '');
    this.#paged = this.#open();
  }

  #expectSame(): void {
    const wanted = [...this.#model].sort(byAddress);
    const found = ADDRESSES.flatMap((one): [number, string][] => {
      const value = hex(findMapping(this.#maps, this.#side, one));
      return value === undefined ? [] : [[one, value]];
    });
    expect(found.sort(byAddress)).toEqual(wanted);
    const walked: [number, string][] = [];
    for (const { keys, values, count } of this.#paged.batches(3)) {
      for (let index = 0; index < count; index += 1) {
        const key = new DataView(keys.buffer, keys.byteOffset).getUint32(index * 4);
        walked.push([key, hex(values.subarray(index * 8, index * 8 + 8)) ?? '']);
      }
    }
    expect(walked.sort(byAddress)).toEqual(wanted);
    for (const one of ADDRESSES) {
      expect(hex(this.#paged.lookup(addressKey(one)))).toBe(this.#model.get(one));
    }
  }
}

const byAddress = ([a]: [number, string], [b]: [number, string]): number => a - b;
