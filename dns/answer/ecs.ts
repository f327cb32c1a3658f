// The client subnet of a query (RFC 7871 §6, §7): checked by E5, folded and believed by L1 and L2
// of docs/answers.md, and its scope counted back into the form in which it was asked. Pure.
import type { AddressBytes } from '../../shared/dns/types.ts';
import { lineOf, lookup, scopeOf } from '../lines/lookup.ts';
import type { LineTree } from '../lines/types.ts';
import { foldIpv4, nobodysRange } from './client-address.ts';
import { u16 } from './query.ts';

/** FAMILY, SOURCE, SCOPE, before ADDRESS. */
const HEAD_BYTES = 4;
const NO_FAMILY = 0;

/** One a thread, filled again for each query. */
export class Ecs {
  /** Whether its address decides the line, by `address` and `bits`; else who asks does. */
  isBelieved = false;
  /** Folded: 4 or 16 bytes, and how many bits of them are known. */
  address: AddressBytes;
  bits = 0;

  readonly #v4 = new Uint8Array(4);
  readonly #v6 = new Uint8Array(16);
  /** What the folding took away, bits. */
  #offset = 0;
  /** Of an address that is not believed: for whom the answer is, in the folded form. */
  #ownScope = 0;
  #isAddressless = true;

  constructor() {
    this.address = this.#v4;
  }

  /** Reads the option's data, bytes[at, at + length). False: FORMERR. */
  read(bytes: Uint8Array, at: number, length: number, lines: LineTree): boolean {
    if (length < HEAD_BYTES) return false;
    const family = u16(bytes, at);
    const source = bytes[at + 2] ?? 0;
    const bytesOfIt = length - HEAD_BYTES;
    this.isBelieved = false;
    this.#isAddressless = source === 0;
    if (family > 2 || bytes[at + 3] !== 0 || bytesOfIt !== (source + 7) >>> 3) return false;
    if (source > (family === NO_FAMILY ? 0 : family === 1 ? 32 : 128)) return false;
    const stray = source & 7;
    const last = bytes[at + length - 1] ?? 0;
    if (stray !== 0 && (last & (0xff >>> stray)) !== 0) return false;
    if (source === 0) return true;
    const given = family === 1 ? this.#v4 : this.#v6;
    for (let index = 0; index < given.length; index++) {
      given[index] = index < bytesOfIt ? (bytes[at + HEAD_BYTES + index] ?? 0) : 0;
    }
    this.#settle(given, source, lines);
    return true;
  }

  /**
   * The SCOPE to answer with: of an answer's scope in bits of the address that decided, in bits of
   * ADDRESS; 0 where nobody's line mattered.
   */
  answeredScope(answerScope: number): number {
    if (answerScope === 0 || this.#isAddressless) return 0;
    return this.#offset + (this.isBelieved ? answerScope : this.#ownScope);
  }

  #settle(given: AddressBytes, source: number, lines: LineTree): void {
    const folded = given.length === 16 ? foldIpv4(given, source, this.#v4) : -1;
    // A prefix that ends before its IPv4 address says nothing of it: then it is nobody's.
    const isFolded = folded >= 0 && source > folded;
    const isCutOff = folded >= 0 && !isFolded;
    this.address = isFolded ? this.#v4 : given;
    this.#offset = isFolded ? folded : 0;
    this.bits = source - this.#offset > 32 && isFolded ? 32 : source - this.#offset;
    const range = isCutOff ? folded : nobodysRange(this.address);
    this.isBelieved = true;
    // A prefix that is wider than the range has others in it too.
    if (range === 0 || (range > this.bits && !isCutOff)) return;
    const found = lookup(lines, this.address.length === 4 ? 4 : 6, this.address);
    if (lineOf(found) !== 0) return; // a list names it
    this.isBelieved = false;
    // A leaf may reach beyond the range, to clients for whom this answer is not.
    this.#ownScope = Math.max(scopeOf(found), range);
  }
}
