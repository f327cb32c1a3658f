// A target as one worker balances by it: its open places, what they met, its weight in force. Pure.
import { Ejection } from './ejection.ts';
import type { Outcome, Skipped, Target, TargetId, TargetState } from './types.ts';

/** Latencies and failures are half forgotten in about seven seconds. */
const DECAY_MS = 10_000;
/** Share of the newest request in how well a target is. */
const NEWEST = 0.1;
/** A target this well counts as wholly well: what is left of old failures does not pause it. */
const WELL = 0.95;
const LEAST_WELL = 0.01;

/** What no target is taken to be faster than: differences below say nothing. */
const LEAST_LATENCY_MS = 1;

export class Member implements Target {
  readonly id: TargetId;
  state: TargetState;
  /** Monotonic ms; -Infinity: always. */
  upSinceMs = Number.NEGATIVE_INFINITY;
  open = 0;
  /** In force: with slow start. */
  weight = 0;
  isServing = false;
  /** Why it does not serve whoever asks. */
  skipped: Skipped | undefined;
  /** Of round robin. */
  credit = 0;
  readonly ejection = new Ejection();
  requests = 0;
  failures = 0;
  cancelled = 0;
  #latencyMs = 0;
  #latencyAtMs = 0;
  #well = 1;
  #wellAtMs = 0;

  constructor(state: TargetState) {
    this.id = state.id;
    this.state = state;
  }

  /** 0: nothing known. */
  get latencyMs(): number {
    return this.#latencyMs;
  }

  /** What peaks leave behind fades with time, so that a slow target is tried again. */
  latencyAt(nowMs: number, unknownMs: number): number {
    if (this.#latencyMs === 0) return unknownMs;
    const faded = this.#latencyMs * keptAfter(nowMs - this.#latencyAtMs);
    return Math.max(LEAST_LATENCY_MS, faded);
  }

  /** (0, 1]: the share of requests that ended well, lately. A target that fails at once is fast. */
  wellAt(nowMs: number): number {
    if (this.#well === 1) return 1;
    const well = 1 - (1 - this.#well) * keptAfter(nowMs - this.#wellAtMs);
    return well >= WELL ? 1 : Math.max(LEAST_WELL, well);
  }

  learn(outcome: Outcome, nowMs: number): void {
    if (outcome.kind === 'cancelled') {
      this.cancelled++;
      return;
    }
    const isWell = outcome.kind === 'response' && outcome.status < 500;
    if (!isWell) this.failures++;
    this.#learnWell(isWell ? 1 : 0, nowMs);
    if (isWell) this.#learnLatency(Math.max(outcome.latencyMs, LEAST_LATENCY_MS), nowMs);
  }

  #learnWell(newest: 0 | 1, nowMs: number): void {
    if (newest === 1 && this.#well === 1) return;
    const kept = keptAfter(nowMs - this.#wellAtMs);
    const well = 1 - (1 - this.#well) * kept;
    this.#well = well + NEWEST * (newest - well);
    this.#wellAtMs = nowMs;
  }

  /** Peaks count at once, what is faster only by and by. */
  #learnLatency(latencyMs: number, nowMs: number): void {
    const kept = keptAfter(nowMs - this.#latencyAtMs);
    const isPeak = latencyMs >= this.#latencyMs * kept;
    this.#latencyMs = isPeak ? latencyMs : this.#latencyMs * kept + latencyMs * (1 - kept);
    this.#latencyAtMs = nowMs;
  }
}

function keptAfter(elapsedMs: number): number {
  return Math.exp(-Math.max(0, elapsedMs) / DECAY_MS);
}
