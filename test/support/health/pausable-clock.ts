// The clock of one instance among many in simulated time: while it is paused, as by SIGSTOP, time
// goes on and nothing of the instance happens; what came due happens when it goes on.
import type { Clock } from '../../../shared/clock.ts';

export class PausableClock implements Clock {
  readonly #inner: Clock;
  #isPaused = false;
  #missed: (() => void)[] = [];

  constructor(inner: Clock) {
    this.#inner = inner;
  }

  get isPaused(): boolean {
    return this.#isPaused;
  }

  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    this.#isPaused = false;
    const missed = this.#missed;
    this.#missed = [];
    for (const fire of missed) fire();
  }

  nowMs(): number {
    return this.#inner.nowMs();
  }

  monotonicMs(): number {
    return this.#inner.monotonicMs();
  }

  after(delayMs: number, callback: () => void, signal?: AbortSignal): () => void {
    let isCancelled = false;
    const fire = () => {
      if (isCancelled || signal?.aborted) return;
      if (this.#isPaused) this.#missed.push(fire);
      else callback();
    };
    const cancel = this.#inner.after(delayMs, fire, signal);
    return () => {
      isCancelled = true;
      cancel();
    };
  }

  sleep(delayMs: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const abort = () => {
        cancel();
        reject(signal?.reason);
      };
      const cancel = this.after(delayMs, () => {
        signal?.removeEventListener('abort', abort);
        resolve();
      });
      signal?.addEventListener('abort', abort, { once: true });
    });
  }

  /** Resolves at once, or when the instance goes on: what comes from outside waits for that. */
  running(): Promise<void> {
    if (!this.#isPaused) return Promise.resolve();
    return new Promise((resolve) => this.#missed.push(resolve));
  }
}
