// The body of a message (RFC 9112, 6 and 7): a countdown, chunks, or all until the end. One object
// a connection and direction; a message costs it nothing new. Pure.
import { ChunkReader } from './chunk-reader.ts';
import type { Bad, BodyDecoder, Framing } from './types.ts';

/** Of the read that is being taken. */
const pieces: Buffer[] = [];
const collect = (piece: Buffer): void => {
  pieces.push(piece);
};

export class Body implements BodyDecoder {
  /** Of the last takeJoined: a view of its bytes, or a buffer of its own. */
  content: Buffer | undefined;
  framing: Framing = 'none';
  done = true;
  bad: Bad | undefined;
  /** Bytes of a `length` body that are still to come. */
  remaining = 0;
  readonly #chunks = new ChunkReader();

  /** Begins the body of a message; `done` at once when there is none. */
  reset(head: { framing: Framing; contentLength: number }): void {
    this.framing = head.framing;
    this.remaining = head.framing === 'length' ? head.contentLength : 0;
    this.done = head.framing === 'none' || (head.framing === 'length' && this.remaining === 0);
    this.bad = undefined;
    if (head.framing === 'chunked') this.#chunks.reset();
  }

  get trailers(): Buffer | undefined {
    return this.framing === 'chunked' && this.done ? this.#chunks.trailers : undefined;
  }

  /** A `close` body never says that it is done: the end of the connection does. */
  take(bytes: Buffer, from: number, sink: (piece: Buffer) => void): number {
    if (this.done || this.bad !== undefined || from === bytes.length) return 0;
    if (this.framing === 'chunked') return this.#takeChunks(bytes, from, sink);
    const available = bytes.length - from;
    const isLast = this.framing === 'length' && this.remaining <= available;
    const taken = isLast ? this.remaining : available;
    this.remaining -= taken;
    this.done = isLast;
    sink(from === 0 && taken === bytes.length ? bytes : bytes.subarray(from, from + taken));
    return taken;
  }

  /** As take, with `content` in one piece, however small the chunks are. */
  takeJoined(bytes: Buffer, from: number): number {
    pieces.length = 0;
    const taken = this.take(bytes, from, collect);
    this.content = pieces.length > 1 ? Buffer.concat(pieces) : pieces[0];
    pieces.length = 0;
    return taken;
  }

  #takeChunks(bytes: Buffer, from: number, sink: (piece: Buffer) => void): number {
    const taken = this.#chunks.take(bytes, from, sink);
    this.done = this.#chunks.isDone;
    this.bad = this.#chunks.bad;
    return taken;
  }
}
