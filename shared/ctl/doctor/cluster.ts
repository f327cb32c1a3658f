// Doctor: the store's settings, and what the instances say of themselves.

import { describeError } from '../../errors.ts';
import type { Store } from '../../store/types.ts';
import { type Followed, formatAge, type Heard, isLive, lagOfAll } from '../members.ts';
import { type Finding, fail, ok, warn } from './finding.ts';

const SKEW_WARN_MS = 500;
const SKEW_FAIL_MS = 5000;

export async function storeChecks(store: Store, url: string): Promise<Finding[]> {
  try {
    await store.ping();
    const found = await store.inspect();
    const reached = ok('store.reach', `the store answers (${url})`);
    if (found.length === 0) return [reached, ok('store.settings', 'Redis keeps what it is told')];
    const problems = found.map((finding): Finding => {
      const level = finding.level === 'error' ? 'fail' : 'warn';
      const { message, remedy } = finding;
      return { level, check: `store.${shortCode(finding.code)}`, message, remedy };
    });
    return [reached, ...problems];
  } catch (error) {
    const remedy = 'is Redis running, and is it the right URL? Services go on with what they know';
    return [fail('store.reach', `${url}: ${describeError(error)}`, remedy)];
  }
}

/** EDGE_STORE_NO_AOF → no_aof */
function shortCode(code: string): string {
  return code.replace(/^EDGE_STORE_/, '').toLowerCase();
}

function driftRemedy(service: string): string {
  const seen: Record<string, string> = { dns: 'zone list', lb: 'lb list' };
  const there = seen[service] === undefined ? '' : `, edgectl ${seen[service]} there,`;
  return `see edgectl nodes${there} and its log`;
}

/** `nowMs`: this host's wall clock. */
export function memberChecks(
  service: string,
  members: readonly Heard[],
  followed: readonly Followed[],
): Finding[] {
  const live = members.filter(isLive);
  if (live.length === 0) {
    const remedy = `start edge-${service} on a host, and look at its log`;
    return [warn(`${service}.live`, `no live ${service} instance`, remedy), ...silent(members)];
  }
  const findings = [ok(`${service}.live`, `${live.length} live ${service}`), ...silent(members)];
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
  return [...findings, ...idle(live), ...skew(service, live)];
}

/** Alive, and yet it carries no traffic. */
function idle(live: readonly Heard[]): Finding[] {
  return live
    .filter(({ state }) => state !== 'running')
    .map(({ service, node, state }) => {
      const meant = state === 'draining' || state === 'drained';
      const remedy = meant
        ? `edgectl undrain ${node}, once it shall carry traffic again`
        : 'see /readyz at its admin port, and its log';
      return warn(`${service}.state`, `${node} is ${state}`, remedy);
    });
}

function silent(members: readonly Heard[]): Finding[] {
  return members
    .filter((member) => !isLive(member))
    .map((member) =>
      warn(
        `${member.service}.silent`,
        `${member.node} has been silent for ${formatAge(member.ageMs)}`,
        'is the host down, or does it not reach the store? What it does is unknown',
      ),
    );
}

/** What each node's clock shows now: its clock at the heartbeat and the time since then. */
function skew(service: string, live: readonly Heard[]): Finding[] {
  const clocks = live
    .filter((member) => member.clockMs !== undefined)
    .map((member) => ({ node: member.node, nowMs: (member.clockMs ?? 0) + member.ageMs }))
    .sort((a, b) => a.nowMs - b.nowMs);
  const [slowest, fastest] = [clocks[0], clocks.at(-1)];
  if (slowest === undefined || fastest === undefined || clocks.length < 2) return [];
  const skewMs = fastest.nowMs - slowest.nowMs;
  const check = `${service}.clocks`;
  if (skewMs < SKEW_WARN_MS) return [ok(check, `clocks agree within ${Math.ceil(skewMs)} ms`)];
  const apart = `${formatAge(skewMs)} between ${slowest.node} and ${fastest.node}`;
  const remedy = 'run chrony or systemd-timesyncd on every host';
  const level = skewMs < SKEW_FAIL_MS ? warn : fail;
  return [level(check, `clocks differ by ${apart}: logs and leases will not line up`, remedy)];
}
