// A TCP listener on loopback with targets behind it, all real sockets; time is the system's.
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';
import { until } from '../../../../lab/ready.ts';
import { serveTcp } from '../../../../lb/l7/front-tcp/stream.ts';
import type { TcpStream } from '../../../../lb/l7/front-tcp/types.ts';
import type { AccessEntry } from '../../../../lb/l7/types.ts';
import { createUpstreams } from '../../../../lb/l7/upstream/upstreams.ts';
import type { ClientSocket, Upstreams } from '../../../../lb/l7/wiring.ts';
import { createBalancer } from '../../../../lb/pools/balancer.ts';
import type { Balancer, PoolState } from '../../../../lb/pools/types.ts';
import { systemClock as clock } from '../../../../shared/clock.ts';
import { seededRandom } from '../../../../shared/random.ts';
import {
  DEFAULT_PROXY,
  type Listener,
  type PoolProxy,
} from '../../../../shared/site/lb-objects.ts';
import { listener } from '../../../support/lb/objects.ts';

const LISTENER = listener({ name: 'front', at: [], protocol: 'tcp', http2: false });

/** A pool of targets at these ports of 127.0.0.1. */
export function poolOf(
  name: string,
  ports: readonly number[],
  proxy: Partial<PoolProxy> = {},
): PoolState {
  const targets = ports.map((port) => {
    const place = { address: '127.0.0.1', port, weight: 1, tier: 0, upSinceMs: 0 };
    return { id: `127.0.0.1:${port}`, ...place, health: 'up' as const };
  });
  return { name, proxy: { ...DEFAULT_PROXY, algorithm: 'ring', ...proxy }, targets };
}

export type Rig = {
  port: number;
  entries: AccessEntry[];
  streams: Set<TcpStream>;
  balancers: Map<string, Balancer>;
  /** Of the front: sockets to clients. */
  accepted: Socket[];
  /** Of the front: sockets to targets. */
  dialled: ClientSocket[];
  connect(): Socket;
  /** The one entry, when the stream is over. */
  entry(): Promise<AccessEntry>;
};

export async function startFront(
  pools: readonly PoolState[],
  listener: Partial<Listener> = {},
  { helloMs = 10_000, dial }: { helloMs?: number; dial?: Upstreams['stream'] } = {},
): Promise<Rig> {
  const upstreams = createUpstreams({ clock });
  const states = new Map(pools.map((pool) => [pool.name, pool]));
  const balancers = new Map(
    pools.map((pool) => {
      const options = { random: seededRandom(1), nowMs: clock.monotonicMs() };
      return [pool.name, createBalancer(pool, options)];
    }),
  );
  const rig = { entries: [] as AccessEntry[], streams: new Set<TcpStream>(), balancers };
  const accepted: Socket[] = [];
  const dialled: ClientSocket[] = [];
  const kept: Upstreams['stream'] = (pool, target, options, done) =>
    upstreams.stream(pool, target, options, (result) => {
      if (!('kind' in result)) dialled.push(result);
      done(result);
    });
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    accepted.push(socket);
    const stream: TcpStream = serveTcp(socket, {
      listener: () => ({
        ...LISTENER,
        ...(listener.protocol === 'tls' ? {} : { pool: 'www' }),
        ...listener,
      }),
      client: {
        address: '127.0.0.1',
        port: socket.remotePort ?? 0,
        localAddress: '127.0.0.1',
        localPort: socket.localPort ?? 0,
        scheme: 'http',
        isTrusted: false,
      },
      upstreams: { stream: dial ?? kept },
      balancers: (name) => balancers.get(name),
      pool: (name) => states.get(name),
      journal: { ended: (entry) => rig.entries.push(entry) },
      clock,
      helloMs,
      onClosed: () => rig.streams.delete(stream),
    });
    rig.streams.add(stream);
  });
  const port = await listening(server);
  const ticking = setInterval(() => {
    const nowMs = clock.monotonicMs();
    for (const stream of rig.streams) stream.tick(nowMs);
    for (const balancer of balancers.values()) balancer.tick(nowMs);
    upstreams.tick(nowMs);
  }, 20);
  onTestFinished(() => {
    clearInterval(ticking);
    for (const stream of rig.streams) stream.destroy('drained');
    upstreams.close();
    for (const socket of accepted) socket.destroy();
    server.close();
  });
  const entry = () => until('the stream is told of', () => rig.entries[0]);
  return { ...rig, port, accepted, dialled, connect: () => connecting(port), entry };
}

export type Target = { port: number; sockets: Socket[] };

/** A target that does this with each connection. */
export async function startTarget(serve: (socket: Socket) => void): Promise<Target> {
  const sockets: Socket[] = [];
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.push(socket);
    socket.on('error', () => {});
    serve(socket);
  });
  const port = await listening(server);
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { port, sockets };
}

/** A port where nobody listens. */
export async function closedPort(): Promise<number> {
  const server = createServer();
  const port = await listening(server);
  server.close();
  await once(server, 'close');
  return port;
}

export async function listening(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port; // it listens on TCP
}

function connecting(port: number): Socket {
  const socket = connect({ host: '127.0.0.1', port, allowHalfOpen: true });
  onTestFinished(() => void socket.destroy());
  return socket.on('error', () => {});
}

/** All until the other side ends. */
export async function readAll(socket: Socket): Promise<string> {
  const pieces: Buffer[] = [];
  for await (const piece of socket) pieces.push(piece);
  return Buffer.concat(pieces).toString('latin1');
}

/** How a connection that is cut looks to its peer. */
export async function cutOf(socket: Socket): Promise<string> {
  socket.resume();
  return await new Promise((resolve) => {
    socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    socket.once('end', () => resolve('end'));
    socket.once('close', () => resolve('close'));
  });
}
