// A Redis Cluster of a test's own, on loopback.
import { once } from 'node:events';
import { connect } from 'node:net';
import { until } from '../../lab/ready.ts';
import { freePorts, type RedisProcess } from './redis.ts';

/**
 * Three primaries, a third of the slots each; a port and the bus port 10000 above have to be free.
 */
export async function startCluster(
  start: (port: number, ...args: string[]) => Promise<RedisProcess>,
): Promise<string> {
  const ports = await clusterPorts(3);
  const nodes = await Promise.all(
    ports.map((port) =>
      start(
        port,
        '--cluster-enabled',
        'yes',
        '--cluster-node-timeout',
        '2000',
        '--appendonly',
        'yes',
      ),
    ),
  );
  const [first] = nodes;
  const bounds = [0, 5461, 10923, 16384];
  for (const [index, node] of nodes.entries()) {
    const from = bounds[index] ?? 0;
    const to = (bounds[index + 1] ?? 0) - 1;
    await node.ask(`CLUSTER ADDSLOTSRANGE ${from} ${to}`);
    await first?.ask(`CLUSTER MEET 127.0.0.1 ${node.port}`);
  }
  for (const node of nodes) {
    await until('the cluster is whole', async () => {
      const info = await node.ask('CLUSTER INFO');
      return info.includes('cluster_state:ok') && info.includes('cluster_known_nodes:3');
    });
  }
  return `redis+cluster://${ports.map((port) => `127.0.0.1:${port}`).join(',')}`;
}

async function clusterPorts(count: number): Promise<number[]> {
  const found: number[] = [];
  await until('there are ports for a cluster', async () => {
    const candidates = (await freePorts(count * 4)).filter((port) => port < 55_000);
    for (const port of candidates) if (!(await isOpen(port + 10_000))) found.push(port);
    return found.length >= count;
  });
  return found.slice(0, count);
}

async function isOpen(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  const events = AbortSignal.timeout(1000);
  const open = await once(socket, 'connect', { signal: events }).then(
    () => true,
    () => false,
  );
  socket.destroy();
  return open;
}
