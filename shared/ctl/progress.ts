// One line of progress on stderr: only on a terminal, only after a second, gone when done.

import type { Clock } from '../clock.ts';
import { printable } from '../pretty.ts';
import type { Output } from './output.ts';

const QUIET_MS = 1000;
const CLEAR_LINE = '\r\u001b[K';

export class Progress {
  readonly #err: Output;
  readonly #clock: Clock;
  readonly #startMs: number;
  #shown = '';

  constructor(err: Output, clock: Clock) {
    this.#err = err;
    this.#clock = clock;
    this.#startMs = clock.monotonicMs();
  }

  show(text: string): void {
    if (!this.#err.isTty || text === this.#shown) return;
    if (this.#clock.monotonicMs() - this.#startMs < QUIET_MS) return;
    void this.#err.write(`${CLEAR_LINE}${printable(text)}…`);
    this.#shown = text;
  }

  done(): void {
    if (this.#shown !== '') void this.#err.write(CLEAR_LINE);
    this.#shown = '';
  }
}
