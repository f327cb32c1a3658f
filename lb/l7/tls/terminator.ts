// TLS of an HTTPS listener (RFC 8446, 5246): from an accepted connection to what HTTP is spoken on.
// The worker accepts TCP itself and may have read from it: what it has not used it puts back by
// `socket.unshift` before.
import type { X509Certificate } from 'node:crypto';
import type { Socket } from 'node:net';
import { createServer, type Server, type TLSSocket } from 'node:tls';
import type { Clock } from '../../../shared/clock.ts';
import type { Listener } from '../../../shared/site/lb-objects.ts';
import type { ClientInfo } from '../types.ts';
import type { CertificateStore, ContextChoice } from './certificate-store.ts';
import { canonicalName } from './server-names.ts';
import { ticketEpoch, ticketKeys, ticketScope } from './ticket-keys.ts';

export type TerminatorOptions = {
  listener: Listener;
  store: CertificateStore;
  /** Of the site, from `secretFile`: at least 16 bytes. */
  secret: Uint8Array;
  clock: Pick<Clock, 'nowMs'>;
  /** From the connection's begin to the end of the handshake. */
  handshakeMs: number;
  /** Handshakes that may be under way. */
  maxHandshakes: number;
};

/** What becomes part of ClientInfo, and what is spoken: by ALPN, else HTTP/1.1. */
export type Secured = {
  socket: TLSSocket;
  protocol: 'h2' | 'http/1.1';
  info: Pick<ClientInfo, 'scheme' | 'serverName' | 'certificate'>;
  isResumed: boolean;
};

/** Stable: metrics and log. The socket is destroyed. */
export type TlsFailure =
  | 'too-many' // handshakes under way
  | 'no-certificate' // the listener has none that can be used
  | 'timeout'
  | 'client-certificate'
  | 'handshake' // it is no TLS, or nothing that both sides speak
  | 'client-gone';

export type TlsResult = Secured | { failure: TlsFailure; detail?: string };

type Waiting = { raw: Socket; done: (result: TlsResult) => void };

export interface TlsTerminator {
  /** Takes the socket over. `done` is called once, perhaps at once. */
  secure(socket: Socket, done: (result: TlsResult) => void): void;
  /** Certificates or the listener are others; handshakes that are under way end as they began. */
  update(listener: Listener): void;
  /** A new ticket key when its time has come. Called at least every few seconds. */
  tick(): void;
  readonly handshakes: number;
  /** Handshakes that are under way are given up. */
  close(): void;
}

export function createTlsTerminator(options: TerminatorOptions): TlsTerminator {
  return new Terminator(options);
}

class Terminator implements TlsTerminator {
  readonly #options: TerminatorOptions;
  #listener: Listener;
  #choice: ContextChoice | undefined;
  #server: Server | undefined;
  #epoch = -1;
  /** By both ends' addresses, which no two connections share: Node tells only of its own socket. */
  readonly #waiting = new Map<string, Waiting>();

  constructor(options: TerminatorOptions) {
    this.#options = options;
    this.#listener = options.listener;
    this.update(options.listener);
  }

  get handshakes(): number {
    return this.#waiting.size;
  }

  secure(socket: Socket, done: (result: TlsResult) => void): void {
    socket.on('error', () => {}); // 'close' follows
    const key = endsOf(socket);
    const failure = this.#refusal();
    if (failure !== undefined || key === undefined || socket.destroyed) {
      socket.destroy();
      done({ failure: failure ?? 'client-gone' });
      return;
    }
    const waiting = { raw: socket, done };
    this.#waiting.set(key, waiting);
    socket.once('close', () => {
      if (this.#waiting.get(key) === waiting) this.#end(key, { failure: 'client-gone' });
    });
    this.#server?.emit('connection', socket);
  }

  update(listener: Listener): void {
    const before = this.#choice;
    const choice = this.#options.store.choiceFor(listener);
    this.#listener = listener;
    this.#choice = choice;
    if (choice?.initialKey === before?.initialKey) return;
    this.#server = choice === undefined ? undefined : this.#create(choice);
    this.#epoch = -1;
    this.tick();
  }

  tick(): void {
    const epoch = ticketEpoch(this.#options.clock.nowMs());
    if (this.#server === undefined || epoch === this.#epoch) return;
    this.#epoch = epoch;
    const scope = ticketScope(this.#listener);
    this.#server.setTicketKeys(ticketKeys(this.#options.secret, scope, epoch));
  }

  close(): void {
    for (const { raw } of this.#waiting.values()) raw.destroy();
  }

  #refusal(): TlsFailure | undefined {
    if (this.#server === undefined) return 'no-certificate';
    return this.#waiting.size >= this.#options.maxHandshakes ? 'too-many' : undefined;
  }

  #create(choice: ContextChoice): Server {
    const server = createServer({
      ...choice.initial,
      // Of a reload: what is in force now, not when the server was made.
      SNICallback: (serverName, done) => done(null, this.#choice?.find(serverName)),
      ALPNCallback: ({ protocols }) => chooseProtocol(protocols, this.#listener.http2),
      handshakeTimeout: this.#options.handshakeMs,
      requestCert: this.#listener.clientCertificate !== 'none',
      rejectUnauthorized: false, // #secured() decides, and says why
    });
    const { clientCertificate } = this.#listener;
    server.on('secureConnection', (socket) => this.#secured(socket, clientCertificate));
    server.on('tlsClientError', (error, socket) => this.#failed(error, socket));
    return server;
  }

  #secured(socket: TLSSocket, asked: Listener['clientCertificate']): void {
    socket.on('error', () => {}); // 'close' follows
    const key = endsOf(socket);
    if (key === undefined || !this.#waiting.has(key)) {
      socket.destroy();
      return;
    }
    const certificate = asked === 'none' ? undefined : socket.getPeerX509Certificate();
    const isBad = certificate !== undefined && !socket.authorized;
    if (isBad || (asked === 'required' && certificate === undefined)) {
      const detail = certificate === undefined ? 'none' : `${socket.authorizationError}`;
      this.#end(key, { failure: 'client-certificate', detail });
      socket.destroy();
      return;
    }
    const serverName = socket.servername || undefined;
    const info = {
      scheme: 'https',
      ...(serverName === undefined ? {} : { serverName: canonicalName(serverName) }),
      ...(certificate === undefined ? {} : { certificate: identityOf(certificate) }),
    } as const;
    const protocol = socket.alpnProtocol === 'h2' ? 'h2' : 'http/1.1';
    this.#end(key, { socket, protocol, info, isResumed: socket.isSessionReused() });
  }

  #failed(error: Error & { code?: string; reason?: string }, socket: TLSSocket): void {
    const key = endsOf(socket);
    const { code = '', reason, message } = error;
    const isTimeout = code === 'ERR_TLS_HANDSHAKE_TIMEOUT';
    const isGone = code === 'ECONNRESET';
    const failure = isTimeout ? 'timeout' : isGone ? 'client-gone' : 'handshake';
    const detail = isTimeout || isGone ? {} : { detail: reason ?? message };
    if (key !== undefined) this.#end(key, { failure, ...detail });
    socket.destroy();
  }

  #end(key: string, result: TlsResult): void {
    const waiting = this.#waiting.get(key);
    this.#waiting.delete(key);
    waiting?.done(result);
  }
}

/** Undefined: it is not connected any more. */
function endsOf(socket: Socket): string | undefined {
  const { remoteAddress, remotePort, localAddress, localPort } = socket;
  if (remoteAddress === undefined) return undefined;
  return `${remoteAddress} ${remotePort} ${localAddress} ${localPort}`;
}

/** Undefined: refused by an alert (RFC 7301, 3.2). */
function chooseProtocol(offered: readonly string[], http2: boolean): string | undefined {
  const ours = http2 ? ['h2', 'http/1.1'] : ['http/1.1'];
  return ours.find((each) => offered.includes(each));
}

/** The subject on one line, as `CN=…, O=…`. */
function identityOf(certificate: X509Certificate): { subject: string; fingerprint: string } {
  const subject = certificate.subject.split('\n').join(', ');
  return { subject, fingerprint: certificate.fingerprint256.replaceAll(':', '').toLowerCase() };
}
