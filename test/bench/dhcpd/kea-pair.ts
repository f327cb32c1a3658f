// Kea's hot-standby pair: each binding is sent to the standby, and answered, before its ACK leaves.
// Both speak HTTP to each other through the listener of the HA hook itself; the standby has a
// namespace of its own, and its CPU time counts.
import { readdirSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { PAIR, STANDBY, TARGETS } from './addresses.ts';
import { memfile, startKea, type Threads } from './kea.ts';
import { NODE } from './site.ts';
import type { Running, StartOptions } from './types.ts';

const LIBRARIES = '/usr/lib';
const PORT = 8001;
const READY_LIMIT_MS = 60_000;

/** `/usr/lib/<architecture>/kea/hooks/NAME`. */
function hook(name: string): string {
  for (const architecture of readdirSync(LIBRARIES)) {
    const folder = join(LIBRARIES, architecture, 'kea/hooks');
    try {
      if (readdirSync(folder).includes(name)) return join(folder, name);
    } catch {
      // Not a folder of libraries.
    }
  }
  throw new Error(`Kea's ${name} is not under ${LIBRARIES}`);
}

/** Names of servers are those of the namespaces. */
const hooks = (own: string): readonly unknown[] => [
  { library: hook('libdhcp_lease_cmds.so') },
  {
    library: hook('libdhcp_ha.so'),
    parameters: {
      'high-availability': [
        {
          'this-server-name': own,
          mode: 'hot-standby',
          'heartbeat-delay': 1000,
          'multi-threading': { 'enable-multi-threading': true, 'http-dedicated-listener': true },
          peers: [
            { name: 'server', url: `http://${PAIR.primary}:${PORT}/`, role: 'primary' },
            { name: 'standby', url: `http://${PAIR.standby}:${PORT}/`, role: 'standby' },
          ],
        },
      ],
    },
  },
];

/** The reply of a control socket to one command. */
function ask(path: string, command: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ path });
    let reply = '';
    socket.setTimeout(2000, () => socket.destroy(new Error('Kea did not answer')));
    socket.on('data', (bytes) => {
      reply += bytes.toString();
    });
    socket.on('error', reject);
    socket.on('close', () => resolve(reply));
    socket.write(JSON.stringify({ command }));
  });
}

export async function startPair(options: StartOptions, threads: Threads): Promise<Running> {
  const { run, directory, pool } = options;
  const startOne = async (node: 'server' | 'standby', listen: string) => {
    const own = join(directory, node);
    await mkdir(own);
    const controlSocket = join(own, 'control.sock');
    const database = memfile(own);
    const settings = { listen, pool, threads, database, controlSocket, hooks: hooks(node) };
    const kea = await startKea({ run, name: `kea-${node}`, node, directory: own, settings });
    return { kea, controlSocket };
  };
  const primary = await startOne(NODE.servers, `dhcp0/${TARGETS[0]?.server}`);
  const standby = await startOne(NODE.standby, `dhcp1/${STANDBY.server}`);
  for (const { kea, controlSocket } of [primary, standby]) {
    const isPaired = async (): Promise<boolean> =>
      (await ask(controlSocket, 'ha-heartbeat')).includes('"hot-standby"');
    await kea.ready('is one of a pair', isPaired, READY_LIMIT_MS);
  }
  return {
    targets: TARGETS.slice(0, 1),
    pids: () => [primary.kea.pid, standby.kea.pid],
    stop: async () => {
      await Promise.all([primary.kea.stop(), standby.kea.stop()]);
    },
  };
}
