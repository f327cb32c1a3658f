// Plots over time as SVG: lines, and faults as bands behind them. Colours are the page's. Pure.
import { escapeHtml, short } from './escape.ts';

export type Series = { name: string; points: readonly (readonly [seconds: number, y: number])[] };
export type Band = { fromSeconds: number; toSeconds: number; label: string };
export type Plot = { title: string; unit: string; series: readonly Series[] };

const WIDTH = 640;
const HEIGHT = 190;
const LEFT = 52;
const RIGHT = 8;
const TOP = 8;
const BOTTOM = 22;
const COLOURS = 8; // .c0 to .c7 in the page's style

/** A round number not below `most`. */
export function roundUp(most: number): number {
  if (!(most > 0)) return 1;
  const power = 10 ** Math.floor(Math.log10(most));
  return ([1, 2, 2.5, 5, 10].find((step) => step * power >= most) ?? 10) * power;
}

const fixed = (value: number): string => value.toFixed(1);

function path(
  { points }: Series,
  x: (seconds: number) => number,
  y: (value: number) => number,
): string {
  return points
    .map(([seconds, value], at) => `${at === 0 ? 'M' : 'L'}${fixed(x(seconds))} ${fixed(y(value))}`)
    .join('');
}

function axis(spanSeconds: number, x: (seconds: number) => number): string {
  const step = [10, 30, 60, 120, 300, 600, 1800, 3600].find((each) => spanSeconds / each <= 8);
  const every = step ?? 7200;
  const marks = Array.from({ length: Math.floor(spanSeconds / every) + 1 }, (_, at) => at * every);
  const text = (seconds: number): string =>
    every < 60 ? `${seconds} s` : `${Number((seconds / 60).toFixed(1))} min`;
  return marks
    .map((at) => `<text class="axis" x="${fixed(x(at))}" y="${HEIGHT - 6}">${text(at)}</text>`)
    .join('');
}

/** A figure with its legend. */
export function plotOf(plot: Plot, bands: readonly Band[], spanSeconds: number): string {
  const series = plot.series.filter(({ points }) => points.length > 0);
  const values = series.flatMap(({ points }) => points.map(([, value]) => value));
  const top = roundUp(values.reduce((most, value) => Math.max(most, value), 0));
  const x = (seconds: number): number =>
    LEFT + ((WIDTH - LEFT - RIGHT) * seconds) / Math.max(1, spanSeconds);
  const y = (value: number): number => TOP + (HEIGHT - TOP - BOTTOM) * (1 - value / top);
  const shades = bands.map(({ fromSeconds, toSeconds, label }) => {
    const width = Math.max(1.5, x(toSeconds) - x(fromSeconds));
    const place = `x="${fixed(x(fromSeconds))}" y="${TOP}" width="${fixed(width)}"`;
    const height = HEIGHT - TOP - BOTTOM;
    const title = `<title>${escapeHtml(label)}</title>`;
    return `<rect class="fault" ${place} height="${height}">${title}</rect>`;
  });
  const grid = [0, top / 2, top].map((value) => {
    const at = fixed(y(value));
    const line = `<line class="grid" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${at}" y2="${at}"/>`;
    return `${line}<text class="value" x="${LEFT - 6}" y="${at}">${short(value)}</text>`;
  });
  const lines = series.map(
    (each, at) => `<path class="line c${at % COLOURS}" d="${path(each, x, y)}"/>`,
  );
  const legend = series.map(
    ({ name }, at) => `<span class="key c${at % COLOURS}">${escapeHtml(name)}</span>`,
  );
  const label = escapeHtml([plot.title, plot.unit].filter(Boolean).join(', '));
  return `<figure><figcaption>${label}</figcaption>
<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${label}">
${[...shades, ...grid, axis(spanSeconds, x), ...lines].join('\n')}
</svg><div class="legend">${legend.join(' ')}</div></figure>`;
}
