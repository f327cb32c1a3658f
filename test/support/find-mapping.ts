// Mappings as the programs find them in pages and hash: bpf/find.h for fakes and for tests.
import { Slot } from '../../natter/entries.ts';
import { PAGE_ENTRIES } from '../../natter/pages.ts';
import type { BpfMap } from '../../shared/bpf/types.ts';
import { numberKey, readNumber, writeAddress, writeNumber } from '../../shared/bpf/words.ts';

const SIDES = {
  eip_to_private: { pages: 'eip_pages', entries: 'eip_entries' },
  private_to_eip: { pages: 'private_pages', entries: 'private_entries' },
} as const;
export type SideName = keyof typeof SIDES;
type Maps = ReadonlyMap<string, BpfMap>;

export function addressKey(address: number): Uint8Array {
  const key = new Uint8Array(4);
  writeAddress(address, key);
  return key;
}

export function partsOf(maps: Maps, side: SideName) {
  const named = (name: string): BpfMap => {
    const map = maps.get(name);
    if (map === undefined) throw new Error(`there is no map ${name}`);
    return map;
  };
  const { pages, entries } = SIDES[side];
  return { hash: named(side), pages: named(pages), entries: named(entries) };
}

/** As bpf/find.h does. */
export function findMapping(maps: Maps, side: SideName, address: number): Uint8Array | undefined {
  const { hash, pages, entries } = partsOf(maps, side);
  const octet = address % PAGE_ENTRIES;
  const page = pages.lookup(addressKey(address - octet));
  if (page !== undefined) {
    const value = entries.lookup(numberKey(readNumber(page) * PAGE_ENTRIES + octet));
    if (value !== undefined && isPresent(value)) {
      writeNumber(readNumber(value, 4) & ~Slot.present, value, 4);
      return value;
    }
  }
  const first = entries.lookup(numberKey(0));
  if (first !== undefined && isPresent(first)) return undefined;
  return hash.lookup(addressKey(address));
}

const isPresent = (value: Uint8Array): boolean => (readNumber(value, 4) & Slot.present) !== 0;
