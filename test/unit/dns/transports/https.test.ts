// DNS over HTTPS and over TLS on loopback, with certificates of the test's own.
import { once } from 'node:events';
import { type ClientHttp2Session, connect, type IncomingHttpHeaders } from 'node:http2';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type Exchange, REFERRED, type Responder, SILENCE } from '../../../../dns/answer/types.ts';
import { HttpsServer } from '../../../../dns/transports/https.ts';
import type { StreamLimits, TlsFiles } from '../../../../dns/transports/listening.ts';
import { StreamServer } from '../../../../dns/transports/stream-server.ts';
import { until } from '../../../../lab/ready.ts';
import { ManualClock } from '../../../../shared/clock.ts';
import { freePorts } from '../../../support/redis.ts';
import { certificateFor } from './certificate.ts';

const LIMITS: StreamLimits = {
  connections: 4,
  perClient: 3,
  idle: 10_000,
  message: 5000,
  pipelined: 8,
};
const [ECHO, REFER, QUIET] = [1, 2, 3];
/** An answer's head without records, behind what was asked. */
const HEAD = Buffer.alloc(12);

const asked: Exchange[] = [];
const responder: Responder = {
  respond(query, length, exchange, out) {
    asked.push({ ...exchange });
    if (query[0] === REFER) return REFERRED;
    if (query[0] === QUIET || length === 0) return SILENCE;
    out.set(query.subarray(0, length));
    return length;
  },
  adopt() {},
  counters: new Float64Array(new SharedArrayBuffer(0)),
};

let first: TlsFiles;
let second: TlsFiles;
beforeAll(() => {
  [first, second] = [certificateFor('one.example'), certificateFor('two.example')];
});

const opened: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close();
  asked.length = 0;
});

type Wanted = { limits?: Partial<StreamLimits>; hold?: Promise<void> };

async function serve<Kind extends 'https' | 'tls'>(kind: Kind, wanted: Wanted = {}) {
  const clock = new ManualClock();
  const [port = 0] = await freePorts(1);
  const files = { now: first };
  const options = {
    listen: [{ host: '127.0.0.1', port }],
    limits: { ...LIMITS, ...wanted.limits },
    responder,
    async *referred(message: Uint8Array) {
      await wanted.hold;
      yield message;
      yield message;
    },
    clock,
    tls: () => files.now,
  };
  // as: the kind says which.
  const server = (
    kind === 'https'
      ? new HttpsServer({ ...options, path: '/dns-query' })
      : new StreamServer({ ...options, kind: 'tls' })
  ) as Kind extends 'https' ? HttpsServer : StreamServer;
  await server.open();
  opened.push(() => server.close());
  return { server, clock, port, files };
}

function session(port: number): ClientHttp2Session {
  const http = connect(`https://127.0.0.1:${port}`, { rejectUnauthorized: false });
  http.on('error', () => {}); // 'close' follows
  opened.push(() => http.destroy());
  return http;
}

type Reply = { status: number; headers: IncomingHttpHeaders; body: Buffer };

async function request(
  http: ClientHttp2Session,
  headers: object,
  body?: Uint8Array,
): Promise<Reply> {
  const stream = http.request({ ':path': '/dns-query', ...headers });
  stream.end(body);
  const chunks: Buffer[] = [];
  stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  const [answer] = (await once(stream, 'response')) as [
    IncomingHttpHeaders & { ':status': number },
  ];
  if (!stream.readableEnded) await once(stream, 'end');
  return { status: answer[':status'], headers: answer, body: Buffer.concat(chunks) };
}

const POST = { ':method': 'POST', 'content-type': 'application/dns-message' };
const query = (...first: number[]) => Buffer.concat([Buffer.from(first), HEAD]);
const getPath = (message: Buffer) => ({
  ':path': `/dns-query?dns=${message.toString('base64url')}`,
});

describe('HTTPS', () => {
  test('answers GET and POST', async () => {
    const { port, server } = await serve('https');
    const http = session(port);
    for (const reply of [
      await request(http, getPath(query(ECHO, 7))),
      await request(http, POST, query(ECHO, 7)),
    ]) {
      expect(reply).toMatchObject({ status: 200, body: query(ECHO, 7) });
      expect(reply.headers['content-type']).toBe('application/dns-message');
      expect(reply.headers['cache-control']).toBe('max-age=0');
      expect(reply.headers['content-length']).toBe('14');
    }
    expect(asked).toMatchObject([{ transport: 'https' }, { transport: 'https' }]);
    expect([...(asked[0]?.client ?? [])]).toEqual([127, 0, 0, 1]);
    expect(server.counts).toMatchObject({ accepted: 1, answered: 2, bad: 0 });
  });

  test.each([
    ['another path', { ':path': '/' }, 404],
    ['another method', { ':method': 'PUT' }, 405],
    ['another type', { ':method': 'POST', 'content-type': 'text/plain' }, 415],
    ['no query', getPath(query(QUIET)), 400],
  ])('refuses %s and goes on', async (_, headers, status) => {
    const { port } = await serve('https');
    const http = session(port);
    expect(await request(http, headers)).toMatchObject({ status });
    expect(await request(http, getPath(query(ECHO)))).toMatchObject({ status: 200 });
  });

  test('refuses a body that is too long', async () => {
    const { port } = await serve('https');
    expect(await request(session(port), POST, Buffer.alloc(65_536, 1))).toMatchObject({
      status: 413,
    });
    const longest = Buffer.alloc(65_535, 0);
    longest[0] = ECHO;
    expect(await request(session(port), POST, longest)).toMatchObject({ status: 200 });
  });

  test('answers one message of what is referred', async () => {
    const { port } = await serve('https');
    const reply = await request(session(port), getPath(query(REFER)));
    expect(reply).toMatchObject({ status: 200, body: query(REFER) });
  });

  test('outlives clients that leave before their answer', async () => {
    const hold = Promise.withResolvers<void>();
    const { port, server } = await serve('https', { hold: hold.promise });
    const http = session(port);
    const stream = http.request(getPath(query(REFER)));
    stream.on('error', () => {});
    await until('it is asked', () => asked.length === 1);
    stream.close(8);
    await until('it is reset', () => server.counts.reset === 1);
    const gone = session(port);
    gone.request(getPath(query(REFER))).on('error', () => {});
    await until('it is asked too', () => asked.length === 2);
    gone.destroy();
    await until('it is gone', () => server.connections === 1);
    hold.resolve();
    expect(await request(http, getPath(query(ECHO)))).toMatchObject({ status: 200 });
    expect(server.counts.answered).toBe(1);
  });

  test('ends a session that is idle', async () => {
    const { port, server, clock } = await serve('https');
    const http = session(port);
    await request(http, getPath(query(ECHO)));
    const closed = once(http, 'close');
    await clock.advance(LIMITS.idle + 2000);
    await closed;
    await until('it is gone', () => server.connections === 0);
  });

  test('lets what is asked be answered while it drains', async () => {
    const hold = Promise.withResolvers<void>();
    const { port, server } = await serve('https', { hold: hold.promise });
    const http = session(port);
    const reply = request(http, getPath(query(REFER)));
    await until('it is asked', () => asked.length === 1);
    server.drain();
    hold.resolve();
    expect(await reply).toMatchObject({ status: 200 });
    await until('the session has ended', () => server.connections === 0);
  });
});

function tls(port: number, protocols: string[] = ['dot']): TLSSocket {
  const socket = connectTls({
    port,
    host: '127.0.0.1',
    rejectUnauthorized: false,
    ALPNProtocols: protocols,
  });
  socket.on('error', () => {}); // 'close' follows
  opened.push(() => socket.destroy());
  return socket;
}

const framed = (message: Buffer) => Buffer.concat([Buffer.of(0, message.length), message]);

describe('TLS', () => {
  test('answers as TCP does, by the name dot', async () => {
    const { port } = await serve('tls');
    const socket = tls(port);
    await once(socket, 'secureConnect');
    expect(socket.alpnProtocol).toBe('dot');
    socket.write(framed(query(ECHO)));
    const [bytes] = (await once(socket, 'data')) as [Buffer];
    expect(bytes).toEqual(framed(query(ECHO)));
    expect(asked).toMatchObject([{ transport: 'tls', clientPort: socket.localPort }]);
  });

  test('is not spoken with another protocol', async () => {
    const { port, server } = await serve('tls');
    await expect(once(tls(port, ['h2']), 'secureConnect')).rejects.toThrow(
      /no application protocol/,
    );
    await until('it is closed', () => server.connections === 0);
    expect(asked).toEqual([]);
  });
});

describe.each(['https', 'tls'] as const)('%s', (kind) => {
  const subject = async (port: number): Promise<unknown> => {
    const socket = tls(port, [kind === 'tls' ? 'dot' : 'h2']);
    await once(socket, 'secureConnect');
    const { CN } = socket.getPeerCertificate().subject;
    socket.destroy();
    return CN;
  };

  test('takes a new certificate, and keeps the one before when that is bad', async () => {
    const { server, port, files } = await serve(kind);
    expect(await subject(port)).toBe('one.example');
    files.now = { certificate: Buffer.from('no certificate'), key: second.key };
    expect(() => server.reloadCertificate()).toThrow();
    expect(await subject(port)).toBe('one.example');
    files.now = { certificate: second.certificate, key: first.key };
    expect(() => server.reloadCertificate()).toThrow(/mismatch/);
    expect(await subject(port)).toBe('one.example');
    files.now = second;
    server.reloadCertificate();
    expect(await subject(port)).toBe('two.example');
  });

  test('counts connections before they have said anything', async () => {
    const { server, port } = await serve(kind, { limits: { perClient: 2 } });
    const { connect: connectTcp } = await import('node:net');
    const sockets = [0, 1, 2].map(() => connectTcp(port, '127.0.0.1'));
    for (const socket of sockets) {
      socket.on('error', () => {});
      opened.push(() => socket.destroy());
    }
    await until('one is refused', () => server.counts.refused === 1);
    await until('the others are held', () => server.connections === 2);
    expect(server.counts.accepted).toBe(2);
    for (const socket of sockets) socket.destroy();
    await until('none is held', () => server.connections === 0);
    expect(await subject(port)).toBe('one.example');
  });
});
