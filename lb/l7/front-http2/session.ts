// The client's side of HTTP/2 (RFC 9113): one connection over TLS, or over TCP when the client
// began with the preface. Framing, HPACK and flow control are nghttp2's; what it does not bound is
// bounded here. Rules: docs/balancing.md, H1 and H6 to H9.
import {
  constants,
  performServerHandshake,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2';
import type { TerminationCause } from '../types.ts';
import type { ClientSocket } from '../wiring.ts';
import { Exchange } from './exchange.ts';
import type { FlatFields } from './stream-head.ts';
import type { Http2Connection, Http2Limits, Http2Options } from './types.ts';

const { NGHTTP2_ENHANCE_YOUR_CALM, NGHTTP2_FLAG_END_STREAM, NGHTTP2_NO_ERROR } = constants;
const WINDOW_BYTES = 65_535;
const HEADER_LIST_BYTES = 16_384;
/** More fields than we take, so that it is us who answer 431. */
const HEADER_PAIRS = 128;
/** Frames that a sender of good will never sends: each is one too many, some are forgiven. */
const INVALID_FRAMES = 20;
const SECOND_MS = 1000;

/** Codes of what nghttp2 finds, by its own numbers (nghttp2.h, nghttp2_error). */
const FOUND: Readonly<Record<number, number>> = {
  [-505]: constants.NGHTTP2_PROTOCOL_ERROR, // NGHTTP2_ERR_PROTO
  [-510]: constants.NGHTTP2_STREAM_CLOSED, // NGHTTP2_ERR_STREAM_CLOSED
  [-524]: constants.NGHTTP2_FLOW_CONTROL_ERROR, // NGHTTP2_ERR_FLOW_CONTROL
  [-903]: constants.NGHTTP2_PROTOCOL_ERROR, // NGHTTP2_ERR_BAD_CLIENT_MAGIC
  [-904]: NGHTTP2_ENHANCE_YOUR_CALM, // NGHTTP2_ERR_FLOODED
};

/** closing: GOAWAY is sent, streams may end. closed: the socket is. */
type Phase = 'open' | 'closing' | 'closed';

/** Serves a client's connection from now on; what was read of it was put back by `unshift`. */
export function serveHttp2(socket: ClientSocket, options: Http2Options): Http2Connection {
  return new Connection(socket, options);
}

class Connection implements Http2Connection {
  requests = 0;
  activeMs: number;
  readonly #socket: ClientSocket;
  readonly #options: Http2Options;
  readonly #session: ServerHttp2Session;
  readonly #exchanges = new Set<Exchange>();
  #phase: Phase = 'open';
  #sinceMs: number;
  /** Of the connection's begin, or the last stream's end. */
  #idleSinceMs: number;
  #heardBytes = 0;
  #isCut = false;
  #isTold = false;
  /** In the second that has begun: streams that the client made fail, PINGs and SETTINGS. */
  #secondMs: number;
  #resets = 0;
  #controls = 0;

  constructor(socket: ClientSocket, options: Http2Options) {
    this.#socket = socket;
    this.#options = options;
    const nowMs = options.clock.monotonicMs();
    this.activeMs = nowMs;
    this.#sinceMs = nowMs;
    this.#idleSinceMs = nowMs;
    this.#secondMs = nowMs;
    socket.on('error', () => {}); // 'close' follows
    socket.once('close', () => this.#closed());
    // Accepted sockets may be half open, and Node leaves such a one to us.
    socket.once('end', () => this.destroy('client-gone'));
    const session = performServerHandshake(socket, sessionOptions(options.limits));
    this.#session = session;
    endBehindTurn(session);
    session.on('error', () => {}); // 'close' follows
    session.on('stream', (stream, _, flags, fields) => this.#begin(stream, flags, fields));
    session.on('ping', () => this.#control());
    session.on('remoteSettings', () => this.#control());
  }

  get isIdle(): boolean {
    return this.#exchanges.size === 0;
  }

  get streams(): number {
    return this.#exchanges.size;
  }

  get tunnelRoutes(): readonly string[] {
    const open = [...this.#exchanges];
    return open.filter(({ isTunnel }) => isTunnel).map(({ routeName }) => routeName);
  }

  get bytesRead(): number {
    return this.#socket.bytesRead;
  }

  get bytesWritten(): number {
    return this.#socket.bytesWritten;
  }

  tick(nowMs: number): void {
    const { limits } = this.#options;
    const heardBytes = this.bytesRead + this.bytesWritten;
    if (heardBytes !== this.#heardBytes) {
      this.#heardBytes = heardBytes;
      this.activeMs = nowMs;
    }
    this.#newSecond(nowMs);
    for (const exchange of this.#exchanges) exchange.tick(nowMs);
    if (this.#phase === 'open') {
      const waitMs = this.requests === 0 ? limits.headMs : limits.keepAliveMs;
      if (this.isIdle && nowMs - this.#idleSinceMs > waitMs) this.closeWhenIdle();
    } else if (this.#phase === 'closing' && this.isIdle) {
      const emptyMs = nowMs - Math.max(this.#sinceMs, this.#idleSinceMs);
      if (emptyMs > limits.lingerMs) this.#socket.destroy();
    }
  }

  /**
   * GOAWAY with the last stream that was taken: what the client has sent meanwhile it may send
   * again elsewhere. One that names no stream yet (RFC 9113, 6.8) cannot be had of Node: nghttp2
   * passes over new streams behind any GOAWAY.
   */
  closeWhenIdle(): void {
    if (this.#phase !== 'open') return;
    this.#enter('closing');
    if (!this.#session.destroyed) this.#session.close();
  }

  endTunnels(isGone: (routeName: string) => boolean, cause: TerminationCause): void {
    for (const exchange of [...this.#exchanges]) {
      if (exchange.isTunnel && isGone(exchange.routeName)) exchange.abort(cause);
    }
  }

  destroy(cause: TerminationCause): void {
    this.#end(cause, NGHTTP2_NO_ERROR);
    setImmediate(() => this.#socket.destroy()); // behind GOAWAY
  }

  #begin(stream: ServerHttp2Stream, flags: number, fields: FlatFields): void {
    stream.on('error', () => {});
    if (this.#isCut) return; // it ends with the session, behind this turn
    if (stream.destroyed || stream.closed) {
      this.#failed(); // reset before anybody looked at it
      return;
    }
    this.requests++;
    const isLast = this.requests >= this.#options.limits.requests;
    if (isLast || this.#options.bounds.isDraining) this.closeWhenIdle();
    const exchange = new Exchange(stream, this.#options, (over, isClientsFault) => {
      this.#exchanges.delete(over);
      this.#idleSinceMs = this.#options.clock.monotonicMs();
      if (isClientsFault) this.#failed();
      this.#tellIfOver();
    });
    this.#exchanges.add(exchange);
    exchange.begin(fields, (flags & NGHTTP2_FLAG_END_STREAM) !== 0);
  }

  /** A stream costs its sender some bytes, and a target a request (CVE-2023-44487). */
  #failed(): void {
    this.#newSecond(this.#options.clock.monotonicMs());
    if (++this.#resets > this.#options.limits.resetsPerSecond) this.#calm();
  }

  #control(): void {
    this.#newSecond(this.#options.clock.monotonicMs());
    if (++this.#controls > this.#options.limits.controlsPerSecond) this.#calm();
  }

  #calm(): void {
    if (!this.#isCut) this.#end('shed', NGHTTP2_ENHANCE_YOUR_CALM);
  }

  #newSecond(nowMs: number): void {
    if (nowMs - this.#secondMs < SECOND_MS) return;
    this.#secondMs = nowMs;
    this.#resets = 0;
    this.#controls = 0;
  }

  /** GOAWAY, and all that is open is over. */
  #end(cause: TerminationCause, code: number): void {
    this.#enter('closing');
    this.#isCut = true;
    for (const exchange of [...this.#exchanges]) exchange.abort(cause);
    if (this.#session.destroyed) return;
    // A code is only taken beside an error.
    if (code === NGHTTP2_NO_ERROR) this.#session.destroy();
    else this.#session.destroy(new Error(cause), code);
  }

  #enter(phase: Phase): void {
    if (this.#phase === 'closed') return;
    this.#phase = phase;
    this.#sinceMs = this.#options.clock.monotonicMs();
  }

  #closed(): void {
    this.#enter('closed');
    this.#session.destroy();
    this.#tellIfOver();
  }

  /** Streams are told of a turn after their connection. */
  #tellIfOver(): void {
    if (this.#phase !== 'closed' || !this.isIdle || this.#isTold) return;
    this.#isTold = true;
    this.#options.onClosed?.();
  }
}

/**
 * A session that ends while nghttp2 reads goes on reading: streams that begin then are never
 * freed, and Node aborts the process when it frees the session (24.21, ~Http2Session). So it ends
 * behind the turn. And it ends with the code of what was found, not with INTERNAL_ERROR.
 */
function endBehindTurn(session: ServerHttp2Session): void {
  const destroy = session.destroy.bind(session);
  let isEnding = false;
  session.destroy = (error, code) => {
    if (isEnding) return;
    isEnding = true;
    const { errno = 0 } = (error ?? {}) as { errno?: number }; // Node's own errors have it
    setImmediate(() => destroy(error, code ?? FOUND[errno]));
  };
}

function sessionOptions({ streams, sessionMegabytes }: Http2Limits) {
  return {
    settings: {
      maxConcurrentStreams: streams,
      initialWindowSize: WINDOW_BYTES,
      maxHeaderListSize: HEADER_LIST_BYTES,
      enableConnectProtocol: true,
      enablePush: false,
    },
    maxHeaderListPairs: HEADER_PAIRS,
    maxSessionMemory: sessionMegabytes,
    maxSessionInvalidFrames: INVALID_FRAMES,
    maxSessionRejectedStreams: streams,
    // Heads of targets are sent on as they are.
    strictSingleValueFields: false,
    // nghttp2 would drop such a field; it is refused instead.
    strictFieldWhitespaceValidation: false,
  };
}
