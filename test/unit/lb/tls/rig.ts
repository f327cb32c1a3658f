// A listener of tests: accepts TCP on loopback, hands it to a terminator, and says what came of it.
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls';
import { until } from '../../../../lab/ready.ts';
import { CertificateStore } from '../../../../lb/l7/tls/certificate-store.ts';
import {
  createTlsTerminator,
  type Secured,
  type TerminatorOptions,
  type TlsFailure,
  type TlsResult,
  type TlsTerminator,
} from '../../../../lb/l7/tls/terminator.ts';
import { ManualClock } from '../../../../shared/clock.ts';
import type { Listener } from '../../../../shared/site/lb-objects.ts';
import { listener } from '../../../support/lb/objects.ts';
import type { Made } from './certificates.ts';

export function listenerOf(changes: Partial<Listener> = {}): Listener {
  return listener({ at: ['127.0.0.1:443'], protocol: 'https', ...changes });
}

export type TlsRigOptions = {
  certificates: Readonly<Record<string, Made>>;
  listener?: Partial<Listener>;
  /** Between accept(2) and the terminator; the default hands it on at once. */
  before?: (socket: Socket, secure: () => void) => void;
} & Partial<Pick<TerminatorOptions, 'secret' | 'handshakeMs' | 'maxHandshakes'>>;

export class TlsRig {
  readonly clock = new ManualClock();
  readonly store = new CertificateStore();
  readonly results: TlsResult[] = [];
  readonly terminator: TlsTerminator;
  readonly listener: Listener;
  readonly #server: Server;

  private constructor(options: TlsRigOptions) {
    const { certificates, before = (_, secure) => secure() } = options;
    this.listener = listenerOf({
      certificates: Object.keys(certificates),
      ...options.listener,
    });
    this.useCertificates(certificates);
    this.terminator = createTlsTerminator({
      listener: this.listener,
      store: this.store,
      secret: options.secret ?? Buffer.alloc(32, 7),
      clock: this.clock,
      handshakeMs: options.handshakeMs ?? 10_000,
      maxHandshakes: options.maxHandshakes ?? 10,
    });
    this.#server = createServer((socket) => {
      before(socket, () => this.terminator.secure(socket, (result) => this.#take(result)));
    });
  }

  static async open(options: TlsRigOptions): Promise<TlsRig> {
    const rig = new TlsRig(options);
    rig.#server.listen(0, '127.0.0.1');
    await once(rig.#server, 'listening');
    return rig;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port; // it listens on TCP
  }

  get secured(): Secured[] {
    return this.results.filter((result) => 'socket' in result);
  }

  get failures(): TlsFailure[] {
    return this.results.flatMap((result) => ('failure' in result ? [result.failure] : []));
  }

  useCertificates(certificates: Readonly<Record<string, Made>>) {
    const sources = Object.entries(certificates).map(([name, made]) => ({ name, ...made }));
    return this.store.update(sources, [this.listener]);
  }

  /** Connected, and the server has said so too. */
  async connect(options: ConnectionOptions = {}): Promise<TLSSocket> {
    const before = this.results.length;
    const socket = connect({
      host: '127.0.0.1',
      port: this.port,
      rejectUnauthorized: false,
      ALPNProtocols: ['h2', 'http/1.1'],
      ...options,
    });
    socket.on('error', () => {});
    await once(socket, 'secureConnect');
    await until('the handshake is over at both ends', () => this.results.length > before);
    return socket;
  }

  async close(): Promise<void> {
    this.terminator.close();
    for (const { socket } of this.secured) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }

  /** Says `hello` once, so that s_client sees that TLS 1.3 is through, tickets and all. */
  #take(result: TlsResult): void {
    this.results.push(result);
    if (!('socket' in result)) return;
    result.socket.on('data', () => {});
    result.socket.write('hello\n');
  }
}
