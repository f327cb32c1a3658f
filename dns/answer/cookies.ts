// Server cookies (RFC 7873, RFC 9018 §4): proof that a client receives what is sent to its address.
// Rule E4 of docs/answers.md. Pure: time comes in.
import type { AddressBytes } from '../../shared/dns/types.ts';
import { type SipKey, sipHash24, sipKey } from './siphash.ts';

const CLIENT_BYTES = 8;
/** A client's 8 bytes and our 16: version, three reserved bytes, time, hash. */
export const COOKIE_BYTES = 24;
const TIME_AT = 12;
const HASH_AT = 16;
const VERSION = 1;

/** RFC 9018 §4.3: how old, how far ahead, and from what age on a new one is given, seconds. */
const MAX_AGE_SECONDS = 3600;
const MAX_AHEAD_SECONDS = 300;
const RENEW_AFTER_SECONDS = 1800;

/** Checks the cookies of queries, and has in `reply` the one to be answered with. One a thread. */
export class Cookies {
  /** Client's and server's cookie, filled by `judge`. */
  readonly reply = new Uint8Array(COOKIE_BYTES);
  readonly #keys: readonly SipKey[];
  /** What is hashed: client cookie, version, reserved, time, address; the hash of it. */
  readonly #input = new Uint8Array(HASH_AT + 16);
  readonly #hash = new Uint8Array(8);

  /** Of 16 bytes each; the first makes cookies, all check them. */
  constructor(secrets: readonly Uint8Array[]) {
    this.#keys = secrets.map(sipKey);
  }

  /**
   * Whether bytes[at, at + length), a COOKIE option's data of 8 or 16 to 40 bytes, has a server
   * cookie that is right for this address and time. Fills `reply`: the same one while it is young.
   */
  judge(
    bytes: Uint8Array,
    at: number,
    length: number,
    client: AddressBytes,
    nowSeconds: number,
  ): boolean {
    const used = length === COOKIE_BYTES ? this.#keyOf(bytes, at, client, nowSeconds) : -1;
    if (used === 0 && ageOf(bytes, at, nowSeconds) <= RENEW_AFTER_SECONDS) {
      for (let index = 0; index < COOKIE_BYTES; index++) this.reply[index] = bytes[at + index] ?? 0;
    } else {
      this.#make(bytes, at, client, nowSeconds);
    }
    return used >= 0;
  }

  /** Which secret made it; −1 for none, or too old or too new a one. */
  #keyOf(bytes: Uint8Array, at: number, client: AddressBytes, nowSeconds: number): number {
    if (bytes[at + CLIENT_BYTES] !== VERSION) return -1;
    const age = ageOf(bytes, at, nowSeconds);
    if (age > MAX_AGE_SECONDS || age < -MAX_AHEAD_SECONDS) return -1;
    // Reserved bytes as received: who sets them has them hashed (RFC 9018 §4.2).
    for (let index = 0; index < HASH_AT; index++) this.#input[index] = bytes[at + index] ?? 0;
    const length = this.#addAddress(client);
    for (let index = 0; index < this.#keys.length; index++) {
      sipHash24(this.#keys[index] as SipKey, this.#input, length, this.#hash, 0);
      if (this.#isHash(bytes, at + HASH_AT)) return index;
    }
    return -1;
  }

  /** Takes as long whichever byte differs. */
  #isHash(bytes: Uint8Array, at: number): boolean {
    let differing = 0;
    for (let index = 0; index < 8; index++) {
      differing |= (bytes[at + index] ?? 0) ^ (this.#hash[index] ?? 0);
    }
    return differing === 0;
  }

  #make(bytes: Uint8Array, at: number, client: AddressBytes, nowSeconds: number): void {
    const input = this.#input;
    for (let index = 0; index < CLIENT_BYTES; index++) input[index] = bytes[at + index] ?? 0;
    input[CLIENT_BYTES] = VERSION;
    input[CLIENT_BYTES + 1] = input[CLIENT_BYTES + 2] = input[CLIENT_BYTES + 3] = 0;
    input[TIME_AT] = nowSeconds >>> 24;
    input[TIME_AT + 1] = nowSeconds >>> 16;
    input[TIME_AT + 2] = nowSeconds >>> 8;
    input[TIME_AT + 3] = nowSeconds;
    for (let index = 0; index < HASH_AT; index++) this.reply[index] = input[index] ?? 0;
    const key = this.#keys[0];
    if (key !== undefined) sipHash24(key, input, this.#addAddress(client), this.reply, HASH_AT);
  }

  #addAddress(client: AddressBytes): number {
    for (let index = 0; index < client.length; index++) {
      this.#input[HASH_AT + index] = client[index] ?? 0;
    }
    return HASH_AT + client.length;
  }
}

/** Seconds since it was made, negative when it is of the future, by serial numbers (RFC 1982). */
function ageOf(bytes: Uint8Array, at: number, nowSeconds: number): number {
  const made =
    ((bytes[at + TIME_AT] ?? 0) << 24) |
    ((bytes[at + TIME_AT + 1] ?? 0) << 16) |
    ((bytes[at + TIME_AT + 2] ?? 0) << 8) |
    (bytes[at + TIME_AT + 3] ?? 0);
  return (nowSeconds - made) | 0;
}
