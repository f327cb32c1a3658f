// Whether the process lived all along. One that was stopped (SIGSTOP, a paused machine whose clock
// went on) finds what came meanwhile in its sockets, and must not take it for new: a RELEASE may be
// of the lease before (docs/leases.md R5, R6). Pure.

/** A loop that is merely busy comes around sooner. */
const GAP_MS = 1000;
/** After a gap, what came during it has been read by then. */
const DRAIN_MS = 1000;

export type ReadTime = { receivedMs: number; isOld?: true };

export class Pulse {
  #lastMs: number;
  #gapFromMs = 0;
  #drainedMs = Number.NEGATIVE_INFINITY;

  constructor(nowMs: number) {
    this.#lastMs = nowMs;
  }

  /** The process lives: to be called again and again, in a part of GAP_MS. */
  beat(nowMs: number): void {
    if (nowMs - this.#lastMs > GAP_MS) {
      // A second gap before all of the first was read: as old as that.
      if (this.#lastMs >= this.#drainedMs) this.#gapFromMs = this.#lastMs;
      this.#drainedMs = nowMs + DRAIN_MS;
    }
    this.#lastMs = nowMs;
  }

  /** When something that is read now came, at the earliest; isOld: before it was read, maybe. */
  read(nowMs: number): ReadTime {
    // A socket may be looked at before any timer is.
    this.beat(nowMs);
    if (nowMs >= this.#drainedMs) return { receivedMs: nowMs };
    return { receivedMs: this.#gapFromMs, isOld: true };
  }
}
