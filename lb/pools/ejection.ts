// Passive ejection of one target by what requests meet there: failures in a row eject it, then one
// request tries (after the outlier detection of service meshes). Pure.
import type { PoolProxy } from '../../shared/site/lb-objects.ts';
import type { Outcome } from './types.ts';

/** The time of ejection grows so many times at most. */
const MAX_STEPS = 10;
const GATEWAY_ERRORS: readonly number[] = [502, 503, 504];

/** What it needs of a place: its identity, and when it was taken. */
export type Taken = { readonly takenMs: number };

export class Ejection {
  #failuresInRow = 0;
  #steps = 0;
  #since: number | undefined;
  #untilMs = 0;
  #backMs = 0;
  #probe: Taken | undefined;
  /** Since the beginning, for statistics. */
  total = 0;

  /** Until a request that tried was well. */
  get isEjected(): boolean {
    return this.#since !== undefined;
  }

  /** When it may take its one request; none while that is open. */
  get probeMs(): number {
    if (this.#since === undefined || this.#probe !== undefined) return Number.POSITIVE_INFINITY;
    return this.#untilMs;
  }

  mayServe(nowMs: number): boolean {
    return this.#since === undefined || nowMs >= this.probeMs;
  }

  /** A place at the target was taken. True: it is the one request that tries. */
  take(place: Taken, nowMs: number): boolean {
    if (nowMs < this.probeMs || this.#since === undefined) return false;
    this.#probe = place;
    return true;
  }

  /**
   * The place ended. `mayEject` is asked when the target is due to be ejected. Returns whether the
   * target is another than before: ejected, back, or ready for another probe.
   */
  end(
    place: Taken,
    outcome: Outcome,
    nowMs: number,
    settings: PoolProxy['passive'],
    mayEject: () => boolean,
  ): boolean {
    const verdict = verdictOf(outcome);
    if (this.#probe === place) return this.#endProbe(verdict, nowMs, settings.ejectMs);
    if (verdict === 'unknown') return false;
    if (this.#since !== undefined) {
      // It served although it is ejected, for there was nobody else.
      if (verdict === 'failed' || place.takenMs <= this.#since) return false;
      this.#comeBack(nowMs);
      return true;
    }
    this.#failuresInRow = verdict === 'well' ? 0 : this.#failuresInRow + 1;
    if (settings.failures === 0 || this.#failuresInRow < settings.failures) return false;
    if (!mayEject()) return false;
    const wellMs = nowMs - this.#backMs;
    this.#steps = Math.max(0, this.#steps - Math.floor(wellMs / Math.max(1, settings.ejectMs)));
    this.#eject(nowMs, settings.ejectMs);
    return true;
  }

  /** It was down and is up again, or ejection was turned off. */
  clear(): void {
    this.#since = undefined;
    this.#probe = undefined;
    this.#failuresInRow = 0;
    this.#steps = 0;
  }

  #endProbe(verdict: Verdict, nowMs: number, ejectMs: number): true {
    this.#probe = undefined;
    if (verdict === 'well') this.#comeBack(nowMs);
    if (verdict === 'failed') this.#eject(nowMs, ejectMs);
    return true;
  }

  #eject(nowMs: number, ejectMs: number): void {
    this.#steps = Math.min(MAX_STEPS, this.#steps + 1);
    this.#since = nowMs;
    this.#untilMs = nowMs + ejectMs * this.#steps;
    this.#failuresInRow = 0;
    this.total++;
  }

  #comeBack(nowMs: number): void {
    this.#since = undefined;
    this.#probe = undefined;
    this.#failuresInRow = 0;
    this.#backMs = nowMs;
  }
}

type Verdict = 'well' | 'failed' | 'unknown';

export function verdictOf(outcome: Outcome): Verdict {
  if (outcome.kind === 'cancelled') return 'unknown';
  if (outcome.kind !== 'response') return 'failed';
  return GATEWAY_ERRORS.includes(outcome.status) ? 'failed' : 'well';
}
