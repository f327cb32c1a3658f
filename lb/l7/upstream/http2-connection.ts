// One stream of an HTTP/2 session to a target (RFC 9113), as a connection that serves one exchange.
import { type ClientHttp2Stream, constants } from 'node:http2';
import type { Bad } from '../http1/types.ts';
import type { UpstreamError } from '../types.ts';
import type { UpstreamEvents } from '../wiring.ts';
import { head, readHead, trailerFields, trailerLines } from './http2-head.ts';
import type { HeaderList, MessageShape, TargetConnection } from './types.ts';

const { NGHTTP2_CANCEL, NGHTTP2_FLAG_END_STREAM, NGHTTP2_NO_ERROR, NGHTTP2_REFUSED_STREAM } =
  constants;
const MAX_INTERIMS = 32;
const TOO_MANY_INTERIMS: Bad = { status: 502, reason: 'too-many-interim-responses' };
const NO_UPGRADE: Bad = { status: 502, reason: 'upgrade-over-http2' };
const NOT_SAYABLE: Bad = { status: 502, reason: 'request-not-for-http2' };
const HEAD_TWICE: Bad = { status: 502, reason: 'head-twice' };
const UNFINISHED: Bad = { status: 502, reason: 'status-line' };

export interface StreamKeeper {
  /** Streams were answered on it before. */
  readonly isReused: boolean;
  /** `closed`: the session takes no more. `refused`: it cannot say that head. */
  open(flat: string[], endStream: boolean): ClientHttp2Stream | 'closed' | 'refused';
  answered(): void;
  /** The exchange is over, whatever became of its stream. */
  released(): void;
}

export class Http2Connection implements TargetConnection {
  readonly isHttp2 = true;
  readonly isReused: boolean;
  isUnsent = false;
  readonly #session: StreamKeeper;
  #stream: ClientHttp2Stream | undefined;
  #events: UpstreamEvents | undefined;
  #of = { method: 'GET' };
  #isWanted = true;
  #hasReceived = false;
  #hasHead = false;
  #interims = 0;
  #isRequestDone = false;
  #trailersOut: Buffer | undefined;
  #trailersIn: Buffer | undefined;

  constructor(session: StreamKeeper) {
    this.#session = session;
    this.isReused = session.isReused;
  }

  send(): void {
    throw new Error('HTTP/2 takes heads as lists');
  }

  sendList(headers: HeaderList, shape: MessageShape, events: UpstreamEvents): void {
    this.#events = events;
    this.#of = { method: shape.isHead ? 'HEAD' : 'GET' };
    this.#isRequestDone = !shape.hasBody;
    if (shape.isUpgrade) {
      this.#failSoon({ kind: 'bad', bad: NO_UPGRADE });
      return;
    }
    const stream = this.#session.open(headers.flat(), !shape.hasBody);
    if (stream === 'refused') {
      this.#failSoon({ kind: 'bad', bad: NOT_SAYABLE });
    } else if (stream === 'closed') {
      this.isUnsent = true;
      this.#failSoon({ kind: 'reset', received: false });
    } else {
      this.#stream = stream;
      this.#listen(stream);
    }
  }

  writeBody(piece: Buffer): boolean {
    const stream = this.#stream;
    if (this.#events === undefined || stream === undefined || stream.writableEnded) return true;
    return stream.write(piece);
  }

  endBody(trailers: Buffer | undefined): void {
    this.#isRequestDone = true;
    this.#trailersOut = trailers;
    this.#stream?.end();
  }

  pause(): void {
    this.#stream?.pause();
  }

  resume(): void {
    this.#stream?.resume();
  }

  abort(): void {
    this.#events = undefined;
    this.#release(NGHTTP2_CANCEL);
  }

  #listen(stream: ClientHttp2Stream): void {
    stream.on('headers', (_headers, flags, flat) => this.#head(flat, flags));
    stream.on('response', (_headers, flags, flat) => this.#head(flat, flags));
    stream.on('trailers', (_headers, _flags, flat) => {
      this.#trailersIn = trailerLines(flat);
    });
    stream.on('data', (piece: Buffer) => this.#events?.onBody(piece));
    stream.on('end', () => this.#ended());
    stream.on('drain', () => this.#events?.onDrain());
    stream.on('wantTrailers', () => this.#sendTrailers(stream));
    stream.on('error', () => {}); // 'close' follows
    stream.on('close', () => this.#closed(stream.rstCode));
  }

  #sendTrailers(stream: ClientHttp2Stream): void {
    try {
      stream.sendTrailers(trailerFields(this.#trailersOut));
    } catch {
      this.#fail({ kind: 'bad', bad: NOT_SAYABLE }); // as of heads
    }
  }

  #head(flat: readonly string[], flags: number): void {
    const events = this.#events;
    if (events === undefined) return;
    this.#hasReceived = true;
    const isWhole = (flags & NGHTTP2_FLAG_END_STREAM) !== 0;
    const result = this.#hasHead ? HEAD_TWICE : readHead(flat, isWhole, this.#of);
    if (result === 'done' && head.status >= 200) {
      this.#hasHead = true;
      this.#session.answered();
      events.onHead(head);
    } else if (result !== 'done') {
      this.#fail({ kind: 'bad', bad: result === 'more' ? UNFINISHED : result });
    } else if (head.status === 101) {
      this.#fail({ kind: 'bad', bad: NO_UPGRADE });
    } else if (++this.#interims > MAX_INTERIMS) {
      this.#fail({ kind: 'bad', bad: TOO_MANY_INTERIMS });
    } else {
      events.onInterim(head);
    }
  }

  #ended(): void {
    const events = this.#events;
    // Of a stream that was reset node:http2 says that it ended, too.
    if (events === undefined || !this.#hasHead || this.#isReset()) return;
    this.#events = undefined;
    this.#release(this.#isRequestDone ? undefined : NGHTTP2_NO_ERROR);
    events.onEnd(this.#trailersIn);
  }

  #isReset(): boolean {
    const code = this.#stream?.rstCode ?? NGHTTP2_NO_ERROR;
    return this.#stream?.aborted === true || code !== NGHTTP2_NO_ERROR;
  }

  #closed(code: number): void {
    this.isUnsent = code === NGHTTP2_REFUSED_STREAM && !this.#hasReceived;
    this.#fail({ kind: 'reset', received: this.#hasReceived });
  }

  #fail(error: UpstreamError): void {
    const events = this.#events;
    this.#events = undefined;
    this.#release(NGHTTP2_CANCEL);
    events?.onError(error);
  }

  /** Not from within a call of who is told. */
  #failSoon(error: UpstreamError): void {
    queueMicrotask(() => this.#fail(error));
  }

  /** `code`: what is left of the stream is reset. */
  #release(code: number | undefined): void {
    const stream = this.#stream;
    if (code !== undefined && stream !== undefined && !stream.closed) stream.close(code);
    stream?.resume(); // nobody reads the rest: it must not hold the stream open
    if (this.#isWanted) this.#session.released();
    this.#isWanted = false;
  }
}
