// What is to be said of lists besides their tree: who covers how much, what contradicts what, and
// what is there in vain. Pure.
import { bogonSpace } from './bogons.ts';
import { type Family, maskOf, WORDS } from './columns.ts';
import type { CompiledFamily } from './compile.ts';
import { eachLeaf } from './lookup.ts';
import { prefixText, type Side, sightingOf } from './side.ts';
import type { LineCoverage, LineList, LineReport, LineTree, Sightings } from './types.ts';

export const EXAMPLES = 10;
const NESTED_EXAMPLES = 3;

/** `lists`: the files', and the operator's as one without a file. */
export function reportOf(
  tree: LineTree,
  lists: readonly LineList[],
  families: readonly CompiledFamily[],
): LineReport {
  const sides = families.flatMap(({ files, operator }) => [files, operator]);
  return {
    lines: coverageOf(tree, lists),
    files: lists.filter(({ file }) => file !== '').map(fileLine),
    stray: {
      count: lists.reduce((sum, { stray }) => sum + stray.count, 0),
      examples: lists.flatMap(({ stray }) => stray.examples).slice(0, EXAMPLES),
    },
    conflicts: conflictsOf(sides),
    repeats: sides.reduce((sum, { doublesCount }) => sum + doublesCount.repeats, 0),
    nested: nestedOf(sides, tree.lines),
    idleOverrides: idleOf(families),
    bogons: bogonsOf(sides),
  };
}

function fileLine({ file, v4, v6, stray, unmatched }: LineList): LineReport['files'][number] {
  return { file, prefixes: v4.count + v6.count, stray: stray.count, unmatched };
}

function coverageOf(tree: LineTree, lists: readonly LineList[]): LineCoverage[] {
  const rows = tree.lines.map((line) => ({
    line,
    listed: 0,
    leaves: 0,
    addressesV4: 0,
    sitesV6: 0,
    shareV4: 0,
    shareV6: 0,
  }));
  const byName = new Map(rows.map((row) => [row.line, row]));
  for (const { lines, v4, v6 } of lists) {
    for (const columns of [v4, v6]) {
      const counts = new Uint32Array(lines.length);
      for (let at = 0; at < columns.count; at++) {
        const line = columns.line[at] ?? 0;
        counts[line] = (counts[line] ?? 0) + 1;
      }
      for (const [index, line] of lines.entries()) {
        const row = byName.get(line);
        if (row !== undefined) row.listed += counts[index] ?? 0;
      }
    }
  }
  eachLeaf(tree, 4, (_, depth, line) => {
    const row = rows[line];
    if (row === undefined) return;
    row.leaves++;
    row.addressesV4 += 2 ** (32 - depth);
  });
  eachLeaf(tree, 6, (_, depth, line) => {
    const row = rows[line];
    if (row === undefined) return;
    row.leaves++;
    row.sitesV6 += 2 ** (48 - depth);
  });
  const listed = rows.slice(1);
  const allV4 = listed.reduce((sum, { addressesV4 }) => sum + addressesV4, 0);
  const allV6 = listed.reduce((sum, { sitesV6 }) => sum + sitesV6, 0);
  for (const row of listed) {
    row.shareV4 = allV4 === 0 ? 0 : row.addressesV4 / allV4;
    row.shareV6 = allV6 === 0 ? 0 : row.sitesV6 / allV6;
  }
  return rows;
}

function conflictsOf(sides: readonly Side[]): LineReport['conflicts'] {
  const found: LineReport['conflicts'] = { count: 0, examples: [] };
  for (const side of sides) {
    found.count += side.doublesCount.conflicts;
    for (const { entry, kept, dropped } of side.doubles) {
      if (found.examples.length >= EXAMPLES) break;
      found.examples.push({
        kept: sightingOf(side, entry, kept),
        dropped: sightingOf(side, entry, dropped),
      });
    }
  }
  return found;
}

function idleOf(families: readonly CompiledFamily[]): LineReport['idleOverrides'] {
  const found: LineReport['idleOverrides'] = { count: 0, examples: [] };
  for (const { operator, idle } of families) {
    found.count += idle.length;
    for (const entry of idle.slice(0, EXAMPLES - found.examples.length)) {
      found.examples.push(sightingOf(operator, entry));
    }
  }
  return found;
}

/** Each entry against the nearest one of its side that it lies in. */
function nestedOf(sides: readonly Side[], lines: readonly string[]): LineReport['nested'] {
  const pairs = new Map<number, LineReport['nested'][number]>();
  for (const side of sides) {
    const { line } = side.entries;
    forEachNested(side, (inner, outer) => {
      const [own, around] = [line[inner] ?? 0, line[outer] ?? 0];
      if (own === around) return;
      const key = own * lines.length + around;
      let pair = pairs.get(key);
      if (pair === undefined) {
        pair = { line: lines[own] ?? '', inside: lines[around] ?? '', count: 0, examples: [] };
        pairs.set(key, pair);
      }
      pair.count++;
      if (pair.examples.length >= NESTED_EXAMPLES) return;
      pair.examples.push({ prefix: prefixText(side, inner), inside: prefixText(side, outer) });
    });
  }
  return [...pairs.values()].sort((a, b) => b.count - a.count);
}

/** In the order of addresses, the prefixes that contain the present one are a stack. */
function forEachNested(side: Side, visit: (inner: number, outer: number) => void): void {
  const { entries } = side;
  const stack: number[] = [];
  for (let entry = 0; entry < entries.count; entry++) {
    let top = stack.at(-1);
    while (top !== undefined && !contains(side, top, entry)) {
      stack.pop();
      top = stack.at(-1);
    }
    if (top !== undefined) visit(entry, top);
    stack.push(entry);
  }
}

function contains({ family, entries }: Side, outer: number, inner: number): boolean {
  const { words, bits } = entries;
  const width = WORDS[family];
  const length = bits[outer] ?? 0;
  for (let word = 0; 32 * word < length; word++) {
    const difference = (words[outer * width + word] ?? 0) ^ (words[inner * width + word] ?? 0);
    if ((difference & maskOf(length - 32 * word)) !== 0) return false;
  }
  return true;
}

function bogonsOf(sides: readonly Side[]): LineReport['bogons'] {
  const found: Sightings<LineReport['bogons']['examples'][number]> = { count: 0, examples: [] };
  for (const side of sides) {
    const { count, words, bits } = side.entries;
    const family: Family = side.family;
    for (let entry = 0; entry < count; entry++) {
      const space = bogonSpace(family, words, entry * WORDS[family], bits[entry] ?? 0);
      if (space === undefined) continue;
      found.count++;
      if (found.examples.length < EXAMPLES)
        found.examples.push({ ...sightingOf(side, entry), space });
    }
  }
  return found;
}
