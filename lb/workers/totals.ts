// What all workers counted together, with those that have ended since the daemon began: counts do
// not fall when a worker is started again. Pure.
import {
  LATENCY_BOUNDS,
  type ListenerStats,
  type PoolStats,
  type RequestStats,
  type TargetStats,
  type WorkerStats,
} from './messages.ts';

export type Totals = {
  listeners: readonly ListenerStats[];
  requests: readonly RequestStats[];
  targets: readonly TargetStats[];
  pools: readonly PoolStats[];
  latency: { counts: readonly number[]; sumSeconds: number };
  upstream: { open: number; idle: number };
  accessLogDropped: number;
  certificates: readonly { name: string; endsAtMs: number }[];
};

export type Counted = {
  readonly stats: WorkerStats | undefined;
  readonly before: readonly WorkerStats[];
};

export function totalsOf(workers: readonly Counted[]): Totals {
  const now = workers.flatMap(({ stats }) => (stats === undefined ? [] : [stats]));
  const past = workers.flatMap(({ before }) => before.map(ended));
  const all = [...past, ...now];
  const counts = Array.from({ length: LATENCY_BOUNDS.length + 1 }, (_, at) =>
    sum(all.map(({ latency }) => latency.counts[at] ?? 0)),
  );
  return {
    listeners: merged(
      all.flatMap(({ listeners }) => listeners),
      ({ listener }) => listener,
      addListener,
    ),
    requests: merged(
      all.flatMap(({ requests }) => requests),
      ({ listener, route, cause, status }) => `${listener}\0${route}\0${cause}\0${status}`,
      (a, b) => ({ ...a, count: a.count + b.count }),
    ),
    targets: merged(
      all.flatMap(({ targets }) => targets),
      ({ pool, id }) => `${pool}\0${id}`,
      addTarget,
    ),
    pools: merged(
      all.flatMap(({ pools }) => pools),
      ({ pool }) => pool,
      addPool,
    ),
    latency: { counts, sumSeconds: sum(all.map(({ latency }) => latency.sumSeconds)) },
    upstream: {
      open: sum(now.map(({ upstream }) => upstream.open)),
      idle: sum(now.map(({ upstream }) => upstream.idle)),
    },
    accessLogDropped: sum(all.map(({ accessLogDropped }) => accessLogDropped)),
    certificates: now[0]?.certificates ?? [],
  };
}

/** Nothing of one that has ended is of now. */
function ended(stats: WorkerStats): WorkerStats {
  return {
    ...stats,
    listeners: stats.listeners.map((each) => ({ ...each, open: 0 })),
    targets: stats.targets.map((each) => ({ ...each, open: 0, latencyMs: 0 })),
    pools: stats.pools.map((each) => ({ ...each, queued: 0, isFailOpen: false })),
  };
}

function merged<Row>(
  rows: readonly Row[],
  keyOf: (row: Row) => string,
  add: (a: Row, b: Row) => Row,
): Row[] {
  const all = new Map<string, Row>();
  for (const row of rows) {
    const key = keyOf(row);
    const before = all.get(key);
    all.set(key, before === undefined ? row : add(before, row));
  }
  return [...all.values()];
}

const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);

function addListener(a: ListenerStats, b: ListenerStats): ListenerStats {
  const handshakes = { ...a.handshakes };
  for (const [why, count] of Object.entries(b.handshakes)) {
    handshakes[why] = (handshakes[why] ?? 0) + count;
  }
  return {
    listener: a.listener,
    accepted: a.accepted + b.accepted,
    shed: a.shed + b.shed,
    denied: a.denied + b.denied,
    handshakes,
    open: a.open + b.open,
    bytesIn: a.bytesIn + b.bytesIn,
    bytesOut: a.bytesOut + b.bytesOut,
  };
}

/** The last one's view of what is no count. */
function addTarget(a: TargetStats, b: TargetStats): TargetStats {
  return {
    ...b,
    open: a.open + b.open,
    latencyMs: Math.max(a.latencyMs, b.latencyMs),
    requests: a.requests + b.requests,
    failures: a.failures + b.failures,
    cancelled: a.cancelled + b.cancelled,
    ejections: a.ejections + b.ejections,
  };
}

function addPool(a: PoolStats, b: PoolStats): PoolStats {
  const failures = { ...a.failures };
  for (const [why, count] of Object.entries(b.failures) as [keyof typeof failures, number][]) {
    failures[why] += count;
  }
  return {
    pool: a.pool,
    isFailOpen: a.isFailOpen || b.isFailOpen,
    queued: a.queued + b.queued,
    waited: a.waited + b.waited,
    failures,
    retries: a.retries + b.retries,
    retriesRefused: a.retriesRefused + b.retriesRefused,
  };
}
