// When a drained natter has no traffic left: the pure part of draining.

export type DrainPlan = { quietMs: number; timeoutMs: number };
export type DrainProgress = 'waiting' | 'quiet' | 'timeout';

/** What still may come: a probe, a stray packet of a host that has not heard of the change. */
const QUIET_PACKETS_PER_SECOND = 1;

export class DrainWatch {
  readonly #plan: DrainPlan;
  readonly #startedMs: number;
  #quietSinceMs: number;
  #sampleMs: number;
  #packets: number;

  /** `packets`: all that was forwarded so far. */
  constructor(plan: DrainPlan, nowMs: number, packets: number) {
    this.#plan = plan;
    this.#startedMs = nowMs;
    this.#quietSinceMs = nowMs;
    this.#sampleMs = nowMs;
    this.#packets = packets;
  }

  sample(nowMs: number, packets: number): DrainProgress {
    const elapsedMs = Math.max(1, nowMs - this.#sampleMs);
    const forwarded = packets - this.#packets;
    const perSecond = (forwarded * 1000) / elapsedMs;
    this.#sampleMs = nowMs;
    this.#packets = packets;
    if (perSecond > QUIET_PACKETS_PER_SECOND && forwarded > 1) this.#quietSinceMs = nowMs;
    if (nowMs - this.#quietSinceMs >= this.#plan.quietMs) return 'quiet';
    return nowMs - this.#startedMs >= this.#plan.timeoutMs ? 'timeout' : 'waiting';
  }
}
