// Where the rooms of L7 meet: fronts (HTTP/1.1 and HTTP/2 connections of clients) hand requests to
// the forwarder, which picks a target and speaks to it through upstream connections. Callbacks, not
// promises: a request costs no more than it must. All of one worker, one thread.
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { PoolState, TargetState } from '../pools/types.ts';
import type { ResponseHead } from './http1/types.ts';
import type {
  ConnectFailure,
  ForwardFailure,
  Forwarding,
  Outgoing,
  UpstreamError,
} from './types.ts';

export type ClientSocket = Socket | TLSSocket;

/** The response as it comes; the front writes it to its client. Calls come in this order. */
export interface Incoming {
  /** 1xx but 101. */
  onInterim(head: ResponseHead): void;
  /** At most once. `cookie`: a Set-Cookie line's value to be added (sticky). */
  onHead(head: ResponseHead, cookie: string | undefined): void;
  /** False: no more until `Forwarding.resume()`. */
  onBody(piece: Buffer): boolean;
  /** The response is whole. `trailers`: lines with CRLF. */
  onEnd(trailers: Buffer | undefined): void;
  /** Instead of onHead: nothing was said to the client yet. */
  onFail(failure: ForwardFailure): void;
  /** After onHead: what came is not whole; the client must see that it is cut. */
  onCut(failure: ForwardFailure): void;
  /**
   * 101: the connection is a tunnel now. The front takes over `socket`, writes `rest` first.
   */
  onUpgrade(head: ResponseHead, socket: ClientSocket, rest: Buffer): void;
  /** The request's body may go on after writeBody() said false; also once after 100-continue. */
  onDrain(): void;
}

export interface Forwarder {
  forward(request: Outgoing, incoming: Incoming): Forwarding;
}

/** One connection to a target, held by one exchange at a time. */
export interface UpstreamConnection {
  /** It was used before: a request that gets no byte may be its death, not the target's. */
  readonly isReused: boolean;
  /** `hasBody`: writeBody and endBody follow. `isHead`: of HEAD, whose response has no body. */
  send(
    head: Buffer,
    options: { isHead: boolean; hasBody: boolean; isUpgrade: boolean; chunked: boolean },
    events: UpstreamEvents,
  ): void;
  writeBody(piece: Buffer): boolean;
  endBody(trailers: Buffer | undefined): void;
  pause(): void;
  resume(): void;
  /** Destroys it; no event follows. */
  abort(): void;
}

export interface UpstreamEvents {
  onInterim(head: ResponseHead): void;
  onHead(head: ResponseHead): void;
  onBody(piece: Buffer): void;
  /** Whole, and the connection was given back or closed. */
  onEnd(trailers: Buffer | undefined): void;
  /** `received`: bytes of a response had come. */
  onError(error: UpstreamError): void;
  onUpgrade(head: ResponseHead, socket: ClientSocket, rest: Buffer): void;
  onDrain(): void;
}

/** Connections to targets: idle ones are kept by (target, TLS identity). */
export interface Upstreams {
  /**
   * `fresh`: not an idle one. `proxyHeader`: goes first; such a connection is never pooled. `done`
   * is called once, perhaps at once; the result cancels.
   */
  connect(
    pool: PoolState,
    target: TargetState,
    options: { fresh: boolean; proxyHeader?: Buffer; connectMs: number },
    done: (result: UpstreamConnection | ConnectFailure) => void,
  ): () => void;
  /** A plain stream, for TCP listeners: connected, with TLS if the pool says so. */
  stream(
    pool: PoolState,
    target: TargetState,
    options: { proxyHeader?: Buffer; connectMs: number },
    done: (result: ClientSocket | ConnectFailure) => void,
  ): () => void;
  /** Idle connections to targets and identities that are not in `pools` any more are closed. */
  update(pools: ReadonlyMap<string, PoolState>): void;
  /** Idle ones that are too old are closed. */
  tick(nowMs: number): void;
  readonly idle: number;
  readonly open: number;
  close(): void;
}
