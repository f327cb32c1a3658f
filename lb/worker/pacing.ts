// Connections that have to go are ended at an even rate, so that their clients do not all come back
// at once. Pure.
import type { TerminationCause } from '../l7/types.ts';
import type { Held } from './held.ts';

/** `isGone`: of which routes tunnels end. `isWhole`: the connection goes, not its tunnels alone. */
export type Ending = { held: Held; isGone: (route: string) => boolean; isWhole: boolean };

type Due = Ending & { atMs: number; cause: TerminationCause };

export class Pacing {
  #due: Due[] = [];

  get waiting(): number {
    return this.#due.length;
  }

  /** What is idle goes politely in its turn, tunnels are cut in their turn, requests end first. */
  end(endings: readonly Ending[], cause: TerminationCause, overMs: number, nowMs: number): void {
    const stepMs = endings.length === 0 ? 0 : overMs / endings.length;
    const fresh = endings.map((each, at) => ({ ...each, cause, atMs: nowMs + at * stepMs }));
    this.#due = [...this.#due, ...fresh].sort((a, b) => a.atMs - b.atMs);
  }

  tick(nowMs: number): void {
    let count = 0;
    while (count < this.#due.length && (this.#due[count]?.atMs ?? Infinity) <= nowMs) count++;
    for (const { held, isGone, isWhole, cause } of this.#due.splice(0, count)) {
      if (held.tunnelRoutes.length > 0) held.endTunnels(isGone, cause);
      if (isWhole) held.closeWhenIdle();
    }
  }

  /** Nobody has to go any more. */
  clear(): void {
    this.#due = [];
  }
}
