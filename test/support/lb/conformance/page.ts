// docs/conformance-lb.md: made of the rows and of what was found, and read again for what HAProxy
// and nginx did when it was made.
import { goodAnswers } from './compare.ts';
import { OTHERS, type OtherName } from './others.ts';
import type { Row } from './row.ts';
import { ROWS } from './rows.ts';
import { UNSAFE } from './unsafe.ts';

/** By id of the row, in the words of `summary`. */
export type Found = ReadonlyMap<string, string>;
export type AllFound = Readonly<Record<'ours' | OtherName, Found>>;

const COLUMNS = ['row', 'what', 'RFC', 'ours', 'HAProxy', 'nginx', 'why'];
const SAME = '=';
const LETS_THROUGH = '▲ ';
const IS_UNSAFE = '‼ ';

/** As Markdown, a line each. */
export function table(found: AllFound): string[] {
  const rows = ROWS.map((row) => {
    const ours = wordsOf(found.ours, row);
    const theirs = OTHERS.map((name) => theirCell(row, name, ours, wordsOf(found[name], row)));
    return [row.id, row.what, row.section, ours, ...theirs, row.why].map(cell);
  });
  return [COLUMNS, COLUMNS.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`);
}

function theirCell(row: Row, name: OtherName, ours: string, words: string): string {
  if (row.byChance) return 'by chance';
  if (UNSAFE[row.id]?.[name] !== undefined) return IS_UNSAFE + words;
  if (words === ours) return SAME;
  return isThrough(words, ours) ? LETS_THROUGH + words : words;
}

/** More comes to a good end than with us. */
function isThrough(words: string, ours: string): boolean {
  return (
    words.includes(' → ') && goodAnswers(words) > (ours.includes(' → ') ? goodAnswers(ours) : 0)
  );
}

function wordsOf(found: Found, { id }: Row): string {
  const words = found.get(id);
  if (words === undefined) throw new Error(`row ${id} was not played`);
  return words;
}

/** What a page's table says that was found. */
export function foundIn(page: string): AllFound {
  const found = { ours: new Map(), haproxy: new Map(), nginx: new Map() };
  for (const line of page.split('\n')) {
    const cells = line.split(/(?<!\\) ?\| ?/).map(uncell);
    const [, id = '', , , ours = '', ...theirs] = cells;
    if (cells.length !== COLUMNS.length + 2 || id === 'row' || id === '---') continue;
    found.ours.set(id, ours);
    for (const [index, name] of OTHERS.entries()) {
      const words = (theirs[index] ?? '').replace(LETS_THROUGH, '').replace(IS_UNSAFE, '');
      found[name].set(id, words === SAME ? ours : words);
    }
  }
  return found;
}

/** What others let through and we refuse, of requests and responses. */
export function stricter(found: AllFound): string[] {
  return OTHERS.map((name) => {
    const through = ROWS.filter((row) => {
      return isThrough(wordsOf(found[name], row), wordsOf(found.ours, row));
    });
    const listed = through.map(({ id }) => id).join(', ');
    return `- ${NAMES[name]} lets ${through.length} through that we refuse: ${listed}.`;
  });
}

export function unsafe(): string[] {
  return OTHERS.flatMap((name) =>
    ROWS.flatMap(({ id, what }) => {
      const why = UNSAFE[id]?.[name];
      return why === undefined ? [] : [`- ${NAMES[name]}, ${id} (${cell(what)}): ${why}`];
    }),
  );
}

const NAMES: Record<OtherName, string> = { haproxy: 'HAProxy', nginx: 'nginx' };

/** The page with what stands between its marks made anew; the rest is written by hand. */
export function fill(page: string, found: AllFound): string {
  const parts = { table: table(found), stricter: stricter(found), unsafe: unsafe() };
  let filled = page;
  for (const [name, lines] of Object.entries(parts)) {
    const marks = new RegExp(`(<!-- ${name} -->\n)[^]*?(\n<!-- /${name} -->)`);
    filled = filled.replace(marks, (_, before, after) => `${before}${lines.join('\n')}${after}`);
  }
  return filled;
}

function cell(text: string): string {
  return text
    .replaceAll('\\', '\\\\')
    .replaceAll('*', '\\*')
    .replaceAll('|', '\\|')
    .replaceAll('<', '&lt;');
}

function uncell(text: string): string {
  return text.trim().replaceAll('&lt;', '<').replaceAll(/\\(.)/g, '$1');
}
