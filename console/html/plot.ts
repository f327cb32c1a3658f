// A plot as HTML: its lines as a small SVG, which a script may replace by one to look into, and
// what each line is now. Pure.
import type { Plot } from '../series/book.ts';
import type { Unit } from '../series/plots.ts';
import type { Kind } from '../views/types.ts';
import { format } from './format.ts';
import { type Html, html } from './text.ts';

const WIDTH = 300;
const HEIGHT = 100;
const COLOURS = 8;
const KINDS: Readonly<Record<Unit, Kind>> = {
  bits: 'bits',
  rate: 'rate',
  count: 'count',
  bytes: 'bytes',
  seconds: 'seconds',
  percent: 'text',
};

/** As plots write their figures. */
export function formatUnit(value: number | null, unit: Unit): string {
  if (unit !== 'percent' || value === null) return format(value, KINDS[unit]);
  return format(value / 100, 'bar');
}

export function renderPlot(plot: Plot, legend: Html): Html {
  const { id, title } = plot;
  return html`<figure class="plot" id="plot-${id}" data-plot="${id}">
<figcaption class="title"><h4>${title}</h4><a
 class="json" href="/plots/${id}.json">JSON</a></figcaption>
<div class="canvas">${renderLines(plot)}</div>
<div class="legend" data-part="legend-${id}">${legend}</div></figure>`;
}

export function renderLegend({ series, unit }: Plot): Html {
  const items = series.map(({ name, values }, at) => {
    const last = formatUnit(values.at(-1) ?? null, unit);
    return html`<li><svg class="key ${lineClass(at)}" viewBox="0 0 16 6" aria-hidden="true"><line
 x1="0" y1="3" x2="16" y2="3"/></svg>${name} <b>${last}</b></li>`;
  });
  return html`<ul>${items}</ul>`;
}

function renderLines({ times, series, unit }: Plot): Html {
  const peak = Math.max(
    0,
    ...series.map(({ values }) => Math.max(0, ...values.map((each) => each ?? 0))),
  );
  const [span, most] = [spanText(times), formatUnit(peak, unit)];
  const lines = series.map(({ values }, at) =>
    runs(times, values, peak).map(
      (points) => html`<polyline class="${lineClass(at)}" points="${points}"/>`,
    ),
  );
  return html`<svg class="lines" viewBox="0 0 ${WIDTH} ${HEIGHT}" preserveAspectRatio="none"
 role="img"><title>the last ${span}, up to ${most}</title>${lines}</svg><span
 class="peak">${most}</span><span class="span">${span}</span>`;
}

/** Eight colours, then the same in dashes. */
const lineClass = (at: number) => `k${at % COLOURS} d${Math.floor(at / COLOURS)}`;

/** A line is cut where nothing is known. */
function runs(
  times: readonly number[],
  values: readonly (number | null)[],
  peak: number,
): string[] {
  const [first = 0, last = 0] = [times[0], times.at(-1)];
  const x = (at: number) => (((times[at] ?? 0) - first) / Math.max(1, last - first)) * WIDTH;
  const found: string[][] = [[]];
  for (const [at, value] of values.entries()) {
    if (value === null) {
      if (found.at(-1)?.length) found.push([]);
      continue;
    }
    const y = HEIGHT - 2 - (peak > 0 ? value / peak : 0) * (HEIGHT - 4);
    found.at(-1)?.push(`${x(at).toFixed(1)},${y.toFixed(1)}`);
  }
  return found.filter((points) => points.length > 1).map((points) => points.join(' '));
}

function spanText(times: readonly number[]): string {
  return format((times.at(-1) ?? 0) - (times[0] ?? 0), 'age');
}
