// The status page: one HTML document that a server renders and that works without scripts. What is
// worst stands first, and every state is a word before it is a colour.

export type Level = 'ok' | 'warn' | 'bad';
export type Cell = string | number | { text: string; level: Level };

export type StatusTable = { title: string; columns: readonly string[]; rows: readonly Cell[][] };

/** What a service shows about itself; the renderer escapes everything. */
export type StatusView = {
  service: string;
  node: string;
  version: string;
  state: { text: string; level: Level };
  facts: readonly (readonly [name: string, value: Cell])[];
  tables: readonly StatusTable[];
};

const maxRows = 1000;
const badness: Record<Level, number> = { bad: 0, warn: 1, ok: 2 };

export function renderStatus(view: StatusView, refreshSeconds?: number): string {
  const title = `${view.service} on ${view.node}: ${view.state.text}`;
  const refresh =
    refreshSeconds === undefined ? '' : `<meta http-equiv="refresh" content="${refreshSeconds}">`;
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8">${refresh}
<meta name="viewport" content="width=device-width">
<title>${escapeHtml(title)}</title>
<style>${style}</style></head><body>
<h1>${escapeHtml(`${view.service} on ${view.node}`)} ${renderCell(view.state)}</h1>
<table class="facts">${view.facts.map(renderFact).join('')}
${renderFact(['version', view.version])}</table>
${view.tables.map(renderTable).join('\n')}
<p><a href="status.json">as JSON</a> · <a href="metrics">metrics</a> · <a href="?refresh=5">refresh
every 5 s</a> · states: ${(['ok', 'warn', 'bad'] as const).map(renderLegend).join(' ')}</p>
</body></html>
`;
}

export function escapeHtml(text: string): string {
  const entities: Record<string, string> = {
    '&': '&amp;',
    '<': '&lt;',
    '>': '&gt;',
    '"': '&quot;',
    "'": '&#39;',
  };
  return text.replace(/[&<>"']/g, (character) => entities[character] ?? '');
}

function renderFact([name, value]: readonly [string, Cell]): string {
  return `<tr><th>${escapeHtml(name)}</th><td>${renderCell(value)}</td></tr>`;
}

function renderTable({ title, columns, rows }: StatusTable): string {
  const sorted = rows.toSorted((a, b) => rowBadness(a) - rowBadness(b));
  const heads = columns.map((column) => `<th>${escapeHtml(column)}</th>`).join('');
  const body = sorted
    .slice(0, maxRows)
    .map((row) => `<tr>${row.map((cell) => `<td>${renderCell(cell)}</td>`).join('')}</tr>`);
  const hidden = sorted.length - body.length;
  const rest = hidden > 0 ? `<p>and ${hidden} more</p>` : '';
  const empty = rows.length === 0 ? '<p>none</p>' : '';
  return `<h2>${escapeHtml(title)}</h2>
<table><thead><tr>${heads}</tr></thead><tbody>${body.join('\n')}</tbody></table>${rest}${empty}`;
}

function rowBadness(row: readonly Cell[]): number {
  return Math.min(...row.map((cell) => (typeof cell === 'object' ? badness[cell.level] : 2)), 2);
}

function renderCell(cell: Cell): string {
  if (typeof cell !== 'object') return cell === '' ? '-' : escapeHtml(String(cell));
  return `<span class="${cell.level}">${escapeHtml(cell.text)}</span>`;
}

function renderLegend(level: Level): string {
  return renderCell({ text: level, level });
}

const style = `
body { font: 14px/1.4 system-ui, sans-serif; margin: 1.5em; color: #222; background: #fff; }
table { border-collapse: collapse; margin: .5em 0 1.5em; }
th, td { padding: .2em .8em; text-align: left; border-bottom: 1px solid #ddd; }
td { font-variant-numeric: tabular-nums; }
.facts th { font-weight: normal; color: #666; }
.ok, .warn, .bad { padding: 0 .4em; border-radius: .2em; }
.ok { background: #d9f2d9; } .warn { background: #ffe9b3; }
.bad { background: #b00020; color: #fff; }
`;
