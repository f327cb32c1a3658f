// Reads what is appended to a file since the last look, whole lines only.
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';

const PIECE = 256 * 1024;

export class Lines {
  readonly #path: string;
  #at: number;
  #rest: Buffer = Buffer.alloc(0);

  constructor(path: string, from: 'start' | 'now' = 'start') {
    this.#path = path;
    this.#at = 0;
    if (from === 'now') this.#at = this.#size();
  }

  #size(): number {
    const file = this.#open();
    if (file === undefined) return 0;
    try {
      return fstatSync(file).size;
    } finally {
      closeSync(file);
    }
  }

  #open(): number | undefined {
    try {
      return openSync(this.#path, 'r');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined; // not begun yet
      throw error;
    }
  }

  take(): string[] {
    const file = this.#open();
    if (file === undefined) return [];
    const pieces = [this.#rest];
    try {
      for (;;) {
        const piece = Buffer.alloc(PIECE);
        const count = readSync(file, piece, 0, PIECE, this.#at);
        if (count === 0) break;
        this.#at += count;
        pieces.push(piece.subarray(0, count));
      }
    } finally {
      closeSync(file);
    }
    const all = Buffer.concat(pieces);
    const end = all.lastIndexOf(10) + 1;
    this.#rest = Buffer.from(all.subarray(end));
    return all.subarray(0, end).toString().split('\n').filter(Boolean);
  }
}
