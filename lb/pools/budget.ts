// How many retries a pool may make: a share of the requests of the last ten seconds, and always
// three a second, so that retries do not multiply an overload. Pure.

const BUCKETS = 10;
const BUCKET_MS = 1000;
const ALWAYS_A_SECOND = 3;

export class RetryBudget {
  readonly #requests = new Float64Array(BUCKETS);
  readonly #retries = new Float64Array(BUCKETS);
  /** Number of the newest bucket since monotonic 0. */
  #newest: number;

  constructor(nowMs: number) {
    this.#newest = Math.floor(nowMs / BUCKET_MS);
  }

  countRequest(nowMs: number): void {
    const bucket = this.#bucketAt(nowMs);
    this.#requests[bucket] = (this.#requests[bucket] ?? 0) + 1;
  }

  /** Whether one more retry is within `percent`; takes it. */
  take(percent: number, nowMs: number): boolean {
    const bucket = this.#bucketAt(nowMs);
    const allowed = (percent * sum(this.#requests)) / 100 + ALWAYS_A_SECOND * BUCKETS;
    if (sum(this.#retries) + 1 > allowed) return false;
    this.#retries[bucket] = (this.#retries[bucket] ?? 0) + 1;
    return true;
  }

  #bucketAt(nowMs: number): number {
    const number = Math.max(this.#newest, Math.floor(nowMs / BUCKET_MS));
    for (let each = Math.max(this.#newest + 1, number - BUCKETS + 1); each <= number; each++) {
      this.#requests[each % BUCKETS] = 0;
      this.#retries[each % BUCKETS] = 0;
    }
    this.#newest = number;
    return number % BUCKETS;
  }
}

function sum(values: Float64Array): number {
  let total = 0;
  for (const value of values) total += value;
  return total;
}
