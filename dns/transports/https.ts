// DNS over HTTPS (RFC 8484) on HTTP/2: GET with ?dns= and POST. Beside what HTTP/2 limits by itself
// there are bounds of sessions, of streams a session, and of how many a client may reset.
import {
  createSecureServer,
  type Http2SecureServer,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2';
import type { Socket } from 'node:net';
import { type Clock, every } from '../../shared/clock.ts';
import type { AddressBytes } from '../../shared/dns/types.ts';
import type { Endpoint } from '../../shared/net/ports.ts';
import { type Exchange, REFERRED, type Responder, SILENCE } from '../answer/types.ts';
import { addressBytes } from './addresses.ts';
import { MAX_QUERY_BYTES, MEDIA_TYPE, readRequest } from './https-request.ts';
import { leastTtlSeconds } from './least-ttl.ts';
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

/** A reset costs its sender nothing and us a stream: more of them a second end the session. */
const MAX_RESETS_PER_SECOND = 100;
const LOOK_MS = 1000;
/** Of a session's POSTs that have not come whole: they are of some hundred bytes. */
const MAX_BODIES_BYTES = 4 * MAX_QUERY_BYTES;
/** A piece costs some hundred bytes more than what is in it. */
const MAX_PIECES = 64;

export type HttpsOptions = {
  listen: readonly Endpoint[];
  path: string;
  limits: StreamLimits;
  responder: Responder;
  referred: Referred;
  clock: Clock;
  tls: () => TlsFiles;
};

export type HttpsCounts = {
  accepted: number;
  refused: number;
  answered: number;
  bad: number;
  reset: number;
};

/** The client is kept: a session that has ended does not know its own any more. */
type Session = {
  http: ServerHttp2Session;
  /** Destroyed in the session's place, which waits for the client once close() was called. */
  socket: Socket;
  client: AddressBytes;
  clientPort: number;
  heardMs: number;
  resets: number;
  bodyBytes: number;
};

export class HttpsServer implements Transport {
  readonly #counts = { answered: 0, bad: 0, reset: 0 };
  readonly #options: HttpsOptions;
  readonly #admission: Admission;
  readonly #servers: Http2SecureServer[] = [];
  readonly #sessions = new Map<unknown, Session>();
  readonly #stopping = new AbortController();
  readonly #out = new Uint8Array(MAX_QUERY_BYTES);

  constructor(options: HttpsOptions) {
    this.#options = options;
    this.#admission = new Admission(options.limits);
  }

  get counts(): HttpsCounts {
    const { accepted, refused } = this.#admission;
    return { accepted, refused, ...this.#counts };
  }

  get connections(): number {
    return this.#admission.open;
  }

  async open(): Promise<void> {
    const { listen, clock } = this.#options;
    for (const endpoint of listen) {
      const server = this.#create();
      this.#servers.push(server);
      await listenOn(server, 'https', endpoint);
    }
    every(clock, LOOK_MS, () => this.#look(), this.#stopping.signal);
  }

  async adopt(): Promise<void> {}

  /** Certificate and key anew; throws what is wrong with them, and keeps those before. */
  reloadCertificate(): void {
    replaceCertificate(this.#servers, this.#options.tls());
  }

  /** GOAWAY: what is asked already is answered. */
  drain(): void {
    this.#admission.isDraining = true;
    for (const server of this.#servers) server.close();
    for (const { http } of this.#sessions.values()) http.close();
  }

  async close(): Promise<void> {
    this.#stopping.abort();
    const closed = this.#servers.map(closeServer);
    for (const { socket } of this.#sessions.values()) socket.destroy();
    this.#admission.destroyAll();
    await Promise.all(closed);
  }

  #create(): Http2SecureServer {
    const { limits, tls } = this.#options;
    const server = createSecureServer({
      ...tlsOptions(tls()),
      allowHTTP1: false,
      handshakeTimeout: limits.message,
      maxSessionMemory: 1,
      settings: { maxConcurrentStreams: limits.pipelined, initialWindowSize: MAX_QUERY_BYTES },
    });
    server.on('connection', (socket: Socket) => this.#admission.admit(socket));
    let socket: Socket;
    server.prependListener('secureConnection', (secured) => {
      socket = secured; // the session of which begins in this turn
    });
    server.on('session', (session) => this.#begin(session, socket));
    server.on('stream', (stream, headers) => this.#serve(stream, headers));
    server.on('sessionError', () => {});
    server.on('tlsClientError', (_, socket) => socket.destroy());
    return server;
  }

  #begin(http: ServerHttp2Session, socket: Socket): void {
    const { remoteAddress = '', remotePort = 0 } = socket;
    this.#sessions.set(http, {
      http,
      socket,
      client: addressBytes(remoteAddress),
      clientPort: remotePort,
      heardMs: this.#options.clock.monotonicMs(),
      resets: 0,
      bodyBytes: 0,
    });
    http.on('error', () => {}); // 'close' follows
    http.on('close', () => this.#sessions.delete(http));
  }

  #look(): void {
    const { limits, clock } = this.#options;
    const nowMs = clock.monotonicMs();
    for (const session of this.#sessions.values()) {
      session.resets = 0;
      if (nowMs - session.heardMs > limits.idle) session.http.close();
      if (nowMs - session.heardMs > limits.idle + limits.message) session.socket.destroy();
    }
  }

  #serve(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): void {
    const session = this.#sessions.get(stream.session);
    stream.on('error', () => {});
    if (session === undefined) {
      stream.close();
      return;
    }
    session.heardMs = this.#options.clock.monotonicMs();
    stream.on('aborted', () => {
      this.#counts.reset++;
      // Behind the turn: Node 24 aborts when a session ends while nghttp2 reads on.
      if (++session.resets > MAX_RESETS_PER_SECOND) setImmediate(() => session.socket.destroy());
    });
    const asked = readRequest(headers, this.#options.path);
    if (asked === 'body') this.#post(stream, session);
    else if (typeof asked === 'number') this.#refuse(stream, asked);
    else void this.#answer(stream, session, asked);
  }

  #post(stream: ServerHttp2Stream, session: Session): void {
    let chunks: Buffer[] = [];
    let bytes = 0;
    stream.setTimeout(this.#options.limits.message, () => stream.close());
    stream.on('data', (chunk: Buffer) => {
      if (stream.headersSent) return;
      bytes += chunk.length;
      session.bodyBytes += chunk.length;
      if (bytes > MAX_QUERY_BYTES || session.bodyBytes > MAX_BODIES_BYTES) {
        chunks = [];
        this.#refuse(stream, 413);
      } else if (chunks.push(chunk) > MAX_PIECES) chunks = [Buffer.concat(chunks)];
    });
    stream.on('close', () => {
      session.bodyBytes -= bytes;
    });
    stream.on('end', () => {
      if (!stream.headersSent) void this.#answer(stream, session, Buffer.concat(chunks));
    });
  }

  async #answer(stream: ServerHttp2Stream, session: Session, query: Buffer): Promise<void> {
    const { responder, referred, clock } = this.#options;
    const exchange: Exchange = {
      transport: 'https',
      client: session.client,
      clientPort: session.clientPort,
      nowSeconds: Math.floor(clock.nowMs() / 1000),
      nowMs: clock.monotonicMs(),
    };
    const length = responder.respond(query, query.length, exchange, this.#out);
    if (length === SILENCE) return this.#refuse(stream, 400);
    if (length !== REFERRED) return this.#send(stream, Buffer.from(this.#out.subarray(0, length)));
    // One request has one answer: a transfer's stream is not for HTTPS (RFC 8484 §7).
    for await (const answer of referred(query, exchange)) return this.#send(stream, answer);
    this.#refuse(stream, 400);
  }

  #send(stream: ServerHttp2Stream, answer: Uint8Array): void {
    if (stream.closed || stream.destroyed || stream.headersSent) return;
    this.#counts.answered++;
    stream.respond({
      ':status': 200,
      'content-type': MEDIA_TYPE,
      'content-length': answer.length,
      'cache-control': `max-age=${leastTtlSeconds(answer)}`,
    });
    stream.end(answer);
  }

  #refuse(stream: ServerHttp2Stream, status: number): void {
    if (stream.closed || stream.destroyed || stream.headersSent) return;
    this.#counts.bad++;
    const allow = status === 405 ? { allow: 'GET, POST' } : {};
    stream.respond({ ':status': status, ...allow }, { endStream: true });
    stream.resume();
  }
}
