// A stream to print on: waits for a slow reader, falls silent when the reader has gone (EPIPE).

import type { Writable } from 'node:stream';
import { OperationalError } from '../errors.ts';
import { printable } from '../pretty.ts';

export type Colour = 'green' | 'yellow' | 'red' | 'bold';

const CODES: Record<Colour, number> = { bold: 1, red: 31, green: 32, yellow: 33 };

const KEPT = /([\n\t])/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: that is what a colour is
const KEPT_COLOURED = /([\n\t]|\u001b\[(?:[01]|3[123])m)/;

export class Output {
  readonly isTty: boolean;
  /** The reader has gone (`| head`): nothing that is written arrives any more. */
  closed = false;
  #failure: Error | undefined;
  readonly #stream: Writable;
  readonly #coloured: boolean;

  constructor(stream: Writable & { isTTY?: boolean }, env: Record<string, string | undefined>) {
    this.#stream = stream;
    this.isTty = stream.isTTY === true;
    this.#coloured = this.isTty && (env.NO_COLOR ?? '') === '' && env.TERM !== 'dumb';
    stream.on('error', (error: NodeJS.ErrnoException) => {
      this.closed = true;
      if (error.code !== 'EPIPE') this.#failure = error;
    });
  }

  /** Resolves when the stream takes more; EDGE_CTL_OUTPUT when it never will, as on a full disk. */
  async write(chunk: string | Uint8Array): Promise<void> {
    if (!this.closed && !this.#stream.write(chunk)) await this.#drained();
    if (this.#failure === undefined) return;
    const cause = this.#failure;
    this.#failure = undefined; // told once
    throw new OperationalError('EDGE_CTL_OUTPUT', 'the output cannot be written', { cause });
  }

  async #drained(): Promise<void> {
    await new Promise<void>((resolve) => {
      const done = () => {
        for (const event of ['drain', 'close', 'error']) this.#stream.off(event, done);
        resolve();
      };
      for (const event of ['drain', 'close', 'error']) this.#stream.once(event, done);
    });
  }

  /** Names come from the store, and thereby from anybody: only our own colours reach a terminal. */
  line(text: string): Promise<void> {
    const kept = this.#coloured ? KEPT_COLOURED : KEPT;
    const parts = text.split(kept).map((part, at) => (at % 2 === 0 ? printable(part) : part));
    return this.write(`${parts.join('')}\n`);
  }

  paint(colour: Colour, text: string): string {
    return this.#coloured ? `\u001b[${CODES[colour]}m${text}\u001b[0m` : text;
  }
}
