// A task that many ask for: it runs at once, never twice at a time, and once more afterwards when
// it was asked for meanwhile.

export class Coalesced {
  readonly #run: () => Promise<void>;
  readonly #signal: AbortSignal;
  #wanted = false;
  #running: Promise<void> | undefined;

  /** After `signal` nothing starts; a run that is under way comes to its end. */
  constructor(run: () => Promise<void>, signal: AbortSignal) {
    this.#run = run;
    this.#signal = signal;
  }

  soon(): void {
    if (this.#signal.aborted) return;
    this.#wanted = true;
    this.#running ??= this.#runAll().finally(() => {
      this.#running = undefined;
    });
  }

  /** Resolves when no run is under way; rejects with what the last one threw. */
  async idle(): Promise<void> {
    await this.#running;
  }

  async #runAll(): Promise<void> {
    while (this.#wanted && !this.#signal.aborted) {
      this.#wanted = false;
      await this.#run();
    }
  }
}
