// The store on a Redis Cluster, and behind Sentinels that fail over, all on loopback.
import { writeFileSync } from 'node:fs';
import { afterEach, describe, expect, test } from 'vitest';
import { until } from '../../../lab/ready.ts';
import { openStore } from '../../../shared/store/open.ts';
import type { Store } from '../../../shared/store/types.ts';
import { type Followed, follow } from '../../support/followed.ts';
import { freePorts, type RedisProcess, startRedis } from '../../support/redis.ts';
import { startCluster } from '../../support/redis-cluster.ts';
import { describeStore } from '../../support/store-conformance.ts';

const servers: RedisProcess[] = [];
const followers: Followed[] = [];

async function endAll(): Promise<void> {
  await Promise.all(followers.splice(0).map((each) => each.stop()));
  await Promise.all(servers.splice(0).map((each) => each.stop()));
}

async function start(port: number, ...args: string[]): Promise<RedisProcess> {
  const server = await startRedis({ port, arguments: args });
  servers.push(server);
  return server;
}

let stores: Store[] = [];
describeStore(
  'the store in a Redis Cluster',
  async () => {
    const url = await startCluster(start);
    stores = [
      openStore({ url, commandTimeoutMs: 5000 }),
      openStore({ url, commandTimeoutMs: 5000 }),
    ];
    const [store, other] = stores;
    if (store === undefined || other === undefined) throw new Error('no stores');
    const trim = async (unit: string, keep: number) => {
      const trimmed = `XTRIM edge:1:{${unit}}:changes MAXLEN ${keep}`;
      for (const server of servers) await server.ask(trimmed);
    };
    return { store, other, trim };
  },
  async () => {
    for (const store of stores) await store.close();
    await endAll();
  },
);

describe('behind Sentinels', () => {
  afterEach(endAll);

  test('a failover is followed, and what it lost is forgotten', failover);
});

async function failover(): Promise<void> {
  const [primaryPort = 0, replicaPort = 0, sentinelPort = 0] = await freePorts(3);
  const primary = await start(primaryPort);
  const replica = await start(replicaPort, '--replicaof', `127.0.0.1 ${primaryPort}`);
  await until('the replica follows', async () =>
    (await replica.ask('INFO replication')).includes('master_link_status:up'),
  );
  await startSentinel(sentinelPort, primaryPort);
  const url = `redis+sentinel://127.0.0.1:${sentinelPort}/mymaster`;
  const followed = await follow(url);
  followers.push(followed);
  const { follower, target, put, holds } = followed;
  for (const id of ['a', 'b', 'c']) await holds(id, await put(id));

  // The replica hears nothing of the last write, not even in its socket: it is lost.
  replica.freeze();
  await primary.ask('CLIENT KILL TYPE replica');
  await holds('lost', await put('lost'));
  await primary.kill();
  replica.thaw();
  await until('the Sentinel has made the replica the primary', async () =>
    (await replica.ask('ROLE')).includes('master'),
  );
  await holds('d', await put('d'));
  await until('what was lost is forgotten', () => !target.held.has('eip:lost'), {
    timeoutMs: 20_000,
  });
  expect([...target.held.keys()].sort()).toEqual(['eip:a', 'eip:b', 'eip:c', 'eip:d']);
  expect(follower.status()).not.toHaveProperty('drift');
}

async function startSentinel(port: number, primaryPort: number): Promise<RedisProcess> {
  const settings = [
    `sentinel monitor mymaster 127.0.0.1 ${primaryPort} 1`,
    'sentinel down-after-milliseconds mymaster 700',
    'sentinel failover-timeout mymaster 3000',
  ];
  const file = `${servers[0]?.directory}/sentinel.conf`;
  writeFileSync(file, `${settings.join('\n')}\n`);
  const sentinel = await startRedis({ port, command: ['redis-server', file, '--sentinel'] });
  servers.push(sentinel);
  await until('the Sentinel knows the replica', async () =>
    (await sentinel.ask('SENTINEL REPLICAS mymaster')).includes('master-link-status'),
  );
  return sentinel;
}
