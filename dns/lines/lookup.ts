// Which line an address is of, and how long the prefix is that says so. Pure; allocates nothing.
import { CHUNK_ENTRIES, ROOT_ENTRIES } from './strides.ts';
import type { LineAndScope, LineTree } from './types.ts';

/**
 * `bytes`: the address in network order from `offset` on, 4 or 16 bytes by `family`; those beyond
 * an ECS prefix are 0. Forms of IPv4 inside of IPv6 are the caller's to unwrap.
 */
export function lookup(tree: LineTree, family: 4 | 6, bytes: Uint8Array, offset = 0): LineAndScope {
  const { entries } = tree;
  const first = ((bytes[offset] ?? 0) << 8) | (bytes[offset + 1] ?? 0);
  let entry = entries[(family === 4 ? tree.rootV4 : tree.rootV6) + first] ?? 0;
  for (let at = offset + 2; entry >= 0; at++) {
    const byte = bytes[at] ?? 0;
    entry = entries[entry + (byte >>> 4)] ?? 0;
    if (entry >= 0) entry = entries[entry + (byte & 15)] ?? 0;
  }
  return entry & 0xff_ffff;
}

export function lineOf(found: LineAndScope): number {
  return found >>> 8;
}

export function scopeOf(found: LineAndScope): number {
  return found & 0xff;
}

/**
 * Each leaf of a family in the order of addresses. `words` holds its address (1 or 4 words) and is
 * reused between calls.
 */
export function eachLeaf(
  tree: LineTree,
  family: 4 | 6,
  visit: (words: Uint32Array, depth: number, line: number) => void,
): void {
  const { entries } = tree;
  const words = new Uint32Array(4);
  const walk = (base: number, length: number, above: number, stride: number): void => {
    const word = above >>> 5;
    const shift = 32 - (above & 31) - stride;
    const mask = ~((length - 1) << shift);
    for (let at = 0; at < length; ) {
      const entry = entries[base + at] ?? 0;
      words[word] = ((words[word] ?? 0) & mask) | (at << shift);
      if (entry >= 0) {
        walk(entry, CHUNK_ENTRIES, above + stride, 4);
        at++;
        continue;
      }
      const depth = scopeOf(entry);
      visit(words, depth, lineOf(entry & 0xff_ffff));
      at += 1 << (above + stride - depth);
    }
    words[word] = (words[word] ?? 0) & mask;
  };
  walk(family === 4 ? tree.rootV4 : tree.rootV6, ROOT_ENTRIES, 0, 16);
}
