// Each load as one row. Pure.
import { type Facts, LOADS, type Load } from '../facts.ts';

export type Total = {
  load: Load;
  done: number;
  failed: number;
  perSecond: number;
  megabytes: number;
  meanMs: number;
  worstMs: number;
};

export function totals({ ticks, startedAtMs, endedAtMs }: Facts): Total[] {
  const seconds = Math.max(1, (endedAtMs - startedAtMs) / 1000);
  return LOADS.flatMap((load) => {
    const own = ticks.filter((tick) => tick.load === load);
    if (own.length === 0) return [];
    const sum = (of: (tick: (typeof own)[number]) => number): number =>
      own.reduce((all, tick) => all + of(tick), 0);
    const done = sum((tick) => tick.done);
    return [
      {
        load,
        done,
        failed: sum((tick) => tick.failed),
        perSecond: done / seconds,
        megabytes: sum(({ bytes }) => bytes) / 1e6,
        meanMs: done === 0 ? 0 : sum((tick) => tick.meanMs * tick.done) / done,
        worstMs: own.reduce((worst, tick) => Math.max(worst, tick.worstMs), 0),
      },
    ];
  });
}
