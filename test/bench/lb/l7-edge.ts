// Our own proxy: the daemon with its workers, its objects in a Redis of its own.
import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Run } from '../../../lab/run.ts';
import {
  BACKEND_PORT,
  type RunningProxy,
  routeHosts,
  type StartOptions,
  targetAddress,
  type Wanted,
} from './l7-proxies.ts';
import { CPUS, runInside, spawnInside, untilListening } from './l7-site.ts';

const ROOT = join(import.meta.dirname, '../../..');
const EDGECTL = join(ROOT, 'shared/ctl/main.ts');
const MAIN = join(ROOT, 'lb/main.ts');
const READY_MS = 60_000;
/** How many checked targets a pool has. */
export const POOL_TARGETS = 100;
/** As HAProxy's `inter`. */
export const CHECK_SECONDS = 5;

async function startRedis({ run, name, directory }: StartOptions): Promise<string> {
  const path = join(directory, 'redis.sock');
  const settings = { port: 0, unixsocket: path, dir: directory, save: '', appendonly: 'no' };
  const args = Object.entries(settings).flatMap(([key, value]) => [`--${key}`, String(value)]);
  const redis = spawnInside(run, `redis of ${name}`, CPUS.load, ['redis-server', ...args]);
  const ping = ['redis-cli', '-s', path, 'PING'];
  await redis.ready('answers', async () =>
    (await runInside(run, CPUS.load, ping)).startsWith('PONG'),
  );
  return `unix:${path}`;
}

/** The site file's sections. */
function objectsOf({ wanted, certificate, http, https }: StartOptions): object {
  const pools = [
    {
      name: 'backend',
      targets: [`127.0.0.1:${BACKEND_PORT}`],
      proxy: { maxIdle: 2000 },
    },
    ...checkedPools(wanted),
  ];
  const hosts = wanted.routes > 1 ? routeHosts(wanted.routes) : [];
  const checkedRoutes = pools.slice(1).map(({ name }) => {
    return { name, listeners: ['plain'], paths: [`/${name}`], pool: name };
  });
  const own = hosts.map((host, index) => {
    return { name: `r${index}`, listeners: ['plain'], hosts: [host], pool: 'backend' };
  });
  return {
    pools,
    certificates: [{ name: 'www', chain: certificate.pem }],
    listeners: [
      { name: 'plain', at: `127.0.0.1:${http}`, protocol: 'http' },
      { name: 'secure', at: `127.0.0.1:${https}`, protocol: 'https', certificates: ['www'] },
    ],
    routes: [
      ...own,
      ...checkedRoutes,
      wanted.routes > 1
        ? { name: 'secure', listeners: ['secure'], pool: 'backend' }
        : { name: 'all', pool: 'backend' },
    ],
  };
}

function checkedPools({ checked }: Wanted) {
  const pools = Array.from({ length: Math.ceil(checked / POOL_TARGETS) }, (_, index) => index);
  return pools.map((pool) => ({
    name: `checked-${pool}`,
    targets: Array.from(
      { length: Math.min(POOL_TARGETS, checked - pool * POOL_TARGETS) },
      (_, at) => `${targetAddress(pool * POOL_TARGETS + at)}:${BACKEND_PORT}`,
    ),
    check: { type: 'tcp', interval: `${CHECK_SECONDS}s`, timeout: '1s', rise: 2, fall: 3 },
    proxy: {},
  }));
}

export async function startEdge(options: StartOptions): Promise<RunningProxy> {
  const { run, name, directory, wanted, http, https, certificate } = options;
  const store = await startRedis(options);
  const apply = [process.execPath, EDGECTL, 'apply', '-f', '-', '--no-wait'];
  await runInside(run, CPUS.load, apply, {
    input: JSON.stringify(objectsOf(options)),
    env: { EDGE_STORE: store },
  });
  const admin = http + 1100;
  const file = join(directory, 'lb.yaml');
  const config = {
    node: 'bench',
    store,
    stateDirectory: join(directory, 'state'),
    keyDirectory: dirname(certificate.keyFile),
    workers: wanted.workers,
    limits: { connections: 100_000, perClient: 100_000, requests: 100_000_000 },
    drain: { delay: '0s', timeout: '0s' },
    admin: { listen: `127.0.0.1:${admin}` },
    control: { socket: join(directory, 'lb.sock') },
    log: { level: 'warn' },
  };
  writeFileSync(file, JSON.stringify(config));
  // With the flags of this process, such as --cpu-prof; workers have them, too.
  const argv = [process.execPath, ...process.execArgv, MAIN, '--config', file];
  const daemon = spawnInside(run, name, wanted.cpus, argv);
  await untilReady(run, daemon, admin);
  await untilListening(run, daemon, http);
  await untilListening(run, daemon, https);
  return { process: daemon, http, https, admin };
}

async function untilReady(
  run: Run,
  daemon: ReturnType<typeof spawnInside>,
  admin: number,
): Promise<void> {
  const curl = ['curl', '-sS', '--fail', '--max-time', '5', `http://127.0.0.1:${admin}/readyz`];
  await daemon.ready(
    'is ready',
    async () => (await runInside(run, CPUS.load, curl)) !== '',
    READY_MS,
  );
}
