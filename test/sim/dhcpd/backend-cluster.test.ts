// The leases in a Redis Cluster of three primaries, each with a lineage of its own; and with
// replicas, what WAIT counts.
import { afterEach, describe, expect, test } from 'vitest';
import {
  inspectLeaseStore,
  openRedisLeases,
  type RedisLeases,
} from '../../../dhcpd/leases/backend.ts';
import { CODE } from '../../../dhcpd/leases/types.ts';
import { until } from '../../../lab/ready.ts';
import { OperationalError } from '../../../shared/errors.ts';
import { leaseKeys } from '../../../shared/store/keys.ts';
import { describeLeaseBackend } from '../../support/dhcp/lease-backend-conformance.ts';
import { addressSource, itemOf, one, ran } from '../../support/dhcp/lease-items.ts';
import { freePorts, type RedisProcess, startRedis } from '../../support/redis.ts';
import { startCluster } from '../../support/redis-cluster.ts';

const servers: RedisProcess[] = [];
let opened: RedisLeases[] = [];

async function start(port: number, ...args: string[]): Promise<RedisProcess> {
  const server = await startRedis({ port, arguments: args });
  servers.push(server);
  return server;
}

async function endAll(): Promise<void> {
  for (const each of opened.splice(0)) each.close();
  await Promise.all(servers.splice(0).map((each) => each.stop()));
}

async function restartAll(): Promise<void> {
  await Promise.all(servers.map((each) => each.kill()));
  await Promise.all(servers.map((each) => each.start()));
  for (const each of servers) {
    await until('the cluster is whole', async () =>
      (await each.ask('CLUSTER INFO')).includes('cluster_state:ok'),
    );
  }
}

describeLeaseBackend(
  'the leases in a Redis Cluster',
  async () => {
    // Or a kill may lose what a test then looks for.
    const synced = (port: number, ...args: string[]) =>
      start(port, ...args, '--appendfsync', 'always');
    const store = { url: await startCluster(synced), commandTimeoutMs: 5000 };
    const open = () => openRedisLeases({ store, durability: { by: 'none' } });
    const [backend, other] = [open(), open()];
    opened = [backend, other];
    const askAll = async (command: string) => {
      for (const server of servers) await server.ask(command);
    };
    return {
      backend,
      other,
      restart: restartAll,
      flush: () => askAll('FLUSHALL'),
      trim: (keep) => askAll(`XTRIM ${leaseKeys('dhcpd').log} MAXLEN ${keep}`),
    };
  },
  endAll,
);

const next = addressSource();

/** `count` of replicas; absent: fsync. */
function open(url: string, count?: number): RedisLeases {
  const durability =
    count === undefined ? { by: 'fsync' as const } : { by: 'replicas' as const, count };
  const leases = openRedisLeases({ store: { url, commandTimeoutMs: 5000 }, durability });
  opened.push(leases);
  return leases;
}

describe('on servers of several kinds', () => {
  afterEach(endAll);

  test('a write that too few replicas hold is not durable', async () => {
    const [port = 0, replicaPort = 0] = await freePorts(2);
    const primary = await start(port);
    await expect(inspectLeaseStore({ url: primary.url })).rejects.toMatchObject({
      code: 'EDGE_DHCPD_DURABILITY',
      remedy: expect.stringContaining('appendfsync always'),
    });
    const replica = await start(replicaPort, '--replicaof', `127.0.0.1 ${port}`);
    await until('the replica follows', async () =>
      (await primary.ask('INFO replication')).includes('state=online'),
    );
    const found = await inspectLeaseStore({ url: primary.url });
    expect(found).toEqual({ by: 'replicas', count: 1 });
    const leases = open(primary.url, 1);
    const address = next();
    expect((await ran(leases, [itemOf('bind', address, { client: 2 })])).durable).toBe(true);
    const prove = async () => leases.prove([address >>> 8], await leases.lineage());
    expect(await prove()).toBe(true);
    await replica.stop();
    expect(await prove()).toBe(false);
    const { durable, results } = await ran(leases, [itemOf('bind', address, { client: 2 })]);
    expect([durable, results[0]?.code]).toEqual([false, CODE.done]);
    await expect(leases.lengthen(address >>> 8, 9)).rejects.toBeInstanceOf(OperationalError);
  });

  test('a server that does not sync each write is not taken for one that does', async () => {
    const [port = 0] = await freePorts(1);
    const server = await start(port, '--appendonly', 'yes', '--appendfsync', 'everysec');
    const { durable } = await ran(open(server.url), [itemOf('bind', next(), { client: 2 })]);
    expect(durable).toBe(false);
    const version = /redis_version:(\d+)\.(\d+)/.exec(await server.ask('INFO server')) ?? [];
    if (Number(version[1]) * 100 + Number(version[2]) >= 702) return;
    const refused = inspectLeaseStore({ url: server.url });
    await expect(refused).rejects.toMatchObject({ code: 'EDGE_DHCPD_DURABILITY' });
    await server.ask('CONFIG SET appendfsync always');
    expect(await inspectLeaseStore({ url: server.url })).toEqual({ by: 'fsync' });
  });

  test('who may not look has to be told', async () => {
    const [port = 0] = await freePorts(1);
    const server = await start(port, '--appendonly', 'yes', '--appendfsync', 'always');
    await server.ask('ACL SETUSER default -config');
    const refused = inspectLeaseStore({ url: server.url });
    await expect(refused).rejects.toMatchObject({
      code: 'EDGE_DHCPD_DURABILITY',
      remedy: expect.stringContaining('name durability'),
    });
    expect((await ran(open(server.url), [itemOf('bind', next(), { client: 2 })])).durable).toBe(
      true,
    );
  });

  test('a flushed script is sent again; a primary turned replica is left', async () => {
    const [port = 0] = await freePorts(1);
    const server = await start(port, '--appendonly', 'yes', '--appendfsync', 'always');
    const leases = open(server.url);
    const address = next();
    await one(leases, 'bind', address, { client: 2 });
    await server.ask('SCRIPT FLUSH');
    expect(await one(leases, 'bind', address, { client: 4 })).toMatchObject({ code: CODE.taken });
    const lineage = await leases.lineage();
    await server.ask('REPLICAOF 127.0.0.1 1');
    const failed = leases.run([itemOf('bind', address, { client: 2 })]);
    await expect(failed).rejects.toMatchObject({ code: 'EDGE_STORE_UNREACHABLE' });
    await server.ask('REPLICAOF NO ONE');
    expect(await leases.lineage()).toBe(lineage);
    expect(await one(leases, 'bind', address, { client: 2 })).toMatchObject({ code: CODE.done });
  });

  test('a server that hangs is given up in time', async () => {
    const server = await startRedis();
    servers.push(server);
    const store = { url: server.url, commandTimeoutMs: 300 };
    const leases = openRedisLeases({ store, durability: { by: 'none' } });
    opened.push(leases);
    const address = next();
    await one(leases, 'bind', address, { client: 2 });
    server.freeze();
    const hung = leases.run([itemOf('bind', address, { client: 2 })]);
    await expect(hung).rejects.toMatchObject({ code: 'EDGE_STORE_TIMEOUT' });
    server.thaw();
    const back = await until('it answers again', () => one(leases, 'bind', address, { client: 2 }));
    expect(back.lease.generation).toBe(1);
  });
});
