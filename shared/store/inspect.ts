// What doctor says of a Redis: settings that lose or refuse what was acknowledged. Read from INFO,
// which managed servers allow where they forbid CONFIG.
import { Cluster } from 'ioredis';
import type { RedisClient } from './connection.ts';
import type { Finding } from './types.ts';

/** One server's INFO as its lines say it. */
export type ServerInfo = Map<string, string>;

const LEAST_VERSION = [6, 2] as const;

export async function inspectServers(client: RedisClient): Promise<Finding[]> {
  const servers = client instanceof Cluster ? client.nodes('master') : [client];
  const infos = await Promise.all(servers.map((server) => server.info()));
  const findings = infos.flatMap((info) => judge(parseInfo(info)));
  const byText = new Map(findings.map((finding) => [finding.code + finding.message, finding]));
  return [...byText.values()];
}

export function parseInfo(text: string): ServerInfo {
  const lines = text.split(/\r?\n/).filter((line) => line.includes(':'));
  return new Map(
    lines.map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1)]),
  );
}

export function judge(info: ServerInfo): Finding[] {
  const findings: Finding[] = [];
  const version = info.get('redis_version') ?? '0.0';
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if (major < LEAST_VERSION[0] || (major === LEAST_VERSION[0] && minor < LEAST_VERSION[1])) {
    findings.push({
      level: 'error',
      code: 'EDGE_STORE_OLD',
      message: `Redis ${version} is older than ${LEAST_VERSION.join('.')}`,
      remedy: 'upgrade Redis',
    });
  }
  const policy = info.get('maxmemory_policy') ?? 'unknown';
  if (policy !== 'noeviction') {
    findings.push({
      level: 'error',
      code: 'EDGE_STORE_EVICTS',
      message: `maxmemory-policy is ${policy}: Redis may throw site objects away`,
      remedy: 'set maxmemory-policy noeviction',
    });
  }
  if (info.get('aof_enabled') !== '1') {
    findings.push({
      level: 'warning',
      code: 'EDGE_STORE_NO_AOF',
      message: 'the append-only file is off: a restart of Redis loses recent changes',
      remedy: 'set appendonly yes',
    });
  }
  if (info.get('aof_last_write_status') === 'err' || info.get('rdb_last_bgsave_status') === 'err') {
    findings.push({
      level: 'error',
      code: 'EDGE_STORE_DISK',
      message: 'Redis could not write its data to disk',
      remedy: "see Redis' log; often the disk is full",
    });
  }
  return findings;
}
