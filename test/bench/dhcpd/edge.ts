// Our own servers: one Redis that syncs each write before it answers, and one or two instances on
// it, each with an address and a relay of its own. For a failover: a primary with two replicas.
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { LabProcess } from '../../../lab/process.ts';
import type { Run } from '../../../lab/run.ts';
import { ipv4 } from '../../../shared/net/ipv4.ts';
import { parsePrefix } from '../../../shared/net/prefix.ts';
import { leaseOf } from '../../../shared/site/lease-times.ts';
import { formatSubnet } from '../../../shared/site/subnet.ts';
import { leaseKeys } from '../../../shared/store/keys.ts';
import { openStore } from '../../../shared/store/open.ts';
import { LEASE_SECONDS, PREFIX, TARGETS } from './addresses.ts';
import { fillRedis } from './edge-fill.ts';
import { ask, infoOf, type Redis, startRedis } from './redis.ts';
import { startRedisSet } from './redis-set.ts';
import { NODE, runInside, spawnInside } from './site.ts';
import type { Contender, Pool, Running, StartOptions, Target } from './types.ts';

/** As an operator starts it. */
const EDGE_DHCPD = join(import.meta.dirname, '../../../deploy/bin/edge-dhcpd');
const READY_LIMIT_MS = 60_000;
const STOP_LIMIT_MS = 30_000;
const CONFIG = 'dhcpd.yaml';
const FIRST_ADMIN_PORT = 9102;

/** One subnet, and nothing in it but the pool. */
async function storeSubnet(redis: Redis, pool: Pool): Promise<void> {
  const prefix = parsePrefix(PREFIX);
  if (prefix?.family !== 4) throw new Error(`${PREFIX} is no IPv4 prefix`);
  const subnet = formatSubnet({
    prefix,
    pools: [{ first: ipv4(pool.first), last: ipv4(pool.first + pool.count - 1) }],
    relays: [],
    options: {},
    lease: leaseOf({ default: LEASE_SECONDS }),
    authoritative: true,
    rapidCommit: false,
  });
  // By the socket, since this process is in no namespace of the bench.
  const store = openStore({ url: `unix:${redis.path}` });
  try {
    await store.apply('dhcpd', [subnet]);
  } finally {
    await store.close();
  }
}

/** Its own address alone: two of them share the namespace. */
function configOf(target: Target, index: number, directory: string, redis: Redis): unknown {
  return {
    node: `edge-${index}`,
    store: redis.url,
    stateDirectory: directory,
    relayed: { listen: [`${target.server}:67`] },
    serverId: target.server,
    siblingIds: TARGETS.filter((other) => other !== target).map(({ server }) => server),
    admin: { listen: `127.0.0.1:${FIRST_ADMIN_PORT + index}` },
    control: { socket: join(directory, 'control.sock') },
    durability: redis.others.length > 0 ? 'replicas:1' : 'auto',
    drain: { timeout: '1s' },
    log: { level: 'warn' },
  };
}

/** Throws with what it lacks. */
async function askReadiness(run: Run, port: number): Promise<true> {
  const url = `http://127.0.0.1:${port}/readyz?verbose`;
  const curl = ['curl', '-s', '--max-time', '5', '-w', '%{http_code}', url];
  const answer = await runInside(run, NODE.servers, curl);
  if (!answer.endsWith('200')) throw new Error(answer);
  return true;
}

/** Of a configuration that is written already. */
function spawnInstance(run: Run, index: number, at: string): LabProcess {
  const config = join(at, `edge-${index}`, CONFIG);
  const argv = [EDGE_DHCPD, '--config', config];
  return spawnInside(run, argv, { name: `edge-dhcpd-${index}`, node: NODE.servers });
}

async function startInstance(run: Run, index: number, at: string, redis: Redis) {
  const directory = join(at, `edge-${index}`);
  mkdirSync(directory);
  const [target] = TARGETS.slice(index);
  if (target === undefined) throw new Error(`there is no address for instance ${index}`);
  writeFileSync(join(directory, CONFIG), JSON.stringify(configOf(target, index, directory, redis)));
  const instance = spawnInstance(run, index, at);
  const isReady = (): Promise<true> => askReadiness(run, FIRST_ADMIN_PORT + index);
  await instance.ready('is ready', isReady, READY_LIMIT_MS).catch((error: Error) => {
    throw new Error(`${error.message}\n${instance.tail(5)}`, { cause: error });
  });
  return instance;
}

/** What Redis uses, but for the log of changes: that one is bounded, however many leases. */
async function leaseBytes({ path }: Redis): Promise<number> {
  const used = Number(await infoOf(path, 'memory', 'used_memory'));
  const log = await ask(path, ['MEMORY', 'USAGE', leaseKeys('dhcpd').log, 'SAMPLES', '0']);
  return used - Number(log);
}

async function startEdge(options: StartOptions, count: number): Promise<Running> {
  const { run, directory, pool, filledPerMille, isFailover } = options;
  const redis = isFailover
    ? await startRedisSet(run, directory)
    : await startRedis(run, 'redis', directory);
  await storeSubnet(redis, pool);
  if (filledPerMille > 0) await fillRedis(redis.path, pool, filledPerMille);
  const instances: LabProcess[] = [];
  for (let index = 0; index < count; index++) {
    instances.push(await startInstance(run, index, directory, redis));
  }
  return {
    targets: TARGETS.slice(0, count),
    pids: () => [redis.process, ...redis.others, ...instances].map(({ pid }) => pid),
    leaseBytes: () => leaseBytes(redis),
    stop: async () => {
      await Promise.all(instances.map((instance) => instance.stop(STOP_LIMIT_MS)));
      await Promise.all([redis.process, ...redis.others].map((each) => each.stop()));
    },
    faults: {
      instance: async () => {
        await instances.shift()?.kill9();
        // As a service manager would; with two, the other one serves.
        if (count === 1) instances.push(spawnInstance(run, 0, directory));
      },
      redis: async () => {
        await redis.process.kill9();
      },
    },
  };
}

const contender = (name: string, count: number, guess: number): Contender => ({
  name,
  modes: [{ name, guess, start: (options) => startEdge(options, count) }],
});

/** None while there is no dhcpd to start. */
export function edgeContenders(): Contender[] {
  if (!existsSync(EDGE_DHCPD)) return [];
  return [contender('edge-dhcpd', 1, 10_000), contender('edge-dhcpd x2', 2, 10_000)];
}
