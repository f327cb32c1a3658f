// Bytes of two connected sockets to each other (RFC 9293, 3.6: each direction ends by itself). Of
// what one side does not take, one read (64 KiB) waits to be written, and no more is asked for:
// Node reads on to its own mark, and stops within 128 KiB.
import type { TerminationCause } from '../types.ts';
import type { ClientSocket } from '../wiring.ts';

export interface RelayEvents {
  /** Once. Both sockets are closed, or will be without anybody's doing. */
  onRelayEnd(cause: TerminationCause, detail: string | undefined): void;
}

export class Relay {
  readonly #toTarget: Direction;
  readonly #toClient: Direction;
  readonly #events: RelayEvents;
  #isOver = false;

  constructor(client: ClientSocket, target: ClientSocket, events: RelayEvents) {
    this.#events = events;
    this.#toTarget = new Direction(client, target);
    this.#toClient = new Direction(target, client);
    client.on('close', () => this.#closed(this.#toTarget, this.#toClient, 'client-gone'));
    target.on('close', () => this.#closed(this.#toClient, this.#toTarget, 'upstream-reset'));
  }

  /** From the client, and to it. */
  get bytesIn(): number {
    return this.#toTarget.bytes;
  }

  get bytesOut(): number {
    return this.#toClient.bytes;
  }

  /** `early`: what the client said before there was a target; it may have ended, too. */
  begin(early: readonly Buffer[], isClientEnded: boolean): void {
    for (const bytes of early) this.#toTarget.take(bytes);
    if (isClientEnded) this.#toTarget.end();
    this.#toTarget.start();
    this.#toClient.start();
  }

  /** At once, and so that both ends see that it is cut. */
  destroy(cause: TerminationCause, detail?: string): void {
    if (this.#isOver) return;
    this.#isOver = true;
    reset(this.#toTarget.from);
    reset(this.#toTarget.to);
    this.#events.onRelayEnd(cause, detail);
  }

  /** `own` reads from the socket that closed, `other` writes to it. */
  #closed(own: Direction, other: Direction, cause: TerminationCause): void {
    if (this.#isOver) return;
    if (!own.isEnded || !own.from.writableFinished) {
      this.destroy(cause, own.errorCode);
      return;
    }
    if (!other.from.closed) return;
    this.#isOver = true;
    this.#events.onRelayEnd('ok', undefined);
  }
}

class Direction {
  bytes = 0;
  isEnded = false;
  errorCode: string | undefined;
  readonly from: ClientSocket;
  readonly to: ClientSocket;
  readonly #flushed = (): void => {
    if (this.to.writableLength === 0 && this.from.isPaused()) this.from.resume();
  };

  constructor(from: ClientSocket, to: ClientSocket) {
    this.from = from;
    this.to = to;
    from.allowHalfOpen = true;
    from.on('error', (error: NodeJS.ErrnoException) => {
      this.errorCode ??= error.code;
    });
  }

  start(): void {
    this.from.on('data', (bytes: Buffer) => this.take(bytes));
    this.from.on('end', () => this.end());
    if (this.to.writableLength === 0) this.from.resume();
  }

  take(bytes: Buffer): void {
    this.bytes += bytes.length;
    this.to.write(bytes, this.#flushed);
    if (this.to.writableLength > 0) this.from.pause();
  }

  end(): void {
    this.isEnded = true;
    this.to.end();
  }
}

/** RST, where it can be: a FIN would say that all has come. */
export function reset(socket: ClientSocket): void {
  if (socket.destroyed) return;
  if ('encrypted' in socket) socket.destroy();
  else socket.resetAndDestroy();
}
