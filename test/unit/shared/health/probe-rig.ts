// Targets on loopback that behave as a case says, and the probe of one of them.
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { systemClock } from '../../../../shared/clock.ts';
import { createProbes, type ProbesOptions } from '../../../../shared/health/probes.ts';
import type { CheckSettings, ProbeResult } from '../../../../shared/health/types.ts';
import { systemRandom } from '../../../../shared/random.ts';

/** A server that answers in time is not to be judged by a slow machine. */
export const AMPLE_MS = 10_000;
/** For those who never answer. */
export const SHORT_MS = 150;

const times = { intervalMs: 1000, rise: 1, fall: 1 };

type Kind<T = CheckSettings> = T extends CheckSettings
  ? Omit<T, keyof typeof times | 'timeoutMs'>
  : never;

export async function probe(
  address: string,
  kind: Kind,
  timeoutMs: number = AMPLE_MS,
  options: Partial<ProbesOptions> = {},
): Promise<ProbeResult> {
  const probes = createProbes({ clock: systemClock, random: systemRandom, ...options });
  try {
    const check = { ...times, timeoutMs, ...kind } as CheckSettings; // one of its kinds
    return await probes.probe({ address, check });
  } finally {
    probes.close();
  }
}

/** The verdict without the time that it took. */
export async function verdict(...args: Parameters<typeof probe>): Promise<string> {
  const { verdict, reason } = await probe(...args);
  return `${verdict}: ${reason}`;
}

const opened: { close(): void }[] = [];

/** After each test. */
export function endTargets(): void {
  for (const each of opened.splice(0)) each.close();
}

export function endLater(close: () => void): void {
  opened.push({ close });
}

/** Its port. Connections end with the test. */
export async function listen(server: Server, host = '127.0.0.1'): Promise<number> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => {}); // the probe may leave as it likes
  });
  server.listen(0, host);
  await once(server, 'listening');
  endLater(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return (server.address() as AddressInfo).port; // of a TCP server
}

export function tcpServer(onConnection: (socket: Socket) => void, host?: string): Promise<number> {
  return listen(createServer(onConnection), host);
}

export type Reply = (question: Buffer, source: { port: number; address: string }) => Buffer[];

/** A DNS server of both transports on one port; no `overTcp`: none listens there. */
export async function dnsServer(
  reply: Reply,
  overTcp?: Reply,
  host = '127.0.0.1',
): Promise<number> {
  const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4');
  const server =
    overTcp === undefined
      ? undefined
      : createServer((stream) =>
          stream.on('data', (data) => {
            for (const answer of overTcp(data.subarray(2), { port: 0, address: '' })) {
              // A byte at a time: answers come in any pieces.
              const head = Buffer.from([answer.length >> 8, answer.length & 255]);
              stream.write(head.subarray(0, 1));
              stream.write(Buffer.concat([head.subarray(1), answer]));
            }
            if (overTcp.length === 0) stream.end();
          }),
        );
  const port = server === undefined ? 0 : await listen(server, host);
  socket.on('message', (question, source) => {
    for (const answer of reply(question, source)) socket.send(answer, source.port, source.address);
  });
  socket.bind(port, host);
  await once(socket, 'listening');
  endLater(() => socket.close());
  return socket.address().port;
}
