// A table as HTML: figures to the right, states as words with a sign, the worst first. Pure.
import type { Column, Kind, Level, Row, Table } from '../views/types.ts';
import { format, NOTHING } from './format.ts';
import { type Html, html } from './text.ts';

const SHOWN = 100;
const NEARLY_FULL = 0.9;
const SIGNS: Readonly<Record<Level, string>> = { ok: '●', warn: '▲', bad: '✖' };
const WORDS: ReadonlySet<Kind> = new Set(['text', 'level', 'time']);

export type TableOptions = { query?: string; more?: Html | undefined; shown?: number };

export function renderTable(table: Table, options: TableOptions = {}): Html {
  const { id, title, rows, total, empty, note } = table;
  const shown = rows.slice(0, options.shown ?? SHOWN);
  const count =
    total > shown.length ? `${format(shown.length, 'count')} of ${format(total, 'count')}` : '';
  const json = `/${id}.json${options.query ?? ''}`;
  return html`<div class="title"><h3>${title}</h3>
${count !== '' && html`<span class="count">${count}</span>`}
${options.more}<a class="json" href="${json}">JSON</a></div>
${shown.length === 0 ? html`<p class="empty">${empty}</p>` : box(table, shown)}
${note !== undefined && shown.length > 0 && html`<p class="note">${note}</p>`}`;
}

function box({ title, columns, rows }: Table, shown: readonly Row[]): Html {
  const used = columns.filter((column) => !isEmpty(column, rows));
  const heads = used.map(
    (column) => html`<th scope="col" class="${classOf(column)}">${column.title}</th>`,
  );
  const lines = shown.map(
    (row) => html`<tr class="${row.level}">${cellsOf(used, row)}</tr>
`,
  );
  return html`<div class="box" role="region" tabindex="0" aria-label="${title}"><table>
<thead><tr>${heads}</tr></thead><tbody>
${lines}</tbody></table></div>`;
}

const cellsOf = (columns: readonly Column[], row: Row) =>
  columns.map((column, at) => renderCell(column, row, at === 0));

/** Words that nobody has said; figures keep their place. */
function isEmpty({ key, kind }: Column, rows: readonly Row[]): boolean {
  return kind === 'text' && rows.every(({ values }) => (values[key] ?? '') === '');
}

const classOf = ({ kind, key }: Column) =>
  WORDS.has(kind)
    ? key === 'why' || key === 'problem' || key === 'message'
      ? 'long'
      : 'word'
    : 'figure';

function renderCell(column: Column, row: Row, isFirst: boolean): Html {
  const value = row.values[column.key] ?? null;
  const content =
    column.kind === 'level'
      ? renderLevel(row.level, format(value, 'text'))
      : renderValue(column, value);
  const name = classOf(column);
  return isFirst
    ? html`<th scope="row" class="${name}">${content}</th>`
    : html`<td class="${name}">${content}</td>`;
}

function renderValue({ kind }: Column, value: string | number | null): Html | string {
  const text = format(value, kind);
  if (kind === 'time' && typeof value === 'number') return html`<time>${text}</time>`;
  if (text === NOTHING) return html`<span class="nothing">${NOTHING}</span>`;
  const isBar = kind === 'bar' || kind === 'fill';
  return isBar && typeof value === 'number' ? renderBar(value, text, kind) : text;
}

function renderBar(part: number, text: string, kind: Kind): Html {
  const width = Math.round(Math.min(1, Math.max(0, part)) * 100);
  const level = kind === 'fill' && part >= NEARLY_FULL ? 'high' : 'low';
  return html`<span class="gauge"><svg class="bar ${level}" viewBox="0 0 100 8"
 preserveAspectRatio="none" aria-hidden="true"><rect class="of" width="100" height="8"/><rect
 class="is" width="${width}" height="8"/></svg><span>${text}</span></span>`;
}

export function renderLevel(level: Level, text: string): Html {
  return html`<span class="pill ${level}"><span
 aria-hidden="true">${SIGNS[level]}</span> ${text}</span>`;
}
