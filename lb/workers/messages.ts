// What the daemon and its workers say to each other, by Node's IPC with structured clones.

import type { WorkerPlan } from '../l7/types.ts';
import type { Spent } from '../limits/gcra.ts';
import type { PoolState, PoolStatistics, TargetStatistics } from '../pools/types.ts';

export type WorkerSettings = {
  node: string;
  /** Workers of the instance, and which of them this is, from 0. */
  workers: number;
  index: number;
  accessLog: string | undefined;
  /** Milliseconds and counts, of the instance. */
  limits: {
    connections: number;
    perClient: number;
    head: number;
    body: number;
    keepAlive: number;
    handshake: number;
    requests: number;
    workerMemory: number;
  };
  /** Of sticky cookies; of TLS tickets. */
  keys: { sticky: Uint8Array; tickets: Uint8Array };
};

/** How far ahead a bucket is, of all who spend from it. */
export type Ahead = { key: string; aheadMs: number };

export type Question =
  | { what: 'impact'; plan: WorkerPlan }
  | { what: 'explain'; request: ExplainRequest };

export type ExplainRequest = {
  method: string;
  url: string;
  from: string;
  headers: readonly (readonly [name: string, value: string])[];
};

export type ToWorker =
  | { kind: 'settings'; settings: WorkerSettings }
  | { kind: 'plan'; plan: WorkerPlan; closeOverMs: number }
  | { kind: 'pools'; pools: readonly PoolState[] }
  | { kind: 'limits'; own: readonly Ahead[]; shared: readonly Ahead[] }
  | { kind: 'drain'; overMs: number }
  | { kind: 'undrain' }
  | { kind: 'reopen' }
  | { kind: 'ask'; id: number; question: Question };

export type Problem = { listener: string; text: string };

export type FromWorker =
  | { kind: 'applied'; version: number; problems: readonly Problem[] }
  | { kind: 'limits'; own: readonly Spent[]; shared: readonly Spent[] }
  | { kind: 'stats'; stats: WorkerStats }
  | { kind: 'reply'; id: number; answer: unknown }
  | { kind: 'failed'; id: number; error: string }
  | { kind: 'trouble'; text: string };

/** All counts since the worker began, but what is said to be of now. */
export type WorkerStats = {
  listeners: readonly ListenerStats[];
  requests: readonly RequestStats[];
  targets: readonly TargetStats[];
  pools: readonly PoolStats[];
  /** Of now. */
  upstream: { open: number; idle: number };
  /** Seconds from request to end: counts by upper bound, as LATENCY_BOUNDS, and their sum. */
  latency: { counts: readonly number[]; sumSeconds: number };
  accessLogDropped: number;
  /** Of now. */
  rssBytes: number;
  /** The longest that the loop stood still since the last telling. */
  loopLagMs: number;
  /** Until the first certificate ends, of now, by name. */
  certificates: readonly { name: string; endsAtMs: number }[];
};

export type ListenerStats = {
  listener: string;
  accepted: number;
  shed: number;
  denied: number;
  /** TLS handshakes that failed, by why. */
  handshakes: Record<string, number>;
  /** Of now. */
  open: number;
  bytesIn: number;
  bytesOut: number;
};

/** `status`: the first digit; 0: none was sent. */
export type RequestStats = {
  listener: string;
  route: string;
  cause: string;
  status: number;
  count: number;
};

export type TargetStats = TargetStatistics & { pool: string };

export type PoolStats = { pool: string; isFailOpen: boolean } & Omit<PoolStatistics, 'targets'>;

/** Seconds. */
export const LATENCY_BOUNDS: readonly number[] = [
  0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30,
];
