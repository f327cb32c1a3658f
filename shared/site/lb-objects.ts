// The site's load-balancer objects: virtual servers of L4, listeners, routes and certificates of
// L7. Unit `lb`; the pools that they name are in unit `pools`. Pure. What each field does:
// docs/balancing.md.
import type { Prefix } from '../net/prefix.ts';

/** L4. Id: `198.51.100.10:80/tcp`, or of a range `198.51.100.10:8000-8099/udp`. IPv4. */
export type VirtualServer = {
  address: string;
  protocol: 'tcp' | 'udp';
  /** Of a range the last one, too; the same as `port` otherwise. */
  port: number;
  lastPort: number;
  pool: string;
  mode: 'nat' | 'dsr';
  /** What picks the target: the client's address, or (`flow`, the default) addresses and ports. */
  hash: 'source' | 'flow';
  /** Flows of a target that is gone or down: moved at once (the next one resets TCP), or left. */
  lost: 'reset' | 'leave';
};

/** L7, or TCP as a stream. Id: its name. */
export type Listener = {
  name: string;
  /** `0.0.0.0:80`, `[::]:443`, `198.51.100.10:443`. */
  at: readonly string[];
  /**
   * http and https: requests, by routes. tcp: streams to `pool`. tls: streams by the ClientHello's
   * SNI, never decrypted, to `pool` or by `names`.
   */
  protocol: 'http' | 'https' | 'tcp' | 'tls';
  /** Of certificate objects; https only. The first one is for clients without SNI. */
  certificates: readonly string[];
  http2: boolean;
  /** mTLS: certificates of the CAs (PEM) and whether a client must have one. */
  clientCa?: string;
  clientCertificate: 'none' | 'optional' | 'required';
  minTls: '1.2' | '1.3';
  /** Peers that must begin with a PROXY header (v1 or v2); of others none is taken. */
  proxyFrom: readonly Prefix[];
  /** Peers whose X-Forwarded-For, -Proto, -Host and Forwarded are believed and added to. */
  trusted: readonly Prefix[];
  /** tcp, tls. */
  pool?: string;
  /** tls: server name (exact or `*.` wildcard) to pool. */
  names: readonly { name: string; pool: string }[];
  allow: readonly Prefix[];
  deny: readonly Prefix[];
  /** Open connections over all workers of an instance; 0: only the instance's own limit. */
  maxConnections: number;
};

/** A header of a request or response: set replaces all of that name, add keeps them. */
export type HeaderEdits = {
  set: readonly (readonly [name: string, value: string])[];
  add: readonly (readonly [name: string, value: string])[];
  remove: readonly string[];
};

export type RateLimit = {
  /** Requests in `perMs`, with room for `burst` at once. */
  requests: number;
  perMs: number;
  burst: number;
  /** Whose: the client's address (/64 of IPv6), all together, or a header's value. */
  by: 'source' | 'all' | { header: string };
  /** Counted by all instances together in Redis; else by each instance. */
  shared: boolean;
};

export type RouteAction =
  | { kind: 'pool'; pool: string }
  | { kind: 'redirect'; status: 301 | 302 | 303 | 307 | 308; to: string }
  | { kind: 'respond'; status: number; contentType: string; body: string };

/**
 * L7. Id: its name. Of the routes of a listener that match, the one with the most specific host
 * (exact, longest wildcard, any), then the longest path, then most conditions (methods, headers),
 * then the name that sorts first serves.
 */
export type Route = {
  name: string;
  /** Names of listeners; empty: all http and https ones. */
  listeners: readonly string[];
  /** `www.example.com`, `*.example.com` (one label or more); empty: any. Lower case. */
  hosts: readonly string[];
  /** Path prefixes by whole segments: `/api` has /api and /api/x, not /apix. Empty: any. */
  paths: readonly string[];
  methods: readonly string[];
  /** `value` absent: present at all. Prefix match where it ends in `*`. */
  headers: readonly { name: string; value?: string }[];
  action: RouteAction;
  /** Replaces the matched path prefix. */
  rewritePath?: string;
  /** Host header towards the target; the client's unless told. */
  rewriteHost?: string;
  request: HeaderEdits;
  response: HeaderEdits;
  allow: readonly Prefix[];
  deny: readonly Prefix[];
  rateLimit?: RateLimit;
  /** gzip of text responses that the client takes and that are not encoded yet. */
  compress: boolean;
  /** WebSocket and other upgrades: 101, RFC 8441. */
  upgrade: boolean;
  /** Bytes of a request's body; 0: no limit. */
  maxBodyBytes: number;
  /** In place of the pool's. */
  timeouts: Partial<PoolTimeouts>;
};

/** Id: its name. The private key is a file of each instance: `<keyDirectory>/<name>.key`. */
export type Certificate = {
  name: string;
  /** PEM: the certificate, then its chain. Its names are read from it. */
  chain: string;
};

/** Milliseconds. */
export type PoolTimeouts = {
  connectMs: number;
  /** From the whole request to the response's head. */
  headMs: number;
  /** Between two pieces of a body, either way. */
  idleMs: number;
  /** Of a tunnel or TCP stream without a byte either way. */
  tunnelMs: number;
  /** For a place in the queue. */
  queueMs: number;
};

export const ALGORITHMS = [
  'round-robin',
  'least-requests',
  'peak-ewma',
  'ring',
  'maglev',
  'random',
] as const;
export type Algorithm = (typeof ALGORITHMS)[number];

/** How L7 and TCP listeners use a pool: its `proxy` section; every field has a default. */
export type PoolProxy = {
  /** Towards the targets. */
  protocol: 'http1' | 'h2c';
  algorithm: Algorithm;
  /** Of ring and maglev: what is hashed. */
  hash: { on: 'source' | 'uri' | 'path' } | { on: 'header' | 'cookie'; name: string };
  /** Of ring and maglev: nobody has more than this share of the mean, in percent; 0: no bound. */
  boundPercent: number;
  /** A cookie that names the target, signed; set by the balancer. */
  sticky?: { cookie: string; ttlMs: number };
  slowStartMs: number;
  /** Open requests (or streams) a target, an instance; 0: no bound. Beyond: the queue. */
  maxRequests: number;
  /** Waiting requests of the pool, an instance; beyond: 503 at once. */
  maxQueue: number;
  /** Idle connections kept to a target by a worker. */
  maxIdle: number;
  retries: {
    /** Further tries of one request. */
    count: number;
    /** Retries may be this share of the requests, in percent, and always 3 a second. */
    budgetPercent: number;
    /** Of idempotent requests without a body: also after a response with one of these. */
    statuses: readonly number[];
  };
  timeouts: PoolTimeouts;
  /** Passive ejection by what requests meet. `failures` 0: off. */
  passive: {
    /** So many failures in a row (connect, reset, timeout, 5xx of 502, 503, 504) eject a target, */
    failures: number;
    /** for this long × the ejections in a row, at most 10 times; then one request tries. */
    ejectMs: number;
    /** never more than this share of the targets. */
    maxPercent: number;
  };
  /** Below this share of healthy targets (by number) health is ignored, in percent; 0: never. */
  failOpenPercent: number;
  /** TLS towards the targets. */
  tls?: {
    /** SNI, and the name that the certificate must have. */
    serverName?: string;
    verify: boolean;
    /** PEM; the system's unless told. */
    ca?: string;
  };
  /** A PROXY header of this version goes before each connection (not for http1 keep-alive pools of
   * several clients: each connection then serves one client connection). */
  sendProxy?: 1 | 2;
  /** Asks each target's agent for a line as HAProxy's agent-check: weight, drain, down, up. */
  agent?: { port: number; intervalMs: number };
};

export const DEFAULT_PROXY: PoolProxy = {
  protocol: 'http1',
  algorithm: 'round-robin',
  hash: { on: 'source' },
  boundPercent: 125,
  slowStartMs: 0,
  maxRequests: 0,
  maxQueue: 1000,
  maxIdle: 64,
  retries: { count: 2, budgetPercent: 20, statuses: [] },
  timeouts: {
    connectMs: 3000,
    headMs: 30_000,
    idleMs: 30_000,
    tunnelMs: 3_600_000,
    queueMs: 5000,
  },
  passive: { failures: 5, ejectMs: 10_000, maxPercent: 50 },
  failOpenPercent: 50,
};
