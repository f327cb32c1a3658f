// DNS over HTTPS (RFC 8484) on HTTP/2: GET with ?dns= and POST. Beside what HTTP/2 limits by itself
// there are bounds of sessions, of streams a session, and of how many a client may reset.
import {
  createSecureServer,
  type Http2SecureServer,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2';
import { createSecureContext } from 'node:tls';
import { type Clock, every } from '../../shared/clock.ts';
import { OperationalError } from '../../shared/errors.ts';
import { type Endpoint, formatEndpoint } from '../../shared/net/ports.ts';
import { type Exchange, REFERRED, type Responder, SILENCE } from '../answer/types.ts';
import { addressBytes, prefixKey } from './addresses.ts';
import { MAX_QUERY_BYTES, MEDIA_TYPE, readRequest } from './https-request.ts';
import { leastTtlSeconds } from './least-ttl.ts';
import type { StreamLimits, TlsFiles } from './stream-server.ts';
import type { Referred, Transport } from './types.ts';

/** A reset costs its sender nothing and us a stream: more of them a second end the session. */
const MAX_RESETS_PER_SECOND = 100;
const LOOK_MS = 1000;

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

type Session = { http: ServerHttp2Session; client: string; heardMs: number; resets: number };

export class HttpsServer implements Transport {
  readonly counts: HttpsCounts = { accepted: 0, refused: 0, answered: 0, bad: 0, reset: 0 };
  readonly #options: HttpsOptions;
  readonly #servers: Http2SecureServer[] = [];
  readonly #sessions = new Map<ServerHttp2Session, Session>();
  readonly #perClient = new Map<string, number>();
  readonly #stopping = new AbortController();
  readonly #out = new Uint8Array(MAX_QUERY_BYTES);

  constructor(options: HttpsOptions) {
    this.#options = options;
  }

  get connections(): number {
    return this.#sessions.size;
  }

  async open(): Promise<void> {
    const { listen, clock } = this.#options;
    for (const endpoint of listen) this.#servers.push(await this.#listen(endpoint));
    every(clock, LOOK_MS, () => this.#look(), this.#stopping.signal);
  }

  async adopt(): Promise<void> {}

  /** Certificate and key anew; throws what is wrong with them, and keeps those before. */
  reloadCertificate(): void {
    const context = contextOptions(this.#options.tls());
    createSecureContext(context); // throws before any server has taken it
    for (const server of this.#servers) server.setSecureContext(context);
  }

  /** GOAWAY: what is asked already is answered. */
  drain(): void {
    for (const server of this.#servers) server.close();
    for (const session of this.#sessions.keys()) session.close();
  }

  async close(): Promise<void> {
    this.#stopping.abort();
    const closed = this.#servers.map((server) => {
      return new Promise<void>((resolve) => server.close(() => resolve()));
    });
    for (const session of this.#sessions.keys()) session.destroy();
    await Promise.all(closed);
  }

  #listen({ host, port }: Endpoint): Promise<Http2SecureServer> {
    const { limits, tls } = this.#options;
    const server = createSecureServer({
      ...contextOptions(tls()),
      allowHTTP1: false,
      handshakeTimeout: limits.message,
      maxSessionMemory: 1,
      settings: { maxConcurrentStreams: limits.pipelined, initialWindowSize: MAX_QUERY_BYTES },
    });
    server.on('session', (session) => this.#admit(session));
    server.on('stream', (stream, headers) => this.#serve(stream, headers));
    server.on('sessionError', () => {});
    server.on('tlsClientError', (_, socket) => socket.destroy());
    return new Promise((resolve, reject) => {
      server.once('error', (cause) => {
        const where = `https ${formatEndpoint({ host, port })}`;
        const remedy = 'free the address, choose another one, or give CAP_NET_BIND_SERVICE';
        reject(
          new OperationalError('EDGE_DNS_LISTEN', `${where} cannot be bound`, { cause, remedy }),
        );
      });
      server.listen({ host, port, ipv6Only: host.includes(':') }, () => {
        server.removeAllListeners('error');
        server.on('error', () => {}); // of one accept(2); others go on
        resolve(server);
      });
    });
  }

  #admit(http: ServerHttp2Session): void {
    const { limits, clock } = this.#options;
    const client = prefixKey(addressBytes(http.socket.remoteAddress ?? ''));
    const own = this.#perClient.get(client) ?? 0;
    if (this.#sessions.size >= limits.connections || own >= limits.perClient) {
      this.counts.refused++;
      http.destroy();
      return;
    }
    this.counts.accepted++;
    this.#perClient.set(client, own + 1);
    this.#sessions.set(http, { http, client, heardMs: clock.monotonicMs(), resets: 0 });
    http.on('error', () => {}); // 'close' follows
    http.on('close', () => {
      this.#sessions.delete(http);
      const left = (this.#perClient.get(client) ?? 1) - 1;
      if (left > 0) this.#perClient.set(client, left);
      else this.#perClient.delete(client);
    });
  }

  #look(): void {
    const { limits, clock } = this.#options;
    const nowMs = clock.monotonicMs();
    for (const session of this.#sessions.values()) {
      session.resets = 0;
      if (nowMs - session.heardMs > limits.idle) session.http.close();
      if (nowMs - session.heardMs > limits.idle + limits.message) session.http.destroy();
    }
  }

  #serve(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): void {
    const session = stream.session === undefined ? undefined : this.#sessions.get(stream.session);
    stream.on('error', () => {});
    if (session === undefined) {
      stream.close();
      return;
    }
    session.heardMs = this.#options.clock.monotonicMs();
    stream.on('aborted', () => {
      this.counts.reset++;
      if (++session.resets > MAX_RESETS_PER_SECOND) session.http.destroy();
    });
    const asked = readRequest(headers, this.#options.path);
    if (asked === 'body') this.#post(stream);
    else if (typeof asked === 'number') this.#refuse(stream, asked);
    else void this.#answer(stream, asked);
  }

  #post(stream: ServerHttp2Stream): void {
    const chunks: Buffer[] = [];
    let bytes = 0;
    stream.setTimeout(this.#options.limits.message, () => stream.close());
    stream.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes <= MAX_QUERY_BYTES) chunks.push(chunk);
      else if (!stream.headersSent) this.#refuse(stream, 413);
    });
    stream.on('end', () => {
      if (!stream.headersSent) void this.#answer(stream, Buffer.concat(chunks));
    });
  }

  async #answer(stream: ServerHttp2Stream, query: Buffer): Promise<void> {
    const { responder, referred, clock } = this.#options;
    const { remoteAddress = '', remotePort = 0 } = stream.session?.socket ?? {};
    const exchange: Exchange = {
      transport: 'https',
      client: addressBytes(remoteAddress),
      clientPort: remotePort,
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
    if (stream.destroyed || stream.headersSent) return;
    this.counts.answered++;
    stream.respond({
      ':status': 200,
      'content-type': MEDIA_TYPE,
      'content-length': answer.length,
      'cache-control': `max-age=${leastTtlSeconds(answer)}`,
    });
    stream.end(answer);
  }

  #refuse(stream: ServerHttp2Stream, status: number): void {
    if (stream.destroyed || stream.headersSent) return;
    this.counts.bad++;
    const allow = status === 405 ? { allow: 'GET, POST' } : {};
    stream.respond({ ':status': status, ...allow }, { endStream: true });
    stream.resume();
  }
}

function contextOptions({ certificate, key }: TlsFiles) {
  return { cert: certificate, key, minVersion: 'TLSv1.2' } as const;
}
