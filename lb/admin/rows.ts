// What an lb shows of its objects: listeners, routes, pools with their targets, servers.
import { DEFAULT_PROXY } from '../../shared/site/lb-objects.ts';
import { formatVserverAt } from '../../shared/site/vserver.ts';
import type { Meter } from '../l4/layout.ts';
import type { LbService } from '../service.ts';
import { type Totals, totalsOf } from '../workers/totals.ts';

export type TargetRow = {
  pool: string;
  target: string;
  health: 'up' | 'down' | 'drain';
  weight: number;
  /** In force, with slow start; the highest of all workers. */
  weightNow: number;
  tier: number;
  open: number;
  requests: number;
  failures: number;
  ejections: number;
  latencyMs: number;
  /** Why it takes no new request, in some worker. */
  skipped: string | null;
  why: string;
};

/** Of all workers: added up once a page. */
export function totals(lb: LbService): Totals {
  return totalsOf(lb.options.workers.all);
}

export function listenerRows(lb: LbService, all = totals(lb)) {
  const counted = new Map(all.listeners.map((each) => [each.listener, each]));
  const problems = lb.options.workers.problems;
  return (lb.plan?.listeners ?? []).map(({ name, at, protocol }) => {
    const { open = 0, accepted = 0, shed = 0, denied = 0 } = counted.get(name) ?? {};
    const problem = problems.find(({ listener }) => listener === name)?.text ?? null;
    return { listener: name, protocol, at: [...at], open, accepted, shed, denied, problem };
  });
}

export function routeRows(lb: LbService, all = totals(lb)) {
  const counted = new Map<string, { requests: number; errors: number }>();
  for (const { route, status, count } of all.requests) {
    const before = counted.get(route) ?? { requests: 0, errors: 0 };
    before.requests += count;
    if (status === 5 || status === 0) before.errors += count;
    counted.set(route, before);
  }
  return (lb.plan?.routes ?? []).map(({ name, hosts, paths, action }) => {
    const { requests = 0, errors = 0 } = counted.get(name) ?? {};
    const to = action.kind === 'pool' ? action.pool : `${action.status}`;
    return { route: name, hosts: [...hosts], paths: [...paths], to, requests, errors };
  });
}

export function targetRows(lb: LbService, all = totals(lb)): TargetRow[] {
  const counted = new Map(all.targets.map((each) => [`${each.pool} ${each.id}`, each]));
  const pools = lb.follower.poolsPlan?.pools ?? new Map();
  return [...lb.states.values()].flatMap(({ name: pool, targets }) =>
    targets.map((state): TargetRow => {
      const found = counted.get(`${pool} ${state.id}`);
      const { open = 0, requests = 0, failures = 0, ejections = 0, latencyMs = 0 } = found ?? {};
      return {
        pool,
        target: state.id,
        health: state.health,
        weight: state.weight,
        weightNow: found?.weight ?? state.weight,
        tier: state.tier,
        open,
        requests,
        failures,
        ejections,
        latencyMs,
        skipped: found?.skipped ?? null,
        why: lb.whyOf(pools.get(pool), state),
      };
    }),
  );
}

const NOTHING: Meter = {
  in_packets: 0,
  in_bytes: 0,
  out_packets: 0,
  out_bytes: 0,
  connections: 0,
};

export function serverRows(lb: LbService) {
  const stats = lb.options.l4?.stats();
  const meters = new Map(stats?.servers.map(({ server, meter }) => [server, meter]) ?? []);
  return (lb.plan?.servers ?? []).map((server) => {
    const { pool, mode, hash } = server;
    const id = formatVserverAt(server);
    const meter = meters.get(id) ?? NOTHING;
    return {
      server: id,
      pool,
      mode,
      hash,
      flows: meter.connections,
      packetsIn: meter.in_packets,
      bytesIn: meter.in_bytes,
      packetsOut: meter.out_packets,
      bytesOut: meter.out_bytes,
    };
  });
}

export function poolRows(lb: LbService, all = totals(lb)) {
  const counted = new Map(all.pools.map((each) => [each.pool, each]));
  const pools = lb.follower.poolsPlan?.pools ?? new Map();
  return [...lb.states.values()].map(({ name, targets }) => {
    const { algorithm } = pools.get(name)?.proxy ?? DEFAULT_PROXY;
    const { queued = 0, isFailOpen = false, retries = 0 } = counted.get(name) ?? {};
    const up = targets.filter(({ health }) => health === 'up').length;
    return { pool: name, algorithm, targets: targets.length, up, queued, isFailOpen, retries };
  });
}
