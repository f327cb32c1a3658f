// A Redis with two replicas and a sentinel: when the primary dies, one replica takes over and the
// other makes its writes durable.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Run } from '../../../lab/run.ts';
import { ask, infoOf, type Redis, startRedis } from './redis.ts';
import { NODE, runInside, spawnInside } from './site.ts';

const GROUP = 'edge';
const PRIMARY_PORT = 6379;
const SENTINEL_PORT = 26379;
const REPLICAS = 2;
/** So long a silent primary is believed to live. */
const DOWN_AFTER_MS = 1000;
const READY_LIMIT_MS = 30_000;

async function startSentinel(run: Run, directory: string) {
  const config = join(directory, 'sentinel.conf');
  const lines = [
    `port ${SENTINEL_PORT}`,
    'bind 127.0.0.1',
    `dir ${directory}`,
    `sentinel monitor ${GROUP} 127.0.0.1 ${PRIMARY_PORT} 1`,
    `sentinel down-after-milliseconds ${GROUP} ${DOWN_AFTER_MS}`,
    `sentinel failover-timeout ${GROUP} 10000`,
  ];
  writeFileSync(config, `${lines.join('\n')}\n`);
  const argv = ['redis-server', config, '--sentinel'];
  const sentinel = spawnInside(run, argv, { name: 'sentinel', node: NODE.servers });
  const asked = ['SENTINEL', 'MASTER', GROUP];
  const cli = ['redis-cli', '-p', String(SENTINEL_PORT), ...asked];
  const knows = async (): Promise<boolean> =>
    (await runInside(run, NODE.servers, cli)).includes(`num-slaves\n${REPLICAS}\n`);
  await sentinel.ready('knows the replicas', knows, READY_LIMIT_MS);
  return sentinel;
}

/** The primary, and all else under `others`. */
export async function startRedisSet(run: Run, directory: string): Promise<Redis> {
  const at = (name: string): string => {
    const own = join(directory, name);
    mkdirSync(own);
    return own;
  };
  const listen = (port: number) => ({ port, bind: '127.0.0.1' });
  const primary = await startRedis(run, 'redis', at('redis'), listen(PRIMARY_PORT));
  for (let index = 1; index <= REPLICAS; index++) {
    const name = `replica-${index}`;
    const port = PRIMARY_PORT + index;
    const more = { ...listen(port), replicaof: `127.0.0.1 ${PRIMARY_PORT}` };
    primary.others.push((await startRedis(run, name, at(name), more)).process);
  }
  const isFollowed = async (): Promise<boolean> =>
    (await infoOf(primary.path, 'replication', 'connected_slaves')) === String(REPLICAS) &&
    Number(await ask(primary.path, ['WAIT', String(REPLICAS), '100'])) === REPLICAS;
  await primary.process.ready('is followed', isFollowed, READY_LIMIT_MS);
  primary.others.push(await startSentinel(run, at('sentinel')));
  return { ...primary, url: `redis+sentinel://127.0.0.1:${SENTINEL_PORT}/${GROUP}` };
}
