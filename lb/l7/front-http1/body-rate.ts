// Whether a client sends its request's body fast enough: some bytes in each span of time.
import type { Http1Limits } from './types.ts';

type LeastRate = Pick<Http1Limits, 'bodyMs' | 'bodyBytes'>;

export class BodyRate {
  #sinceMs = 0;
  #bytes = 0;

  begin(nowMs: number): void {
    this.#sinceMs = nowMs;
    this.#bytes = 0;
  }

  /** `bytes` have come so far; `isHeld`: it is not the client who is waited for. */
  isTooSlow(nowMs: number, bytes: number, isHeld: boolean, limits: LeastRate): boolean {
    if (isHeld || bytes - this.#bytes >= limits.bodyBytes) {
      this.#sinceMs = nowMs;
      this.#bytes = bytes;
      return false;
    }
    return nowMs - this.#sinceMs > limits.bodyMs;
  }
}
