// From sorted prefixes to the binary tree of lines: the operator's entries are laid over those of
// files, each side inherits downwards, and siblings of one line become their parent on the way
// back, so that each leaf is the shortest prefix with one answer. Pure.
import { type Family, WORDS } from './columns.ts';
import type { PrefixColumns } from './types.ts';

/** A leaf's reference: this and its line's number. Others are indices of a pair in `pairs`. */
export const LEAF = 0x8000_0000;
const NOBODY = -1;

/** `pairs`: [zero, one] references, two words a node. */
export type BinaryTree = { root: number; pairs: Uint32Array };

/** Entries of one side, by address and length, no prefix twice; `line` holds final numbers. */
export type Side = PrefixColumns;

export class TreeBuilder {
  readonly #files: Side;
  readonly #operator: Side;
  readonly #words: number;
  readonly #idle: number[] = [];
  #pairs: Uint32Array;
  #count = 0;

  constructor(family: Family, files: Side, operator: Side) {
    this.#files = files;
    this.#operator = operator;
    this.#words = WORDS[family];
    this.#pairs = new Uint32Array(2 * Math.max(64, 2 * files.count));
  }

  build(): BinaryTree {
    const root = this.#node(0, 0, this.#files.count, 0, 0, this.#operator.count, NOBODY);
    return { root, pairs: this.#pairs.subarray(0, 2 * this.#count) };
  }

  /** After `build`: the operator's entries without which the tree would be the same. */
  get idleOverrides(): readonly number[] {
    return this.#idle;
  }

  /**
   * The subtree of the prefix that all entries in both ranges share in their first `depth` bits.
   * `line` and `override` are what they inherit; an override hides all that files say below it.
   */
  #node(
    depth: number,
    from: number,
    to: number,
    line: number,
    overFrom: number,
    overTo: number,
    override: number,
  ): number {
    // The shortest of a range comes first, so the entry of this very prefix does.
    if (from < to && this.#files.bits[from] === depth) line = this.#files.line[from++] ?? 0;
    if (overFrom < overTo && this.#operator.bits[overFrom] === depth) {
      const own = this.#operator.line[overFrom] ?? 0;
      const before = override === NOBODY ? this.#filesAlone(depth, from, to, line) : override;
      if (before === own) this.#idle.push(overFrom);
      override = own;
      overFrom++;
    }
    if (override !== NOBODY) from = to;
    if (from === to && overFrom === overTo) return LEAF + (override === NOBODY ? line : override);
    const place = this.#take();
    const half = this.#split(this.#files, from, to, depth);
    const overHalf = this.#split(this.#operator, overFrom, overTo, depth);
    const zero = this.#node(depth + 1, from, half, line, overFrom, overHalf, override);
    const one = this.#node(depth + 1, half, to, line, overHalf, overTo, override);
    if (zero === one) {
      this.#count = place; // two leaves of one line: they took no pairs
      return zero;
    }
    this.#pairs[2 * place] = zero;
    this.#pairs[2 * place + 1] = one;
    return place;
  }

  /** The one line that files alone give the whole prefix, or NOBODY when they give several. */
  #filesAlone(depth: number, from: number, to: number, line: number): number {
    const place = this.#count;
    const reference = this.#node(depth, from, to, line, 0, 0, NOBODY);
    this.#count = place;
    return reference >= LEAF ? reference - LEAF : NOBODY;
  }

  /** The first entry of the range whose bit `depth` (0 the highest) is set. */
  #split({ words }: Side, from: number, to: number, depth: number): number {
    const word = depth >>> 5;
    const bit = LEAF >>> (depth & 31);
    let low = from;
    let high = to;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (((words[middle * this.#words + word] ?? 0) & bit) === 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #take(): number {
    const place = this.#count++;
    if (2 * this.#count > this.#pairs.length) {
      const grown = new Uint32Array(this.#pairs.length * 2);
      grown.set(this.#pairs);
      this.#pairs = grown;
    }
    return place;
  }
}
