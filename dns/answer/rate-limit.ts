// Limits like answers to one client prefix, so that nobody is flooded by us (R1, R2 of
// docs/answers.md; after BIND's response rate limiting). A table of fixed size, four places for
// each hash: whoever has least to pay for gives way. Pure: time comes in.
import { RCODES } from '../../shared/dns/constants.ts';
import type { AddressBytes } from '../../shared/dns/types.ts';
import { parsePrefix } from '../../shared/net/prefix.ts';
import { prefixBytes } from './address-bytes.ts';
import type { Query, Result } from './query-types.ts';

const WAYS = 4;
const SETS = 1 << 14;
/** What is allowed in this time may come at once; and one, if that is none. */
const BURST_MS = 1000;
/** 1000 / 3 is no number of bits. */
const ROUNDING_MS = 0.001;

/** What take() says. */
export const SEND = 0;
export const SLIP = 1;
export const DROP = 2;

/** Of what the answers of one account have in common: see accountOf. */
export type Account = number;

export class RateLimit {
  /** Accounts that were forgotten while they still had something to pay for. */
  forgotten = 0;
  readonly #seed: number;
  /** By place: the account, until when what it got is paid for, how many were limited since. */
  #accounts = new Int32Array(0);
  #paidAtMs = new Float64Array(0);
  #limited = new Uint32Array(0);
  #msEach = 0;
  #burstMs = 0;
  #slip = 0;
  #exempt: readonly { bytes: Uint8Array; bits: number }[] = [];

  /** `seed`: so that nobody can know who shares a place with whom. */
  constructor(seed: number) {
    this.#seed = seed | 0;
  }

  get isOn(): boolean {
    return this.#msEach > 0;
  }

  /** `perSecond` 0: no limit. Exempt prefixes in CIDR notation, checked by the settings. */
  configure(limits: { perSecond: number; slip: number; exempt: readonly string[] }): void {
    this.#exempt = limits.exempt.map((text) => {
      const prefix = parsePrefix(text);
      if (prefix === undefined) throw new RangeError(`"${text}" is no prefix`);
      return { bytes: prefixBytes(prefix), bits: prefix.bits };
    });
    this.#msEach = limits.perSecond > 0 ? 1000 / limits.perSecond : 0;
    if (this.isOn && this.#accounts.length === 0) {
      this.#accounts = new Int32Array(SETS * WAYS);
      this.#paidAtMs = new Float64Array(SETS * WAYS);
      this.#limited = new Uint32Array(SETS * WAYS);
    }
    this.#burstMs = Math.max(BURST_MS, this.#msEach) + ROUNDING_MS;
    this.#slip = limits.slip;
  }

  /** The account of a client's /24 or /56 and a hash of what the answer is about. */
  accountOf(client: AddressBytes, answerHash: number): Account {
    let hash = this.#seed ^ client.length;
    const bytes = client.length === 4 ? 3 : 7;
    for (let index = 0; index < bytes; index++) hash = mixed(hash, client[index] ?? 0);
    hash = mixed(hash, answerHash);
    // The places of a set go by the low bits; 0 is a place that nobody has.
    hash ^= hash >>> 15;
    hash = Math.imul(hash, 0x2c1b3c6d);
    return hash ^ (hash >>> 13) || 1;
  }

  /** Whether an answer goes out in full, truncated, or not at all. */
  take(account: Account, client: AddressBytes, nowMs: number): number {
    const place = this.#placeOf(account, nowMs);
    const paidAtMs = Math.max(nowMs, this.#paidAtMs[place] ?? 0) + this.#msEach;
    if (paidAtMs - nowMs <= this.#burstMs) {
      this.#paidAtMs[place] = paidAtMs;
      return SEND;
    }
    return this.#isExempt(client) ? SEND : this.#overLimit(place);
  }

  #overLimit(place: number): number {
    const limited = (this.#limited[place] ?? 0) + 1;
    this.#limited[place] = limited;
    return this.#slip > 0 && limited % this.#slip === 0 ? SLIP : DROP;
  }

  #placeOf(account: Account, nowMs: number): number {
    const first = (account & (SETS - 1)) * WAYS;
    let least = first;
    for (let place = first; place < first + WAYS; place++) {
      if (this.#accounts[place] === account) return place;
      if ((this.#paidAtMs[place] ?? 0) < (this.#paidAtMs[least] ?? 0)) least = place;
    }
    if ((this.#paidAtMs[least] ?? 0) > nowMs) this.forgotten++;
    this.#accounts[least] = account;
    this.#paidAtMs[least] = nowMs;
    this.#limited[least] = 0;
    return least;
  }

  #isExempt(client: AddressBytes): boolean {
    for (const { bytes, bits } of this.#exempt) {
      if (bytes.length === client.length && isWithin(client, bytes, bits)) return true;
    }
    return false;
  }
}

/** A hash of what counts as the same answer (R1): zone and rcode of errors, else name and type. */
export function likeHash(query: Query, result: Result): number {
  let hash = mixed(result.rcode, result.zone);
  if (result.rcode === RCODES.NOERROR) hash = mixed(hash, query.type);
  if (result.zone < 0 && result.rcode !== RCODES.NOERROR) return hash;
  for (let at = result.likeAt; at < query.nameLength; at++) {
    hash = Math.imul(hash ^ (query.lower[at] ?? 0), 0x01000193);
  }
  return hash;
}

/** One step of a hash (the mixing of MurmurHash3). */
function mixed(hash: number, value: number): number {
  let part = Math.imul(value, 0xcc9e2d51);
  part = (part << 15) | (part >>> 17);
  const sum = hash ^ Math.imul(part, 0x1b873593);
  return (Math.imul((sum << 13) | (sum >>> 19), 5) + 0xe6546b64) | 0;
}

function isWithin(address: Uint8Array, prefix: Uint8Array, bits: number): boolean {
  for (let index = 0; 8 * index < bits; index++) {
    const differing = (address[index] ?? 0) ^ (prefix[index] ?? 0);
    if (differing >>> Math.max(0, 8 - (bits - 8 * index)) !== 0) return false;
  }
  return true;
}
