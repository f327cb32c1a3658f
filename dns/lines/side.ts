// One side of a merge: what all files, or the operator, say of one family, in order and each prefix
// once, and whence each entry came. Pure.
import { emptyColumns, type Family, formatWords, orderOf, reordered, WORDS } from './columns.ts';
import type { LineList, PrefixColumns, Sighting } from './types.ts';

export type Side = {
  family: Family;
  /** Sorted by address and length, lines by final number, no prefix twice. */
  entries: PrefixColumns;
  /** By entry: its place in all lists, one behind the other. */
  origin: Uint32Array;
  /** Pairs of places in the lists: what was kept, what said the same prefix again. */
  doubles: { entry: number; kept: number; dropped: number }[];
  doublesCount: { conflicts: number; repeats: number };
  lists: readonly LineList[];
  /** By list: the place of its first entry. */
  starts: readonly number[];
};

const DOUBLES_KEPT = 1000;

/** The list that comes first wins where two say the same prefix. */
export function sideOf(
  family: Family,
  lists: readonly LineList[],
  numbers: ReadonlyMap<string, number>,
): Side {
  const all = concatenated(family, lists, numbers);
  const order = orderOf(all.columns, family);
  const side: Side = {
    family,
    entries: all.columns,
    origin: order,
    doubles: [],
    doublesCount: { conflicts: 0, repeats: 0 },
    lists,
    starts: all.starts,
  };
  side.origin = dropDoubles(side, all.columns, order);
  side.entries = reordered(all.columns, family, side.origin);
  return side;
}

function concatenated(
  family: Family,
  lists: readonly LineList[],
  numbers: ReadonlyMap<string, number>,
): { columns: PrefixColumns; starts: number[] } {
  const parts = lists.map((list) => (family === 4 ? list.v4 : list.v6));
  const width = WORDS[family];
  const total = parts.reduce((sum, { count }) => sum + count, 0);
  const columns = emptyColumns(width, total);
  columns.count = total;
  const starts: number[] = [];
  let start = 0;
  for (const [index, part] of parts.entries()) {
    starts.push(start);
    columns.words.set(part.words, start * width);
    columns.bits.set(part.bits, start);
    columns.row.set(part.row, start);
    const final = lists[index]?.lines.map((line) => numbers.get(line) ?? 0) ?? [];
    for (let at = 0; at < part.count; at++) {
      columns.line[start + at] = final[part.line[at] ?? 0] ?? 0;
    }
    start += part.count;
  }
  return { columns, starts };
}

/** The order without those entries whose prefix is that of the one before. */
function dropDoubles(side: Side, columns: PrefixColumns, order: Uint32Array): Uint32Array {
  const { words, bits, line } = columns;
  const width = WORDS[side.family];
  const same = (a: number, b: number): boolean => {
    if (bits[a] !== bits[b]) return false;
    for (let word = 0; word < width; word++) {
      if (words[a * width + word] !== words[b * width + word]) return false;
    }
    return true;
  };
  const unique = new Uint32Array(order.length);
  let count = 0;
  for (const dropped of order) {
    const kept = count === 0 ? undefined : unique[count - 1];
    if (kept === undefined || !same(kept, dropped)) {
      unique[count++] = dropped;
    } else if (line[kept] === line[dropped]) {
      side.doublesCount.repeats++;
    } else {
      side.doublesCount.conflicts++;
      if (side.doubles.length < DOUBLES_KEPT)
        side.doubles.push({ entry: count - 1, kept, dropped });
    }
  }
  return unique.slice(0, count);
}

/** Which list a place is of, and its place there. */
export function originOf(side: Side, place: number): { list: LineList; at: number } | undefined {
  let index = side.starts.length - 1;
  while (index > 0 && (side.starts[index] ?? 0) > place) index--;
  // Lists without entries share their start with the next one, which is the one found here.
  const list = side.lists[index];
  return list === undefined ? undefined : { list, at: place - (side.starts[index] ?? 0) };
}

/** An entry's prefix with the line and the row of the place that it, or its double, came from. */
export function sightingOf(side: Side, entry: number, place = side.origin[entry] ?? 0): Sighting {
  const prefix = prefixText(side, entry);
  const origin = originOf(side, place);
  if (origin === undefined) return { prefix, line: '' };
  const { list, at } = origin;
  const columns = side.family === 4 ? list.v4 : list.v6;
  const line = list.lines[columns.line[at] ?? 0] ?? '';
  if (list.file === '') return { prefix, line };
  return { prefix, line, file: list.file, row: columns.row[at] ?? 0 };
}

export function prefixText({ family, entries }: Side, entry: number): string {
  return formatWords(family, entries.words, entries.bits[entry] ?? 0, entry * WORDS[family]);
}
