// Who waits for a place of a pool: first in, first out, bounded, each until its time is over. Pure.
import type { PickFailure, PickKey, Place, TargetId } from './types.ts';

export type Waiter = {
  readonly key: PickKey;
  readonly tried: readonly TargetId[];
  readonly untilMs: number;
  readonly done: (result: Place | PickFailure) => void;
};

export class WaitQueue {
  /** A Set keeps the order, and forgets one in the middle at no cost. */
  readonly #waiters = new Set<Waiter>();

  get size(): number {
    return this.#waiters.size;
  }

  get first(): Waiter | undefined {
    return this.#waiters.values().next().value;
  }

  add(waiter: Waiter): void {
    this.#waiters.add(waiter);
  }

  /** False: it does not wait any more. */
  remove(waiter: Waiter): boolean {
    return this.#waiters.delete(waiter);
  }

  firstStickyTo(target: TargetId): Waiter | undefined {
    for (const waiter of this.#waiters) if (waiter.key.sticky === target) return waiter;
    return undefined;
  }

  /** Those whose time is over. Bounds may have been changed meanwhile: all are looked at. */
  over(nowMs: number): readonly Waiter[] {
    return [...this.#waiters].filter(({ untilMs }) => nowMs >= untilMs);
  }

  all(): readonly Waiter[] {
    return [...this.#waiters];
  }
}
