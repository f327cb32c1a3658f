// Prefix lists as the routing table has them, made up by a seed: for tests and the bench.
import { ListBuilder } from '../../../dns/lines/columns.ts';
import type { LineList } from '../../../dns/lines/types.ts';
import { type Random, seededRandom } from '../../../shared/random.ts';

export type GenerateOptions = {
  seed: number;
  prefixes: number;
  lines?: readonly string[];
  /** Part of them that is IPv6. */
  shareV6?: number;
};

export const GENERATED_LINES = ['telecom', 'unicom', 'mobile', 'cernet', 'overseas'];

/** Lengths and their weight, about as in the global tables. */
const LENGTHS_V4 = [
  [24, 60],
  [23, 10],
  [22, 12],
  [21, 5],
  [20, 5],
  [19, 4],
  [16, 3],
  [12, 1],
];
const LENGTHS_V6 = [
  [48, 50],
  [32, 15],
  [44, 10],
  [40, 10],
  [36, 6],
  [29, 4],
  [64, 3],
  [56, 2],
];
/** Neighbours are mostly of the same network: so many prefixes in a row lie close together. */
const RUN = 40;

/** One list; prefixes may repeat, nest and contradict each other, as real ones do. */
export function generateList(options: GenerateOptions): LineList {
  const { seed, prefixes, lines = GENERATED_LINES, shareV6 = 0.3 } = options;
  const random = seededRandom(seed);
  const list = new ListBuilder(`generated-${seed}.txt`);
  const words = new Uint32Array(4);
  let base: Uint32Array = words;
  let line = 0;
  let family: 4 | 6 = 4;
  for (let row = 1; row <= prefixes; row++) {
    if (row % RUN === 1) {
      family = random.next() < shareV6 ? 6 : 4;
      base = family === 4 ? baseV4(random) : baseV6(random);
      line = list.numberOf(lines[random.integer(lines.length)] ?? '') ?? 0;
    }
    const bits = drawn(random, family === 4 ? LENGTHS_V4 : LENGTHS_V6);
    words.set(base);
    if (family === 4) words[0] = ((base[0] ?? 0) & 0xffff_0000) | random.integer(0x1_0000);
    else words[1] = ((base[1] ?? 0) & 0xff00_0000) | (random.integer(0x100) << 16);
    const other = random.next() < 0.1;
    const name = other ? lines[random.integer(lines.length)] : undefined;
    const of = name === undefined ? line : (list.numberOf(name) ?? 0);
    const masked = clear(words, family === 4 ? 1 : 4, bits);
    list.add(family, masked, bits, of, row);
  }
  return list.finish();
}

function baseV4(random: Random): Uint32Array {
  return Uint32Array.of((1 + random.integer(222)) * 0x1_00_00_00 + random.integer(0x1_00_00_00));
}

function baseV6(random: Random): Uint32Array {
  const block = [0x2001, 0x2400, 0x2408, 0x240e, 0x2600, 0x2804, 0x2a00, 0x2c0f];
  const top = block[random.integer(block.length)] ?? 0;
  return Uint32Array.of(top * 0x1_0000 + random.integer(0x1_0000), random.integer(0x1_0000), 0, 0);
}

function clear(words: Uint32Array, count: number, bits: number): Uint32Array {
  for (let at = 0; at < count; at++) {
    const left = bits - 32 * at;
    if (left <= 0) words[at] = 0;
    else if (left < 32) words[at] = (words[at] ?? 0) & -(2 ** (32 - left));
  }
  return words;
}

function drawn(random: Random, table: readonly (readonly number[])[]): number {
  const total = table.reduce((sum, [, weight = 0]) => sum + weight, 0);
  let left = random.integer(total);
  for (const [bits = 0, weight = 0] of table) {
    left -= weight;
    if (left < 0) return bits;
  }
  throw new RangeError('weights do not add up');
}
