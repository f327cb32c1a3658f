// Every metric of an lb. No client's address, no host and no path is a label.
import { collectHealth, healthMetrics } from '../shared/health/metrics.ts';
import type { Declared, Metrics, MetricTable } from '../shared/metrics.ts';
import type { LbService } from './service.ts';
import { LATENCY_BOUNDS } from './workers/messages.ts';
import { type Totals, totalsOf } from './workers/totals.ts';

export const lbMetrics = {
  requests: {
    type: 'counter',
    name: 'edge_lb_requests_total',
    help: 'Requests and streams that ended; status: its first digit, 0 when none was sent.',
    labels: ['listener', 'route', 'status', 'cause'],
  },
  latency: {
    type: 'counter',
    name: 'edge_lb_requests_within_total',
    help: 'Requests that took no longer than le seconds, from their first byte to their last.',
    labels: ['le'],
  },
  latencySum: {
    type: 'counter',
    name: 'edge_lb_request_seconds_total',
    help: 'Seconds that all requests took together.',
  },
  connections: {
    type: 'gauge',
    name: 'edge_lb_connections',
    help: 'Open connections of clients.',
    labels: ['listener'],
  },
  accepted: {
    type: 'counter',
    name: 'edge_lb_connections_total',
    help: 'Connections of clients: accepted, shed (a bound), denied (access lists).',
    labels: ['listener', 'outcome'],
  },
  handshakesFailed: {
    type: 'counter',
    name: 'edge_lb_handshakes_failed_total',
    help: 'TLS handshakes with clients that failed.',
    labels: ['listener', 'reason'],
  },
  bytes: {
    type: 'counter',
    name: 'edge_lb_bytes_total',
    help: 'Bytes of bodies and streams, from clients (in) and to them (out).',
    labels: ['listener', 'direction'],
  },
  targetRequests: {
    type: 'counter',
    name: 'edge_lb_target_requests_total',
    help: 'Tries of requests at a target, by outcome: answered, failed, cancelled.',
    labels: ['pool', 'target', 'outcome'],
  },
  targetOpen: {
    type: 'gauge',
    name: 'edge_lb_target_open',
    help: 'Requests and streams that are open at a target.',
    labels: ['pool', 'target'],
  },
  targetLatency: {
    type: 'gauge',
    name: 'edge_lb_target_latency_seconds',
    help: 'Peak-EWMA of the time to the head of the response, the highest of all workers.',
    labels: ['pool', 'target'],
  },
  targetEjections: {
    type: 'counter',
    name: 'edge_lb_target_ejections_total',
    help: 'Times that a worker ejected a target for what requests met there.',
    labels: ['pool', 'target'],
  },
  targetUp: {
    type: 'gauge',
    name: 'edge_lb_target_up',
    help: 'Whether a target takes new clients as far as health and operators are concerned.',
    labels: ['pool', 'target'],
  },
  queued: {
    type: 'gauge',
    name: 'edge_lb_pool_queued',
    help: 'Requests that wait for a target.',
    labels: ['pool'],
  },
  retries: {
    type: 'counter',
    name: 'edge_lb_pool_retries_total',
    help: 'Further tries of requests, made or refused by the budget.',
    labels: ['pool', 'outcome'],
  },
  failOpen: {
    type: 'gauge',
    name: 'edge_lb_pool_fail_open',
    help: 'Whether health is ignored because too few targets are healthy.',
    labels: ['pool'],
  },
  upstream: {
    type: 'gauge',
    name: 'edge_lb_upstream_connections',
    help: 'Connections to targets, open and of these idle.',
    labels: ['state'],
  },
  certificateEnds: {
    type: 'gauge',
    name: 'edge_lb_certificate_ends_seconds',
    help: 'When a certificate ends, seconds since the epoch.',
    labels: ['certificate'],
  },
  workers: {
    type: 'gauge',
    name: 'edge_lb_workers',
    help: 'Worker processes that are wanted, and of these running.',
    labels: ['state'],
  },
  workerRestarts: {
    type: 'counter',
    name: 'edge_lb_worker_restarts_total',
    help: 'Times that a worker ended and was started again.',
  },
  workerRss: {
    type: 'gauge',
    name: 'edge_lb_worker_resident_bytes',
    help: 'Resident memory of a worker.',
    labels: ['worker'],
  },
  workerLag: {
    type: 'gauge',
    name: 'edge_lb_worker_loop_lag_seconds',
    help: 'The longest that the loop of a worker stood still in the last second.',
    labels: ['worker'],
  },
  accessLogDropped: {
    type: 'counter',
    name: 'edge_lb_access_log_dropped_total',
    help: 'Lines of the access log that the disk did not take.',
  },
  limitsAlone: {
    type: 'gauge',
    name: 'edge_lb_limits_alone',
    help: 'Whether shared rate limits are counted by this instance alone.',
  },
  l4Packets: {
    type: 'counter',
    name: 'edge_lb_l4_packets_total',
    help: 'Packets that the programs of L4 saw, by what became of them (docs/balancing.md).',
    labels: ['reason'],
  },
  l4Bytes: {
    type: 'counter',
    name: 'edge_lb_l4_bytes_total',
    help: 'Their bytes on the wire.',
    labels: ['reason'],
  },
  serverBytes: {
    type: 'counter',
    name: 'edge_lb_server_bytes_total',
    help: 'Bytes on the wire of a virtual server, from clients (in) and to them (out, nat only).',
    labels: ['server', 'direction'],
  },
  serverPackets: {
    type: 'counter',
    name: 'edge_lb_server_packets_total',
    help: 'Packets of a virtual server.',
    labels: ['server', 'direction'],
  },
  serverConnections: {
    type: 'counter',
    name: 'edge_lb_server_connections_total',
    help: 'New flows of a virtual server.',
    labels: ['server'],
  },
  version: {
    type: 'gauge',
    name: 'edge_lb_version',
    help: 'The version of a unit of the site that is in force in all workers and the kernel.',
    labels: ['unit'],
  },
  desiredVersion: {
    type: 'gauge',
    name: 'edge_lb_desired_version',
    help: 'The newest version of a unit of the site that was seen in the store.',
    labels: ['unit'],
  },
  drift: {
    type: 'gauge',
    name: 'edge_lb_drift',
    help: 'Whether what is served is not what is wanted.',
  },
} as const satisfies MetricTable;

export const lbHealthMetrics = healthMetrics('lb');

/** `service`: undefined until it has been made. */
export function declareLbMetrics(metrics: Metrics, service: () => LbService | undefined): void {
  metrics.declare(lbHealthMetrics, (own) => {
    const health = service()?.options.health;
    if (health !== undefined) collectHealth(own, health);
  });
  metrics.declare(lbMetrics, (own) => {
    const lb = service();
    if (lb === undefined) return;
    const { workers, limits } = lb.options;
    const totals = totalsOf(workers.all);
    collectRequests(own, totals);
    collectTargets(own, lb, totals);
    collectWorkers(own, lb, totals);
    collectL4(own, lb);
    own.limitsAlone.set(limits.isAlone ? 1 : 0);
    for (const unit of ['lb', 'pools'] as const) {
      own.version.set(lb.applied[unit] ?? 0, { unit });
      const follower = unit === 'lb' ? lb.follower.own : lb.follower.pools;
      own.desiredVersion.set(follower.status().desiredVersion, { unit });
    }
    own.drift.set(lb.drift.length > 0 ? 1 : 0);
    const { storeUp, lastContactMs } = lb.follower.own.status();
    metrics.everywhere.storeUp.set(storeUp ? 1 : 0);
    metrics.everywhere.snapshotAge.set(lastContactMs / 1000);
  });
}

type Own = Declared<typeof lbMetrics>;

function collectRequests(own: Own, totals: Totals): void {
  for (const { listener, route, cause, status, count } of totals.requests) {
    own.requests.setTotal(count, { listener, route, cause, status: String(status) });
  }
  let within = 0;
  for (const [at, count] of totals.latency.counts.entries()) {
    within += count;
    own.latency.setTotal(within, { le: String(LATENCY_BOUNDS[at] ?? '+Inf') });
  }
  own.latencySum.setTotal(totals.latency.sumSeconds);
  own.connections.reset();
  for (const each of totals.listeners) {
    const { listener } = each;
    own.connections.set(each.open, { listener });
    own.accepted.setTotal(each.accepted, { listener, outcome: 'accepted' });
    own.accepted.setTotal(each.shed, { listener, outcome: 'shed' });
    own.accepted.setTotal(each.denied, { listener, outcome: 'denied' });
    own.bytes.setTotal(each.bytesIn, { listener, direction: 'in' });
    own.bytes.setTotal(each.bytesOut, { listener, direction: 'out' });
    for (const [reason, count] of Object.entries(each.handshakes)) {
      own.handshakesFailed.setTotal(count, { listener, reason });
    }
  }
}

function collectTargets(own: Own, lb: LbService, totals: Totals): void {
  for (const gauge of [own.targetOpen, own.targetLatency, own.targetUp]) gauge.reset();
  for (const { pool, id: target, ...each } of totals.targets) {
    const labels = { pool, target };
    const answered = each.requests - each.failures - each.cancelled - each.open;
    own.targetRequests.setTotal(answered, { ...labels, outcome: 'answered' });
    own.targetRequests.setTotal(each.failures, { ...labels, outcome: 'failed' });
    own.targetRequests.setTotal(each.cancelled, { ...labels, outcome: 'cancelled' });
    own.targetOpen.set(each.open, labels);
    own.targetLatency.set(each.latencyMs / 1000, labels);
    own.targetEjections.setTotal(each.ejections, labels);
  }
  for (const { name: pool, targets } of lb.states.values()) {
    for (const { id: target, health } of targets) {
      own.targetUp.set(health === 'up' ? 1 : 0, { pool, target });
    }
  }
  for (const gauge of [own.queued, own.failOpen]) gauge.reset();
  for (const { pool, ...each } of totals.pools) {
    own.queued.set(each.queued, { pool });
    own.failOpen.set(each.isFailOpen ? 1 : 0, { pool });
    own.retries.setTotal(each.retries, { pool, outcome: 'made' });
    own.retries.setTotal(each.retriesRefused, { pool, outcome: 'refused' });
  }
}

function collectWorkers(own: Own, lb: LbService, totals: Totals): void {
  const { all, running } = lb.options.workers;
  own.workers.set(all.length, { state: 'wanted' });
  own.workers.set(running, { state: 'running' });
  own.workerRestarts.setTotal(all.reduce((sum, { restarts }) => sum + restarts, 0));
  own.upstream.set(totals.upstream.open, { state: 'open' });
  own.upstream.set(totals.upstream.idle, { state: 'idle' });
  own.accessLogDropped.setTotal(totals.accessLogDropped);
  for (const { index, stats } of all) {
    if (stats === undefined) continue;
    const labels = { worker: String(index) };
    own.workerRss.set(stats.rssBytes, labels);
    own.workerLag.set(stats.loopLagMs / 1000, labels);
  }
  own.certificateEnds.reset();
  for (const { name: certificate, endsAtMs } of totals.certificates) {
    own.certificateEnds.set(endsAtMs / 1000, { certificate });
  }
}

function collectL4(own: Own, lb: LbService): void {
  const stats = lb.options.l4?.stats();
  if (stats === undefined) return;
  for (const [reason, { packets, bytes }] of stats.reasons) {
    own.l4Packets.setTotal(packets, { reason });
    own.l4Bytes.setTotal(bytes, { reason });
  }
  for (const { server, meter } of stats.servers) {
    own.serverBytes.setTotal(meter.in_bytes, { server, direction: 'in' });
    own.serverBytes.setTotal(meter.out_bytes, { server, direction: 'out' });
    own.serverPackets.setTotal(meter.in_packets, { server, direction: 'in' });
    own.serverPackets.setTotal(meter.out_packets, { server, direction: 'out' });
    own.serverConnections.setTotal(meter.connections, { server });
  }
}
