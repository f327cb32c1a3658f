// Writes one request after the other on a connection: head and first piece of the body in one, and
// chunks where the length is not known (RFC 9112, 7.1).
import { TLSSocket } from 'node:tls';
import type { ClientSocket } from '../wiring.ts';

/** Up to here pieces are joined; beyond, they are written as they are, at once (writev). */
const JOIN_BYTES = 16_384;
const SHARED_BYTES = 32_768;
const LINE_END = Buffer.from('\r\n');
const LAST_CHUNK = Buffer.from('0\r\n');

/** Heads on their way into the kernel, which mostly takes them at once. */
let shared = Buffer.allocUnsafeSlow(SHARED_BYTES);

export class RequestWriter {
  /** The request is whole: nothing more of it is to be written. */
  isDone = true;
  readonly #socket: ClientSocket;
  readonly #isEncrypted: boolean;
  #held: Buffer | undefined;
  #isChunked = false;
  #isSinking = false;

  constructor(socket: ClientSocket) {
    this.#socket = socket;
    this.#isEncrypted = socket instanceof TLSSocket;
  }

  /**
   * The head; that of a request with a body waits for the first piece until the end of this turn.
   * False: the kernel took nothing, the connection is dead.
   */
  begin(head: Buffer, hasBody: boolean, isChunked: boolean): boolean {
    this.isDone = !hasBody;
    this.#isSinking = false;
    if (!hasBody) return this.#writeHead(head);
    this.#isChunked = isChunked;
    this.#held = Buffer.from(head);
    queueMicrotask(this.#flush);
    return true;
  }

  /** The bytes are the caller's: a write that has to wait must not refer to them. */
  #writeHead(head: Buffer): boolean {
    const socket = this.#socket;
    if (this.#isEncrypted || head.length > SHARED_BYTES) {
      socket.write(Buffer.from(head));
    } else {
      head.copy(shared);
      socket.write(shared.subarray(0, head.length));
      // Not all was taken: it is the write's now.
      if (socket.writableLength > 0) shared = Buffer.allocUnsafeSlow(SHARED_BYTES);
    }
    return socket.errored === null;
  }

  /** False: wait for `drain`. */
  body(piece: Buffer): boolean {
    if (this.#isSinking || piece.length === 0) return true;
    if (!this.#isChunked) return this.#write([piece]);
    const size = Buffer.from(`${piece.length.toString(16)}\r\n`, 'latin1');
    return this.#write([size, piece, LINE_END]);
  }

  /** `trailers`: whole lines. */
  end(trailers: Buffer | undefined): void {
    if (this.#isSinking) return;
    this.isDone = true;
    if (!this.#isChunked) this.#flush();
    else
      this.#write(
        trailers === undefined ? [LAST_CHUNK, LINE_END] : [LAST_CHUNK, trailers, LINE_END],
      );
  }

  /** What is to come of an unfinished request is not written. True: the writer was waited for. */
  sink(): boolean {
    if (this.isDone) return false;
    this.#isSinking = true;
    this.#held = undefined;
    return this.#socket.writableNeedDrain;
  }

  readonly #flush = (): void => {
    if (this.#held !== undefined) this.#write([]);
  };

  #write(parts: Buffer[]): boolean {
    const socket = this.#socket;
    if (this.#held !== undefined) parts.unshift(this.#held);
    this.#held = undefined;
    let total = 0;
    for (const part of parts) total += part.length;
    if (parts.length === 1) return socket.write(parts[0] as Buffer);
    if (total <= JOIN_BYTES) return socket.write(Buffer.concat(parts, total));
    socket.cork();
    let isTaken = true;
    for (const part of parts) isTaken = socket.write(part);
    socket.uncork();
    return isTaken;
  }
}
