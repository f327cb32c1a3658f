// What the rooms of L7 tell each other: who asks, what is decided, how it ended. What has sockets
// in it is in wiring.ts. Pure.
import type { Certificate, Listener, Route } from '../../shared/site/lb-objects.ts';
import type { PickFailure, PoolState } from '../pools/types.ts';
import type { Bad, HeadEdits, RequestView, ResponseHead } from './http1/types.ts';

export type { HeadEdits, RequestView };

/** Of a client's connection; behind a PROXY header, what that says. */
export type ClientInfo = {
  /** Text of either family, as it is logged and sent on (IPv4-mapped as IPv4). */
  address: string;
  port: number;
  /** That it connected to. */
  localAddress: string;
  localPort: number;
  /** `https` behind TLS. */
  scheme: 'http' | 'https';
  /** The peer may say for whom it speaks (listener's `trusted`). */
  isTrusted: boolean;
  serverName?: string;
  /** Of mTLS: the verified client certificate's subject and SHA-256 fingerprint. */
  certificate?: { subject: string; fingerprint: string };
};

/** A front's request, ready to be sent on. */
export interface Outgoing {
  readonly view: RequestView;
  readonly client: ClientInfo;
  readonly route: Route;
  readonly hasBody: boolean;
  /** Bytes of the body if it is known; -1: chunked. */
  readonly bodyBytes: number;
  readonly isUpgrade: boolean;
  /**
   * The request's head for an HTTP/1.1 upstream, canonical, with all edits; again for each try. The
   * bytes are valid until the next call.
   */
  headBytes(authority: string | undefined): Buffer;
  /** The same as a header list for an h2c upstream, pseudo headers first. */
  headList(authority: string | undefined): [name: string, value: string][];
}

/** status: what the client is answered. cause: the termination cause of the access log. */
export type ForwardFailure = { status: number; cause: TerminationCause; detail?: string };

export interface Forwarding {
  /** False: wait for onDrain. Pieces before a target was found are kept, up to a bound. */
  writeBody(piece: Buffer): boolean;
  endBody(trailers: Buffer | undefined): void;
  /** The client is gone, or its message is bad: the upstream connection is destroyed. */
  abort(cause: TerminationCause): void;
  resume(): void;
  /** For the access log; final after onEnd, onFail, onCut, onUpgrade or abort. */
  readonly record: ForwardRecord;
}

/** ms since the request came (monotonic); -1: it did not come to that. */
export type ForwardRecord = {
  pool: string;
  target: string;
  tries: number;
  isReused: boolean;
  queueMs: number;
  connectMs: number;
  headMs: number;
  status: number;
  /** Of the response that came from the target. */
  bytesIn: number;
  cause: TerminationCause;
};

/** How a request or stream ended, one word. Stable: access log, metrics, status page. */
export type TerminationCause =
  | 'ok'
  | 'answered' // by the balancer itself: redirect, respond, TRACE
  | 'bad-request'
  | 'bad-response'
  | 'client-gone'
  | 'client-timeout' // head, body or reading too slow
  | 'denied'
  | 'rate-limited'
  | 'no-route'
  | 'no-target'
  | 'queue-full'
  | 'queue-timeout'
  | 'connect-failed'
  | 'connect-timeout'
  | 'upstream-timeout'
  | 'upstream-reset'
  | 'too-large'
  | 'shed' // a bound of the worker's memory or connections
  | 'drained'
  | 'idle'
  | 'removed' // its route, listener or target went away
  | 'internal';

export function causeOfPick(failure: PickFailure): TerminationCause {
  return failure === 'cancelled' ? 'client-gone' : failure;
}

export type UpstreamError =
  | { kind: 'reset'; received: boolean }
  | { kind: 'timeout'; received: boolean }
  | { kind: 'bad'; bad: Bad };

export type ConnectFailure = { kind: 'refused' | 'timeout' | 'tls'; detail: string };

/** Whole state of a worker, as the daemon sends it; certificates with their keys. */
export type WorkerPlan = {
  version: number;
  listeners: readonly Listener[];
  routes: readonly Route[];
  pools: readonly PoolState[];
  certificates: readonly (Certificate & { key: string })[];
};

/** What becomes of a request. Made by `lb/l7/policy`, for both fronts. */
export type Decision =
  | { kind: 'forward'; route: Route }
  | {
      kind: 'answer';
      status: number;
      headers: readonly (readonly [name: string, value: string])[];
      body: Buffer;
      cause: TerminationCause;
      route: string;
    };

export interface Policy {
  /** `done` is called once, mostly at once; later only when a shared rate limit has to be asked. */
  decide(
    listener: Listener,
    view: RequestView,
    client: ClientInfo,
    done: (decision: Decision) => void,
  ): void;
  requestEdits(route: Route, view: RequestView, client: ClientInfo): HeadEdits;
  responseEdits(route: Route, client: ClientInfo): HeadEdits;
  /** gzip for this response: its type, its encoding, its length, and what the client takes. */
  mayCompress(route: Route, view: RequestView, head: ResponseHead): boolean;
  /** May this peer connect at all? */
  admits(listener: Listener, address: string): boolean;
  update(plan: WorkerPlan): void;
}

/** What a front tells of each request, stream or refused connection, once it is over. */
export type AccessEntry = {
  listener: string;
  route: string;
  client: ClientInfo;
  protocol: 'HTTP/1.0' | 'HTTP/1.1' | 'HTTP/2' | 'tcp' | 'websocket';
  method: string;
  host: string;
  target: string;
  status: number;
  /** Of bodies and tunnels: from the client, to the client. */
  bytesIn: number;
  bytesOut: number;
  /** Monotonic ms. */
  startedMs: number;
  endedMs: number;
  cause: TerminationCause;
  /** More of it, in a word: the `reason` of a Bad. */
  detail?: string;
  forward?: ForwardRecord;
};

export interface Journal {
  ended(entry: AccessEntry): void;
}

/** Bounds of one worker; fronts ask before they take more. */
export interface Bounds {
  /** A connection of this listener: false, and it is counted as shed. Call `leave` at its end. */
  enter(listener: Listener, address: string): boolean;
  leave(listener: Listener, address: string): void;
  /** Draining: keep-alive ends. */
  readonly isDraining: boolean;
}
