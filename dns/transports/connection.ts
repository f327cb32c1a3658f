// One connection of DNS over a stream (RFC 7766, RFC 7858): messages with two bytes of length
// before them, in whatever pieces they come; answers in the order in which they are ready.
import type { Socket } from 'node:net';
import { type Exchange, REFERRED, type Responder, SILENCE } from '../answer/types.ts';
import type { Referred } from './types.ts';

const LENGTH_BYTES = 2;
const MAX_MESSAGE_BYTES = 0xffff;
/** Written but not taken by the client; beyond it nothing more is read from it. */
const MAX_WAITING_BYTES = 256 * 1024;
/** A piece costs some hundred bytes more than what is in it. */
const MAX_PIECES = 64;
/** What a client has to take in `messageMs`, while there is more for it. */
const LEAST_TAKEN_BYTES = 16 * 1024;

/** Why a connection was closed; names of counters. */
export type ClosedBy = 'client' | 'idle' | 'slow-sender' | 'slow-reader' | 'no-query' | 'drain';

export type ConnectionOptions = {
  socket: Socket;
  exchange: Omit<Exchange, 'nowSeconds' | 'nowMs'>;
  responder: Responder;
  referred: Referred;
  now: () => { nowSeconds: number; nowMs: number };
  /** Referred messages under way at a time. */
  pipelined: number;
  idleMs: number;
  messageMs: number;
  onClosed: (by: ClosedBy) => void;
};

/** The longest answer; respond() runs to its end before anybody else can use it. */
const out = new Uint8Array(MAX_MESSAGE_BYTES);

export class Connection {
  readonly #options: ConnectionOptions;
  /** Bytes that have come and are not answered yet, joined when a message is whole. */
  #chunks: Buffer[] = [];
  #pendingBytes = 0;
  /** From how many on there is something to do. */
  #wantedBytes = LENGTH_BYTES;
  #taken: PromiseWithResolvers<void> | undefined;
  #underWay = 0;
  #underWayBytes = 0;
  /** Ends with the referred message before. */
  #before: Promise<void> = Promise.resolve();
  #isEnding = false;
  #isClosed = false;
  #heardMs: number;
  /** Since when a message has been incomplete. */
  #partialSinceMs: number | undefined;
  /** Since when, and from which byte on, the client has not taken all that is there for it. */
  #untaken: { sinceMs: number; bytes: number } | undefined;

  constructor(options: ConnectionOptions) {
    this.#options = options;
    this.#heardMs = options.now().nowMs;
    const { socket } = options;
    socket.on('data', (chunk: Buffer) => this.#take(chunk));
    socket.on('end', () => {
      this.#isEnding = true;
      this.#endWhenDone();
    });
    socket.on('drain', () => {
      this.#taken?.resolve();
      this.#taken = undefined;
      this.#goOn();
    });
    socket.on('error', () => {}); // 'close' follows
    socket.on('close', () => this.#close('client'));
  }

  /** To be called every second or so. */
  look(): void {
    const { idleMs, messageMs, now } = this.#options;
    const { nowMs } = now();
    if (this.#isTakenSlowly(nowMs)) this.#close('slow-reader');
    else if (nowMs - (this.#partialSinceMs ?? nowMs) > messageMs) this.#close('slow-sender');
    else if (this.#isIdle && nowMs - this.#heardMs > idleMs) this.#close('idle');
  }

  /** Closes it as soon as it is idle. */
  drain(): void {
    this.#isEnding = true;
    if (this.#isIdle) this.#close('drain');
    else if (this.#pendingBytes === 0) this.#endWhenDone();
  }

  destroy(): void {
    this.#close('drain');
  }

  get #isIdle(): boolean {
    const { socket } = this.#options;
    return this.#underWay === 0 && this.#pendingBytes === 0 && socket.writableLength === 0;
  }

  #isTakenSlowly(nowMs: number): boolean {
    const { socket, messageMs } = this.#options;
    const bytes = socket.bytesWritten - socket.writableLength;
    const before = this.#untaken;
    if (socket.writableLength === 0) this.#untaken = undefined;
    else if (before === undefined || bytes - before.bytes >= LEAST_TAKEN_BYTES) {
      this.#untaken = { sinceMs: nowMs, bytes };
    } else return nowMs - before.sinceMs > messageMs;
    return false;
  }

  #take(chunk: Buffer): void {
    if (this.#options.socket.writableEnded) return; // answered no more: we have said so
    this.#pendingBytes += chunk.length;
    if (this.#chunks.push(chunk) > MAX_PIECES) this.#chunks = [Buffer.concat(this.#chunks)];
    this.#goOn();
  }

  /** Answers what is there, as far as the client takes the answers. */
  #goOn(): void {
    const answered = this.#pendingBytes < this.#wantedBytes ? 0 : this.#answerAll();
    if (this.#isClosed) return;
    const { nowMs } = this.#options.now();
    if (answered > 0) {
      this.#heardMs = nowMs;
      this.#partialSinceMs = undefined;
    }
    if (this.#pendingBytes > 0) this.#partialSinceMs ??= nowMs;
    this.#readOrWait();
    this.#endWhenDone();
  }

  /** Every whole message, as long as there is room: how many bytes they were. */
  #answerAll(): number {
    const { socket } = this.#options;
    const pending = this.#chunks.length === 1 ? this.#chunks[0] : Buffer.concat(this.#chunks);
    if (pending === undefined) return 0;
    let at = 0;
    this.#wantedBytes = LENGTH_BYTES;
    socket.cork(); // answers of one turn leave together
    while (!this.#isClosed && !this.#isFull && pending.length >= at + LENGTH_BYTES) {
      const end = at + LENGTH_BYTES + pending.readUInt16BE(at);
      if (pending.length < end) {
        this.#wantedBytes = end - at;
        break;
      }
      this.#answer(pending.subarray(at + LENGTH_BYTES, end));
      at = end;
    }
    socket.uncork();
    this.#chunks = at === pending.length ? [] : [pending.subarray(at)];
    this.#pendingBytes = pending.length - at;
    return at;
  }

  get #isFull(): boolean {
    const { socket, pipelined } = this.#options;
    const waitingBytes = Math.max(this.#underWayBytes, socket.writableLength);
    return this.#underWay >= pipelined || waitingBytes > MAX_WAITING_BYTES;
  }

  /** No more is read than one message beside those that wait for their answers. */
  #readOrWait(): void {
    const { socket } = this.#options;
    if (this.#isFull || this.#pendingBytes > MAX_MESSAGE_BYTES + LENGTH_BYTES) {
      this.#partialSinceMs = undefined; // it is us who wait
      socket.pause();
    } else if (socket.isPaused()) socket.resume();
  }

  #answer(message: Buffer): void {
    const { responder, exchange, now } = this.#options;
    const asked = { ...exchange, ...now() };
    const length = responder.respond(message, message.length, asked, out);
    if (length === SILENCE) this.#close('no-query');
    else if (length === REFERRED) void this.#refer(Buffer.from(message), asked);
    else this.#write(out.subarray(0, length));
  }

  /** One after the other: a hundred transfers at once would be a hundred first messages. */
  async #refer(message: Uint8Array, exchange: Exchange): Promise<void> {
    const { promise, resolve: done } = Promise.withResolvers<void>();
    const before = this.#before;
    this.#before = promise;
    this.#underWay++;
    this.#underWayBytes += message.length;
    try {
      await before;
      if (this.#isClosed) return;
      for await (const answer of this.#options.referred(message, exchange)) {
        if (this.#isClosed) return;
        this.#write(answer);
        if (this.#options.socket.writableLength > MAX_WAITING_BYTES) await this.#whenTaken();
      }
    } finally {
      done();
      this.#underWay--;
      this.#underWayBytes -= message.length;
      this.#heardMs = this.#options.now().nowMs;
      if (!this.#isClosed) this.#goOn();
    }
  }

  /** Or when it is closed. */
  #whenTaken(): Promise<void> {
    this.#taken ??= Promise.withResolvers();
    return this.#taken.promise;
  }

  #write(answer: Uint8Array): void {
    const framed = Buffer.allocUnsafe(LENGTH_BYTES + answer.length);
    framed.writeUInt16BE(answer.length, 0);
    framed.set(answer, LENGTH_BYTES);
    this.#options.socket.write(framed);
  }

  /** After the client's last word: when it has all its answers. */
  #endWhenDone(): void {
    if (!this.#isEnding || this.#isClosed || this.#underWay > 0) return;
    if (this.#pendingBytes >= this.#wantedBytes) return; // when the client has taken some
    const { socket } = this.#options;
    if (!socket.writableEnded) socket.end();
  }

  #close(by: ClosedBy): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#chunks = [];
    this.#pendingBytes = 0;
    this.#taken?.resolve();
    this.#options.socket.destroy();
    this.#options.onClosed(by);
  }
}
