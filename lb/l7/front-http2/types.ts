// What an HTTP/2 front needs, and what the worker may ask of one of its connections.

import type { Listener } from '../../../shared/site/lb-objects.ts';
import type { Http1Front } from '../front-http1/types.ts';
import type { ClientInfo, TerminationCause } from '../types.ts';

/** Of a client's connection. */
export type Http2Limits = {
  /** Streams at once; said in SETTINGS, beyond: REFUSED_STREAM. */
  streams: number;
  /** From the connection's begin to the first whole head. */
  headMs: number;
  /** A request's body brings at least `bodyBytes` in this time, or its end: else 408. */
  bodyMs: number;
  bodyBytes: number;
  /** Without a stream: then GOAWAY. */
  keepAliveMs: number;
  /** For the client to close, once nothing is open behind GOAWAY. */
  lingerMs: number;
  /** So many requests a connection; then GOAWAY. */
  requests: number;
  /** Streams that the client makes fail, in a second; beyond: ENHANCE_YOUR_CALM. */
  resetsPerSecond: number;
  /** PING and SETTINGS, in a second; beyond: ENHANCE_YOUR_CALM. */
  controlsPerSecond: number;
  /** Of nghttp2's own memory and of what is written and not taken, in MB. */
  sessionMegabytes: number;
};

export const DEFAULT_HTTP2_LIMITS: Http2Limits = {
  streams: 100,
  headMs: 10_000,
  bodyMs: 10_000,
  bodyBytes: 1024,
  keepAliveMs: 60_000,
  lingerMs: 5000,
  requests: 100_000,
  resetsPerSecond: 100,
  controlsPerSecond: 100,
  sessionMegabytes: 10,
};

/** The same for all connections of a worker: what HTTP/1.1 has, with limits of its own. */
export type Http2Front = Omit<Http1Front, 'limits'> & { limits: Http2Limits };

export type Http2Options = Http2Front & {
  /** The one in force: asked for each request. */
  listener: () => Listener;
  client: ClientInfo;
  /** Once, when the socket is closed and every stream told of. */
  onClosed?: () => void;
};

/** How the worker holds a connection. It calls `tick` a few times a second. */
export interface Http2Connection {
  /** No stream is open. */
  readonly isIdle: boolean;
  readonly streams: number;
  /** Of open streams of WebSocket, the names of their routes. */
  readonly tunnelRoutes: readonly string[];
  readonly requests: number;
  readonly bytesRead: number;
  readonly bytesWritten: number;
  /** Monotonic ms of the last byte from or to the client as far as ticks have seen. */
  readonly activeMs: number;
  tick(nowMs: number): void;
  /** GOAWAY; closed once all streams are over. */
  closeWhenIdle(): void;
  /** Those of routes that are gone end with this cause; requests end by themselves. */
  endTunnels(isGone: (routeName: string) => boolean, cause: TerminationCause): void;
  /** At once; open streams end with this cause. */
  destroy(cause: TerminationCause): void;
}
