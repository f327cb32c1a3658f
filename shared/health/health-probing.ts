// When an instance probes: one queue by due time and one timer for all targets, and no more probes at
// a time than allowed (docs/health.md, V4, V8).
import type { Clock } from '../clock.ts';
import { firstDelayMs, nextProbeMs } from './schedule.ts';

/** `dueMs` of the monotonic clock. */
type Due<Item> = { item: Item; dueMs: number; isFirst: boolean };
/** `isKnown`: there is no haste with the first probe. */
export type Pace = { phase: number; intervalMs: number; isKnown: boolean };

export type ProbingOptions<Item> = {
  clock: Clock;
  concurrency: number;
  paceOf: (item: Item) => Pace;
  /** Never rejects. */
  probe: (item: Item) => Promise<void>;
};

export class Probing<Item> {
  /** Since it was made. */
  probes = 0;
  /** Probes that had to wait for others to end. */
  waits = 0;
  readonly #options: ProbingOptions<Item>;
  readonly #heap: Due<Item>[] = [];
  readonly #wanted = new Map<Item, Due<Item>>();
  #running = 0;
  #cancel: (() => void) | undefined;
  #timerMs = Infinity;
  #isStopped = false;

  constructor(options: ProbingOptions<Item>) {
    this.#options = options;
  }

  /** Due, and held back by `concurrency`. */
  get waiting(): number {
    const nowMs = this.#options.clock.monotonicMs();
    return this.#heap.filter((due) => due.dueMs <= nowMs && this.#isWanted(due)).length;
  }

  add(item: Item): void {
    if (this.#wanted.has(item) || this.#isStopped) return;
    const { phase, intervalMs, isKnown } = this.#options.paceOf(item);
    const dueMs = this.#options.clock.monotonicMs() + firstDelayMs(phase, intervalMs, isKnown);
    this.#push({ item, dueMs, isFirst: true });
    this.#arm();
  }

  /** A probe that runs runs on. */
  remove(item: Item): void {
    this.#wanted.delete(item);
  }

  stop(): void {
    this.#isStopped = true;
    this.#cancel?.();
    this.#wanted.clear();
    this.#heap.length = 0;
  }

  #isWanted(due: Due<Item>): boolean {
    return this.#wanted.get(due.item) === due;
  }

  #push(due: Due<Item>): void {
    this.#wanted.set(due.item, due);
    const heap = this.#heap;
    let at = heap.push(due) - 1;
    while (at > 0) {
      const above = (at - 1) >> 1;
      const parent = heap[above];
      if (parent === undefined || parent.dueMs <= due.dueMs) break;
      heap[at] = parent;
      at = above;
    }
    heap[at] = due;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let at = 0;
    for (;;) {
      const [left, right] = [heap[2 * at + 1], heap[2 * at + 2]];
      const isRight = left !== undefined && right !== undefined && right.dueMs < left.dueMs;
      const least = isRight ? right : left;
      if (least === undefined || least.dueMs >= last.dueMs) break;
      heap[at] = least;
      at = 2 * at + (isRight ? 2 : 1);
    }
    heap[at] = last;
  }

  #arm(): void {
    const [next] = this.#heap;
    if (next === undefined || this.#running >= this.#options.concurrency) return;
    if (next.dueMs >= this.#timerMs) return;
    this.#cancel?.();
    this.#timerMs = next.dueMs;
    const delayMs = next.dueMs - this.#options.clock.monotonicMs();
    this.#cancel = this.#options.clock.after(Math.max(0, delayMs), () => this.#pump());
  }

  #pump(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    this.#timerMs = Infinity;
    const { clock, concurrency } = this.#options;
    const nowMs = clock.monotonicMs();
    for (let next = this.#heap[0]; next !== undefined; next = this.#heap[0]) {
      const isWanted = this.#isWanted(next);
      if (isWanted && (next.dueMs > nowMs || this.#running >= concurrency)) break;
      this.#pop();
      if (isWanted) void this.#start(next, nowMs);
    }
    this.#arm();
  }

  async #start(due: Due<Item>, nowMs: number): Promise<void> {
    this.#running++;
    this.probes++;
    if (nowMs - due.dueMs > LATE_MS) this.waits++;
    await this.#options.probe(due.item);
    this.#running--;
    if (this.#isWanted(due)) {
      const { isFirst, item } = due;
      const pace = this.#options.paceOf(item);
      this.#push({ item, dueMs: nextProbeMs(nowMs, { ...pace, isFirst }), isFirst: false });
    }
    if (!this.#isStopped) this.#pump();
  }
}

/** Timers are no more exact than this. */
const LATE_MS = 50;
