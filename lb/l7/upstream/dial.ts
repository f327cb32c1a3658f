// Opens one connection to a target: TCP, a PROXY header if there is one, TLS if the pool says so.
import { connect as connectTcp, type OnReadOpts, type Socket } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import type { ConnectFailure } from '../types.ts';
import type { ClientSocket } from '../wiring.ts';
import type { TlsIdentity } from './identity.ts';

export type DialOptions = {
  address: string;
  port: number;
  tls: TlsIdentity | undefined;
  /** TLS tells which HTTP is meant. */
  hasAlpn: boolean;
  proxyHeader: Buffer | undefined;
  deadlineMs: number;
  /** Where a plain socket reads to; one with TLS tells what it reads by `data`. */
  onread: OnReadOpts | undefined;
  onClosed: () => void;
};

export type DialDone = (result: ClientSocket | ConnectFailure) => void;

export class Dial {
  readonly deadlineMs: number;
  readonly #options: DialOptions;
  readonly #socket: Socket;
  #tlsSocket: TLSSocket | undefined;
  #done: DialDone | undefined;

  constructor(options: DialOptions, done: DialDone) {
    this.#options = options;
    this.#done = done;
    this.deadlineMs = options.deadlineMs;
    const { address: host, port, onread } = options;
    const socket = connectTcp({
      host,
      port,
      noDelay: true,
      keepAlive: true,
      allowHalfOpen: true,
      ...(onread !== undefined && this.#options.tls === undefined && { onread }),
    });
    this.#socket = socket;
    socket.once('connect', () => this.#connected());
    socket.on('error', (error) => this.#failed(error));
    socket.once('close', () => {
      this.#failed(new Error('closed'));
      options.onClosed();
    });
  }

  /** No longer under way. */
  get isOver(): boolean {
    return this.#done === undefined;
  }

  cancel(): void {
    if (this.#done === undefined) return;
    this.#done = undefined;
    this.#destroy();
  }

  expire(): void {
    this.#end({ kind: 'timeout', detail: 'no connection in time' });
  }

  #connected(): void {
    const { tls, proxyHeader } = this.#options;
    const socket = this.#socket;
    if (proxyHeader !== undefined) socket.write(proxyHeader);
    if (tls === undefined) this.#end(socket);
    else this.#secure(tls);
  }

  #secure(tls: TlsIdentity): void {
    if (tls.context === undefined) {
      this.#end({ kind: 'tls', detail: 'ca' });
      return;
    }
    const tlsSocket = connectTls({
      socket: this.#socket,
      secureContext: tls.context,
      rejectUnauthorized: tls.verify,
      ...(this.#options.hasAlpn && { ALPNProtocols: [tls.alpn] }),
      host: this.#options.address,
      ...(tls.serverName !== undefined && { servername: tls.serverName }),
    });
    this.#tlsSocket = tlsSocket;
    tlsSocket.allowHalfOpen = true;
    tlsSocket.once('secureConnect', () => this.#end(tlsSocket));
    tlsSocket.on('error', (error) => this.#failed(error));
    tlsSocket.once('close', () => this.#failed(new Error('closed in the handshake')));
  }

  #failed(error: NodeJS.ErrnoException): void {
    const kind = this.#tlsSocket === undefined ? 'refused' : 'tls';
    this.#end({ kind, detail: error.code ?? error.message });
  }

  #end(result: ClientSocket | ConnectFailure): void {
    const done = this.#done;
    if (done === undefined) return;
    this.#done = undefined;
    if ('kind' in result) this.#destroy();
    done(result);
  }

  #destroy(): void {
    this.#tlsSocket?.destroy();
    this.#socket.destroy();
  }
}
