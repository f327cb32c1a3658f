// What an HTTP/1.1 front needs, and what the worker may ask of one of its connections.
import type { Clock } from '../../../shared/clock.ts';
import type { Listener, PoolTimeouts, Route } from '../../../shared/site/lb-objects.ts';
import type { BodyDecoder } from '../http1/types.ts';
import type { Bounds, ClientInfo, Journal, Policy, TerminationCause } from '../types.ts';
import type { ClientSocket, Forwarder } from '../wiring.ts';

/** Of a client's connection. All but `pipelinedBytes` and `requests` are milliseconds. */
export type Http1Limits = {
  /** From the first byte of a head (or the connection's begin) to its last: else 408. */
  headMs: number;
  /** A request's body brings at least `bodyBytes` in this time, or its end: else 408. */
  bodyMs: number;
  bodyBytes: number;
  /** Between two requests: then it is closed without a word. */
  keepAliveMs: number;
  /** How long a client is still listened to after our last word, so that it can read it. */
  lingerMs: number;
  /** What is kept of the bytes behind a request that is not answered yet; then no more is read. */
  pipelinedBytes: number;
  /** So many requests a connection; with the last response it is closed. */
  requests: number;
};

export const DEFAULT_LIMITS: Http1Limits = {
  headMs: 10_000,
  bodyMs: 10_000,
  bodyBytes: 1024,
  keepAliveMs: 60_000,
  lingerMs: 5000,
  pipelinedBytes: 65_536,
  requests: 100_000,
};

/** The same for all connections of a worker. */
export type Http1Front = {
  policy: Policy;
  forwarder: Forwarder;
  journal: Journal;
  bounds: Pick<Bounds, 'isDraining'>;
  clock: Pick<Clock, 'nowMs' | 'monotonicMs'>;
  limits: Http1Limits;
  /** Received-by of our Via in responses. */
  self: string;
  /** The route's, else its pool's: idleMs and tunnelMs are kept here. */
  timeoutsOf(route: Route): Pick<PoolTimeouts, 'idleMs' | 'tunnelMs'>;
};

export type Http1Options = Http1Front & {
  /** The one in force: asked for each request. */
  listener: () => Listener;
  client: ClientInfo;
  /** What was read already, such as behind a PROXY header. */
  rest?: Buffer;
  /** Once, when the socket is closed and every request told of. */
  onClosed?: () => void;
};

/** How the worker holds a connection. It calls `tick` a few times a second. */
export interface Http1Connection {
  /** No request has begun that is not answered. */
  readonly isIdle: boolean;
  readonly isTunnel: boolean;
  /** Of the request or tunnel that is open; '' when idle or before it is routed. */
  readonly routeName: string;
  readonly requests: number;
  /** Of the socket, heads and all. */
  readonly bytesRead: number;
  readonly bytesWritten: number;
  /** Monotonic ms of the last byte from or to the client as far as ticks have seen. */
  readonly activeMs: number;
  /** Timeouts, and what waits for the end of a turn. */
  tick(nowMs: number): void;
  /** Closed with the next response, at once if idle; a tunnel stays. */
  closeWhenIdle(): void;
  /** At once; an open request ends with this cause. */
  destroy(cause: TerminationCause): void;
}

/** What an exchange asks of its connection. */
export interface ExchangeOwner {
  /** The connection may serve another request. */
  readonly mayStay: boolean;
  /** What has come of a body that nobody wants is thrown away. */
  discard(body: BodyDecoder): void;
  onBodyWanted(): void;
  onAnswered(stays: boolean, nowMs: number): void;
  onCut(isHidden: boolean, nowMs: number): void;
  onTunnel(upstream: ClientSocket, rest: Buffer, idleMs: number, nowMs: number): void;
}
