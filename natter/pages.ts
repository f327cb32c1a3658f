// The pages of one side's mappings (bpf/find.h): 256 entries for a /24, in memory that the programs
// read while this writes it. Which /24 has which page is in a map, too, and read back from there.

import type { BpfMap } from '../shared/bpf/types.ts';
import { numberKey, readAddress, readNumber, writeAddress } from '../shared/bpf/words.ts';
import type { Clock } from '../shared/clock.ts';
import { Slot } from './entries.ts';

export const PAGE_ENTRIES = 256;
/** A program that still reads what was given up has ended long before. */
export const GRACE_MS = 1000;

const NO_NETWORK = -1;
const ENTRY_BYTES = 8;
/** Page 0 is none. */
const FIRST_PAGE = 1;

export type PageMaps = { pages: BpfMap; entries: BpfMap };

/** Entries are found by index; an index is valid until the next refresh() or place(). */
export class Pages {
  readonly #pages: BpfMap;
  readonly #clock: Pick<Clock, 'monotonicMs'>;
  /** The same memory: one entry is one cell, or two words (address, slot and flags). */
  readonly #cells: BigUint64Array<ArrayBufferLike>;
  readonly #words: Uint32Array<ArrayBufferLike>;
  readonly #scratch = new Uint8Array(ENTRY_BYTES);
  readonly #scratchCell = new BigUint64Array(this.#scratch.buffer);
  readonly #scratchWords = new Uint32Array(this.#scratch.buffer);
  readonly #pageOf = new Map<number, number>();
  readonly #networkOf: Int32Array;
  readonly #used: Uint16Array;
  #free: number[] = [];
  /** Pages that a /24 has for no entry. */
  #idle = 0;
  /** No page is given out before: a program may still read it as that of another /24. */
  #quietUntilMs = Number.NEGATIVE_INFINITY;

  constructor({ pages, entries }: PageMaps, clock: Pick<Clock, 'monotonicMs'>) {
    const memory = entries.view();
    if (memory === undefined) throw new Error(`map ${entries.name} cannot be mapped`);
    this.#pages = pages;
    this.#clock = clock;
    this.#cells = new BigUint64Array(memory.buffer, memory.byteOffset, entries.maxEntries);
    this.#words = new Uint32Array(memory.buffer, memory.byteOffset, entries.maxEntries * 2);
    const count = entries.maxEntries / PAGE_ENTRIES;
    this.#networkOf = new Int32Array(count).fill(NO_NETWORK);
    this.#used = new Uint16Array(count);
    this.refresh();
  }

  /** Reads anew which /24 has which page, in case that somebody else wrote there. */
  refresh(): void {
    const before = [...this.#pageOf];
    const stray: Uint8Array[] = [];
    this.#pageOf.clear();
    this.#networkOf.fill(NO_NETWORK);
    for (const { keys, values, count } of this.#pages.batches()) {
      for (let index = 0; index < count; index += 1) {
        const key = keys.slice(index * 4, index * 4 + 4);
        const address = readAddress(key);
        const page = readNumber(values, index * 4);
        const isRight = address % PAGE_ENTRIES === 0 && this.#networkOf[page] === NO_NETWORK;
        if (isRight && page >= FIRST_PAGE) this.#bind(networkOf(address), page);
        else stray.push(key);
      }
    }
    for (const key of stray) this.#pages.delete(key);
    this.#count();
    if (before.some(([network, page]) => this.#pageOf.get(network) !== page)) this.#keepQuiet();
  }

  /** Whether the hash beside the pages is known to be empty: programs then do not ask it. */
  get holdAll(): boolean {
    return this.has(0);
  }

  set holdAll(value: boolean) {
    this.#scratchWords.set([0, value ? Slot.present : 0]);
    this.#store(0);
  }

  /** Where the address would be; undefined: its /24 has no page. */
  find(address: number): number | undefined {
    const page = this.#pageOf.get(networkOf(address));
    return page === undefined ? undefined : page * PAGE_ENTRIES + (address % PAGE_ENTRIES);
  }

  /** The same, and gives the /24 a page; undefined: there is none to give. */
  place(address: number): number | undefined {
    const network = networkOf(address);
    if (!this.#pageOf.has(network)) this.#give(network);
    return this.find(address);
  }

  has(index: number): boolean {
    return ((this.#words[2 * index + 1] ?? 0) & Slot.present) !== 0;
  }

  /** Copies the entry to `into`. false: there is none. */
  read(index: number, into: Uint8Array, at = 0): boolean {
    if (!this.has(index)) return false;
    this.#scratchWords[0] = this.#words[2 * index] ?? 0;
    this.#scratchWords[1] = (this.#words[2 * index + 1] ?? 0) & ~Slot.present;
    into.set(this.#scratch, at);
    return true;
  }

  /** In one store: a packet sees the entry before or the one after. */
  write(index: number, value: Uint8Array): void {
    const page = Math.floor(index / PAGE_ENTRIES);
    if (!this.has(index)) {
      if (this.#used[page] === 0) this.#idle -= 1;
      this.#addUsed(page, 1);
    }
    this.#scratch.set(value);
    this.#scratchWords[1] = (this.#scratchWords[1] ?? 0) | Slot.present;
    this.#store(index);
  }

  /** false: there was none. The page stays its /24's. */
  clear(index: number): boolean {
    if (!this.has(index)) return false;
    this.#scratchWords.fill(0);
    this.#store(index);
    const page = Math.floor(index / PAGE_ENTRIES);
    this.#addUsed(page, -1);
    if (this.#used[page] === 0) this.#idle += 1;
    return true;
  }

  /** The addresses that have an entry, with its index. */
  *entries(): Generator<[address: number, index: number]> {
    for (let page = FIRST_PAGE; page < this.#networkOf.length; page += 1) {
      const network = this.#networkOf[page] ?? NO_NETWORK;
      if (network === NO_NETWORK || this.#used[page] === 0) continue;
      const first = page * PAGE_ENTRIES;
      for (let octet = 0; octet < PAGE_ENTRIES; octet += 1) {
        if (this.has(first + octet)) yield [network * PAGE_ENTRIES + octet, first + octet];
      }
    }
  }

  #give(network: number): void {
    if (this.#free.length === 0 && this.#idle > 0) this.#reclaim();
    if (this.#clock.monotonicMs() < this.#quietUntilMs) return;
    const page = this.#free.pop();
    if (page === undefined) return;
    this.#words.fill(0, page * PAGE_ENTRIES * 2, (page + 1) * PAGE_ENTRIES * 2);
    try {
      this.#pages.update(keyOf(network), numberKey(page));
    } catch (error) {
      this.#free.push(page);
      throw error;
    }
    this.#bind(network, page);
    this.#used[page] = 0;
    this.#idle += 1;
  }

  /** Takes back the pages without entries. */
  #reclaim(): void {
    for (const [network, page] of this.#pageOf) {
      if (this.#used[page] !== 0) continue;
      this.#pages.delete(keyOf(network));
      this.#pageOf.delete(network);
      this.#networkOf[page] = NO_NETWORK;
      this.#free.push(page);
      this.#idle -= 1;
    }
    this.#keepQuiet();
  }

  #keepQuiet(): void {
    this.#quietUntilMs = this.#clock.monotonicMs() + GRACE_MS;
  }

  #bind(network: number, page: number): void {
    this.#pageOf.set(network, page);
    this.#networkOf[page] = network;
  }

  #count(): void {
    this.#free = [];
    this.#idle = 0;
    for (let page = this.#networkOf.length - 1; page >= FIRST_PAGE; page -= 1) {
      if (this.#networkOf[page] === NO_NETWORK) {
        this.#free.push(page);
        continue;
      }
      let used = 0;
      for (let octet = 0; octet < PAGE_ENTRIES; octet += 1) {
        if (this.has(page * PAGE_ENTRIES + octet)) used += 1;
      }
      this.#used[page] = used;
      if (used === 0) this.#idle += 1;
    }
  }

  #addUsed(page: number, difference: number): void {
    this.#used[page] = (this.#used[page] ?? 0) + difference;
  }

  #store(index: number): void {
    Atomics.store(this.#cells, index, this.#scratchCell[0] ?? 0n);
  }
}

const networkOf = (address: number): number => Math.floor(address / PAGE_ENTRIES);

function keyOf(network: number): Uint8Array {
  const key = new Uint8Array(4);
  writeAddress(network * PAGE_ENTRIES, key);
  return key;
}
