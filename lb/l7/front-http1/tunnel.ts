// What a connection is after 101 (RFC 9110, 7.8): bytes both ways, each direction ended by itself
// (RFC 6455, 7.1.1 leaves the closing of TCP to the ends).
import type { Duplex } from 'node:stream';
import type { TerminationCause } from '../types.ts';
import type { ClientSocket } from '../wiring.ts';

export interface TunnelEvents {
  /** Once: both directions are over, or one end is gone. */
  onTunnelEnd(cause: TerminationCause): void;
}

/**
 * The client's side, a socket or a stream of HTTP/2, is told what its owner hears of it; the other
 * it owns.
 */
export class Tunnel {
  bytesIn = 0;
  bytesOut = 0;
  readonly #client: Duplex;
  readonly #upstream: ClientSocket;
  readonly #events: TunnelEvents;
  readonly #idleMs: number;
  #isClientEnded = false;
  #isUpstreamEnded = false;
  #isOver = false;
  #heardBytes = 0;
  #heardMs: number;

  constructor(
    client: Duplex,
    upstream: ClientSocket,
    options: { idleMs: number; nowMs: number; events: TunnelEvents },
  ) {
    this.#client = client;
    this.#upstream = upstream;
    this.#events = options.events;
    this.#idleMs = options.idleMs;
    this.#heardMs = options.nowMs;
    upstream.allowHalfOpen = true;
    upstream.on('data', (bytes: Buffer) => this.#fromUpstream(bytes));
    upstream.on('end', () => this.#upstreamEnded());
    upstream.on('drain', () => client.resume());
    upstream.on('error', () => this.#upstreamGone());
    upstream.on('close', () => this.#upstreamGone());
  }

  /** `rest`: what came behind the 101's head; `early`: what the client said meanwhile. */
  begin(rest: Buffer, early: Buffer, isClientEnded: boolean): void {
    if (rest.length > 0) this.#fromUpstream(rest);
    if (early.length > 0) this.fromClient(early);
    if (isClientEnded) this.clientEnded();
    if (this.#upstream.destroyed) this.#upstreamGone();
    else this.#upstream.resume();
  }

  fromClient(bytes: Buffer): void {
    this.bytesIn += bytes.length;
    if (!this.#upstream.write(bytes)) this.#client.pause();
  }

  clientDrained(): void {
    this.#upstream.resume();
  }

  clientEnded(): void {
    this.#isClientEnded = true;
    this.#upstream.end();
  }

  clientGone(): void {
    this.destroy(this.#isBothEnded ? 'ok' : 'client-gone');
  }

  destroy(cause: TerminationCause): void {
    this.#end(cause);
    this.#upstream.destroy();
  }

  tick(nowMs: number): void {
    const bytes = this.bytesIn + this.bytesOut;
    if (bytes !== this.#heardBytes) {
      this.#heardBytes = bytes;
      this.#heardMs = nowMs;
    } else if (nowMs - this.#heardMs > this.#idleMs) this.destroy('idle');
  }

  get #isBothEnded(): boolean {
    return this.#isUpstreamEnded && this.#isClientEnded;
  }

  #fromUpstream(bytes: Buffer): void {
    this.bytesOut += bytes.length;
    if (!this.#client.write(bytes)) this.#upstream.pause();
  }

  #upstreamEnded(): void {
    this.#isUpstreamEnded = true;
    this.#client.end();
  }

  /** Closed by itself once both have ended and all is written. */
  #upstreamGone(): void {
    this.#end(this.#isBothEnded ? 'ok' : 'upstream-reset');
  }

  #end(cause: TerminationCause): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#events.onTunnelEnd(cause);
  }
}
