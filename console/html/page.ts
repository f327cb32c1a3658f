// The page: a head with links, what is wrong now, figures, a section a service. Its parts are also
// handed out one by one, so that a script can renew what changed. Pure.
import type { Plot } from '../series/book.ts';
import { EVENT_LEVELS, EVENTS_SHOWN, type EventLevel, withLevel } from '../views/events.ts';
import type { SiteView } from '../views/site.ts';
import type { Problem, Section, Table, Tile } from '../views/types.ts';
import { clockTime, format } from './format.ts';
import { renderLegend, renderPlot } from './plot.ts';
import { renderLevel, renderTable } from './table.ts';
import { type Html, html } from './text.ts';

export const THEMES = ['auto', 'light', 'dark'] as const;
export type Theme = (typeof THEMES)[number];

export type PageOptions = {
  theme: Theme;
  level: EventLevel;
  intervalMs: number;
  /** Paths of what the page loads. */
  assets: { css: string; js: string; plotCss: string; plotJs: string; icon: string };
};

const PROBLEMS_SHOWN = 30;
/** A table of more than these has a row of the page to itself. */
const WIDE_COLUMNS = 4;

/** By name: what the page has at `data-part`. */
export type Parts = ReadonlyMap<string, Html>;

export function partsOf(
  view: SiteView,
  plots: readonly Plot[],
  options: Pick<PageOptions, 'theme' | 'level'>,
): Parts {
  const parts = new Map<string, Html>([
    ['state', renderState(view)],
    ['now', renderNow(view)],
    ['nav', renderNav(view)],
  ]);
  for (const table of view.sections.flatMap((section) => section.tables)) {
    parts.set(
      `table-${table.id}`,
      table.id === 'events' ? renderEvents(table, options) : renderTable(table),
    );
  }
  for (const plot of plots) parts.set(`legend-${plot.id}`, renderLegend(plot));
  return parts;
}

export function renderPage(
  view: SiteView,
  plots: readonly Plot[],
  parts: Parts,
  options: PageOptions,
): string {
  const { theme, level, assets, intervalMs } = options;
  const part = (name: string, kind = '') =>
    html`<div class="part${kind}" data-part="${name}">${parts.get(name)}</div>`;
  const themes = THEMES.map((each) =>
    each === theme
      ? html`<b aria-current="true">${each}</b>`
      : html`<a href="${query(each, level)}">${each}</a>`,
  );
  const mood = theme === 'auto' ? '' : html` data-theme="${theme}"`;
  return html`<!doctype html>
<html lang="en"${mood}><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${titleOf(view)}</title>
<link rel="icon" href="${assets.icon}" type="image/svg+xml">
<link rel="stylesheet" href="${assets.plotCss}"><link rel="stylesheet" href="${assets.css}">
<script src="${assets.plotJs}" defer></script><script src="${assets.js}" defer></script></head>
<body data-interval="${intervalMs}">
<header><div class="line"><a class="brand" href="#now">Edgeplane</a>${part('state')}
<p class="themes" aria-label="theme">${themes}</p></div>
<nav aria-label="sections">${part('nav')}</nav></header>
<main>
<section id="now">${part('now')}</section>
${view.sections.map((section) => renderSection(section, plots, part))}
</main>
<footer><p>Read from the store and from the services’ admin pages every ${intervalMs / 1000} s.
Times are UTC; a figure that is not known is –. Everything as JSON:
<a href="/overview.json">overview</a>, <a
href="/plots.json">plots</a>, and beside each table.</p></footer>
</body></html>
`.text;
}

export function titleOf({ problems, level }: SiteView): string {
  return level === 'ok' ? 'Edgeplane: all is well' : `(${problems.length}) Edgeplane`;
}

function query(theme: Theme, level: EventLevel, anchor = ''): string {
  const fields = [theme !== 'auto' && `theme=${theme}`, level !== 'info' && `level=${level}`];
  return `/?${fields.filter((each) => each !== false).join('&')}${anchor}`;
}

function renderState({ level, problems, nowMs }: SiteView): Html {
  const bad = problems.filter((each) => each.level === 'bad').length;
  const text =
    level === 'ok'
      ? 'all is well'
      : [counted(bad, 'failure'), counted(problems.length - bad, 'warning')]
          .filter((each) => each !== '')
          .join(', ');
  return html`${renderLevel(level, text)} <time class="at">${clockTime(nowMs)} UTC</time>`;
}

const counted = (count: number, what: string) =>
  count === 0 ? '' : `${count} ${what}${count === 1 ? '' : 's'}`;

function renderNav({ sections, problems }: SiteView): Html {
  const links = sections.map(({ id, title }) => {
    const own = problems.filter(({ section }) => section === id);
    const level = own.some((each) => each.level === 'bad') ? 'bad' : 'warn';
    const badge = html` <span class="badge ${level}">${own.length}</span>`;
    return html`<li><a href="#${id}">${title}${own.length > 0 && badge}</a></li>`;
  });
  return html`<ul>${links}</ul>`;
}

function renderNow(view: SiteView): Html {
  const { problems, tiles } = view;
  const shown = problems.slice(0, PROBLEMS_SHOWN);
  const more = problems.length - shown.length;
  const list =
    shown.length === 0
      ? html`<p class="well">${renderLevel('ok', 'nothing')} Every instance runs, has applied
what the store wants, and can be read.</p>`
      : html`<ul class="problems">${shown.map(renderProblem)}</ul>
${more > 0 && html`<p class="note">and ${more} more, in the sections below</p>`}`;
  return html`<div class="title"><h2>What is wrong now</h2><a
 class="json" href="/overview.json">JSON</a></div>
${list}<ul class="tiles">${tiles.map(renderTile)}</ul>`;
}

function renderProblem({ level, section, what, why }: Problem): Html {
  const word = level === 'bad' ? 'failure' : 'warning';
  return html`<li class="${level}">${renderLevel(level, word)} <a href="#${section}">${what}</a>
${why !== '' && html`<span class="why">${why}</span>`}</li>`;
}

function renderTile({ section, title, value, kind, note }: Tile): Html {
  const figure = format(value, kind);
  return html`<li><a href="#${section}"><span class="name">${title}</span><b>${figure}</b><span
 class="note">${note}</span></a></li>`;
}

function renderSection(
  section: Section,
  plots: readonly Plot[],
  part: (name: string, kind?: string) => Html,
): Html {
  const own = plots.filter((each) => each.section === section.id);
  const figures =
    own.length > 0 &&
    html`<div class="plots">${own.map((plot) => renderPlot(plot, renderLegend(plot)))}</div>`;
  const tables = section.tables.map(({ id, columns }) =>
    part(`table-${id}`, columns.length > WIDE_COLUMNS ? ' wide' : ''),
  );
  const isFirst = section.id !== 'nodes';
  return html`<section id="${section.id}"><h2>${section.title}</h2>
${isFirst && figures}<div class="tables">${tables}</div>${!isFirst && figures}</section>
`;
}

function renderEvents(table: Table, { theme, level }: Pick<PageOptions, 'theme' | 'level'>): Html {
  const links = EVENT_LEVELS.map((each) =>
    each === level
      ? html`<b aria-current="true">${each}</b>`
      : html`<a href="${query(theme, each, '#events')}">${each}</a>`,
  );
  const more = html`<span class="filter">from ${links}</span>`;
  const asked = level === 'info' ? '' : `?level=${level}`;
  return renderTable(withLevel(table, level), { query: asked, more, shown: EVENTS_SHOWN });
}
