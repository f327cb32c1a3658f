// Rows as people and as programs read them. Pure.
import type { Row } from './types.ts';

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const upper = sorted[sorted.length >> 1];
  const lower = sorted[(sorted.length - 1) >> 1];
  if (upper === undefined || lower === undefined) throw new RangeError('median of nothing');
  return (upper + lower) / 2;
}

/** Above 1: ours is better, whichever way the unit runs. Undefined: no peer, nothing to divide. */
export function ratioOf(row: Row): number | undefined {
  if (row.theirs === undefined) return undefined;
  const ratio = row.better === 'higher' ? row.ours / row.theirs : row.theirs / row.ours;
  return Number.isFinite(ratio) ? ratio : undefined;
}

/** Four significant digits, and no more than a whole number needs. */
const rounded = (value: number): number =>
  Math.abs(value) >= 1000 ? Math.round(value) : Number(value.toPrecision(4));

/** One JSON line. */
export function formatJson(bench: string, row: Row): string {
  const { case: name, unit, peer, theirs } = row;
  const ratio = ratioOf(row);
  return JSON.stringify({
    bench,
    case: name,
    unit,
    ours: rounded(row.ours),
    ...(peer === undefined || theirs === undefined ? {} : { peer, theirs: rounded(theirs) }),
    ...(ratio === undefined ? {} : { ratio: rounded(ratio) }),
  });
}

const HEADERS = ['case', 'unit', 'ours', 'peer', 'theirs', 'ratio'];
const NUMERIC = new Set([2, 4, 5]);

function grouped(value: number): string {
  return rounded(value).toLocaleString('en-US', { maximumSignificantDigits: 15 });
}

function cells(row: Row): string[] {
  const theirs = row.theirs === undefined ? '-' : grouped(row.theirs);
  const ratio = ratioOf(row)?.toFixed(2) ?? '-';
  return [row.case, row.unit, grouped(row.ours), row.peer ?? '-', theirs, ratio];
}

/** A table of fixed width; columns are separated by two blanks. */
export function formatTable(rows: readonly Row[]): string {
  const lines = [HEADERS, ...rows.map(cells)];
  const widths = HEADERS.map((_, column) =>
    Math.max(...lines.map((line) => line[column]?.length ?? 0)),
  );
  const pad = (text: string, column: number): string =>
    NUMERIC.has(column) ? text.padStart(widths[column] ?? 0) : text.padEnd(widths[column] ?? 0);
  return lines.map((line) => line.map(pad).join('  ').trimEnd()).join('\n');
}
