// What TCP, TLS and HTTPS share: listening sockets, certificates, and how many connections are
// held, of all clients and of one.
import { constants } from 'node:crypto';
import type { Server, Socket } from 'node:net';
import { createSecureContext, type Server as TlsServer } from 'node:tls';
import { BpfError } from '../../shared/bpf/failure.ts';
import { isDenied, OperationalError } from '../../shared/errors.ts';
import { type Endpoint, formatEndpoint } from '../../shared/net/ports.ts';
import { addressBytes, prefixKey } from './addresses.ts';

const BACKLOG = 1024;

/** Times in ms. */
export type StreamLimits = {
  connections: number;
  /** Of a /24 or a /56. */
  perClient: number;
  idle: number;
  message: number;
  pipelined: number;
};

export type TlsFiles = { certificate: Buffer; key: Buffer };

/** Resolves when it listens. `kind`: what it is called in the error. */
export function listenOn(server: Server, kind: string, { host, port }: Endpoint): Promise<void> {
  return new Promise((resolve, reject) => {
    const failed = (cause: Error) => reject(listenFailed(kind, { host, port }, cause));
    server.once('error', failed);
    server.listen({ host, port, backlog: BACKLOG, ipv6Only: host.includes(':') }, () => {
      server.off('error', failed);
      server.on('error', () => {}); // of one accept(2); others go on
      resolve();
    });
  });
}

/** Without the right a restart is no use: exit code 77. */
export function listenFailed(kind: string, at: Endpoint, cause: unknown): OperationalError {
  const why = cause instanceof BpfError ? { code: cause.errno } : cause;
  const exit = isDenied(why) ? { exitCode: 77 } : {};
  const remedy = 'free the address, choose another one, or give CAP_NET_BIND_SERVICE';
  const what = `${kind} ${formatEndpoint(at)} cannot be bound`;
  return new OperationalError('EDGE_DNS_LISTEN', what, { cause, remedy, ...exit });
}

/** Also of a server that is closed already. */
export function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
  });
}

export function tlsOptions({ certificate, key }: TlsFiles) {
  // A renegotiation costs us much more than who asks for it (CVE-2011-1473).
  const secureOptions = constants.SSL_OP_NO_RENEGOTIATION;
  return { cert: certificate, key, minVersion: 'TLSv1.2', secureOptions } as const;
}

/** Throws what is wrong with the files before any of the servers has them. */
export function replaceCertificate(servers: readonly TlsServer[], files: TlsFiles): void {
  const options = tlsOptions(files);
  createSecureContext(options);
  for (const server of servers) server.setSecureContext(options);
}

/** Connections that are open, from before any handshake on. */
export class Admission {
  accepted = 0;
  refused = 0;
  isDraining = false;
  readonly #limits: Pick<StreamLimits, 'connections' | 'perClient'>;
  readonly #sockets = new Set<Socket>();
  readonly #perClient = new Map<string, number>();

  constructor(limits: Pick<StreamLimits, 'connections' | 'perClient'>) {
    this.#limits = limits;
  }

  get open(): number {
    return this.#sockets.size;
  }

  /** False: it is one too many, and destroyed. */
  admit(socket: Socket): boolean {
    const { connections, perClient } = this.#limits;
    const client = prefixKey(addressBytes(socket.remoteAddress ?? ''));
    const own = this.#perClient.get(client) ?? 0;
    socket.on('error', () => {}); // 'close' follows
    if (this.isDraining || this.open >= connections || own >= perClient) {
      this.refused++;
      socket.destroy();
      return false;
    }
    this.accepted++;
    this.#sockets.add(socket);
    this.#perClient.set(client, own + 1);
    socket.once('close', () => {
      this.#sockets.delete(socket);
      const left = (this.#perClient.get(client) ?? 1) - 1;
      if (left > 0) this.#perClient.set(client, left);
      else this.#perClient.delete(client);
    });
    return true;
  }

  destroyAll(): void {
    for (const socket of this.#sockets) socket.destroy();
  }
}
