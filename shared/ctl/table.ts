// Fixed-width tables, the same on a terminal and in a pipe; `-` stands for empty.

import { printable } from '../pretty.ts';
import type { Colour, Output } from './output.ts';

export type Column<Row> = {
  title: string;
  value: (row: Row) => string | number | undefined;
  /** Numbers stand on the right. */
  right?: true;
  /** Of the cell's text; titles are never coloured. */
  colour?: (row: Row) => Colour | undefined;
};

const GAP = '  ';
const ROWS_A_WRITE = 1000;

function cellText(value: string | number | undefined): string {
  return value === undefined || value === '' ? '-' : printable(String(value));
}

/** Writes title and rows, a few at a time, so that a slow reader holds it back. */
export async function writeTable<Row>(
  out: Output,
  columns: readonly Column<Row>[],
  rows: readonly Row[],
): Promise<void> {
  const widths = columns.map((column) => column.title.length);
  for (const row of rows) {
    for (const [at, column] of columns.entries()) {
      const length = cellText(column.value(row)).length;
      if (length > (widths[at] ?? 0)) widths[at] = length;
    }
  }
  const pad = (text: string, at: number, right: boolean | undefined) =>
    right ? text.padStart(widths[at] ?? 0) : text.padEnd(widths[at] ?? 0);
  const titles = columns.map((column, at) => pad(column.title, at, column.right));
  await out.line(out.paint('bold', titles.join(GAP).trimEnd()));
  for (let from = 0; from < rows.length && !out.closed; from += ROWS_A_WRITE) {
    const lines = rows.slice(from, from + ROWS_A_WRITE).map((row) => {
      const cells = columns.map((column, at) => {
        const text = pad(cellText(column.value(row)), at, column.right);
        const colour = column.colour?.(row);
        return colour === undefined ? text : out.paint(colour, text);
      });
      return `${cells.join(GAP).trimEnd()}\n`;
    });
    await out.write(lines.join(''));
  }
}

/** A JSON array, one element a line, written a few at a time. */
export async function writeJsonArray(
  out: Output,
  rows: Iterable<unknown>,
  indent = '',
): Promise<void> {
  let chunk = '[';
  let separator = '\n';
  let inChunk = 0;
  for (const row of rows) {
    chunk += `${separator}${indent}  ${JSON.stringify(row)}`;
    separator = ',\n';
    if (++inChunk < ROWS_A_WRITE) continue;
    if (out.closed) return;
    await out.write(chunk);
    [chunk, inChunk] = ['', 0];
  }
  await out.write(`${chunk}${separator === '\n' ? '' : `\n${indent}`}]`);
}
