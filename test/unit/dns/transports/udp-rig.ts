// Threads that answer for example.com on loopback, and a client that asks.
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import type { ServingState } from '../../../../dns/answer/types.ts';
import { UdpWorkers, type UdpWorkersOptions } from '../../../../dns/transports/udp-workers.ts';
import { systemClock } from '../../../../shared/clock.ts';
import { imageOf, stateOf } from '../../../support/dns/resolve-rig.ts';
import { freePorts } from '../../../support/redis.ts';

const opened: { close(): unknown }[] = [];
/** For afterEach. */
export async function closeAll(): Promise<void> {
  for (const each of opened.splice(0)) await each.close();
}

/** www has this address, www2 too. */
export function stateWith(address: string, generation = 1): ServingState {
  const text = [
    '$TTL 60',
    '@ SOA ns hostmaster 1 2 3 4 5',
    `www A ${address}`,
    `www2 A ${address}`,
    `both A ${address}`,
    `both A ${address.replace(/\d+$/, (last) => `${Number(last) + 100}`)}`,
  ];
  return { ...stateOf([imageOf('example.com.', `${text.join('\n')}\n`)]), generation };
}

export type Udp = { udp: UdpWorkers; port: number; fatal: Error[] };

export async function serve(
  hosts: readonly string[],
  changed: Partial<UdpWorkersOptions> = {},
  state: ServingState | 'none' = stateWith('192.0.2.1'),
): Promise<Udp> {
  const [port = 0] = await freePorts(1);
  const fatal: Error[] = [];
  const udp = new UdpWorkers({
    listen: hosts.map((host) => ({ host, port })),
    workers: 2,
    keepaliveMs: 10_000,
    async *referred() {
      yield* [];
    },
    onFatal: (error) => void fatal.push(error),
    clock: systemClock,
    ...changed,
  });
  opened.push(udp);
  if (state !== 'none') await udp.adopt(state);
  await udp.open();
  return { udp, port, fatal };
}

export type Client = { socket: Socket; heard: { from: string; bytes: Buffer }[] };

export async function client(host = '127.0.0.1'): Promise<Client> {
  const socket = createSocket({
    type: host.includes(':') ? 'udp6' : 'udp4',
    recvBufferSize: 1 << 22,
  });
  opened.push({ close: () => socket.close() });
  const heard: Client['heard'] = [];
  socket.on('message', (bytes, { address }) => void heard.push({ from: address, bytes }));
  socket.bind(0, host);
  await once(socket, 'listening');
  return { socket, heard };
}
