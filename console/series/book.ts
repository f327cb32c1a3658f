// An hour of every plot. Lines beyond what a plot can show are added up as `others`. Pure.
import { linesOf, type MemberSamples, PLOTS, type PlotSpec } from './plots.ts';
import { type Points, Rings } from './rings.ts';

const HOUR_MS = 3_600_000;
const LINES_A_PLOT = 12;
const OTHERS = 'others';
const NAME_CHARACTERS = 80;

export type Plot = Pick<PlotSpec, 'id' | 'section' | 'title' | 'unit'> & Points;

export class SeriesBook {
  readonly #rings: Map<PlotSpec, Rings>;

  constructor(intervalMs: number) {
    const length = Math.ceil(HOUR_MS / intervalMs);
    this.#rings = new Map(PLOTS.map((spec) => [spec, new Rings(length, LINES_A_PLOT)]));
  }

  tick(nowMs: number, members: readonly MemberSamples[]): void {
    for (const [spec, rings] of this.#rings) {
      rings.tick(nowMs / 1000, bounded(linesOf(spec, members), rings.names));
    }
  }

  /** Those that have lines. */
  plots(): Plot[] {
    return [...this.#rings].flatMap(([{ id, section, title, unit }, rings]) => {
      const { times, series } = rings.points();
      return series.length === 0 ? [] : [{ id, section, title, unit, times, series }];
    });
  }
}

/** Lines that are drawn already keep their place; of new ones the largest get what is left. */
function bounded(
  lines: ReadonlyMap<string, number>,
  known: readonly string[],
): Map<string, number> {
  const isKnown = new Set(known);
  const kept = new Map<string, number>();
  const fresh: [string, number][] = [];
  for (const [name, value] of lines) {
    const short = name.slice(0, NAME_CHARACTERS);
    if (isKnown.has(short)) kept.set(short, value);
    else fresh.push([short, value]);
  }
  const room = LINES_A_PLOT - 1 - known.filter((name) => name !== OTHERS).length;
  fresh.sort((a, b) => b[1] - a[1]);
  for (const [at, [name, value]] of fresh.entries()) {
    if (at < room) kept.set(name, value);
    else kept.set(OTHERS, (kept.get(OTHERS) ?? 0) + value);
  }
  return kept;
}
