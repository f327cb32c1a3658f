// Columns of prefixes: filled one by one by the readers of list files, and put in order for the
// compiler. Pure.
import { formatIpv4, ipv4 } from '../../shared/net/ipv4.ts';
import { formatIpv6, ipv6 } from '../../shared/net/ipv6.ts';
import type { Prefix } from '../../shared/net/prefix.ts';
import type { LineList, PrefixColumns } from './types.ts';

export type Family = 4 | 6;

/** Words of an address, and its bits. */
export const WORDS = { 4: 1, 6: 4 } as const;
export const WIDTH = { 4: 32, 6: 128 } as const;

const STRAY_EXAMPLES = 10;
/** ::ffff:0:0/96 as its first three words. */
const MAPPED_WORD = 0xffff;

class ColumnsBuilder {
  readonly #words: number;
  #columns: PrefixColumns;

  constructor(family: Family) {
    this.#words = WORDS[family];
    this.#columns = emptyColumns(this.#words, 64);
  }

  get count(): number {
    return this.#columns.count;
  }

  /** `address` holds as many words as the family has; those beyond them are not looked at. */
  push(address: Uint32Array, bits: number, line: number, row: number): void {
    if (this.#columns.count === this.#columns.bits.length) this.#grow();
    const { words, bits: lengths, line: lines, row: rows, count } = this.#columns;
    for (let at = 0; at < this.#words; at++) words[count * this.#words + at] = address[at] ?? 0;
    lengths[count] = bits;
    lines[count] = line;
    rows[count] = row;
    this.#columns.count++;
  }

  finish(): PrefixColumns {
    const { count, words, bits, line, row } = this.#columns;
    return {
      count,
      words: words.slice(0, count * this.#words),
      bits: bits.slice(0, count),
      line: line.slice(0, count),
      row: row.slice(0, count),
    };
  }

  #grow(): void {
    const old = this.#columns;
    const next = emptyColumns(this.#words, old.bits.length * 2);
    next.words.set(old.words);
    next.bits.set(old.bits);
    next.line.set(old.line);
    next.row.set(old.row);
    next.count = old.count;
    this.#columns = next;
  }
}

/** A list in the making. Host bits are cleared and counted; ::ffff:0:0/96 becomes IPv4. */
export class ListBuilder {
  readonly #file: string;
  readonly #v4 = new ColumnsBuilder(4);
  readonly #v6 = new ColumnsBuilder(6);
  readonly #lines: string[] = [];
  readonly #numbers = new Map<string, number>();
  readonly #stray: { count: number; examples: string[] } = { count: 0, examples: [] };
  readonly #scratch = new Uint32Array(4);
  #unmatched = 0;

  constructor(file: string) {
    this.#file = file;
  }

  /** Prefixes so far. */
  get count(): number {
    return this.#v4.count + this.#v6.count;
  }

  /** The list's own number of a line, for `add`. A name beyond 65,535 of them is undefined. */
  numberOf(line: string): number | undefined {
    const known = this.#numbers.get(line);
    if (known !== undefined) return known;
    if (this.#lines.length > 0xffff) return undefined;
    this.#numbers.set(line, this.#lines.length);
    return this.#lines.push(line) - 1;
  }

  /** An entry that no line wants. */
  skip(): void {
    this.#unmatched++;
  }

  /** `address`: 1 word for IPv4, 4 for IPv6; is not changed. `bits` are at most the family's. */
  add(family: Family, address: Uint32Array, bits: number, line: number, row: number): void {
    const clean = this.#scratch;
    let stray = false;
    for (let at = 0; at < WORDS[family]; at++) {
      const word = address[at] ?? 0;
      clean[at] = word & maskOf(bits - 32 * at);
      stray ||= clean[at] !== word;
    }
    if (stray) this.#noteStray(family, address, bits, row);
    if (family === 4) {
      this.#v4.push(clean, bits, line, row);
    } else if (bits >= 96 && isMapped(clean)) {
      clean[0] = clean[3] ?? 0;
      this.#v4.push(clean, bits - 96, line, row);
    } else {
      this.#v6.push(clean, bits, line, row);
    }
  }

  finish(): LineList {
    return {
      file: this.#file,
      lines: this.#lines,
      v4: this.#v4.finish(),
      v6: this.#v6.finish(),
      stray: this.#stray,
      unmatched: this.#unmatched,
    };
  }

  #noteStray(family: Family, address: Uint32Array, bits: number, row: number): void {
    this.#stray.count++;
    if (this.#stray.examples.length >= STRAY_EXAMPLES) return;
    const [said, taken] = [address, this.#scratch].map((words) => formatWords(family, words, bits));
    this.#stray.examples.push(`${this.#file}:${row}: ${said} taken as ${taken}`);
  }
}

/** The network mask of a word of which the first `bits` (any number) belong to the network. */
export function maskOf(bits: number): number {
  if (bits <= 0) return 0;
  return bits >= 32 ? 0xffffffff : (0xffffffff << (32 - bits)) >>> 0;
}

function isMapped(words: Uint32Array): boolean {
  return words[0] === 0 && words[1] === 0 && words[2] === MAPPED_WORD;
}

export function emptyColumns(words: number, capacity: number): PrefixColumns {
  return {
    count: 0,
    words: new Uint32Array(capacity * words),
    bits: new Uint8Array(capacity),
    line: new Uint16Array(capacity),
    row: new Uint32Array(capacity),
  };
}

/** Words of a prefix' address into `into`. */
export function wordsOfPrefix(prefix: Prefix, into: Uint32Array): void {
  if (prefix.family === 4) {
    into[0] = prefix.address;
    return;
  }
  for (let at = 0; at < 4; at++) {
    into[at] = Number((prefix.address >> BigInt(96 - 32 * at)) & 0xffff_ffffn);
  }
}

export function formatWords(family: Family, words: Uint32Array, bits: number, at = 0): string {
  if (family === 4) return `${formatIpv4(ipv4(words[at] ?? 0))}/${bits}`;
  let value = 0n;
  for (let word = 0; word < 4; word++) value = (value << 32n) | BigInt(words[at + word] ?? 0);
  return `${formatIpv6(ipv6(value))}/${bits}`;
}

/**
 * The order of the entries by address, then length; equals stay in the order in which they came
 * (radix sort, least significant byte first; bytes that are the same everywhere cost one look).
 */
export function orderOf(columns: PrefixColumns, family: Family): Uint32Array {
  const { count, words, bits } = columns;
  let order = new Uint32Array(count);
  for (let at = 0; at < count; at++) order[at] = at;
  let other = new Uint32Array(count);
  const width = WORDS[family];
  const histogram = new Uint32Array(256);
  for (let digit = 0; digit <= 4 * width; digit++) {
    const word = width - 1 - ((digit - 1) >> 2);
    const shift = 8 * ((digit - 1) & 3);
    const digits = digit === 0 ? bits : digitsOf(words, width, word, shift, count);
    histogram.fill(0);
    for (let at = 0; at < count; at++) {
      const value = digits[at] ?? 0;
      histogram[value] = (histogram[value] ?? 0) + 1;
    }
    if (histogram[digits[0] ?? 0] === count) continue;
    let start = 0;
    for (let value = 0; value < 256; value++) {
      const size = histogram[value] ?? 0;
      histogram[value] = start;
      start += size;
    }
    for (let at = 0; at < count; at++) {
      const entry = order[at] ?? 0;
      const value = digits[entry] ?? 0;
      const place = histogram[value] ?? 0;
      histogram[value] = place + 1;
      other[place] = entry;
    }
    [order, other] = [other, order];
  }
  return order;
}

function digitsOf(
  words: Uint32Array,
  width: number,
  word: number,
  shift: number,
  count: number,
): Uint8Array {
  const digits = new Uint8Array(count);
  for (let at = 0; at < count; at++) digits[at] = (words[at * width + word] ?? 0) >>> shift;
  return digits;
}

/** The columns with their entries in the given order. */
export function reordered(
  columns: PrefixColumns,
  family: Family,
  order: Uint32Array,
): PrefixColumns {
  const width = WORDS[family];
  const sorted = emptyColumns(width, order.length);
  sorted.count = order.length;
  for (let at = 0; at < order.length; at++) {
    const from = order[at] ?? 0;
    for (let word = 0; word < width; word++) {
      sorted.words[at * width + word] = columns.words[from * width + word] ?? 0;
    }
    sorted.bits[at] = columns.bits[from] ?? 0;
    sorted.line[at] = columns.line[from] ?? 0;
    sorted.row[at] = columns.row[from] ?? 0;
  }
  return sorted;
}
