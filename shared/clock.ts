// Time, injected. Durations are measured on the monotonic clock; the wall clock is only for what is
// shown or stored. ManualClock moves when a test says so and is what simulations run on.

export interface Clock {
  /** Milliseconds since 1970, UTC; may jump. */
  nowMs(): number;
  /** Milliseconds since some fixed moment; never goes back. */
  monotonicMs(): number;
  /** Calls back once after the delay; the returned function, or the signal, cancels it. */
  after(delayMs: number, callback: () => void, signal?: AbortSignal): () => void;
  /** Resolves after the delay; rejects with the signal's reason when that aborts first. */
  sleep(delayMs: number, signal?: AbortSignal): Promise<void>;
}

/** A callback does not keep the process alive, a sleep somebody awaits does. */
export const systemClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  after(delayMs, callback, signal) {
    return cancellable(
      signal,
      (fire) => {
        const timer = setTimeout(fire, delayMs);
        timer.unref();
        return () => clearTimeout(timer);
      },
      callback,
    );
  },
  sleep(delayMs, signal) {
    return sleepOn((callback) => {
      const timer = setTimeout(callback, delayMs);
      return () => clearTimeout(timer);
    }, signal);
  },
};

/** Again and again, first after one interval, until the signal. */
export function every(
  clock: Clock,
  intervalMs: number,
  work: () => void,
  signal: AbortSignal,
): void {
  const again = (): void => {
    work();
    clock.after(intervalMs, again, signal);
  };
  clock.after(intervalMs, again, signal);
}

type Timer = { dueMs: number; order: number; fire: () => void };

export class ManualClock implements Clock {
  #elapsedMs = 0;
  #order = 0;
  #startMs: number;
  readonly #timers = new Set<Timer>();

  constructor(startMs = Date.UTC(2026, 0, 1)) {
    this.#startMs = startMs;
  }

  nowMs(): number {
    return this.#startMs + this.#elapsedMs;
  }

  monotonicMs(): number {
    return this.#elapsedMs;
  }

  after(delayMs: number, callback: () => void, signal?: AbortSignal): () => void {
    return cancellable(
      signal,
      (fire) => {
        const dueMs = this.#elapsedMs + Math.max(0, delayMs);
        const timer = { dueMs, order: this.#order++, fire };
        this.#timers.add(timer);
        return () => this.#timers.delete(timer);
      },
      callback,
    );
  }

  sleep(delayMs: number, signal?: AbortSignal): Promise<void> {
    return sleepOn((callback) => this.after(delayMs, callback), signal);
  }

  /** Timers that wait; a test that ends with some has leaked them. */
  get pending(): number {
    return this.#timers.size;
  }

  /** Moves the wall clock alone, as an administrator or NTP may. */
  jumpWall(byMs: number): void {
    this.#startMs += byMs;
  }

  /** Moves on, firing what comes due in order and letting promises settle after each. */
  async advance(byMs: number): Promise<void> {
    const untilMs = this.#elapsedMs + byMs;
    await settle();
    for (let timer = this.#next(untilMs); timer !== undefined; timer = this.#next(untilMs)) {
      this.#timers.delete(timer);
      this.#elapsedMs = Math.max(this.#elapsedMs, timer.dueMs);
      timer.fire();
      await settle();
    }
    this.#elapsedMs = untilMs;
  }

  #next(untilMs: number): Timer | undefined {
    let next: Timer | undefined;
    for (const timer of this.#timers) {
      if (timer.dueMs > untilMs) continue;
      // A Set keeps the order of equals.
      if (next === undefined || timer.dueMs < next.dueMs) next = timer;
    }
    return next;
  }
}

/**
 * Every promise that can settle without time or I/O has settled after one turn of the event loop.
 */
function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

function cancellable(
  signal: AbortSignal | undefined,
  arm: (fire: () => void) => () => void,
  callback: () => void,
): () => void {
  if (signal?.aborted) return () => {};
  const cancel = () => {
    disarm();
    signal?.removeEventListener('abort', cancel);
  };
  const disarm = arm(() => {
    signal?.removeEventListener('abort', cancel);
    callback();
  });
  signal?.addEventListener('abort', cancel, { once: true });
  return cancel;
}

function sleepOn(arm: (callback: () => void) => () => void, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const abort = () => {
      disarm();
      reject(signal?.reason);
    };
    const disarm = arm(() => {
      signal?.removeEventListener('abort', abort);
      resolve();
    });
    signal?.addEventListener('abort', abort, { once: true });
  });
}
