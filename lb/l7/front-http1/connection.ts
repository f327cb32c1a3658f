// The client's side of HTTP/1.1 (RFC 9112): one connection over TCP or TLS. Requests are taken one
// after the other; what comes meanwhile waits, up to a bound. Rules: docs/balancing.md, H1 and
// H6 to H9.
import { TLSSocket } from 'node:tls';
import { createRequestHead, parseRequestHead } from '../http1/request-head.ts';
import { type BodyDecoder, MAX_HEAD_BYTES } from '../http1/types.ts';
import type { TerminationCause } from '../types.ts';
import type { ClientSocket } from '../wiring.ts';
import { Exchange } from './exchange.ts';
import { Input } from './input.ts';
import { startReading } from './reading.ts';
import { Tunnel } from './tunnel.ts';
import type { ExchangeOwner, Http1Connection, Http1Options } from './types.ts';

/**
 * idle: no byte of a request. head: some. exchange: until it is answered. linger: our last word is
 * said, the client may still read it, and what it says is thrown away.
 */
type Phase = 'idle' | 'head' | 'exchange' | 'tunnel' | 'linger' | 'closed';

const CR = 0x0d;
const LF = 0x0a;
const NOTHING = Buffer.alloc(0);

/**
 * Serves a client's connection from now on; the socket is the connection's, and is destroyed with
 * it. It is best given in the turn in which it was accepted, with nothing read.
 */
export function serveHttp1(socket: ClientSocket, options: Http1Options): Http1Connection {
  return new Connection(socket, options);
}

class Connection implements Http1Connection, ExchangeOwner {
  requests = 0;
  activeMs: number;
  readonly #socket: ClientSocket;
  readonly #options: Http1Options;
  readonly #head = createRequestHead();
  readonly #input = new Input();
  readonly #exchange: Exchange;
  #tunnel: Tunnel | undefined;
  #phase: Phase = 'idle';
  /** Since when it is in this phase; of `head`, since its first byte. */
  #sinceMs: number;
  #isRunning = false;
  #isPaused = false;
  #isClosing = false;
  /** The client has said that nothing follows. */
  #isEnded = false;
  /** What the client has taken, and since when it takes no more. */
  #takenBytes = 0;
  #takenMs: number;
  #heardBytes = 0;

  constructor(accepted: ClientSocket, options: Http1Options) {
    const socket = startReading(accepted, (piece) => this.#onData(piece));
    this.#socket = socket;
    this.#options = options;
    const nowMs = options.clock.monotonicMs();
    this.activeMs = nowMs;
    this.#sinceMs = nowMs;
    this.#takenMs = nowMs;
    this.#exchange = new Exchange(socket, this.#head, options, this);
    socket.allowHalfOpen = true;
    socket.on('end', () => this.#onEnd());
    socket.on('drain', () => this.#onDrain());
    socket.on('error', () => {}); // 'close' follows
    socket.on('close', () => this.#onClose());
    if (options.rest !== undefined && options.rest.length > 0) this.#onData(options.rest);
  }

  get isIdle(): boolean {
    return this.#phase === 'idle';
  }

  get isTunnel(): boolean {
    return this.#phase === 'tunnel';
  }

  get routeName(): string {
    const isOpen = this.#phase === 'exchange' || this.#phase === 'tunnel';
    return isOpen ? this.#exchange.routeName : '';
  }

  get bytesRead(): number {
    return this.#socket.bytesRead;
  }

  get bytesWritten(): number {
    return this.#socket.bytesWritten;
  }

  get mayStay(): boolean {
    const { bounds, limits } = this.#options;
    if (this.#isClosing || bounds.isDraining) return false;
    // What a client has said before its FIN is answered.
    if (this.#isEnded && this.#input.length === 0) return false;
    return this.requests < limits.requests;
  }

  tick(nowMs: number): void {
    const { limits } = this.#options;
    const heardBytes = this.#socket.bytesRead + this.#socket.bytesWritten;
    if (heardBytes !== this.#heardBytes) {
      this.#heardBytes = heardBytes;
      this.activeMs = nowMs;
    }
    const phaseMs = nowMs - this.#sinceMs;
    switch (this.#phase) {
      case 'idle': {
        const waitMs = this.requests === 0 ? limits.headMs : limits.keepAliveMs;
        if (phaseMs > waitMs) this.#lastWord(nowMs);
        return;
      }
      case 'head':
        if (phaseMs > limits.headMs) this.#refuseHead({ status: 408, reason: 'head-timeout' });
        return;
      case 'exchange':
        if (this.#isTakenSlowly(nowMs)) this.destroy('client-timeout');
        else this.#exchange.tick(nowMs);
        return;
      case 'tunnel':
        this.#tunnel?.tick(nowMs);
        return;
      case 'linger':
        // Our last word has to be taken first.
        if (this.#socket.writableLength > 0) {
          this.#sinceMs = nowMs;
          if (this.#isTakenSlowly(nowMs)) reset(this.#socket);
        } else if (phaseMs > limits.lingerMs) this.#socket.destroy();
    }
  }

  closeWhenIdle(): void {
    this.#isClosing = true;
    if (this.#phase === 'idle') this.#lastWord(this.#options.clock.monotonicMs());
  }

  destroy(cause: TerminationCause): void {
    if (this.#phase === 'closed') return;
    if (this.#phase === 'head') this.#exchange.refused(this.#sinceMs, 0, cause);
    const isCut = this.#phase === 'exchange' || this.#phase === 'tunnel';
    this.#leave(cause);
    if (isCut) reset(this.#socket);
    else this.#socket.destroy();
  }

  // What an exchange asks of its connection.

  discard(body: BodyDecoder): void {
    const input = this.#input;
    if (input.length > 0) input.at += body.take(input.bytes, input.at, forget);
  }

  /** The body may be given to the exchange. */
  onBodyWanted(): void {
    this.#feedBody();
    this.#readOrWait();
  }

  /** All is answered and, with `stays`, all was read: the next request may begin. */
  onAnswered(stays: boolean, nowMs: number): void {
    if (this.#phase !== 'exchange') return;
    this.#sinceMs = nowMs;
    if (!stays) {
      this.#lastWord(nowMs);
      return;
    }
    this.#phase = 'idle';
    if (this.#input.length === 0) {
      // An idle connection holds no buffer.
      this.#input.clear();
      this.#head.bytes = NOTHING;
      if (this.#isEnded || this.#isClosing) this.#lastWord(nowMs);
    } else this.#run();
    this.#readOrWait();
  }

  /** The response is not whole; `isHidden`: the end of the connection would look like its end. */
  onCut(isHidden: boolean, nowMs: number): void {
    if (this.#phase !== 'exchange') return;
    if (!isHidden) {
      this.#lastWord(nowMs);
      return;
    }
    this.#phase = 'closed';
    this.#input.clear();
    reset(this.#socket);
  }

  onTunnel(upstream: ClientSocket, rest: Buffer, idleMs: number, nowMs: number): void {
    this.#phase = 'tunnel';
    const { bytes, at } = this.#input;
    const early = at < bytes.length ? bytes.subarray(at) : NOTHING;
    this.#input.clear();
    const tunnel = new Tunnel(this.#socket, upstream, { idleMs, nowMs, events: this });
    this.#tunnel = tunnel;
    this.#readOrWait();
    tunnel.begin(rest, early, this.#isEnded);
  }

  onTunnelEnd(cause: TerminationCause): void {
    const tunnel = this.#tunnel;
    if (tunnel === undefined) return;
    this.#tunnel = undefined;
    this.#exchange.tunnelOver(tunnel, cause);
    if (this.#phase !== 'tunnel') return;
    if (cause === 'upstream-reset') {
      this.#phase = 'closed';
      reset(this.#socket);
    } else this.#lastWord(this.#options.clock.monotonicMs());
  }

  // What the socket says.

  #onData(piece: Buffer): void {
    const phase = this.#phase;
    if (phase === 'idle') {
      this.#input.append(piece);
      this.#run();
    } else if (phase === 'exchange') {
      this.#input.append(piece);
      this.#feedBody();
    } else if (phase === 'head') {
      this.#input.append(piece);
      // A head is looked at once a line, not once a piece: pieces may have one byte.
      if (piece.includes(LF) || this.#input.length > MAX_HEAD_BYTES) this.#run();
    } else this.#tunnel?.fromClient(piece);
    this.#readOrWait();
  }

  #onEnd(): void {
    this.#isEnded = true;
    const nowMs = this.#options.clock.monotonicMs();
    switch (this.#phase) {
      case 'tunnel':
        this.#tunnel?.clientEnded();
        return;
      case 'exchange':
        if (this.#exchange.needsBody) this.destroy('client-gone');
        return;
      case 'head':
        this.#exchange.refused(this.#sinceMs, 0, 'client-gone');
        this.#lastWord(nowMs);
        return;
      case 'idle':
        this.#lastWord(nowMs);
    }
  }

  #onDrain(): void {
    if (this.#tunnel !== undefined) this.#tunnel.clientDrained();
    else if (this.#phase === 'exchange') this.#exchange.clientDrained();
    else if (this.#phase === 'idle') {
      this.#run();
      this.#readOrWait();
    }
  }

  #onClose(): void {
    if (this.#phase === 'head') this.#exchange.refused(this.#sinceMs, 0, 'client-gone');
    this.#leave('client-gone');
    this.#options.onClosed?.();
  }

  /** Nothing of a request or tunnel is left behind. */
  #leave(cause: TerminationCause): void {
    const before = this.#phase;
    this.#phase = 'closed';
    this.#input.clear();
    if (before === 'exchange') this.#exchange.abort(cause);
    if (this.#tunnel === undefined) return;
    if (cause === 'client-gone') this.#tunnel.clientGone();
    else this.#tunnel.destroy(cause);
  }

  /** Requests, as long as whole heads are there and the client takes the answers. */
  #run(): void {
    if (this.#isRunning) return;
    this.#isRunning = true;
    while (this.#mayBegin() && this.#begin());
    this.#isRunning = false;
  }

  #mayBegin(): boolean {
    if (this.#phase !== 'idle' && this.#phase !== 'head') return false;
    return this.#input.length > 0 && !this.#socket.writableNeedDrain;
  }

  /** False: the head is not whole, or no request follows. */
  #begin(): boolean {
    const input = this.#input;
    const nowMs = this.#options.clock.monotonicMs();
    if (this.#phase === 'idle') this.#sinceMs = nowMs;
    const parsed = parseRequestHead(input.bytes, input.at, input.bytes.length, this.#head);
    if (parsed === 'done') {
      input.at = this.#head.end;
      this.#phase = 'exchange';
      this.requests++;
      this.#takenMs = nowMs;
      this.#exchange.begin(this.#sinceMs);
      this.#feedBody();
      return true;
    }
    if (parsed !== 'more') this.#refuseHead(parsed);
    else if (this.#isEnded) this.#onEnd();
    else if (!isBlank(input.bytes, input.at)) this.#phase = 'head';
    return false;
  }

  #feedBody(): void {
    const exchange = this.#exchange;
    if (!exchange.takesBody || this.#phase !== 'exchange') return;
    const { bytes, at } = this.#input;
    if (at < bytes.length) {
      const used = exchange.takeBody(bytes, at);
      if (this.#phase === 'exchange') this.#input.at = at + used;
    }
    if (this.#isEnded && exchange.needsBody) this.destroy('client-gone');
  }

  /** No more is read than may wait. */
  #readOrWait(): void {
    const isKept = this.#phase === 'exchange' || this.#phase === 'idle';
    const isFull =
      isKept &&
      (this.#exchange.isBlocked || this.#input.length > this.#options.limits.pipelinedBytes);
    if (isFull === this.#isPaused) return;
    this.#isPaused = isFull;
    if (isFull) this.#socket.pause();
    else this.#socket.resume();
  }

  #refuseHead(bad: { status: number; reason: string }): void {
    const cause = bad.status === 408 ? 'client-timeout' : 'bad-request';
    this.#exchange.refused(this.#sinceMs, bad.status, cause, bad.reason);
    this.#lastWord(this.#options.clock.monotonicMs());
  }

  /** FIN behind what was written; then the client has a while to read it. */
  #lastWord(nowMs: number): void {
    this.#phase = 'linger';
    this.#sinceMs = nowMs;
    this.#input.clear();
    this.#socket.end();
    if (this.#isPaused) {
      this.#isPaused = false;
      this.#socket.resume();
    }
  }

  #isTakenSlowly(nowMs: number): boolean {
    const waiting = this.#socket.writableLength;
    const taken = this.#socket.bytesWritten - waiting;
    if (waiting === 0 || taken !== this.#takenBytes) {
      this.#takenBytes = taken;
      this.#takenMs = nowMs;
      return false;
    }
    return nowMs - this.#takenMs > this.#exchange.idleMs;
  }
}

function forget(): void {}

/** Empty lines are no request yet. */
function isBlank(bytes: Buffer, from: number): boolean {
  for (let at = from; at < bytes.length; at++) {
    if (bytes[at] !== CR && bytes[at] !== LF) return false;
  }
  return true;
}

/** RST; behind TLS an end without close_notify, which is as plain. */
function reset(socket: ClientSocket): void {
  if (socket.destroyed) return;
  if (socket instanceof TLSSocket) socket.destroy();
  else socket.resetAndDestroy();
}
