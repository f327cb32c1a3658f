// The world of a simulation: one time for everything, events in its order, randomness by a seed,
// and the last of what happened. Processes have clocks of their own, which it moves.
import type { Clock } from '../../../../shared/clock.ts';
import { type Random, seededRandom } from '../../../../shared/random.ts';

const TRACE_LINES = 2000;
const START_MS = Date.UTC(2026, 0, 1);

type Event = { dueMs: number; order: number; fire: (() => void) | undefined };

export class World {
  readonly seed: number;
  nowMs = 0;
  /** Messages delivered, moves of clients, faults. */
  steps = 0;
  readonly #events: Event[] = [];
  readonly #lines: string[] = [];
  #order = 0;
  /** Of the whole trace: equal runs have equal ones. */
  #hash = 0x811c9dc5;
  #traced = 0;

  constructor(seed: number) {
    this.seed = seed;
  }

  /** A stream of its own for each purpose, so that one more draw in one moves nothing elsewhere. */
  random(purpose: string): Random {
    let hash = this.seed >>> 0;
    for (const char of purpose) hash = (Math.imul(hash ^ char.charCodeAt(0), 0x01000193) >>> 0) + 1;
    return seededRandom(hash);
  }

  get digest(): string {
    return `${this.#traced}:${this.#hash.toString(16)}`;
  }

  get trace(): readonly string[] {
    return this.#lines;
  }

  get pending(): number {
    return this.#events.length;
  }

  get wallMs(): number {
    return START_MS + this.nowMs;
  }

  say(line: string): void {
    const text = `${(this.nowMs / 1000).toFixed(3)} ${line}`;
    this.#traced += 1;
    for (let at = 0; at < text.length; at += 1) {
      this.#hash = Math.imul(this.#hash ^ text.charCodeAt(at), 0x01000193) >>> 0;
    }
    this.#lines.push(text);
    if (this.#lines.length > 2 * TRACE_LINES) this.#lines.splice(0, TRACE_LINES);
  }

  after(delayMs: number, fire: () => void): () => void {
    const event: Event = { dueMs: this.nowMs + Math.max(0, delayMs), order: this.#order++, fire };
    push(this.#events, event);
    return () => {
      event.fire = undefined;
    };
  }

  /** Fires what comes due, letting promises settle after each, until the time or the end. */
  async run(untilMs: number, isOver: () => boolean = () => false): Promise<void> {
    await settle();
    while (!isOver()) {
      const next = this.#events[0];
      if (next === undefined || next.dueMs > untilMs) break;
      pop(this.#events);
      if (next.fire === undefined) continue;
      this.nowMs = Math.max(this.nowMs, next.dueMs);
      next.fire();
      await settle();
    }
    if (!isOver()) this.nowMs = Math.max(this.nowMs, untilMs);
  }

  /** True time, for what is no process: Redis' host, the checker. */
  get clock(): Clock {
    return clockOf({
      nowMs: () => this.wallMs,
      monotonicMs: () => this.nowMs,
      after: (delayMs, fire) => this.after(delayMs, fire),
    });
  }
}

type Times = {
  nowMs: () => number;
  monotonicMs: () => number;
  after: (delayMs: number, fire: () => void) => () => void;
};

/** A Clock of three functions. */
export function clockOf({ nowMs, monotonicMs, after }: Times): Clock {
  const arm = (delayMs: number, callback: () => void, signal?: AbortSignal) => {
    if (signal?.aborted) return () => {};
    const cancel = () => {
      disarm();
      signal?.removeEventListener('abort', cancel);
    };
    const disarm = after(delayMs, () => {
      signal?.removeEventListener('abort', cancel);
      callback();
    });
    signal?.addEventListener('abort', cancel, { once: true });
    return cancel;
  };
  return {
    nowMs,
    monotonicMs,
    after: arm,
    sleep: (delayMs, signal) =>
      new Promise((resolve, reject) => {
        if (signal?.aborted) return reject(signal.reason);
        const abort = () => {
          disarm();
          reject(signal?.reason);
        };
        const disarm = after(delayMs, () => {
          signal?.removeEventListener('abort', abort);
          resolve();
        });
        signal?.addEventListener('abort', abort, { once: true });
      }),
  };
}

/** Every promise that can settle has settled after one turn of the event loop. */
function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

function isBefore(a: Event, b: Event): boolean {
  return a.dueMs < b.dueMs || (a.dueMs === b.dueMs && a.order < b.order);
}

function push(heap: Event[], event: Event): void {
  let at = heap.push(event) - 1;
  while (at > 0) {
    const up = (at - 1) >> 1;
    const parent = heap[up];
    if (parent === undefined || !isBefore(event, parent)) break;
    heap[at] = parent;
    at = up;
  }
  heap[at] = event;
}

function pop(heap: Event[]): void {
  const last = heap.pop();
  if (last === undefined || heap.length === 0) return;
  let at = 0;
  for (;;) {
    let down = 2 * at + 1;
    let child = heap[down];
    if (child === undefined) break;
    const right = heap[down + 1];
    if (right !== undefined && isBefore(right, child)) {
      down += 1;
      child = right;
    }
    if (!isBefore(child, last)) break;
    heap[at] = child;
    at = down;
  }
  heap[at] = last;
}
