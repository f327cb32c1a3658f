// Heavy work in a thread of its own, so that a million records or prefixes hold up no answer: zones
// are built, lists read and compiled. The thread ends when it has had nothing to do for a while:
// what the work took is given back.
import { Worker } from 'node:worker_threads';
import type { Clock } from '../../shared/clock.ts';
import { siblingModule } from '../../shared/module-path.ts';
import type { Work, WorkResult } from './work.ts';

const IDLE_MS = 10_000;

export class Builder {
  readonly #clock: Clock;
  #thread: Worker | undefined;
  #last: Promise<unknown> = Promise.resolve();
  #cancelIdle: () => void = () => {};

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** In turn. Rejects when the thread ends, as without memory. */
  run<W extends Work>(work: W): Promise<WorkResult<W>> {
    const result = this.#last.then(() => this.#run(work));
    this.#last = result.catch(() => {});
    return result as Promise<WorkResult<W>>; // work.ts pairs the two
  }

  async close(): Promise<void> {
    this.#cancelIdle();
    const thread = this.#thread;
    this.#thread = undefined;
    await thread?.terminate();
  }

  async #run(work: Work): Promise<unknown> {
    this.#cancelIdle();
    const thread = this.#thread ?? new Worker(siblingModule('./build-thread', import.meta.url));
    this.#thread = thread;
    try {
      return await new Promise((resolve, reject) => {
        thread.once('message', resolve);
        thread.once('error', reject);
        thread.once('exit', (code) => reject(new Error(`the builder ended with ${code}`)));
        thread.postMessage(work);
      });
    } catch (error) {
      this.#thread = undefined;
      throw error;
    } finally {
      for (const event of ['message', 'error', 'exit']) thread.removeAllListeners(event);
      this.#cancelIdle = this.#clock.after(IDLE_MS, () => void this.close());
    }
  }
}
