// Targets as queues behind balancers, in simulated time: each serves so many at once, each request
// takes its time, or fails at once.
import type { Balancer, Place } from '../../../../lb/pools/types.ts';
import type { Random } from '../../../../shared/random.ts';
import { keyOf } from './rig.ts';

export type Server = {
  serviceMs: number;
  /** At once; more wait there. */
  slots: number;
  failsAtOnce?: boolean;
};
type Job = { place: Place; startedMs: number };

export type Outcomes = {
  served: Map<string, number>;
  failed: number;
  /** Of all requests, ms, sorted. */
  latencies: number[];
  /** The most that ever were at one server, waiting or served. */
  deepest: number;
};

/** Requests come at `ratePerMs`, to a balancer drawn each time, for `lengthMs`. */
export function simulate(
  balancers: readonly Balancer[],
  servers: ReadonlyMap<string, Server>,
  options: { random: Random; ratePerMs: number; lengthMs: number },
): Outcomes {
  const { random, ratePerMs, lengthMs } = options;
  const outcomes: Outcomes = { served: new Map(), failed: 0, latencies: [], deepest: 0 };
  const waiting = new Map<string, Job[]>([...servers.keys()].map((id) => [id, []]));
  const running = new Map<string, { job: Job; endMs: number }[]>(
    [...servers.keys()].map((id) => [id, []]),
  );
  for (let nowMs = 0; nowMs < lengthMs; nowMs++) {
    for (const [id, server] of servers) turn(id, server, nowMs);
    const arrivals = Math.floor(ratePerMs) + (random.next() < ratePerMs % 1 ? 1 : 0);
    for (let at = 0; at < arrivals; at++) arrive(nowMs);
  }
  outcomes.latencies.sort((a, b) => a - b);
  return outcomes;

  function arrive(nowMs: number): void {
    const place = balancers[random.integer(balancers.length)]?.pick(keyOf(random), [], nowMs);
    if (place === undefined) throw new Error('nobody was picked');
    const { id } = place.target;
    outcomes.served.set(id, (outcomes.served.get(id) ?? 0) + 1);
    if (servers.get(id)?.failsAtOnce) {
      outcomes.failed++;
      place.end({ kind: 'failed' }, nowMs);
      return;
    }
    waiting.get(id)?.push({ place, startedMs: nowMs });
  }

  function turn(id: string, server: Server, nowMs: number): void {
    const [queue = [], serving = []] = [waiting.get(id), running.get(id)];
    outcomes.deepest = Math.max(outcomes.deepest, queue.length + serving.length);
    for (const { job } of serving.filter(({ endMs }) => endMs <= nowMs)) {
      const latencyMs = nowMs - job.startedMs;
      outcomes.latencies.push(latencyMs);
      job.place.end({ kind: 'response', status: 200, latencyMs }, nowMs);
    }
    const left = serving.filter(({ endMs }) => endMs > nowMs);
    while (left.length < server.slots) {
      const job = queue.shift();
      if (job === undefined) break;
      left.push({ job, endMs: nowMs + server.serviceMs * (0.5 + random.next()) });
    }
    running.set(id, left);
  }
}
