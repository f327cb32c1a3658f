// The body of a stream's request, on its way to the forwarder: held back as the forwarder asks, and
// ended only by the client's own END_STREAM (RFC 9113, 8.1.1).
import type { ServerHttp2Stream } from 'node:http2';
import { BodyRate } from '../front-http1/body-rate.ts';
import type { RequestHead } from '../http1/types.ts';
import type { Forwarding, TerminationCause } from '../types.ts';
import { readTrailers } from './request-trailers.ts';
import type { Http2Limits } from './types.ts';

export type BodyTerms = {
  head: RequestHead;
  limits: Pick<Http2Limits, 'bodyMs' | 'bodyBytes'>;
  nowMs: number;
  /** 0: any number. */
  mostBytes: number;
};

export interface RequestBodyEvents {
  /** Once; nothing more is given to the forwarder. */
  onBadBody(status: number, cause: TerminationCause, detail: string): void;
}

export class RequestBody {
  bytes = 0;
  readonly #stream: ServerHttp2Stream;
  readonly #forwarding: Forwarding;
  readonly #terms: BodyTerms;
  readonly #events: RequestBodyEvents;
  #trailers: Buffer | undefined;
  #isOver = false;
  #isHeld = false;
  #awaitsContinue: boolean;
  readonly #rate = new BodyRate();

  constructor(
    stream: ServerHttp2Stream,
    forwarding: Forwarding,
    terms: BodyTerms,
    events: RequestBodyEvents,
  ) {
    this.#stream = stream;
    this.#forwarding = forwarding;
    this.#terms = terms;
    this.#events = events;
    this.#awaitsContinue = terms.head.expectContinue;
    this.#rate.begin(terms.nowMs);
    stream.on('trailers', (_, _flags, fields: string[]) => this.#takeTrailers(fields));
    stream.on('data', (piece: Buffer) => this.#take(piece));
    stream.on('end', () => this.#end());
  }

  /** The forwarder takes more. */
  resume(): void {
    this.#isHeld = false;
    this.#stream.resume();
  }

  /** The target has said 100: the client may begin. */
  continued(): void {
    this.#awaitsContinue = false;
  }

  /** The answer is there; the rest is read no more. */
  discard(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#stream.pause();
  }

  /** The client has not kept to the least rate. */
  isSlow(nowMs: number): boolean {
    const isHeld = this.#isHeld || this.#awaitsContinue;
    return !this.#isOver && this.#rate.isTooSlow(nowMs, this.bytes, isHeld, this.#terms.limits);
  }

  #take(piece: Buffer): void {
    if (this.#isOver) return;
    this.bytes += piece.length;
    const { mostBytes } = this.#terms;
    const length = this.#length;
    if (length >= 0 && this.bytes > length) this.#bad(400, 'bad-request', 'content-length');
    else if (mostBytes > 0 && this.bytes > mostBytes) this.#bad(413, 'too-large', 'body');
    if (this.#isOver || piece.length === 0 || this.#forwarding.writeBody(piece)) return;
    this.#isHeld = true;
    this.#stream.pause();
  }

  #takeTrailers(fields: string[]): void {
    if (this.#isOver) return;
    const read = readTrailers(fields);
    if (read === undefined || Buffer.isBuffer(read)) this.#trailers = read;
    else this.#bad(read.status, 'bad-request', read.reason);
  }

  #end(): void {
    // The end of a stream that is closed may be no END_STREAM: 'close' follows, and is told.
    if (this.#isOver || this.#stream.closed) return;
    const length = this.#length;
    if (length >= 0 && this.bytes !== length) {
      this.#bad(400, 'bad-request', 'content-length');
      return;
    }
    this.#isOver = true;
    // Without a body there is none to end.
    if (length !== 0) this.#forwarding.endBody(this.#trailers);
  }

  /** -1: not said. */
  get #length(): number {
    const { framing, contentLength } = this.#terms.head;
    return framing === 'length' ? contentLength : -1;
  }

  #bad(status: number, cause: TerminationCause, detail: string): void {
    this.#isOver = true;
    this.#events.onBadBody(status, cause, detail);
  }
}
