// Doctor: the store, and what the instances say of themselves.

import type { Clock } from '../../clock.ts';
import type { Service } from '../../site/place.ts';
import type { Store } from '../../store/types.ts';
import { type Followed, formatAge, type Heard, isLive, lagOfAll } from '../members.ts';
import { type Finding, fail, ok, warn } from './finding.ts';
import { judgeServers, type Needs } from './redis.ts';

const SKEW_WARN_MS = 500;
const SKEW_FAIL_MS = 5000;
const PINGS = 5;
const LATENCY_WARN_MS = 20;

/** How long the store takes, and the settings of its servers. `needs`: see redis.ts. */
export async function storeChecks(store: Store, clock: Clock, needs: Needs): Promise<Finding[]> {
  const before = clock.nowMs();
  const servers = await store.inspect();
  const after = clock.nowMs();
  const latencies: number[] = [];
  for (let round = 0; round < PINGS; round++) {
    const startMs = clock.monotonicMs();
    await store.ping();
    latencies.push(clock.monotonicMs() - startMs);
  }
  return [
    latency(Math.max(...latencies)),
    ...servers.flatMap(({ clockMs }) => storeClock(clockMs, before, after)),
    ...judgeServers(servers, needs),
  ];
}

function latency(slowestMs: number): Finding {
  const check = 'store.latency';
  const text = `${Math.ceil(slowestMs)} ms`;
  if (slowestMs < LATENCY_WARN_MS) return ok(check, `the store answers within ${text}`);
  const what = `the store took ${text} for an answer: leases and changes wait for it`;
  return warn(check, what, 'see SLOWLOG and LATENCY DOCTOR of Redis, and the way there');
}

/** It was read between two moments of ours. */
function storeClock(clockMs: number, beforeMs: number, afterMs: number): Finding[] {
  const check = 'store.clock';
  const apartMs = Math.max(beforeMs - clockMs, clockMs - afterMs, 0);
  if (apartMs < SKEW_WARN_MS) {
    return [ok(check, `the clock of Redis agrees within ${Math.ceil(apartMs)} ms`)];
  }
  const what = `the clocks of Redis and of this host differ by ${formatAge(apartMs)}`;
  const level = apartMs < SKEW_FAIL_MS ? warn : fail;
  return [level(check, what, 'run chrony or systemd-timesyncd on both')];
}

function driftRemedy(service: string): string {
  const seen: Record<string, string> = { dns: 'zone list', lb: 'lb list' };
  const there = seen[service] === undefined ? '' : `, edgectl ${seen[service]} there,`;
  return `see edgectl nodes${there} and its log`;
}

export function memberChecks(
  service: Service,
  members: readonly Heard[],
  followed: readonly Followed[],
): Finding[] {
  const live = members.filter(isLive);
  if (live.length === 0) {
    const remedy = `start edge-${service} on a host, and look at its log`;
    return [
      warn(`${service}.live`, `no live ${service} instance`, remedy),
      ...silent(service, members),
    ];
  }
  const findings = [
    ok(`${service}.live`, `${live.length} live ${service}`),
    ...silent(service, members),
  ];
  const versions = [...new Set(live.map((member) => member.version))].sort();
  findings.push(
    versions.length === 1
      ? ok(`${service}.versions`, `all run version ${versions[0]}`)
      : warn(
          `${service}.versions`,
          `different versions run: ${versions.join(', ')}`,
          'finish the upgrade',
        ),
  );
  for (const member of live) {
    const drift = lagOfAll(member, followed);
    if (drift === undefined) continue;
    findings.push(fail(`${service}.drift`, `${member.node}: ${drift}`, driftRemedy(service)));
  }
  return [...findings, ...idle(service, live), ...skew(service, live)];
}

/** Alive, and yet it carries no traffic. */
function idle(service: Service, live: readonly Heard[]): Finding[] {
  return live
    .filter(({ state }) => state !== 'running')
    .map(({ node, state }) => {
      const meant = state === 'draining' || state === 'drained';
      const remedy = meant
        ? `edgectl undrain ${node}, once it shall carry traffic again`
        : 'see /readyz at its admin port, and its log';
      return warn(`${service}.state`, `${node} is ${state}`, remedy);
    });
}

function silent(service: Service, members: readonly Heard[]): Finding[] {
  return members
    .filter((member) => !isLive(member))
    .map((member) =>
      warn(
        `${service}.silent`,
        `${member.node} has been silent for ${formatAge(member.ageMs)}`,
        'is the host down, or does it not reach the store? What it does is unknown',
      ),
    );
}

/** What each node's clock shows now: its clock at the heartbeat and the time since then. */
function skew(service: Service, live: readonly Heard[]): Finding[] {
  const clocks = live
    .filter((member) => member.clockMs !== undefined)
    .map((member) => ({ node: member.node, nowMs: (member.clockMs ?? 0) + member.ageMs }))
    .sort((a, b) => a.nowMs - b.nowMs);
  const [slowest, fastest] = [clocks[0], clocks.at(-1)];
  if (slowest === undefined || fastest === undefined || clocks.length < 2) return [];
  const skewMs = fastest.nowMs - slowest.nowMs;
  const check = `${service}.clocks` as const;
  if (skewMs < SKEW_WARN_MS) return [ok(check, `clocks agree within ${Math.ceil(skewMs)} ms`)];
  const apart = `${formatAge(skewMs)} between ${slowest.node} and ${fastest.node}`;
  const remedy = 'run chrony or systemd-timesyncd on every host';
  const level = skewMs < SKEW_FAIL_MS ? warn : fail;
  return [level(check, `clocks differ by ${apart}: logs and leases will not line up`, remedy)];
}
