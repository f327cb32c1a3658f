// Who falls to the default line most: the prefixes that lists do not name yet. Space-saving
// (Metwally et al. 2005) over a sample, in shared memory that the main thread reads. Pure.
import type { AddressBytes } from '../../shared/dns/types.ts';
import { ipv4 } from '../../shared/net/ipv4.ts';
import { ipv6 } from '../../shared/net/ipv6.ts';
import { formatPrefix, type Prefix } from '../../shared/net/prefix.ts';

const PLACES = 256;
/** A prime, so that no rhythm of the clients meets it. */
const SAMPLED_OF = 61;
/** Before a /48, so that none is a /24's number. */
const SIX = 2 ** 48;

/** Key, count and error of each place, one after the other. */
export type UnknownClients = Float64Array<SharedArrayBuffer>;

export function createUnknownClients(): UnknownClients {
  return new Float64Array(new SharedArrayBuffer(8 * 3 * PLACES));
}

/** One a thread. */
export class UnknownClientCounter {
  readonly #table: UnknownClients;
  #untilSample = 1;

  constructor(table: UnknownClients) {
    this.#table = table;
  }

  /** Has seen an answer of the default line to this address (4 or 16 bytes). */
  saw(address: AddressBytes): void {
    if (--this.#untilSample > 0) return;
    this.#untilSample = SAMPLED_OF;
    this.#add(keyOf(address));
  }

  /** A newcomer takes the place, and the count, of whoever has been seen least. */
  #add(key: number): void {
    const table = this.#table;
    let least = 0;
    for (let at = 0; at < table.length; at += 3) {
      if (table[at] === key && (table[at + 1] ?? 0) > 0) {
        table[at + 1] = (table[at + 1] ?? 0) + SAMPLED_OF;
        return;
      }
      if ((table[at + 1] ?? 0) < (table[least + 1] ?? 0)) least = at;
    }
    const inherited = table[least + 1] ?? 0;
    table[least] = key;
    table[least + 1] = inherited + SAMPLED_OF;
    table[least + 2] = inherited;
  }
}

export type UnknownClient = {
  /** A /24 or /48. */
  prefix: string;
  /** About so many answers, at most `error` of them someone else's. */
  count: number;
  error: number;
};

/** The busiest of all threads, most first. Read while they count, it may be one sample off. */
export function topUnknownClients(
  threads: readonly UnknownClients[],
  atMost: number,
): UnknownClient[] {
  const byKey = new Map<number, { count: number; error: number }>();
  for (const table of threads) {
    for (let at = 0; at < table.length; at += 3) {
      const [key = 0, count = 0, error = 0] = table.subarray(at, at + 3);
      if (count === 0) continue;
      const sum = byKey.get(key) ?? { count: 0, error: 0 };
      byKey.set(key, { count: sum.count + count, error: sum.error + error });
    }
  }
  return [...byKey]
    .sort(([, a], [, b]) => b.count - b.error - (a.count - a.error))
    .slice(0, atMost)
    .map(([key, sums]) => ({ prefix: formatPrefix(prefixOf(key)), ...sums }));
}

function keyOf(address: AddressBytes): number {
  const head = (address[0] ?? 0) * 65_536 + (address[1] ?? 0) * 256 + (address[2] ?? 0);
  if (address.length === 4) return head;
  const tail = (address[3] ?? 0) * 65_536 + (address[4] ?? 0) * 256 + (address[5] ?? 0);
  return SIX + head * 2 ** 24 + tail;
}

function prefixOf(key: number): Prefix {
  if (key < SIX) return { family: 4, address: ipv4(key * 256), bits: 24 };
  return { family: 6, address: ipv6(BigInt(key - SIX) << 80n), bits: 48 };
}
