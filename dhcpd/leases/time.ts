// What this instance knows of Redis' clock: an earliest and a latest possible now, moved by the
// monotonic clock (docs/leases.md R1, R8). Whoever tells a client a time uses the latest, whoever
// takes an address for free uses the earliest.
import type { Clock } from '../../shared/clock.ts';

/** How far two clocks may drift apart: far more than crystals do. */
const DRIFT = 1e-3;

export class RedisTime {
  readonly #clock: Clock;
  /** Bounds of Redis' time, in seconds, at monotonic 0; as of #atMs, before drift. */
  #low = 0;
  #high = 0;
  #atMs: number | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** A reply said `nowSeconds` (whole, rounded down) some time between sending and receiving. */
  sample(nowSeconds: number, sentMs: number, receivedMs: number): void {
    const low = nowSeconds - receivedMs / 1000;
    const high = nowSeconds + 1 - sentMs / 1000;
    const drift = this.#driftSeconds(receivedMs);
    const oldLow = this.#low - drift;
    const oldHigh = this.#high + drift;
    // What does not overlap is another Redis, or its clock was set: only the new one counts.
    const agrees = this.#atMs !== undefined && low <= oldHigh && high >= oldLow;
    this.#low = agrees ? Math.max(low, oldLow) : low;
    this.#high = agrees ? Math.min(high, oldHigh) : high;
    this.#atMs = receivedMs;
  }

  /** What an earlier process of the same boot knew, as `export` gave it. */
  restore(latestSeconds: number, uncertaintySeconds: number): void {
    const nowMs = this.#clock.monotonicMs();
    this.#high = latestSeconds - nowMs / 1000;
    this.#low = this.#high - uncertaintySeconds;
    this.#atMs = nowMs;
  }

  get isKnown(): boolean {
    return this.#atMs !== undefined;
  }

  /** Since the last sample. */
  get ageMs(): number {
    if (this.#atMs === undefined) return Number.POSITIVE_INFINITY;
    return this.#clock.monotonicMs() - this.#atMs;
  }

  /** Whole seconds; Redis' own TIME is at least this. */
  get earliest(): number {
    const nowMs = this.#clock.monotonicMs();
    return Math.floor(this.#low - this.#driftSeconds(nowMs) + nowMs / 1000);
  }

  /** Whole seconds; Redis' own TIME is at most this. */
  get latest(): number {
    const nowMs = this.#clock.monotonicMs();
    return Math.ceil(this.#high + this.#driftSeconds(nowMs) + nowMs / 1000);
  }

  get uncertaintySeconds(): number {
    return this.#high - this.#low + 2 * this.#driftSeconds(this.#clock.monotonicMs());
  }

  #driftSeconds(nowMs: number): number {
    return this.#atMs === undefined ? 0 : (Math.max(0, nowMs - this.#atMs) / 1000) * DRIFT;
  }
}
