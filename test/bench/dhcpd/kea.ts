// Kea's DHCPv4 server: its configuration, and a process of it in the servers' namespace.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { LabProcess } from '../../../lab/process.ts';
import type { Run } from '../../../lab/run.ts';
import { LEASE_SECONDS, PREFIX, rangeOf } from './addresses.ts';
import { type NODE, runInside, spawnInside } from './site.ts';
import type { Pool } from './types.ts';

const PROGRAM = '/usr/sbin/kea-dhcp4';
const PROFILES = '/sys/kernel/security/apparmor/profiles';
const READY_LIMIT_MS = 120_000;

/** Threads and the queue before each; undefined: one thread that does it all. */
export type Threads = { count: number; queue: number } | undefined;

export interface KeaSettings {
  /** `dhcp0/10.0.0.1`. */
  listen: string;
  pool: Pool;
  threads: Threads;
  database: Record<string, unknown>;
  controlSocket?: string;
  hooks?: readonly unknown[];
}

/**
 * Sockets of the kind that a server behind relays is given (`udp`), renewals of young leases
 * answered from memory as ours do, no clean-up of the lease file while it is measured.
 */
export function keaConfig(settings: KeaSettings): unknown {
  const { listen, pool, threads, database, controlSocket, hooks } = settings;
  const threading = threads
    ? { 'thread-pool-size': threads.count, 'packet-queue-size': threads.queue }
    : {};
  return {
    Dhcp4: {
      'interfaces-config': { interfaces: [listen], 'dhcp-socket-type': 'udp' },
      'lease-database': database,
      'valid-lifetime': LEASE_SECONDS,
      'cache-threshold': 0.25,
      'multi-threading': { 'enable-multi-threading': threads !== undefined, ...threading },
      ...(controlSocket
        ? { 'control-socket': { 'socket-type': 'unix', 'socket-name': controlSocket } }
        : {}),
      ...(hooks ? { 'hooks-libraries': hooks } : {}),
      subnet4: [{ id: 1, subnet: PREFIX, pools: [{ pool: rangeOf(pool).join(' - ') }] }],
      loggers: [{ name: 'kea-dhcp4', severity: 'ERROR', output_options: [{ output: 'stderr' }] }],
    },
  };
}

export const memfile = (directory: string) => ({
  type: 'memfile',
  persist: true,
  name: join(directory, 'leases.csv'),
  'lfc-interval': 0,
});

/** Debian's AppArmor profile allows the installed path nothing but the packaged directories. */
async function program(directory: string): Promise<string> {
  const isConfined = existsSync(PROFILES) && readFileSync(PROFILES, 'utf8').includes('kea-dhcp4');
  if (!isConfined) return PROGRAM;
  const copy = join(directory, 'kea-dhcp4');
  await copyFile(PROGRAM, copy);
  return copy;
}

export interface KeaStart {
  run: Run;
  name: string;
  node: (typeof NODE)['servers' | 'standby'];
  directory: string;
  settings: KeaSettings;
}

/** Returns once it listens: all its leases are loaded then. */
export async function startKea(start: KeaStart): Promise<LabProcess> {
  const { run, name, node, directory, settings } = start;
  const config = join(directory, 'kea.json');
  writeFileSync(config, JSON.stringify(keaConfig(settings)));
  const env = { KEA_PIDFILE_DIR: directory, KEA_LOCKFILE_DIR: directory };
  const argv = [await program(directory), '-c', config];
  const kea = spawnInside(run, argv, { name, node, env });
  const address = settings.listen.split('/')[1];
  const listens = async (): Promise<boolean> =>
    (await runInside(run, node, ['ss', '-Hlnu'])).includes(`${address}:67`);
  await kea.ready('listens', listens, READY_LIMIT_MS);
  return kea;
}
