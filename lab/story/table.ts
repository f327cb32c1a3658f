// The story as a table of at most 120 columns; in colour on a terminal that wants it.
import type { Report } from './step.ts';

const COLUMNS = 120;
const WHAT = 21;
const PATH = 36;
const RESULT = COLUMNS - 6 - WHAT - PATH - 2;

export type Style = { bold: string; dim: string; good: string; bad: string; plain: string };

const COLOURED: Style = {
  bold: '\x1b[1m',
  dim: '\x1b[2m',
  good: '\x1b[32m',
  bad: '\x1b[31m',
  plain: '\x1b[0m',
};
const BARE: Style = { bold: '', dim: '', good: '', bad: '', plain: '' };

/** https://no-color.org: set and not empty means none. */
export const styleOf = (isTerminal: boolean, noColour: string | undefined): Style =>
  isTerminal && !noColour ? COLOURED : BARE;

/** The first line of a text, no longer than there is room. */
export function cut(text: string, length: number): string {
  const line = text.split('\n')[0] ?? '';
  return line.length <= length ? line : `${line.slice(0, length - 1)}…`;
}

export const heading = (style: Style, number: number, title: string): string =>
  `\n${style.bold}${number}  ${cut(title, COLUMNS - 4)}${style.plain}`;

const through = (counts: Map<string, number>): string =>
  [...counts]
    .filter(([, packets]) => packets > 0)
    .map(([name, packets]) => `${name.replace('natter-', '')}:${packets}`)
    .join(' ');

function counts({ passed }: Report): string {
  if (!passed) return '';
  const [inbound, outbound] = [through(passed.inbound), through(passed.outbound)];
  return [inbound && `in ${inbound}`, outbound && `out ${outbound}`].filter(Boolean).join('  ');
}

/** One line, or two when what was counted has no room beside the result. */
export function row(style: Style, report: Report): string {
  const state = report.ok ? `${style.good}ok  ${style.plain}` : `${style.bad}FAIL${style.plain}`;
  const path = `${style.dim}${cut(report.path, PATH).padEnd(PATH)}${style.plain}`;
  const before = `${state}  ${cut(report.what, WHAT).padEnd(WHAT)}${path}  `;
  const result = cut(report.result, RESULT);
  const counted = cut(counts(report), RESULT);
  if (counted === '') return before + result;
  const apart = [24, 0].map((width) => `${result.padEnd(width)}  `);
  const beside = apart.find(({ length }) => length + counted.length <= RESULT);
  const under = `${result}\n${' '.repeat(COLUMNS - RESULT)}`;
  return `${before}${beside ?? under}${style.dim}${counted}${style.plain}`;
}
