// An hour of every plot. Lines beyond what a plot can show are added up as `others`. Pure.
import { linesOf, type MemberSamples, PLOTS, type PlotSpec } from './plots.ts';
import { type Points, Rings } from './rings.ts';

const HOUR_MS = 3_600_000;
const LINES_A_PLOT = 12;
const OTHERS = 'others';
const NOTHING = 'none';
const NAME_CHARACTERS = 80;

export type Plot = Pick<PlotSpec, 'id' | 'section' | 'title' | 'unit'> & Points;

export class SeriesBook {
  readonly #rings: Map<PlotSpec, Rings>;
  /** Plots whose metrics somebody has. */
  readonly #told = new Set<PlotSpec>();

  constructor(intervalMs: number) {
    const length = Math.ceil(HOUR_MS / intervalMs);
    this.#rings = new Map(PLOTS.map((spec) => [spec, new Rings(length, LINES_A_PLOT)]));
  }

  tick(nowMs: number, members: readonly MemberSamples[]): void {
    for (const [spec, rings] of this.#rings) {
      const lines = linesOf(spec, members);
      if (lines.size > 0) this.#told.add(spec);
      rings.tick(nowMs / 1000, bounded(spec, lines, rings.names));
    }
  }

  /** Those that somebody tells of; one that counted nothing for an hour has a line of zeros. */
  plots(): Plot[] {
    return [...this.#rings].flatMap(([spec, rings]) => {
      if (!this.#told.has(spec)) return [];
      const { id, section, title, unit } = spec;
      const { times, series } = rings.points();
      const nothing = [{ name: NOTHING, values: times.map(() => 0) }];
      return [{ id, section, title, unit, times, series: series.length === 0 ? nothing : series }];
    });
  }
}

/**
 * Lines that are drawn already keep their place; of new ones the largest get what is left, and what
 * has not counted anything yet is none.
 */
function bounded(
  spec: PlotSpec,
  lines: ReadonlyMap<string, number>,
  known: readonly string[],
): Map<string, number> {
  const isKnown = new Set(known);
  const kept = new Map<string, number>();
  const fresh: [string, number][] = [];
  for (const [name, value] of lines) {
    const short = name.slice(0, NAME_CHARACTERS);
    if (isKnown.has(short)) kept.set(short, value);
    else if (value !== 0 || spec.of !== 'rate') fresh.push([short, value]);
  }
  const room = LINES_A_PLOT - 1 - known.filter((name) => name !== OTHERS).length;
  fresh.sort((a, b) => b[1] - a[1]);
  for (const [at, [name, value]] of fresh.entries()) {
    if (at < room) kept.set(name, value);
    else kept.set(OTHERS, (kept.get(OTHERS) ?? 0) + value);
  }
  return kept;
}
