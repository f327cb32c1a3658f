// Ranges of addresses that do not overlap, found by address in O(log n).
import type { Ipv4 } from '../net/ipv4.ts';
import type { Ipv4Prefix } from '../net/prefix.ts';

/** Both ends included. */
export type Ranged<T> = { first: number; last: number; value: T };

export class RangeIndex<T> {
  /** In the order of their first addresses; of two that begin alike the wider one first. */
  readonly sorted: readonly Ranged<T>[];
  readonly #firsts: Float64Array;

  constructor(ranges: Iterable<Ranged<T>>) {
    this.sorted = [...ranges].sort((a, b) => a.first - b.first || b.last - a.last);
    this.#firsts = Float64Array.from(this.sorted, ({ first }) => first);
  }

  find(address: Ipv4): T | undefined {
    const found = this.sorted[this.#before(address)];
    return found !== undefined && address <= found.last ? found.value : undefined;
  }

  /** What lies at least in part between two addresses, both included. */
  *within(first: number, last: number): Generator<Ranged<T>> {
    for (let at = Math.max(0, this.#before(first)); at < this.sorted.length; at++) {
      const range = this.sorted[at];
      if (range === undefined || range.first > last) return;
      if (range.last >= first) yield range;
    }
  }

  /** Pairs of neighbours that overlap, as `[wider or earlier, other]`. */
  *overlaps(): Generator<[Ranged<T>, Ranged<T>]> {
    let widest: Ranged<T> | undefined;
    for (const range of this.sorted) {
      if (widest !== undefined && range.first <= widest.last) yield [widest, range];
      if (widest === undefined || range.last > widest.last) widest = range;
    }
  }

  /** The last one that begins at or before the address; -1: none. */
  #before(address: number): number {
    let [low, high] = [0, this.#firsts.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#firsts[middle] ?? 0) <= address) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }
}

/** A prefix as parsePrefix() gives it has no host bits set. */
export function rangeOf({ address, bits }: Ipv4Prefix): { first: number; last: number } {
  return { first: address, last: address + 2 ** (32 - bits) - 1 };
}
