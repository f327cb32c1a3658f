// A chunked body's content, one piece a read however small its chunks are.

import { ChunkReader } from '../http1/chunk-reader.ts';
import type { Bad } from '../http1/types.ts';

/** Of the read that is being taken. */
const pieces: Buffer[] = [];
const collect = (piece: Buffer): void => {
  pieces.push(piece);
};

export class ChunkedBody {
  /** Of the last take: a view of its bytes, or a buffer of its own. */
  content: Buffer | undefined;
  readonly #reader = new ChunkReader();

  reset(): void {
    this.#reader.reset();
  }

  get bad(): Bad | undefined {
    return this.#reader.bad;
  }

  get isDone(): boolean {
    return this.#reader.isDone;
  }

  get trailers(): Buffer | undefined {
    return this.#reader.trailers;
  }

  /** Where the body, or what has come of it, ends; sets `content`. */
  take(bytes: Buffer, from: number, stop: number): number {
    pieces.length = 0;
    const whole = stop === bytes.length ? bytes : bytes.subarray(0, stop);
    const end = from + this.#reader.take(whole, from, collect);
    this.content = pieces.length > 1 ? Buffer.concat(pieces) : pieces[0];
    pieces.length = 0;
    return end;
  }
}
