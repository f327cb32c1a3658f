// One HTTP/1.1 connection to a target (RFC 9112), used by one exchange after the other. Whatever is
// odd about a response, or about what comes besides, ends the connection with it.

import { indexOfField } from '../http1/fields.ts';
import { createResponseHead, parseResponseHead } from '../http1/response-head.ts';
import { type Bad, FIELD, MAX_HEAD_BYTES, type ResponseHead } from '../http1/types.ts';
import type { UpstreamError } from '../types.ts';
import type { ClientSocket, UpstreamEvents } from '../wiring.ts';
import { ChunkedBody } from './chunked-body.ts';
import { keepAliveMs } from './keep-alive.ts';
import type { ReadBuffer } from './read-buffer.ts';
import { RequestWriter } from './request-writer.ts';
import type { MessageShape, TargetConnection } from './types.ts';

const MAX_INTERIMS = 32;
const LF = 0x0a;

/** What is awaited. */
const STATE = { IDLE: 0, HEAD: 1, LENGTH: 2, CHUNKED: 3, CLOSE: 4, TUNNEL: 5, DEAD: 6 } as const;
type State = (typeof STATE)[keyof typeof STATE];

const OF_HEAD = { method: 'HEAD' };
const OF_OTHERS = { method: 'GET' };

const TOO_MANY_INTERIMS: Bad = { status: 502, reason: 'too-many-interim-responses' };
const UNASKED_UPGRADE: Bad = { status: 502, reason: 'unasked-upgrade' };

/** Of all connections: a head is told, and done with, before anything else is parsed. */
const head: ResponseHead = createResponseHead();

export interface Http1Owner {
  /** Whether the connection is kept for the next; `idleMs`: as long as the target says at most. */
  park(connection: Http1Connection, idleMs: number): boolean;
  /** A kept one is of no use any more. */
  drop(connection: Http1Connection): void;
}

export class Http1Connection implements TargetConnection {
  readonly isHttp2 = false;
  isReused = false;
  isUnsent = false;
  /** How many exchanges there were; with the next two of its keeper's account. */
  exchanges = 0;
  bornMs = 0;
  idleUntilMs = 0;
  readonly #owner: Http1Owner;
  readonly #buffer: ReadBuffer;
  #socket!: ClientSocket;
  #writer!: RequestWriter;
  #events: UpstreamEvents | undefined;
  #state: State = STATE.IDLE;
  #of = OF_OTHERS;
  #isUpgrade = false;
  #hasReceived = false;
  #isPaused = false;
  #keepAlive = false;
  #idleMs = 0;
  #interims = 0;
  /** Of LENGTH. */
  #left = 0;
  /** A head that is not whole yet. */
  #partial: Buffer | undefined;
  #chunked: ChunkedBody | undefined;

  constructor(owner: Http1Owner, buffer: ReadBuffer) {
    this.#owner = owner;
    this.#buffer = buffer;
  }

  /** The socket is connected; of one with TLS pieces come by `data`, of others by `onRead`. */
  attach(socket: ClientSocket, nowMs: number): void {
    this.#socket = socket;
    this.#writer = new RequestWriter(socket);
    this.bornMs = nowMs;
    socket.on('drain', () => {
      if (this.#state !== STATE.TUNNEL) this.#events?.onDrain();
    });
    socket.on('end', () => this.#ended());
    socket.on('error', () => this.#broken());
    socket.on('close', () => this.#broken());
  }

  /** Of sockets that read into buffers of their own (TLS). */
  readData(): void {
    const take = (piece: Buffer) => this.#take(piece, piece.length, false);
    this.#stopData = () => this.#socket.off('data', take);
    this.#socket.on('data', take);
  }
  #stopData: () => void = () => {};

  /** `onread` of the socket: false stops reading. */
  onRead(count: number, bytes: Buffer): boolean {
    if (this.#state === STATE.TUNNEL) return this.#socket.push(copyOf(bytes, 0, count));
    this.#take(bytes, count, true);
    return true;
  }

  send(bytes: Buffer, shape: MessageShape, events: UpstreamEvents): void {
    this.#events = events;
    this.#state = STATE.HEAD;
    this.#of = shape.isHead ? OF_HEAD : OF_OTHERS;
    this.#isUpgrade = shape.isUpgrade;
    this.#hasReceived = false;
    this.#interims = 0;
    this.isUnsent = false;
    this.exchanges++;
    this.isUnsent = !this.#writer.begin(bytes, shape.hasBody, shape.chunked);
  }

  sendList(): void {
    throw new Error('HTTP/1.1 takes heads as bytes');
  }

  writeBody(piece: Buffer): boolean {
    return this.#events === undefined || this.#writer.body(piece);
  }

  endBody(trailers: Buffer | undefined): void {
    if (this.#events !== undefined) this.#writer.end(trailers);
  }

  pause(): void {
    if (this.#events === undefined || this.#isPaused) return;
    this.#isPaused = true;
    this.#socket.pause();
  }

  resume(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    this.#socket.resume();
  }

  abort(): void {
    this.#events = undefined;
    this.#die();
  }

  #leave(): void {
    this.#owner.drop(this);
    this.#die();
  }

  #die(): void {
    this.#state = STATE.DEAD;
    this.#socket.destroy();
  }

  /** `isLent`: the bytes are the read buffer's, which the next read overwrites. */
  #take(from: Buffer, count: number, isLent: boolean): void {
    if (this.#state === STATE.IDLE) {
      // Nobody asked.
      this.#leave();
      return;
    }
    this.#hasReceived = true;
    let [bytes, stop, lent] = [from, count, isLent];
    if (this.#partial !== undefined) {
      bytes = Buffer.concat([this.#partial, from.subarray(0, count)]);
      stop = bytes.length;
      lent = false;
      this.#partial = undefined;
      // A head is looked at once a line, not once a piece: pieces may have one byte.
      if (stop < MAX_HEAD_BYTES && !from.subarray(0, count).includes(LF)) {
        this.#partial = bytes;
        return;
      }
    }
    for (let at = 0; at < stop && this.#events !== undefined; ) {
      if (this.#state === STATE.HEAD) at = this.#takeHead(bytes, at, stop);
      else if (this.#state === STATE.CHUNKED) at = this.#takeChunks(bytes, at, stop, lent);
      else at = this.#takeBytes(bytes, at, stop, lent);
    }
  }

  /** The result of these is where to go on. */
  #takeHead(bytes: Buffer, at: number, stop: number): number {
    const result = parseResponseHead(bytes, at, stop, head, this.#of);
    if (result === 'more') {
      this.#partial = copyOf(bytes, at, stop);
      return stop;
    }
    if (result !== 'done') this.#fail({ kind: 'bad', bad: result });
    else if (head.status >= 200) this.#takeFinal(stop);
    else if (head.status === 101) this.#takeUpgrade(bytes, stop);
    else if (++this.#interims > MAX_INTERIMS) this.#fail({ kind: 'bad', bad: TOO_MANY_INTERIMS });
    else this.#events?.onInterim(head);
    return head.end;
  }

  #takeFinal(stop: number): void {
    const { framing, contentLength, end } = head;
    this.#keepAlive = head.keepAlive;
    this.#idleMs = keepAliveMs(head, indexOfField(head, FIELD.KEEP_ALIVE));
    const events = this.#events as UpstreamEvents; // there is an exchange
    // A target that refuses a body before it has all of it need not be sent the rest.
    const isFreed = head.status >= 400 && this.#writer.sink();
    if (framing === 'chunked') {
      this.#chunked ??= new ChunkedBody();
      this.#chunked.reset();
      this.#state = STATE.CHUNKED;
    } else if (framing === 'close') {
      this.#state = STATE.CLOSE;
    } else {
      this.#left = framing === 'length' ? contentLength : 0;
      this.#state = STATE.LENGTH;
    }
    events.onHead(head);
    if (isFreed) this.#events?.onDrain();
    if (this.#state === STATE.LENGTH && this.#left === 0) this.#finish(end < stop, undefined);
  }

  #takeUpgrade(bytes: Buffer, stop: number): void {
    if (!this.#isUpgrade) {
      this.#fail({ kind: 'bad', bad: UNASKED_UPGRADE });
      return;
    }
    const events = this.#events;
    this.#events = undefined;
    this.#state = STATE.TUNNEL;
    this.#stopData();
    this.resume();
    const rest = copyOf(bytes, head.end, stop);
    events?.onUpgrade(head, this.#socket, rest);
  }

  #takeBytes(bytes: Buffer, at: number, stop: number, isLent: boolean): number {
    if (this.#state === STATE.CLOSE) {
      this.#events?.onBody(this.#piece(bytes, at, stop, isLent));
      return stop;
    }
    const next = Math.min(stop, at + this.#left);
    this.#left -= next - at;
    this.#events?.onBody(this.#piece(bytes, at, next, isLent));
    if (this.#left === 0) this.#finish(next < stop, undefined);
    return next;
  }

  #takeChunks(bytes: Buffer, at: number, stop: number, isLent: boolean): number {
    const body = this.#chunked as ChunkedBody; // of the state
    const next = body.take(bytes, at, stop);
    const { content, bad } = body;
    if (content !== undefined) {
      const isView = isLent && content.buffer === bytes.buffer;
      const start = content.byteOffset - bytes.byteOffset;
      const piece = isView ? this.#piece(bytes, start, start + content.length, true) : content;
      this.#events?.onBody(piece);
    }
    if (bad !== undefined) this.#fail({ kind: 'bad', bad });
    else if (body.isDone) this.#finish(next < stop, body.trailers);
    return next;
  }

  /** A piece that stays as it is. */
  #piece(bytes: Buffer, start: number, end: number, isLent: boolean): Buffer {
    if (!isLent) return bytes.subarray(start, end);
    return this.#buffer.giveAway(bytes, start, end) ?? copyOf(bytes, start, end);
  }

  /** Response and request are whole, or the connection is of no more use. */
  #finish(hasMore: boolean, trailers: Buffer | undefined): void {
    const events = this.#events;
    if (events === undefined) return;
    this.#events = undefined;
    const isClean = this.#keepAlive && !hasMore && this.#writer.isDone;
    if (isClean && this.#owner.park(this, this.#idleMs)) this.#state = STATE.IDLE;
    else this.#die();
    this.resume();
    this.#buffer.rest();
    this.isReused = true;
    events.onEnd(trailers);
  }

  #ended(): void {
    if (this.#state === STATE.CLOSE) {
      this.#keepAlive = false;
      this.#finish(false, undefined);
    } else {
      this.#broken();
    }
  }

  #broken(): void {
    if (this.#state === STATE.DEAD || this.#state === STATE.TUNNEL) return;
    if (this.#state === STATE.IDLE) this.#leave();
    else this.#fail({ kind: 'reset', received: this.#hasReceived });
  }

  #fail(error: UpstreamError): void {
    const events = this.#events;
    this.#events = undefined;
    this.#die();
    events?.onError(error);
  }
}

function copyOf(bytes: Buffer, start: number, end: number): Buffer {
  const copy = Buffer.allocUnsafe(end - start);
  bytes.copy(copy, 0, start, end);
  return copy;
}
