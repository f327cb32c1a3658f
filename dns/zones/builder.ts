// Builds zones in a thread of its own, so that a million records hold up no answer. The thread ends
// when it has had nothing to do for a while: what building took is given back.
import { Worker } from 'node:worker_threads';
import type { Clock } from '../../shared/clock.ts';
import type { BuildJob, BuildResult } from './types.ts';

const IDLE_MS = 10_000;

export class Builder {
  readonly #clock: Clock;
  #thread: Worker | undefined;
  #cancelIdle: () => void = () => {};

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** One batch at a time. Rejects when the thread ends, as without memory. */
  async build(jobs: readonly BuildJob[]): Promise<readonly BuildResult[]> {
    this.#cancelIdle();
    const thread = this.#thread ?? new Worker(new URL('./build-thread.ts', import.meta.url));
    this.#thread = thread;
    try {
      return await new Promise((resolve, reject) => {
        thread.once('message', resolve);
        thread.once('error', reject);
        thread.once('exit', (code) => reject(new Error(`the builder ended with ${code}`)));
        thread.postMessage(jobs);
      });
    } catch (error) {
      this.#thread = undefined;
      throw error;
    } finally {
      for (const event of ['message', 'error', 'exit']) thread.removeAllListeners(event);
      this.#cancelIdle = this.#clock.after(IDLE_MS, () => void this.close());
    }
  }

  async close(): Promise<void> {
    this.#cancelIdle();
    const thread = this.#thread;
    this.#thread = undefined;
    await thread?.terminate();
  }
}
