// The response's side of a stream: what is written to a client, whether it takes it, and the end
// (RFC 9113, 8.1).
import { constants, type ServerHttp2Stream } from 'node:http2';
import { trailerFields } from './response-fields.ts';

export class ResponseStream {
  /** Of the body, as content. */
  bytes = 0;
  /** How long the client may take nothing. */
  idleMs: number;
  /** Lines with CRLF, for the end of a response that was begun so. */
  trailers: Buffer | undefined;
  readonly #stream: ServerHttp2Stream;
  #takenBytes = 0;
  #takenMs: number;

  constructor(stream: ServerHttp2Stream, nowMs: number, idleMs: number) {
    this.#stream = stream;
    this.#takenMs = nowMs;
    this.idleMs = idleMs;
  }

  get isClosed(): boolean {
    return this.#stream.closed || this.#stream.destroyed;
  }

  /** Flat, `:status` first. `ends`: nothing follows; else `mayHaveTrailers` behind the body. */
  begin(fields: string[], options: { ends: boolean; mayHaveTrailers: boolean }): void {
    const { ends: endStream } = options;
    const waitForTrailers = options.mayHaveTrailers && !endStream;
    if (waitForTrailers) this.#stream.on('wantTrailers', () => this.#sendTrailers());
    this.#stream.respond(fields, { endStream, waitForTrailers });
  }

  /** False: wait for the stream's 'drain'. */
  write(piece: Buffer): boolean {
    if (this.#stream.writableEnded || this.isClosed) return true;
    this.bytes += piece.length;
    return this.#stream.write(piece);
  }

  /** All is said; what the client still says of its request is not waited for. */
  end(): void {
    const stream = this.#stream;
    if (this.isClosed) return;
    if (!stream.writableEnded) stream.end();
    if (stream.readableEnded || stream.endAfterHeaders) return;
    if (stream.writableFinished) stream.close(constants.NGHTTP2_NO_ERROR);
    else stream.once('finish', () => stream.close(constants.NGHTTP2_NO_ERROR));
  }

  /** RST_STREAM, and nothing else. */
  reset(code: number): void {
    if (this.isClosed) return;
    const stream = this.#stream;
    // close() ends the response in order first: END_STREAM, and what is cut would look whole.
    stream.end = () => stream;
    stream.close(code);
  }

  /**
   * The client has taken nothing of what waits for it for too long: in the stream's buffer, or,
   * once all is said, in nghttp2, which waits for its window.
   */
  isStuck(nowMs: number): boolean {
    const waiting = this.#stream.writableLength;
    const taken = this.bytes - waiting;
    const isWaiting = waiting !== 0 || (this.#stream.writableEnded && !this.isClosed);
    if (isWaiting && taken === this.#takenBytes) return nowMs - this.#takenMs > this.idleMs;
    this.#takenBytes = taken;
    this.#takenMs = nowMs;
    return false;
  }

  #sendTrailers(): void {
    if (this.isClosed) return;
    const { trailers } = this;
    this.#stream.sendTrailers(trailers === undefined ? {} : trailerFields(trailers));
  }
}
