// Writes responses to a client: a head and a small body leave in one write, in one buffer that all
// connections of a thread share (RFC 9112, 6 and 7.1).
import { TLSSocket } from 'node:tls';
import { giveBack } from '../http1/large-buffers.ts';
import type { Framing, ResponseHead } from '../http1/types.ts';
import { type ResponseWriting, writeResponseHead } from '../http1/write-head.ts';
import type { HeadEdits } from '../types.ts';
import type { ClientSocket } from '../wiring.ts';

/** Goes behind the content of each chunk (RFC 9112, 7.1). */
const CHUNK_END = Buffer.from('\r\n', 'latin1');

const SHARED_BYTES = 49_152;
/** Copying less is cheaper than one more buffer in a write. */
const JOINED_BYTES = 8192;
/** Size line and CRLF of a chunk and of the last one. */
const FRAMING_BYTES = 32;

/** What is not written yet is `owner`'s; who comes next writes it out first. */
let shared = Buffer.allocUnsafeSlow(SHARED_BYTES);
let used = 0;
let owner: ResponseWriter | undefined;
let isScheduled = false;
/** Its reactions run when the turn of the event loop is over; cheaper than the timers' ways. */
const turn = Promise.resolve();

function flushOwner(): void {
  isScheduled = false;
  owner?.flush();
}

export class ResponseWriter {
  /** Of the body, as content. */
  bodyBytes = 0;
  readonly #socket: ClientSocket;
  readonly #isEncrypted: boolean;
  #framing: Framing = 'none';

  constructor(socket: ClientSocket) {
    this.#socket = socket;
    this.#isEncrypted = socket instanceof TLSSocket;
  }

  /** It waits for its body until the turn of the event loop ends. */
  head(head: ResponseHead, edits: HeadEdits, how: ResponseWriting): void {
    owner?.flush();
    let length = writeResponseHead(shared, head, edits, how);
    while (length < 0) {
      shared = Buffer.allocUnsafeSlow(2 * shared.length);
      length = writeResponseHead(shared, head, edits, how);
    }
    owner = this;
    used = length;
    this.#framing = how.framing;
    this.bodyBytes = 0;
    schedule();
  }

  /** False: the client takes no more for now; its socket says when. */
  body(piece: Buffer): boolean {
    const { length } = piece;
    if (length === 0) return true;
    this.bodyBytes += length;
    if (length > JOINED_BYTES) return this.#large(piece);
    this.#makeRoom(length);
    const isChunked = this.#framing === 'chunked';
    if (isChunked) putText(`${length.toString(16)}\r\n`);
    piece.copy(shared, used);
    used += length;
    if (isChunked) putText('\r\n');
    schedule();
    return !this.#socket.writableNeedDrain;
  }

  /** `trailers`: lines with CRLF; only a chunked body can have them. */
  end(trailers: Buffer | undefined): void {
    if (this.#framing === 'chunked') {
      this.#makeRoom(trailers?.length ?? 0);
      putText('0\r\n');
      if (trailers !== undefined) used += trailers.copy(shared, used);
      putText('\r\n');
    }
    this.flush();
  }

  /** What is not written yet is written now. */
  flush(): void {
    if (owner !== this) return;
    owner = undefined;
    const socket = this.#socket;
    if (socket.destroyed) return;
    const bytes = shared.subarray(0, used);
    // TLS and a queue keep what they are given: that must not be the shared buffer.
    if (this.#isEncrypted || socket.writableLength > 0) {
      socket.write(Buffer.from(bytes));
      return;
    }
    socket.write(bytes);
    // Not all was taken: it is the write's now.
    if (socket.writableLength > 0) shared = Buffer.allocUnsafeSlow(SHARED_BYTES);
  }

  /** What is not written yet will not be. */
  drop(): void {
    if (owner === this) owner = undefined;
  }

  /** Not copied: the size line goes with what waits, CRLF behind it. */
  #large(piece: Buffer): boolean {
    const socket = this.#socket;
    const isChunked = this.#framing === 'chunked';
    if (isChunked) {
      this.#makeRoom(0);
      putText(`${piece.length.toString(16)}\r\n`);
    }
    socket.cork();
    if (owner === this) {
      socket.write(Buffer.from(shared.subarray(0, used))); // corked: it is written later
      owner = undefined;
    }
    socket.write(piece);
    if (isChunked) socket.write(CHUNK_END);
    socket.uncork();
    // The kernel has all of it.
    if (!this.#isEncrypted && socket.writableLength === 0) giveBack(piece);
    return !socket.writableNeedDrain;
  }

  /** For `bytes` and a chunk's framing, behind what waits of this writer. */
  #makeRoom(bytes: number): void {
    if (owner !== this || used + bytes + FRAMING_BYTES > shared.length) {
      owner?.flush();
      owner = this;
      used = 0;
    }
  }
}

function schedule(): void {
  if (isScheduled) return;
  isScheduled = true;
  void turn.then(flushOwner);
}

function putText(text: string): void {
  for (let i = 0; i < text.length; i++) shared[used++] = text.charCodeAt(i);
}
