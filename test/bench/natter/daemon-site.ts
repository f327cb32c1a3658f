// A Redis with EIPs in it and the real daemon beside its router: what the daemon's cases stand on.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execute } from '../../../lab/exec.ts';
import { netnsPath } from '../../../lab/netns.ts';
import { LabProcess } from '../../../lab/process.ts';
import { instanceName, PIN_ROOT, type Run } from '../../../lab/run.ts';
import { openStore } from '../../../shared/store/open.ts';
import { type Change, MAX_CHANGES_PER_APPLY, type Store } from '../../../shared/store/types.ts';
import { eip, privateAddress } from './peers.ts';
import type { Site } from './site.ts';

const MAIN = join(import.meta.dirname, '../../../natter/main.ts');
const UNIT = 'natter';
const ADMIN = '127.0.0.1:9101';
const READY_LIMIT_MS = 120_000;
const STOP_LIMIT_MS = 20_000;
/** Redis may be busy with a thousand changes at once. */
const COMMAND_TIMEOUT_MS = 10_000;

export interface DaemonSite {
  run: Run;
  site: Site;
  store: Store;
  redis: LabProcess;
  configPath: string;
  pinDirectory: string;
  daemon: LabProcess | undefined;
}

/** As the daemon's own numbers: EIP i belongs to private address `to`. */
export const eipChange = (index: number, to: number): Change => ({
  kind: 'eip',
  id: eip(index),
  value: JSON.stringify({ private: privateAddress(to) }),
});

async function fill(store: Store, eips: number): Promise<void> {
  for (let first = 0; first < eips; first += MAX_CHANGES_PER_APPLY) {
    const count = Math.min(MAX_CHANGES_PER_APPLY, eips - first);
    const changes = Array.from({ length: count }, (_, index) =>
      eipChange(first + index, first + index),
    );
    await store.apply(UNIT, changes);
  }
}

/** Starts Redis, with so many EIPs in it; the daemon is not started. */
export async function openDaemonSite(run: Run, site: Site, eips: number): Promise<DaemonSite> {
  const name = `${site.router}-${eips}`;
  const socket = join(run.directory, `${name}.sock`);
  const settings = { port: 0, unixsocket: socket, save: '', appendonly: 'no', daemonize: 'no' };
  const args = Object.entries(settings).flatMap(([key, value]) => [`--${key}`, String(value)]);
  const redis = new LabProcess(run, ['redis-server', ...args], { name: `redis-${name}` });
  const url = `unix:${socket}`;
  const store = openStore({ url, commandTimeoutMs: COMMAND_TIMEOUT_MS });
  const instance = instanceName(run, name);
  const configPath = join(run.directory, `${name}.yaml`);
  const config = {
    node: 'bench',
    instance,
    store: url,
    stateDirectory: join(run.directory, `${name}.state`),
    links: { uplink: ['up0'], inside: ['in0'] },
    admin: { listen: ADMIN },
    control: { socket: join(run.directory, `${name}.control`) },
    capacity: { eips: Math.max(eips + 1024, 16_384), limits: 4096 },
    drain: { quiet: '0s', timeout: '1s' },
  };
  writeFileSync(configPath, JSON.stringify(config));
  const pinDirectory = join(PIN_ROOT, instance, 'natter');
  const opened = { run, site, store, redis, configPath, pinDirectory, daemon: undefined };
  await redis.ready('answers', async () => store.ping().then(() => true));
  await fill(store, eips);
  return opened;
}

async function isReady(at: DaemonSite): Promise<boolean> {
  const curl = ['curl', '-sf', '--max-time', '5', '-o', '/dev/null', `http://${ADMIN}/readyz`];
  const inside = [`--net=${netnsPath(at.run, at.site.router)}`, '--', ...curl];
  return (await execute('nsenter', inside, { allowFailure: true })).code === 0;
}

/** Returns once it is ready: all EIPs are in the kernel, and the programs on their links. */
export async function startDaemon(at: DaemonSite): Promise<LabProcess> {
  const inside = ['nsenter', `--net=${netnsPath(at.run, at.site.router)}`, '--'] as const;
  const argv = [...inside, process.execPath, MAIN, '--config', at.configPath] as const;
  at.daemon = new LabProcess(at.run, [...argv], { name: `natter-${at.site.router}` });
  await at.daemon.ready('is ready', () => isReady(at), READY_LIMIT_MS);
  return at.daemon;
}

export async function stopDaemon(at: DaemonSite): Promise<void> {
  await at.daemon?.stop(STOP_LIMIT_MS);
  at.daemon = undefined;
}

export async function closeDaemonSite(at: DaemonSite): Promise<void> {
  await stopDaemon(at);
  await at.store.close();
  await at.redis.kill9();
  await execute('rm', ['-rf', join(at.pinDirectory, '..')]);
}

/** Megabytes (10⁶ bytes) of memory, now and at most, from /proc/PID/status. */
export function memoryOf(daemon: LabProcess): { now: number; most: number } {
  const status = readFileSync(`/proc/${daemon.pid}/status`, 'latin1');
  const megabytes = (field: string): number =>
    (Number(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(status)?.[1]) * 1024) / 1e6;
  return { now: megabytes('VmRSS'), most: megabytes('VmHWM') };
}

export const apply = (at: DaemonSite, change: Change) => at.store.apply(UNIT, [change]);
