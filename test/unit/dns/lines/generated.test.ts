// A table as large and as tangled as real ones, held against a match by tables of whole prefixes.
import { describe, expect, it } from 'vitest';
import { WIDTH, WORDS } from '../../../../dns/lines/columns.ts';
import { compileLines } from '../../../../dns/lines/compile.ts';
import { nameLines } from '../../../../dns/lines/fallback.ts';
import { eachLeaf, lineOf, lookup, scopeOf } from '../../../../dns/lines/lookup.ts';
import type { LineList } from '../../../../dns/lines/types.ts';
import { seededRandom } from '../../../../shared/random.ts';
import { generateList } from '../../../support/dns/lines-generate.ts';

const SEED = 7;
const list = generateList({ seed: SEED, prefixes: 50_000 });
const names = nameLines([], list.lines);
if ('problems' in names) throw new Error('refused');
const { tree, report } = compileLines([list], [], names.lines);

/** Lines by `bits:network`. */
function byPrefix({ v4, v6, lines }: LineList, family: 4 | 6): Map<string, string> {
  const columns = family === 4 ? v4 : v6;
  const table = new Map<string, string>();
  for (let at = 0; at < columns.count; at++) {
    let value = 0n;
    for (let word = 0; word < WORDS[family]; word++)
      value = (value << 32n) | BigInt(columns.words[at * WORDS[family] + word] ?? 0);
    const key = `${columns.bits[at]}:${value}`;
    if (!table.has(key)) table.set(key, lines[columns.line[at] ?? 0] ?? '');
  }
  return table;
}

function addressBytes(family: 4 | 6, value: bigint): Uint8Array {
  const length = WIDTH[family] / 8;
  return Uint8Array.from({ length }, (_, at) =>
    Number((value >> BigInt(8 * (length - 1 - at))) & 255n),
  );
}

describe.each([4, 6] as const)(`IPv%i, seed ${SEED}`, (family) => {
  it('is what the longest prefix says, anywhere and in what is listed', () => {
    const table = byPrefix(list, family);
    const width = BigInt(WIDTH[family]);
    const random = seededRandom(SEED);
    const columns = family === 4 ? list.v4 : list.v6;
    const wrong: string[] = [];
    for (let round = 0; round < 4000; round++) {
      let value = random
        .bytes(WIDTH[family] / 8)
        .reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
      if (round % 4 !== 0) {
        const at = random.integer(columns.count);
        let network = 0n;
        for (let word = 0; word < WORDS[family]; word++)
          network = (network << 32n) | BigInt(columns.words[at * WORDS[family] + word] ?? 0);
        const host = (1n << (width - BigInt(columns.bits[at] ?? 0))) - 1n;
        value = network | (value & host);
      }
      let expected = 'default';
      for (let bits = width; bits >= 0n; bits--) {
        const network = (value >> (width - bits)) << (width - bits);
        const line = table.get(`${bits}:${network}`);
        if (line === undefined) continue;
        expected = line;
        break;
      }
      const found = lookup(tree, family, addressBytes(family, value));
      const got = tree.lines[lineOf(found)];
      if (got !== expected || scopeOf(found) > width) wrong.push(`${value}: ${got}, ${expected}`);
    }
    expect(wrong).toEqual([]);
  });

  it('has leaves that fill the space, no two of which could be one', () => {
    let covered = 0n;
    let before = { depth: -1, line: -1, isFirst: false };
    let mergeable = 0;
    eachLeaf(tree, family, (words, depth, line) => {
      covered += 1n << BigInt(WIDTH[family] - depth);
      const last = depth - 1;
      const bit = depth === 0 ? 0 : ((words[last >>> 5] ?? 0) >>> (31 - (last & 31))) & 1;
      if (before.isFirst && bit === 1 && before.depth === depth && before.line === line)
        mergeable++;
      before = { depth, line, isFirst: bit === 0 };
    });
    expect(covered).toBe(1n << BigInt(WIDTH[family]));
    expect(mergeable).toBe(0);
  });
});

it('the report counts what the tree has', () => {
  let leaves = 0;
  for (const family of [4, 6] as const) eachLeaf(tree, family, () => leaves++);
  expect(report.lines.reduce((sum, each) => sum + each.leaves, 0)).toBe(leaves);
  expect(report.lines.reduce((sum, each) => sum + each.addressesV4, 0)).toBe(2 ** 32);
  expect(report.lines.reduce((sum, each) => sum + each.sitesV6, 0)).toBeCloseTo(2 ** 48, 0);
});
