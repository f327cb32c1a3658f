// DNS over TCP and over TLS: listeners, and the bounds of what clients may hold open. In the main
// thread: a stream's cost is its connection, not the answer, and transfers need what lives here.
import { createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, type Server as TlsServer } from 'node:tls';
import { type Clock, every } from '../../shared/clock.ts';
import type { Endpoint } from '../../shared/net/ports.ts';
import type { Responder } from '../answer/types.ts';
import { addressBytes } from './addresses.ts';
import { type ClosedBy, Connection } from './connection.ts';
import {
  Admission,
  closeServer,
  listenOn,
  replaceCertificate,
  type StreamLimits,
  type TlsFiles,
  tlsOptions,
} from './listening.ts';
import type { Referred, Transport } from './types.ts';

const LOOK_MS = 1000;

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
  readonly #closed: Record<ClosedBy, number> = {
    client: 0,
    idle: 0,
    'slow-sender': 0,
    'slow-reader': 0,
    'no-query': 0,
    drain: 0,
  };
  readonly #options: StreamServerOptions;
  readonly #admission: Admission;
  readonly #servers: Server[] = [];
  readonly #connections = new Set<Connection>();
  readonly #stopping = new AbortController();

  constructor(options: StreamServerOptions) {
    this.#options = options;
    this.#admission = new Admission(options.limits);
  }

  get counts(): StreamCounts {
    const { accepted, refused } = this.#admission;
    return { accepted, refused, ...this.#closed };
  }

  get connections(): number {
    return this.#admission.open;
  }

  async open(): Promise<void> {
    const { listen, clock, kind } = this.#options;
    for (const endpoint of listen) {
      const server = this.#create();
      this.#servers.push(server);
      await listenOn(server, kind, endpoint);
    }
    every(clock, LOOK_MS, () => this.#look(), this.#stopping.signal);
  }

  async adopt(): Promise<void> {}

  /** Certificate and key anew; throws what is wrong with them, and keeps those before. */
  reloadCertificate(): void {
    const { tls } = this.#options;
    if (tls !== undefined) replaceCertificate(this.#servers as TlsServer[], tls());
  }

  drain(): void {
    this.#admission.isDraining = true;
    for (const server of this.#servers) server.close();
    for (const connection of this.#connections) connection.drain();
  }

  async close(): Promise<void> {
    this.#stopping.abort();
    const closed = this.#servers.map(closeServer);
    for (const connection of this.#connections) connection.destroy();
    this.#admission.destroyAll();
    await Promise.all(closed);
  }

  #create(): Server {
    const { kind, tls, limits } = this.#options;
    const admission = this.#admission;
    if (kind === 'tcp') {
      return createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
        if (admission.admit(socket)) this.#serve(socket);
      });
    }
    if (tls === undefined) throw new Error('no certificate is named');
    const server = createTlsServer({
      ...tlsOptions(tls()),
      ALPNProtocols: ['dot'],
      handshakeTimeout: limits.message,
      noDelay: true,
    });
    server.on('connection', (socket: Socket) => admission.admit(socket));
    server.on('secureConnection', (socket) => this.#serve(socket));
    server.on('tlsClientError', (_, socket) => socket.destroy());
    return server;
  }

  #serve(socket: Socket): void {
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
        this.#closed[by]++;
        this.#connections.delete(connection);
      },
    });
    this.#connections.add(connection);
  }

  #look(): void {
    for (const connection of this.#connections) connection.look();
  }
}
