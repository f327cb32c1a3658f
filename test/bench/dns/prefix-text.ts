// Columns of prefixes as text that every server reads. Pure.
import type { LineList, PrefixColumns } from '../../../dns/lines/types.ts';

/** 2001::/28 has Teredo and more that gdnsd takes for IPv4 and refuses. */
const REFUSED_TOP = 0x2001_0000 >> 4;

/** Prefix to line; of prefixes that are there twice, the first. */
export function prefixTexts(list: LineList): Map<string, string> {
  const found = new Map<string, string>();
  for (const [columns, words] of [
    [list.v4, 1],
    [list.v6, 4],
  ] as const) {
    for (let at = 0; at < columns.count; at++) {
      const text = textOf(columns, at, words);
      const line = list.lines[columns.line[at] ?? 0];
      if (text !== undefined && line !== undefined && !found.has(text)) found.set(text, line);
    }
  }
  return found;
}

function textOf({ words, bits }: PrefixColumns, at: number, count: 1 | 4): string | undefined {
  const own = Array.from({ length: count }, (_, index) => words[at * count + index] ?? 0);
  const [top = 0] = own;
  if (count === 1) {
    return `${[24, 16, 8, 0].map((shift) => (top >>> shift) & 255).join('.')}/${bits[at]}`;
  }
  if (top >>> 4 === REFUSED_TOP) return undefined;
  const groups = own.flatMap((word) => [word >>> 16, word & 0xffff]);
  return `${groups.map((group) => group.toString(16)).join(':')}/${bits[at]}`;
}
