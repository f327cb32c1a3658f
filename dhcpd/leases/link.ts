// Whether Redis answers (docs/leases.md §7): isolated after a second without an answer. Back, first
// what was promised meanwhile is told to Redis, then requests go on.
import { describeError } from '../../shared/errors.ts';
import type { Ground } from './ground.ts';

const ISOLATED_AFTER_MS = 1000;
/** So often Redis is asked when nothing else asks it. */
const HEARTBEAT_MS = 300;
/** So old may the time estimate become on an idle instance. */
const SAMPLE_EVERY_MS = 5000;
/** Heartbeats without an answer at once: a frozen Redis gets no queue of them. */
const MAX_UNANSWERED = 3;

export type LinkMode = 'down' | 'isolated' | 'returning' | 'up';

export type LinkEvents = {
  /** Redis is gone: whoever waits for it learns it now. */
  isolated: () => void;
  /** Redis answers: rejects when what has to be told first could not be. */
  returning: () => Promise<void>;
  up: () => void;
};

export class Link {
  readonly #ground: Ground;
  readonly #events: LinkEvents;
  #mode: LinkMode = 'down';
  #unanswered = 0;
  #askedMs = Number.NEGATIVE_INFINITY;

  constructor(ground: Ground, events: LinkEvents) {
    this.#ground = ground;
    this.#events = events;
  }

  /** Looks at the clock too: a process that was frozen must not believe what it was before. */
  get mode(): LinkMode {
    if (this.#mode === 'up' && !this.#answers) this.isolate();
    return this.#mode;
  }

  isolate(): void {
    const was = this.#mode;
    this.#mode = 'isolated';
    if (was === 'isolated') return;
    this.#events.isolated();
    if (was === 'up') this.#ground.notice('book-isolated', 'Redis does not answer');
  }

  get #answers(): boolean {
    return this.#ground.clock.monotonicMs() - this.#ground.lastAnswerMs <= ISOLATED_AFTER_MS;
  }

  /** Every 100 ms or so. */
  tick(): void {
    const nowMs = this.#ground.clock.monotonicMs();
    const quiet = nowMs - this.#ground.lastAnswerMs > HEARTBEAT_MS;
    const old = this.#ground.time.ageMs > SAMPLE_EVERY_MS;
    if ((quiet || old) && nowMs - this.#askedMs >= HEARTBEAT_MS) void this.#ask(nowMs);
    // Looks at the clock, and may change by that.
    if (this.mode === 'isolated' && this.#answers) void this.#return();
  }

  /** The first time, too. */
  async #return(): Promise<void> {
    this.#mode = 'returning';
    try {
      await this.#events.returning();
    } catch (error) {
      this.#ground.failed(describeError(error));
      this.#mode = 'isolated';
      return;
    }
    if (!this.#answers) {
      this.#mode = 'isolated';
      return;
    }
    this.#mode = 'up';
    this.#events.up();
    this.#ground.notice('book-returned', 'Redis answers');
  }

  async #ask(nowMs: number): Promise<void> {
    if (this.#unanswered >= MAX_UNANSWERED) return;
    this.#askedMs = nowMs;
    this.#unanswered++;
    try {
      const { nowSeconds } = await this.#ground.backend.run([]);
      this.#ground.sample(nowSeconds, nowMs);
    } catch (error) {
      this.#ground.failed(describeError(error));
    } finally {
      this.#unanswered--;
    }
  }
}
