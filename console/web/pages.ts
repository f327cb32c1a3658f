// Path and query → what is answered. Each page is made at most once a round, however many ask.

import { type PageOptions, partsOf, renderPage, THEMES, titleOf } from '../html/page.ts';
import type { Plot } from '../series/book.ts';
import { parseEventLevel, withLevel } from '../views/events.ts';
import type { SiteView } from '../views/site.ts';
import type { Table } from '../views/types.ts';
import type { Assets } from './assets.ts';

export type Page = { status?: number; type: string; body: string | Buffer; isForEver?: true };

const HTML = 'text/html; charset=utf-8';
const JSON_TYPE = 'application/json; charset=utf-8';
/** Of one round: paths and queries that are known make no more. */
const MOST_PAGES = 100;

export type PagesOptions = { assets: Assets; intervalMs: number };

export class Pages {
  readonly #options: PagesOptions;
  #view: SiteView | undefined;
  #plots: readonly Plot[] = [];
  #made = new Map<string, Page>();

  constructor(options: PagesOptions) {
    this.#options = options;
  }

  /** From now on. */
  publish(view: SiteView, plots: readonly Plot[]): void {
    this.#view = view;
    this.#plots = plots;
    this.#made = new Map();
  }

  /** Undefined: there is no such page. */
  get(path: string, query: URLSearchParams): Page | undefined {
    const asset = this.#options.assets.get(path);
    if (asset !== undefined) return { ...asset, isForEver: true };
    const view = this.#view;
    if (view === undefined) return { status: 503, type: 'text/plain', body: 'nothing read yet\n' };
    const level = parseEventLevel(query.get('level'));
    const theme = THEMES.find((each) => each === query.get('theme')) ?? 'auto';
    const key = `${path} ${level} ${theme}`;
    const known = this.#made.get(key);
    if (known !== undefined) return known;
    const made = this.#make(view, path, { theme, level });
    if (made !== undefined && this.#made.size < MOST_PAGES) this.#made.set(key, made);
    return made;
  }

  #make(
    view: SiteView,
    path: string,
    chosen: Pick<PageOptions, 'theme' | 'level'>,
  ): Page | undefined {
    const { assets, intervalMs } = this.#options;
    if (path === '/') {
      const parts = partsOf(view, this.#plots, chosen);
      const options = { ...chosen, intervalMs, assets: assets.paths };
      return { type: HTML, body: renderPage(view, this.#plots, parts, options) };
    }
    const value = this.#json(view, path, chosen);
    if (value === undefined) return undefined;
    const at = new Date(view.nowMs).toISOString();
    return { type: JSON_TYPE, body: `${JSON.stringify({ at, ...value })}\n` };
  }

  #json(
    view: SiteView,
    path: string,
    chosen: Pick<PageOptions, 'theme' | 'level'>,
  ): object | undefined {
    const plots = this.#plots;
    if (path === '/parts.json') {
      const parts = [...partsOf(view, plots, chosen)].map(([name, { text }]) => [name, text]);
      return {
        title: titleOf(view),
        plots: plots.map(({ id }) => id),
        parts: Object.fromEntries(parts),
      };
    }
    if (path === '/overview.json') {
      const { level, problems, tiles } = view;
      return {
        level,
        problems,
        figures: tiles.map(({ kind: unit, ...tile }) => ({ ...tile, unit })),
      };
    }
    if (path === '/plots.json') return { plots };
    const plot = plots.find(({ id }) => path === `/plots/${id}.json`);
    if (plot !== undefined) return plot;
    const tables = view.sections.flatMap((section) => section.tables);
    const table = tables.find(({ id }) => path === `/${id}.json`);
    if (table === undefined) return undefined;
    return tableJson(table.id === 'events' ? withLevel(table, chosen.level) : table);
  }
}

/** `health`: how well a row is; the rest is stable names of values. */
function tableJson({ title, total, rows }: Table): object {
  return { title, total, rows: rows.map(({ level, values }) => ({ health: level, ...values })) };
}
