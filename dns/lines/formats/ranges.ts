// Ranges of addresses as the fewest prefixes that are just them. Pure.
import { type Family, WIDTH, WORDS } from '../columns.ts';

const start = new Uint32Array(4);
const last = new Uint32Array(4);

/**
 * Visits the prefixes of `first` to `end` (words, both inclusive) in order. False: `end` is before
 * `first`. `words` is reused between visits.
 */
export function prefixesOfRange(
  family: Family,
  first: Uint32Array,
  end: Uint32Array,
  visit: (words: Uint32Array, bits: number) => void,
): boolean {
  const words = WORDS[family];
  if (compare(first, end, words) > 0) return false;
  start.set(first);
  for (;;) {
    let host = trailingZeros(start, words);
    while (lastOf(host, words) > 0 && compare(last, end, words) > 0) host--;
    lastOf(host, words);
    visit(start, WIDTH[family] - host);
    if (compare(last, end, words) >= 0) return true;
    for (let at = words - 1; at >= 0; at--) {
      start[at] = (last[at] ?? 0) + 1;
      if (start[at] !== 0) break;
    }
  }
}

/** Into `last`: the last address of the prefix at `start` with `host` free bits; returns `host`. */
function lastOf(host: number, words: number): number {
  for (let at = 0; at < words; at++) {
    const free = host - 32 * (words - 1 - at);
    const ones = free <= 0 ? 0 : free >= 32 ? 0xffff_ffff : 2 ** free - 1;
    last[at] = (start[at] ?? 0) | ones;
  }
  return host;
}

function trailingZeros(words: Uint32Array, count: number): number {
  let zeros = 0;
  for (let at = count - 1; at >= 0; at--) {
    const word = words[at] ?? 0;
    if (word !== 0) return zeros + 31 - Math.clz32(word & -word);
    zeros += 32;
  }
  return zeros;
}

function compare(a: Uint32Array, b: Uint32Array, words: number): number {
  for (let at = 0; at < words; at++) {
    const difference = (a[at] ?? 0) - (b[at] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
