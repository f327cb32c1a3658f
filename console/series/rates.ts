// Rates from counters that are read now and then. A counter that is less than before began anew
// with 0, and so did one that the page before did not have. Pure.
import type { Sample } from './prometheus.ts';

/** `perSecond`: undefined until the page was read twice. */
export type Rated = Sample & { perSecond: number | undefined };

/** Of one page of one member. */
export class Rates {
  #before: ReadonlyMap<string, number> | undefined;
  #beforeMs = 0;
  #last: readonly Rated[] = [];

  /** `atMs`: monotonic. What is asked twice within a millisecond is answered as before. */
  next(samples: readonly Sample[], atMs: number): readonly Rated[] {
    const before = this.#before;
    const seconds = (atMs - this.#beforeMs) / 1000;
    if (before !== undefined && seconds < 0.001) return this.#last;
    this.#last = samples.map((sample) => ({
      ...sample,
      perSecond: before && growth(sample.value, before.get(sample.key)) / seconds,
    }));
    this.#before = new Map(samples.map(({ key, value }) => [key, value]));
    this.#beforeMs = atMs;
    return this.#last;
  }
}

function growth(now: number, before = 0): number {
  return now >= before ? now - before : now;
}
