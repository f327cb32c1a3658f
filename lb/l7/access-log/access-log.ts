// Writes the access log: whole lines appended to one file by all workers, in batches; what the disk
// does not take in time is counted and dropped, for a log must not hold up requests.
import { close, constants, open, write } from 'node:fs';
import type { Clock } from '../../../shared/clock.ts';
import { every } from '../../../shared/clock.ts';
import type { AccessEntry } from '../types.ts';
import { accessLine } from './line.ts';

/** A FIFO that nobody reads, or that is full, is a trouble, and nothing to wait for. */
const APPEND = constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_NONBLOCK;
const FLUSH_MS = 200;
const BATCH_CHARACTERS = 64 * 1024;
const MAX_WAITING_CHARACTERS = 4 * 1024 * 1024;

export type AccessLogOptions = {
  /** Undefined: nothing is written. */
  path: string | undefined;
  node: string;
  clock: Clock;
  signal: AbortSignal;
  /** Told once a trouble, until it has worked again. */
  onTrouble: (error: Error) => void;
};

export class AccessLog {
  /** Lines that were not written. */
  dropped = 0;
  readonly #options: AccessLogOptions;
  #waiting: string[] = [];
  #characters = 0;
  #file: number | undefined;
  #isWriting = false;
  #isTroubled = false;

  constructor(options: AccessLogOptions) {
    this.#options = options;
    if (options.path === undefined) return;
    every(options.clock, FLUSH_MS, () => this.flush(), options.signal);
  }

  add(entry: AccessEntry): void {
    const { path, node, clock } = this.#options;
    if (path === undefined) return;
    if (this.#characters > MAX_WAITING_CHARACTERS) {
      this.dropped++;
      return;
    }
    const line = accessLine(entry, node, clock.nowMs());
    this.#waiting.push(line);
    this.#characters += line.length;
    if (this.#characters >= BATCH_CHARACTERS) this.flush();
  }

  flush(): void {
    if (this.#isWriting || this.#waiting.length === 0) return;
    this.#isWriting = true;
    const lines = this.#waiting;
    this.#waiting = [];
    this.#characters = 0;
    this.#opened((error, file) => {
      if (error !== null || file === undefined) {
        this.#failed(error ?? new Error('not open'), lines.length);
        return;
      }
      this.#write(file, Buffer.from(lines.join('')), lines.length);
    });
  }

  /** After somebody moved the file away: the next lines make a new one. */
  reopen(): void {
    const file = this.#file;
    this.#file = undefined;
    if (file !== undefined) close(file, () => {});
  }

  #opened(done: (error: Error | null, file?: number) => void): void {
    const { path } = this.#options;
    if (this.#file !== undefined || path === undefined) {
      done(null, this.#file);
      return;
    }
    open(path, APPEND, 0o640, (error, file) => {
      if (error === null) this.#file = file;
      done(error, file);
    });
  }

  #write(file: number, bytes: Buffer, lines: number): void {
    write(file, bytes, 0, bytes.length, (error, written) => {
      if (error !== null) this.#failed(error, lines);
      else if (written < bytes.length) this.#write(file, bytes.subarray(written), lines);
      else {
        this.#isTroubled = false;
        this.#isWriting = false;
        if (this.#characters >= BATCH_CHARACTERS) this.flush();
      }
    });
  }

  #failed(error: Error, lines: number): void {
    this.dropped += lines;
    this.#isWriting = false;
    this.reopen();
    if (this.#isTroubled) return;
    this.#isTroubled = true;
    this.#options.onTrouble(error);
  }
}
