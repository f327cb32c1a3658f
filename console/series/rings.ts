// The last hour of many series: they share their times, and each has a value a tick, or none.
// Series that nobody has heard of for an hour are forgotten. Pure.

export type Points = { times: number[]; series: { name: string; values: (number | null)[] }[] };

type Series = { values: Float64Array; lastTick: number };

export class Rings {
  readonly #length: number;
  readonly #most: number;
  readonly #times: Float64Array;
  readonly #series = new Map<string, Series>();
  #ticks = 0;

  /** `length`: ticks that are kept; `most`: series. */
  constructor(length: number, most: number) {
    this.#length = length;
    this.#most = most;
    this.#times = new Float64Array(length);
  }

  /** `atSeconds`: since 1970. A series that is not among the values has none at this time. */
  tick(atSeconds: number, values: ReadonlyMap<string, number>): void {
    const slot = this.#ticks % this.#length;
    this.#times[slot] = atSeconds;
    for (const [name, { values: ring, lastTick }] of this.#series) {
      ring[slot] = Number.NaN;
      if (this.#ticks - lastTick >= this.#length) this.#series.delete(name);
    }
    for (const [name, value] of values) {
      const series = this.#of(name);
      if (series === undefined) continue;
      series.values[slot] = value;
      series.lastTick = this.#ticks;
    }
    this.#ticks++;
  }

  get names(): string[] {
    return [...this.#series.keys()];
  }

  /** Oldest first. */
  points(): Points {
    const count = Math.min(this.#ticks, this.#length);
    const slots = Array.from(
      { length: count },
      (_, at) => (this.#ticks - count + at) % this.#length,
    );
    return {
      times: slots.map((slot) => this.#times[slot] ?? 0),
      series: [...this.#series].map(([name, { values }]) => ({
        name,
        values: slots.map((slot) => finite(values[slot])),
      })),
    };
  }

  #of(name: string): Series | undefined {
    const known = this.#series.get(name);
    if (known !== undefined || this.#series.size >= this.#most) return known;
    const made = { values: new Float64Array(this.#length).fill(Number.NaN), lastTick: this.#ticks };
    this.#series.set(name, made);
    return made;
  }
}

function finite(value: number | undefined): number | null {
  return value !== undefined && Number.isFinite(value) ? value : null;
}
