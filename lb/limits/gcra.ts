// Rate limits by GCRA (ITU-T I.371): a bucket is one number, how far ahead of now its requests are
// paid. Several balancers count one bucket: each spends at once on what it knows, tells what it
// spent, and hears how far ahead all together are; so a limit is exceeded by no more than what is
// spent between two tellings. Pure.

export type Limit = {
  /** What one request costs, ms. */
  costMs: number;
  /** How far ahead a bucket may be, ms. */
  roomMs: number;
};

export function limitOf(rate: { requests: number; perMs: number; burst: number }): Limit {
  const costMs = rate.perMs / rate.requests;
  return { costMs, roomMs: costMs * Math.max(rate.burst, 1) };
}

/** What was spent since the last telling, and what all together were ahead then. */
type Bucket = { paidUntilMs: number; spentMs: number; limit: Limit };
export type Spent = { key: string; spentMs: number; roomMs: number };

/** Buckets that were full again are forgotten first; more clients than this share the last ones. */
const MAX_BUCKETS = 200_000;

export class Buckets {
  readonly #buckets = new Map<string, Bucket>();
  readonly #changed = new Set<string>();

  get size(): number {
    return this.#buckets.size;
  }

  /** 0: taken; else ms until one would be. */
  take(key: string, limit: Limit, nowMs: number): number {
    const overMs = this.waitMs(key, limit, nowMs);
    if (overMs > 0) return overMs;
    const bucket = this.#bucket(key, limit, nowMs);
    bucket.paidUntilMs = Math.max(bucket.paidUntilMs, nowMs) + limit.costMs;
    bucket.spentMs += limit.costMs;
    this.#changed.add(key);
    return 0;
  }

  /** What take() would say; nothing is taken. */
  waitMs(key: string, limit: Limit, nowMs: number): number {
    const paidMs = Math.max(this.#buckets.get(key)?.paidUntilMs ?? nowMs, nowMs) + limit.costMs;
    const overMs = paidMs - nowMs - limit.roomMs;
    return overMs > 1e-6 ? overMs : 0;
  }

  /** What was spent since it was asked last. */
  spent(): Spent[] {
    const told: Spent[] = [];
    for (const key of this.#changed) {
      const bucket = this.#buckets.get(key);
      if (bucket === undefined) continue;
      told.push({ key, spentMs: bucket.spentMs, roomMs: bucket.limit.roomMs });
      bucket.spentMs = 0;
    }
    this.#changed.clear();
    return told;
  }

  /** `aheadMs`: of all together, with what was told; what was spent since then is added. */
  hear(key: string, aheadMs: number, nowMs: number): void {
    const bucket = this.#buckets.get(key);
    if (bucket !== undefined) bucket.paidUntilMs = nowMs + aheadMs + bucket.spentMs;
  }

  /** Adds what another spent; how far ahead they are then. */
  add({ key, spentMs, roomMs }: Spent, nowMs: number): number {
    const bucket = this.#bucket(key, { costMs: 0, roomMs }, nowMs);
    bucket.paidUntilMs = Math.max(bucket.paidUntilMs, nowMs) + spentMs;
    return bucket.paidUntilMs - nowMs;
  }

  #bucket(key: string, limit: Limit, nowMs: number): Bucket {
    const found = this.#buckets.get(key);
    if (found !== undefined) {
      found.limit = limit;
      return found;
    }
    if (this.#buckets.size >= MAX_BUCKETS) this.#forget(nowMs);
    const fresh = { paidUntilMs: nowMs, spentMs: 0, limit };
    this.#buckets.set(key, fresh);
    return fresh;
  }

  /** Those that are full; if that is nobody, the oldest tenth. */
  #forget(nowMs: number): void {
    for (const [key, { paidUntilMs, spentMs }] of this.#buckets) {
      if (paidUntilMs <= nowMs && spentMs === 0) this.#buckets.delete(key);
    }
    let excess = this.#buckets.size - MAX_BUCKETS * 0.9;
    for (const key of this.#buckets.keys()) {
      if (excess-- <= 0) break;
      this.#buckets.delete(key);
    }
  }
}
