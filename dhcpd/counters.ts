// Counts by name, of which there is a bounded number: reasons of reasons.ts, problems of frames.

export class Counters {
  readonly #counts = new Map<string, number>();

  add = (name: string): void => {
    this.#counts.set(name, (this.#counts.get(name) ?? 0) + 1);
  };

  get(name: string): number {
    return this.#counts.get(name) ?? 0;
  }

  entries(): [name: string, count: number][] {
    return [...this.#counts].sort(([a], [b]) => (a < b ? -1 : 1));
  }
}
