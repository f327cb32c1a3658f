// Connections that have to go are ended at an even rate, so that their clients do not all come back
// at once. Pure.
import type { TerminationCause } from '../l7/types.ts';
import type { Held } from './held.ts';

type Due = { held: Held; atMs: number; cause: TerminationCause };

export class Pacing {
  #due: Due[] = [];

  get waiting(): number {
    return this.#due.length;
  }

  /** What is idle goes politely in its turn, a tunnel is cut in its turn, the rest when it ends. */
  end(held: Iterable<Held>, cause: TerminationCause, overMs: number, nowMs: number): void {
    const all = [...held];
    const stepMs = all.length === 0 ? 0 : overMs / all.length;
    const fresh = all.map((each, at) => ({ held: each, cause, atMs: nowMs + at * stepMs }));
    this.#due = [...this.#due, ...fresh].sort((a, b) => a.atMs - b.atMs);
  }

  tick(nowMs: number): void {
    let count = 0;
    while (count < this.#due.length && (this.#due[count]?.atMs ?? Infinity) <= nowMs) count++;
    for (const { held, cause } of this.#due.splice(0, count)) {
      if (held.isTunnel) held.destroy(cause);
      else held.closeWhenIdle();
    }
  }

  /** Nobody has to go any more. */
  clear(): void {
    this.#due = [];
  }
}
