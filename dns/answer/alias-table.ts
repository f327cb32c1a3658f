// What was learnt of targets of ALIAS that no served zone has (A7): part of the serving state, so
// that every thread has the same. Pure.
import { displayName } from '../../shared/dns/names.ts';
import type { AddressBytes, Name } from '../../shared/dns/types.ts';

/** Addresses of one family. Plain data. */
export type OutsideAddresses = {
  /** In lower case. */
  target: Name;
  /** A or AAAA. */
  type: number;
  /** None: the target has none of that type. */
  addresses: readonly AddressBytes[];
  /** Until when they were told to be good, s since the epoch, and for how long they were. */
  freshUntilSeconds: number;
  ttlSeconds: number;
};

/** What is known of names that no served zone has. */
export interface AliasTable {
  /**
   * `target` in lower case; type A or AAAA. No addresses: it has none of that type. Undefined:
   * nothing is known, or not any more.
   */
  find(target: Name, type: number, nowSeconds: number): AliasAddresses | undefined;
}
/** `ttlSeconds`: what is left of it. Addresses of 4 or 16 bytes. */
export type AliasAddresses = { ttlSeconds: number; addresses: readonly Uint8Array[] };

/** Of what is as good as over, or is kept although nobody says it any more. */
export const LEAST_TTL_SECONDS = 5;

const NOTHING: readonly OutsideAddresses[] = [];
const tables = new WeakMap<readonly OutsideAddresses[], AliasTable>();

/** The table of a list that is not changed any more; states that share the list share it. */
export function outsideTable(list: readonly OutsideAddresses[] = NOTHING): AliasTable {
  const known = tables.get(list);
  if (known !== undefined) return known;
  const made = new OutsideTable(list);
  tables.set(list, made);
  return made;
}

class OutsideTable implements AliasTable {
  readonly #byKey: ReadonlyMap<string, OutsideAddresses>;

  constructor(list: readonly OutsideAddresses[]) {
    this.#byKey = new Map(list.map((each) => [outsideKey(each.target, each.type), each]));
  }

  /** What is in the list is good; a clock that jumps changes the TTL within its bounds only. */
  find(target: Name, type: number, nowSeconds: number): AliasAddresses | undefined {
    const known = this.#byKey.get(outsideKey(target, type));
    if (known === undefined) return undefined;
    const left = Math.min(known.freshUntilSeconds - nowSeconds, known.ttlSeconds);
    return { ttlSeconds: Math.max(left, LEAST_TTL_SECONDS), addresses: known.addresses };
  }
}

export function outsideKey(target: Name, type: number): string {
  return `${displayName(target)}/${type}`;
}
