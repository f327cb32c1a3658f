// Doctor: what is wrong with a server of the store, from what it says of itself: whether it keeps
// what it acknowledged, whom it follows, how full it is. Pure.
import type { ServerFacts } from '../../store/types.ts';
import { type Finding, fail, ok, warn } from './finding.ts';

/** What hangs on the store. */
export type Needs = {
  /** A dhcpd promises leases: what Redis acknowledged has to outlive it. */
  needsDurable: boolean;
};

const LEAST = [6, 2] as const; // what the scripts need
const SUPPORTED = [7, 0] as const;
/**
 * The first of each series without the holes of its Lua engine that are known (CVE-2025-49844 and
 * before); 7.0 gets them from distributions only, which do not count them.
 */
const MENDED: readonly (readonly [major: number, minor: number, patch: number])[] = [
  [6, 2, 20],
  [7, 0, 15],
  [7, 2, 11],
  [7, 4, 6],
  [8, 0, 4],
  [8, 2, 2],
];
const FULL_WARN = 0.8;
const FULL_FAIL = 0.95;

/** Each thing that is wrong once, however many servers have it. */
export function judgeServers(servers: readonly ServerFacts[], needs: Needs): Finding[] {
  const checks = [version, eviction, persistence, disk, memory, replicas, rights];
  const findings = servers.flatMap((facts) => checks.flatMap((check) => check(facts, needs)));
  const unique = [...new Map(findings.map((one) => [one.check + one.message, one])).values()];
  return unique.length > 0 ? unique : [ok('store.settings', 'Redis keeps what it is told')];
}

type Check = (facts: ServerFacts, needs: Needs) => Finding[];

const version: Check = ({ info }) => {
  const check = 'store.version';
  const text = info.get('redis_version') ?? '0.0';
  const [major = 0, minor = 0, patch = 0] = text.split('.').map(Number);
  const isBefore = ([a, b]: readonly [number, number]) => major < a || (major === a && minor < b);
  if (isBefore(LEAST)) {
    return [fail(check, `Redis ${text} is older than ${LEAST.join('.')}`, 'upgrade Redis')];
  }
  if (isBefore(SUPPORTED)) {
    return [warn(check, `Redis ${text}: its series gets no more mends`, 'upgrade to 7.0 or newer')];
  }
  const mended = MENDED.find(([a, b]) => a === major && b === minor);
  const isOther = info.has('valkey_version'); // it says a version of Redis that it is not
  if (isOther || mended === undefined || patch >= mended[2]) return [];
  const remedy = `upgrade to ${mended.join('.')} or newer, unless your distribution has mended it`;
  return [warn(check, `Redis ${text} has holes that are known`, remedy)];
};

const eviction: Check = ({ info }) => {
  const policy = info.get('maxmemory_policy') ?? 'unknown';
  const evicted = Number(info.get('evicted_keys') ?? 0);
  const remedy = 'set maxmemory-policy noeviction (CONFIG SET, and redis.conf)';
  if (policy !== 'noeviction') {
    const what = `maxmemory-policy is ${policy}: Redis may throw site objects away`;
    return [fail('store.eviction', what, remedy)];
  }
  if (evicted === 0) return [];
  const what = `Redis has thrown ${evicted} keys away since it started`;
  return [fail('store.eviction', what, 'apply the site file; edgectl confirm if that is refused')];
};

/** docs/leases.md §6: each write synced, or on a replica, or WAITAOF (Redis 7.2). */
const persistence: Check = ({ info, settings }, { needsDurable }) => {
  const check = 'store.aof';
  const replicated = onlineReplicas(info) > 0;
  if (info.get('aof_enabled') !== '1') {
    const level = needsDurable && !replicated ? fail : warn;
    const snapshots = (settings?.get('save') ?? '') === '' ? '' : ', but for RDB snapshots';
    const lost = `the append-only file is off: a restart of Redis loses recent changes${snapshots}`;
    const leases = needsDurable ? '; a lease may be given twice' : '';
    return [level(check, lost + leases, 'set appendonly yes (CONFIG SET, and redis.conf)')];
  }
  const policy = settings?.get('appendfsync');
  if (policy === 'no') {
    const what = 'appendfsync is no: a power cut loses what the kernel had not written yet';
    return [warn(check, what, 'set appendfsync everysec, or always')];
  }
  const [major = 0, minor = 0] = (info.get('redis_version') ?? '').split('.').map(Number);
  const hasWaitAof = major > 7 || (major === 7 && minor >= 2);
  const keeps = policy === undefined || policy === 'always' || replicated || hasWaitAof;
  if (!needsDurable || keeps) return [];
  const what = `appendfsync is ${policy}, and there is no replica: dhcpd can promise no lease`;
  return [fail(check, what, 'set appendfsync always, or connect a replica')];
};

const disk: Check = ({ info }) => {
  const states = ['aof_last_write_status', 'aof_last_bgrewrite_status', 'rdb_last_bgsave_status'];
  const bad = states.filter((name) => info.get(name) === 'err');
  if (bad.length === 0) return [];
  const what = `Redis could not write its data to disk (${bad.join(', ')})`;
  return [fail('store.disk', what, "see Redis' log; often the disk is full")];
};

const memory: Check = ({ info }) => {
  const [used = 0, most = 0] = ['used_memory', 'maxmemory'].map((name) => Number(info.get(name)));
  const part = most > 0 ? used / most : 0;
  if (part < FULL_WARN) return [];
  const what = `Redis has used ${Math.floor(part * 100)} % of maxmemory`;
  const level = part < FULL_FAIL ? warn : fail;
  return [level('store.memory', `${what}: when it is full nothing can be changed`, 'raise it')];
};

const replicas: Check = ({ info, settings }, { needsDurable }) => {
  const check = 'store.replicas';
  if (info.get('role') === 'slave') {
    return [fail(check, 'this is a replica: it takes no change', 'name the primary, or Sentinel')];
  }
  const connected = Number(info.get('connected_slaves') ?? 0);
  const findings: Finding[] = [];
  const online = onlineReplicas(info);
  if (online < connected) {
    const what = `${connected - online} of ${connected} replicas are not in step yet`;
    findings.push(warn(check, what, 'wait; if it lasts, see the log of the replica'));
  }
  const least = settings?.get('min-replicas-to-write');
  if (connected > 0 && needsDurable && least === '0') {
    const what = 'a primary that is cut off would go on to acknowledge: min-replicas-to-write is 0';
    findings.push(warn(check, what, 'set min-replicas-to-write 1'));
  }
  return findings;
};

const rights: Check = ({ settings }) => {
  if (settings !== undefined) return [];
  const what = 'Redis does not tell its settings: how it syncs and replicates is not known';
  return [warn('store.rights', what, 'let the user of edgectl run CONFIG GET, or see there')];
};

/** Connected and past their first synchronization. */
function onlineReplicas(info: ReadonlyMap<string, string>): number {
  return [...info].filter(([name, value]) => /^slave\d+$/.test(name) && /state=online/.test(value))
    .length;
}
