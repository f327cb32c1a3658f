// Whether the store answers, as one follower knows it: says so once when that changes, and how long
// to wait before the next try.
import type { Clock } from '../clock.ts';
import type { OperationalError } from '../errors.ts';
import { describeError } from '../errors.ts';
import type { Log } from '../log.ts';
import type { Random } from '../random.ts';
import { jitter } from '../random.ts';
import type { StoreEvent } from './events.ts';

const FIRST_RETRY_MS = 50;
const MAX_RETRY_MS = 5000;

export class Contact {
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #log: Log<StoreEvent>;
  #up: boolean | undefined;
  #lastMs: number | undefined;
  #failures = 0;

  constructor(options: { clock: Clock; random: Random; log: Log<StoreEvent> }) {
    this.#clock = options.clock;
    this.#random = options.random;
    this.#log = options.log;
  }

  get up(): boolean {
    return this.#up === true;
  }

  /** Milliseconds since the last answer; Infinity: never. */
  get ageMs(): number {
    if (this.#lastMs === undefined) return Number.POSITIVE_INFINITY;
    return this.#clock.monotonicMs() - this.#lastMs;
  }

  answered(): void {
    this.#lastMs = this.#clock.monotonicMs();
    if (this.#up === true) return;
    this.#up = true;
    this.#log.info('store-up', 'the store answers');
  }

  succeeded(): void {
    this.#failures = 0;
  }

  failed(error: OperationalError): void {
    this.#failures++;
    const answered = error.code === 'EDGE_STORE_TORN' || error.code === 'EDGE_STORE_DAMAGED';
    if (answered || this.#up === false) return;
    this.#up = false;
    this.#log.warn('store-down', describeError(error), { error });
  }

  /** Waits after a failure, longer each time and never in step with the other nodes. */
  async pause(signal: AbortSignal): Promise<void> {
    if (this.#failures === 0 || signal.aborted) return;
    const doubledMs = FIRST_RETRY_MS * 2 ** Math.min(this.#failures - 1, 10);
    const delayMs = jitter(this.#random, Math.min(MAX_RETRY_MS, doubledMs), 0.5);
    await this.#clock.sleep(delayMs, signal).catch((reason: unknown) => {
      if (!signal.aborted) throw reason;
    });
  }
}
