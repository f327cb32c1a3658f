// The front with the real forwarder and real targets: HTTP/1.1, h2c, and WebSocket behind them.
import { createHash } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import {
  type ClientHttp2Session,
  createServer as createHttp2Server,
  type Http2Server,
} from 'node:http2';
import { afterEach, describe, expect, test } from 'vitest';
import { createForwarder } from '../../../../lb/l7/forward/forwarder.ts';
import { createSticky } from '../../../../lb/l7/forward/sticky.ts';
import { createUpstreams } from '../../../../lb/l7/upstream/upstreams.ts';
import { systemClock } from '../../../../shared/clock.ts';
import type { PoolProxy } from '../../../../shared/site/lb-objects.ts';
import { FakeBalancer } from '../forward/rig.ts';
import { answerOf, ask, Http2Rig } from './rig.ts';

const upstreams = createUpstreams({ clock: systemClock });
const cleanups: (() => unknown)[] = [() => upstreams.close()];
let rig: Http2Rig;
let balancer: FakeBalancer;
afterEach(async () => {
  await rig.close();
  for (const cleanup of cleanups.splice(0)) cleanup();
  expect(balancer.open).toBe(0);
});

function acceptTo(key: string): string {
  return createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
}

async function listening(server: Server | Http2Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  cleanups.push(() => server.close());
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('does not listen');
  return address.port;
}

async function open(port: number, proxy: Partial<PoolProxy>): Promise<ClientHttp2Session> {
  const target = {
    id: `127.0.0.1:${port}`,
    address: '127.0.0.1',
    port,
    weight: 1,
    tier: 0,
    health: 'up',
    upSinceMs: 0,
  } as const;
  balancer = new FakeBalancer([target], proxy);
  const forwarder = createForwarder({
    upstreams,
    balancers: () => balancer,
    clock: systemClock,
    sticky: createSticky(Buffer.alloc(32, 7)),
  });
  rig = await Http2Rig.open({ forwarder });
  return await rig.client();
}

const BODY = Buffer.alloc(300_000, 'x');

describe('an HTTP/1.1 target', () => {
  test('serves many at once, bodies and trailers and all', async () => {
    const server = createServer((request, response) => {
      response.writeHead(200, { Trailer: 'X-Sum', 'Transfer-Encoding': 'chunked' });
      request.on('data', (piece) => response.write(piece));
      request.on('end', () => {
        response.addTrailers({ 'X-Sum': 'done' });
        response.end();
      });
    });
    const client = await open(await listening(server), {});
    const asked = Array.from({ length: 20 }, () => {
      const stream = client.request({ ':method': 'POST', ':path': '/', te: 'trailers' });
      stream.end(BODY);
      return answerOf(stream);
    });
    const answers = await Promise.all(asked);
    for (const { headers, body, trailers } of answers) {
      expect(headers[':status']).toBe(200);
      expect(body.equals(BODY)).toBe(true);
      expect(trailers?.['x-sum']).toBe('done');
    }
  });

  test('that dies inside of a response cuts the stream, and only that', async () => {
    const server = createServer((request, response) => {
      response.writeHead(200, { 'Content-Length': 10 });
      if (request.url === '/whole') response.end('0123456789');
      else response.write('01234', () => request.socket.destroy());
    });
    const client = await open(await listening(server), {});
    const cut = await ask(client, { ':path': '/cut' });
    expect([cut.headers[':status'], cut.code]).toEqual([200, 2]);
    expect(`${(await ask(client, { ':path': '/whole' })).body}`).toBe('0123456789');
  });

  test('speaks WebSocket with a client of HTTP/2', async () => {
    const server = createServer();
    server.on('upgrade', (request, socket) => {
      const accept = acceptTo(`${request.headers['sec-websocket-key']}`);
      const lines = ['HTTP/1.1 101 Switching Protocols', 'Upgrade: websocket'];
      lines.push('Connection: Upgrade', `Sec-WebSocket-Accept: ${accept}`);
      socket.write(`${lines.join('\r\n')}\r\nSec-WebSocket-Protocol: echo\r\n\r\n`);
      socket.pipe(socket);
    });
    const client = await open(await listening(server), {});
    const stream = client.request({
      ':method': 'CONNECT',
      ':protocol': 'websocket',
      ':path': '/ws',
      'sec-websocket-version': '13',
      'sec-websocket-protocol': 'echo',
    });
    const head = await new Promise<Record<string, unknown>>((resolve) => {
      stream.once('response', resolve);
    });
    expect(head).toMatchObject({ ':status': 200, 'sec-websocket-protocol': 'echo' });
    const answered = new Promise<Buffer>((resolve) => stream.once('data', resolve));
    stream.write('hello');
    expect(`${await answered}`).toBe('hello');
    const closed = answerOf(stream);
    stream.end();
    await closed;
    expect(await rig.journal.ends(1)).toMatchObject({ protocol: 'websocket', cause: 'ok' });
  });

  test('that is not there is told of', async () => {
    const server = createServer();
    const port = await listening(server);
    server.close();
    const client = await open(port, {});
    const { headers } = await ask(client, {});
    expect(headers[':status']).toBe(503);
  });
});

describe('an h2c target', () => {
  test('serves gRPC: its status is in trailers', async () => {
    const server = createHttp2Server();
    server.on('stream', (stream, headers) => {
      stream.respond(
        { ':status': 200, 'content-type': 'application/grpc', 'x-te': `${headers.te}` },
        { waitForTrailers: true },
      );
      stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
      stream.pipe(stream);
    });
    const client = await open(await listening(server), { protocol: 'h2c' });
    const stream = client.request({
      ':method': 'POST',
      ':path': '/service/method',
      'content-type': 'application/grpc',
      te: 'trailers',
    });
    stream.end('message');
    const { headers, body, trailers } = await answerOf(stream);
    expect(headers).toMatchObject({ ':status': 200, 'x-te': 'trailers' });
    expect(`${body}`).toBe('message');
    expect(trailers?.['grpc-status']).toBe('0');
  });
});
