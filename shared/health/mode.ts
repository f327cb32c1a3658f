// How an instance stands to the board, and so what its states rest on (docs/health.md, V5). Pure.

/**
 * `joining`: nothing was heard yet. `shared`: votes decide. `frozen`: the board is silent, nothing
 * changes. `alone`: it has been silent for long, each instance decides for itself. `settling`: it
 * is back, and all probers are to have said what they know before votes decide again.
 */
export type Mode = 'joining' | 'shared' | 'frozen' | 'alone' | 'settling';

/** Two renewals and the trying again in between. */
export const FREEZE_AFTER_MS = 5000;
export const ALONE_AFTER_MS = 10_000;
/** In it every prober that lives has renewed its lease. */
export const SETTLE_MS = 5000;

export class Contact {
  #lastMs: number;
  #hasJoined = false;
  #hasFailed = false;
  #settledMs = Number.NEGATIVE_INFINITY;

  constructor(nowMs: number) {
    this.#lastMs = nowMs;
  }

  /** When the board last answered; the beginning, before it did. */
  get lastMs(): number {
    return this.#lastMs;
  }

  /** `hasLost`: the board does not hold what it held. */
  heard(nowMs: number, hasLost: boolean): void {
    const silentMs = nowMs - this.#lastMs;
    const isFirst = !this.#hasJoined && silentMs <= ALONE_AFTER_MS;
    if (hasLost || (silentMs > FREEZE_AFTER_MS && !isFirst)) this.#settledMs = nowMs + SETTLE_MS;
    this.#lastMs = nowMs;
    this.#hasJoined = true;
    this.#hasFailed = false;
  }

  failed(): void {
    this.#hasFailed = true;
  }

  /** An instance that stood still itself has not heard for long, but nothing has failed. */
  mode(nowMs: number): Mode {
    const silentMs = nowMs - this.#lastMs;
    if (silentMs > ALONE_AFTER_MS && this.#hasFailed) return 'alone';
    if (!this.#hasJoined) return 'joining';
    if (silentMs > FREEZE_AFTER_MS) return 'frozen';
    return nowMs < this.#settledMs ? 'settling' : 'shared';
  }
}
