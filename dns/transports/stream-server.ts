// DNS over TCP and over TLS: listeners, and the bounds of what clients may hold open. In the main
// thread: a stream's cost is its connection, not the answer, and transfers need what lives here.
import { createServer, type Server, type Socket } from 'node:net';
import {
  createSecureContext,
  createServer as createTlsServer,
  type Server as TlsServer,
} from 'node:tls';
import { type Clock, every } from '../../shared/clock.ts';
import { OperationalError } from '../../shared/errors.ts';
import { type Endpoint, formatEndpoint } from '../../shared/net/ports.ts';
import type { Responder } from '../answer/types.ts';
import { addressBytes, prefixKey } from './addresses.ts';
import { type ClosedBy, Connection } from './connection.ts';
import type { Referred, Transport } from './types.ts';

const LOOK_MS = 1000;
const BACKLOG = 1024;

export type StreamLimits = {
  connections: number;
  /** Of a /24 or a /56. */
  perClient: number;
  idle: number;
  message: number;
  pipelined: number;
};

export type TlsFiles = { certificate: Buffer; key: Buffer };

export type StreamServerOptions = {
  kind: 'tcp' | 'tls';
  listen: readonly Endpoint[];
  limits: StreamLimits;
  /** Of the main thread: whoever owns it lets it adopt states. */
  responder: Responder;
  referred: Referred;
  clock: Clock;
  /** `tls` only: throws when the files are no good. */
  tls?: () => TlsFiles;
};

export type StreamCounts = Record<'accepted' | 'refused' | ClosedBy, number>;

export class StreamServer implements Transport {
  readonly counts: StreamCounts = {
    accepted: 0,
    refused: 0,
    client: 0,
    idle: 0,
    'slow-sender': 0,
    'slow-reader': 0,
    'no-query': 0,
    drain: 0,
  };
  readonly #options: StreamServerOptions;
  readonly #servers: Server[] = [];
  readonly #connections = new Set<Connection>();
  readonly #raw = new Set<Socket>();
  readonly #perClient = new Map<string, number>();
  readonly #stopping = new AbortController();
  #isDraining = false;

  constructor(options: StreamServerOptions) {
    this.#options = options;
  }

  get connections(): number {
    return this.#raw.size;
  }

  async open(): Promise<void> {
    const { listen, clock } = this.#options;
    for (const endpoint of listen) this.#servers.push(await this.#listen(endpoint));
    every(clock, LOOK_MS, () => this.#look(), this.#stopping.signal);
  }

  async adopt(): Promise<void> {}

  /** Certificate and key anew; throws what is wrong with them, and keeps those before. */
  reloadCertificate(): void {
    const { tls } = this.#options;
    if (tls === undefined) return;
    const context = contextOptions(tls());
    createSecureContext(context); // throws before any server has taken it
    for (const server of this.#servers) (server as TlsServer).setSecureContext(context);
  }

  drain(): void {
    this.#isDraining = true;
    for (const server of this.#servers) server.close();
    for (const connection of this.#connections) connection.drain();
  }

  async close(): Promise<void> {
    this.#stopping.abort();
    const closed = this.#servers.map((server) => {
      return new Promise<void>((resolve) => server.close(() => resolve()));
    });
    for (const connection of this.#connections) connection.destroy();
    for (const socket of this.#raw) socket.destroy();
    await Promise.all(closed);
  }

  #listen({ host, port }: Endpoint): Promise<Server> {
    const server = this.#create();
    server.on('connection', (socket: Socket) => this.#admit(socket));
    return new Promise((resolve, reject) => {
      server.once('error', (cause) => {
        const where = `${this.#options.kind} ${formatEndpoint({ host, port })}`;
        const remedy = 'free the address, choose another one, or give CAP_NET_BIND_SERVICE';
        reject(
          new OperationalError('EDGE_DNS_LISTEN', `${where} cannot be bound`, { cause, remedy }),
        );
      });
      server.listen({ host, port, backlog: BACKLOG, ipv6Only: host.includes(':') }, () => {
        server.removeAllListeners('error');
        server.on('error', () => {}); // of one accept(2); others go on
        resolve(server);
      });
    });
  }

  #create(): Server {
    const { kind, tls, limits } = this.#options;
    if (kind === 'tcp') return createServer({ allowHalfOpen: true, noDelay: true }, this.#serve);
    if (tls === undefined) throw new Error('no certificate is named');
    const server = createTlsServer(
      { ...contextOptions(tls()), ALPNProtocols: ['dot'], handshakeTimeout: limits.message },
      this.#serve,
    );
    server.on('tlsClientError', (_, socket) => socket.destroy());
    return server;
  }

  /** Before a handshake, too. */
  #admit(socket: Socket): void {
    const { limits } = this.#options;
    const client = prefixKey(addressBytes(socket.remoteAddress ?? ''));
    const own = this.#perClient.get(client) ?? 0;
    if (this.#isDraining || this.#raw.size >= limits.connections || own >= limits.perClient) {
      this.counts.refused++;
      socket.destroy();
      return;
    }
    this.counts.accepted++;
    this.#raw.add(socket);
    this.#perClient.set(client, own + 1);
    socket.on('error', () => {}); // 'close' follows
    socket.on('close', () => {
      this.#raw.delete(socket);
      const left = (this.#perClient.get(client) ?? 1) - 1;
      if (left > 0) this.#perClient.set(client, left);
      else this.#perClient.delete(client);
    });
  }

  readonly #serve = (socket: Socket): void => {
    if (socket.destroyed) return; // not admitted
    const { kind, limits, responder, referred, clock } = this.#options;
    const connection = new Connection({
      socket,
      exchange: {
        transport: kind,
        client: addressBytes(socket.remoteAddress ?? ''),
        clientPort: socket.remotePort ?? 0,
      },
      responder,
      referred,
      now: () => ({
        nowSeconds: Math.floor(clock.nowMs() / 1000),
        nowMs: clock.monotonicMs(),
      }),
      pipelined: limits.pipelined,
      idleMs: limits.idle,
      messageMs: limits.message,
      onClosed: (by) => {
        this.counts[by]++;
        this.#connections.delete(connection);
      },
    });
    this.#connections.add(connection);
  };

  #look(): void {
    for (const connection of this.#connections) connection.look();
  }
}

function contextOptions({ certificate, key }: TlsFiles) {
  return { cert: certificate, key, minVersion: 'TLSv1.2' } as const;
}
