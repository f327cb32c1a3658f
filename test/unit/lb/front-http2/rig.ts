// An HTTP/2 front on loopback, plain or behind TLS, with the fakes that HTTP/1.1's front is tested
// with, and a clock that the test moves.
import { once } from 'node:events';
import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
} from 'node:http2';
import { createServer, type Server, type Socket } from 'node:net';
import { until } from '../../../../lab/ready.ts';
import { serveHttp2 } from '../../../../lb/l7/front-http2/session.ts';
import {
  DEFAULT_HTTP2_LIMITS,
  type Http2Connection,
  type Http2Limits,
} from '../../../../lb/l7/front-http2/types.ts';
import { CertificateStore } from '../../../../lb/l7/tls/certificate-store.ts';
import { createTlsTerminator, type TlsTerminator } from '../../../../lb/l7/tls/terminator.ts';
import type { ClientInfo } from '../../../../lb/l7/types.ts';
import type { ClientSocket, Forwarder } from '../../../../lb/l7/wiring.ts';
import { ManualClock } from '../../../../shared/clock.ts';
import { DEFAULT_PROXY } from '../../../../shared/site/lb-objects.ts';
import {
  FakePolicy,
  KeptJournal,
  LISTENER,
  ScriptedForwarder,
} from '../../../support/lb/http/fakes.ts';
import type { Made } from '../tls/certificates.ts';

const STEP = { everyMs: 1, timeoutMs: 5000 };

export type Http2RigOptions = {
  limits?: Partial<Http2Limits>;
  forwarder?: Forwarder;
  certificate?: Made;
  /** Between accept(2) and the front, without TLS; the default hands it on at once. */
  before?: (socket: Socket, serve: () => void) => void;
};

/** A response as node's client sees it. */
export type Answer = {
  stream: ClientHttp2Stream;
  headers: IncomingHttpHeaders;
  interim: IncomingHttpHeaders[];
  body: Buffer;
  trailers: IncomingHttpHeaders | undefined;
  /** Of RST_STREAM; 0: none, or NO_ERROR. */
  code: number;
};

export class Http2Rig {
  readonly clock = new ManualClock();
  readonly journal = new KeptJournal();
  readonly policy = new FakePolicy();
  /** In force unless another was given. */
  readonly forwarder = new ScriptedForwarder();
  readonly bounds = { isDraining: false };
  readonly connections: Http2Connection[] = [];
  readonly sockets: ClientSocket[] = [];
  closed = 0;
  readonly #options: Http2RigOptions;
  readonly #server: Server;
  readonly #terminator: TlsTerminator | undefined;
  readonly #clients: ClientHttp2Session[] = [];

  private constructor(options: Http2RigOptions) {
    this.#options = options;
    this.#terminator = this.#createTerminator();
    // As a worker accepts.
    this.#server = createServer({ noDelay: true, allowHalfOpen: true }, (socket) => {
      if (this.#terminator === undefined) {
        const { before = (_, serve) => serve() } = options;
        before(socket, () => this.#serve(socket, socket, {}));
      } else {
        this.#terminator.secure(socket, (result) => {
          if ('socket' in result) this.#serve(result.socket, socket, result.info);
        });
      }
    });
  }

  static async open(options: Http2RigOptions = {}): Promise<Http2Rig> {
    const rig = new Http2Rig(options);
    await new Promise<void>((resolve) => rig.#server.listen(0, '127.0.0.1', resolve));
    return rig;
  }

  get port(): number {
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('does not listen');
    return address.port;
  }

  get url(): string {
    const scheme = this.#options.certificate === undefined ? 'http' : 'https';
    return `${scheme}://127.0.0.1:${this.port}`;
  }

  /** Node's own client, connected. */
  async client(): Promise<ClientHttp2Session> {
    const session = connect(this.url, { rejectUnauthorized: false });
    session.on('error', () => {});
    this.#clients.push(session);
    await once(session, 'remoteSettings');
    return session;
  }

  /** Time passes for every connection, in steps of a quarter of a second. */
  async pass(ms: number): Promise<void> {
    for (let left = ms; left > 0; left -= 250) {
      await this.clock.advance(Math.min(left, 250));
      for (const connection of this.connections) connection.tick(this.clock.monotonicMs());
    }
  }

  async until(what: string, probe: () => boolean): Promise<void> {
    await until(what, probe, STEP);
  }

  async close(): Promise<void> {
    for (const client of this.#clients) client.destroy();
    for (const connection of this.connections) connection.destroy('drained');
    for (const socket of this.sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #serve(socket: ClientSocket, raw: Socket, info: Partial<ClientInfo>): void {
    const client: ClientInfo = {
      address: '127.0.0.1',
      port: raw.remotePort ?? 0,
      localAddress: '127.0.0.1',
      localPort: 80,
      scheme: 'http',
      isTrusted: false,
      ...info,
    };
    const connection = serveHttp2(socket, {
      policy: this.policy,
      forwarder: this.#options.forwarder ?? this.forwarder,
      journal: this.journal,
      bounds: this.bounds,
      clock: this.clock,
      limits: { ...DEFAULT_HTTP2_LIMITS, ...this.#options.limits },
      self: 'edge-lb-1',
      timeoutsOf: () => DEFAULT_PROXY.timeouts,
      listener: () => LISTENER,
      client,
      onClosed: () => {
        this.closed++;
      },
    });
    this.sockets.push(socket);
    this.connections.push(connection);
  }

  #createTerminator(): TlsTerminator | undefined {
    const { certificate } = this.#options;
    if (certificate === undefined) return undefined;
    const listener = { ...LISTENER, protocol: 'https', http2: true, certificates: ['c'] } as const;
    const store = new CertificateStore();
    store.update([{ name: 'c', ...certificate }], [listener]);
    return createTlsTerminator({
      listener,
      store,
      secret: Buffer.alloc(32),
      clock: this.clock,
      handshakeMs: 5000,
      maxHandshakes: 10,
    });
  }
}

/** What comes of a request, once its stream is closed. */
export async function answerOf(stream: ClientHttp2Stream): Promise<Answer> {
  const answer: Answer = {
    stream,
    headers: {},
    interim: [],
    body: Buffer.alloc(0),
    trailers: undefined,
    code: 0,
  };
  const pieces: Buffer[] = [];
  stream.on('headers', (headers) => answer.interim.push(headers));
  stream.on('response', (headers) => {
    answer.headers = headers;
  });
  stream.on('trailers', (trailers) => {
    answer.trailers = trailers;
  });
  stream.on('data', (piece: Buffer) => pieces.push(piece));
  stream.on('error', () => {});
  await new Promise<void>((resolve) => stream.once('close', resolve));
  answer.body = Buffer.concat(pieces);
  answer.code = stream.rstCode;
  return answer;
}

/** A request with no body, and its answer. */
export async function ask(
  client: ClientHttp2Session,
  headers: OutgoingHttpHeaders,
): Promise<Answer> {
  return await answerOf(client.request({ ':path': '/', ...headers }, { endStream: true }));
}
