// What is answered by: one state, replaced as a whole in the main thread and in every worker. What
// changes while a state is being put into force goes into the next one together.
import type { ServingState } from './answer/types.ts';
import type { Transport } from './transports/types.ts';

type Parts = Omit<ServingState, 'generation'>;

export type ServingOptions = {
  /** With nothing to serve: every query is refused. */
  first: Parts;
  /** The main thread's: synchronous. */
  adopt: (state: ServingState) => void;
  transports: readonly Transport[];
};

export class Serving {
  readonly #options: ServingOptions;
  #state: ServingState;
  #wanted: Partial<Parts> | undefined;
  #running: Promise<void> | undefined;

  constructor(options: ServingOptions) {
    this.#options = options;
    this.#state = { ...options.first, generation: 1 };
  }

  /** In force in the main thread; workers may be one behind. */
  get state(): ServingState {
    return this.#state;
  }

  /** Resolves when it is in force everywhere. */
  update(parts: Partial<Parts>): Promise<void> {
    this.#wanted = { ...this.#wanted, ...parts };
    this.#running ??= this.#run();
    return this.#running;
  }

  async #run(): Promise<void> {
    await Promise.resolve(); // what changes in one turn is one state
    try {
      while (this.#wanted !== undefined) {
        this.#state = { ...this.#state, ...this.#wanted, generation: this.#state.generation + 1 };
        this.#wanted = undefined;
        this.#options.adopt(this.#state);
        const state = this.#state;
        await Promise.all(this.#options.transports.map((each) => each.adopt(state)));
      }
    } finally {
      this.#running = undefined;
    }
  }
}
