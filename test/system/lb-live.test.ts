// A real edge-lb with two workers between real clients and real targets: what goes through, by
// curl, the `ws` package, node:http2 and a browser.
import { once } from 'node:events';
import { type ClientHttp2Session, type ClientHttp2Stream, connect } from 'node:http2';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { execute } from '../../lab/exec.ts';
import { until } from '../../lab/ready.ts';
import type { LbRig } from '../support/lb/lb-rig.ts';
import { closed, curl, echoed, webSocket } from '../support/lb/lb-rig-clients.ts';
import { LiveSite } from '../support/lb/lb-rig-live.ts';
import { type WebSocket, webSocketOver } from '../support/lb/lb-rig-ws.ts';
import { needs, program } from '../support/skip.ts';

let live: LiveSite;
let lb: LbRig;
let [plain, known, secure] = ['', '', ''];

beforeAll(async () => {
  live = await LiveSite.up();
  ({ lb, plain, known, secure } = live);
});
beforeEach((context) => needs(context, program('redis-server'), program('openssl')));
afterAll(() => live?.down());

describe('HTTP', () => {
  test.each([
    ['HTTP/1.1', () => [`${plain}/hello?x=1`], '1.1'],
    ['HTTP/1.1 with TLS', () => ['--http1.1', `${secure}/hello?x=1`], '1.1'],
    ['HTTP/2 with TLS', () => [`${secure}/hello?x=1`], '2'],
    ['HTTP/2 with prior knowledge', () => ['--http2-prior-knowledge', `${known}/hello?x=1`], '2'],
    ['HTTP/1.1 where HTTP/2 may come', () => ['--http1.1', `${known}/hello?x=1`], '1.1'],
  ])('%s by curl', async (_, args, version) => {
    const { stdout } = await curl('-H', 'X-Forwarded-For: 192.0.2.1', ...args());
    const [body = '', status] = stdout.split('\n');
    expect(status).toBe(`200 ${version}`);
    const { url, headers } = JSON.parse(body) as { url: string; headers: Record<string, string> };
    expect(url).toBe('/hello?x=1');
    expect(headers).toMatchObject({ 'x-forwarded-for': '127.0.0.1' });
    expect(headers.via).toMatch(/edge-lb/);
  });

  test.each(['--http1.1', '--http2'])('bodies both ways whole: %s', async (version) => {
    const bytes = 3_000_000;
    const { stdout } = await curl(
      version,
      '-o',
      '/dev/null',
      '-w',
      '%{size_download}',
      `${secure}/bytes/${bytes}`,
    );
    expect(stdout).toContain(`${bytes}`);
    const script = `head -c ${bytes} /dev/zero | sha256sum | cut -c 1-64`;
    const { stdout: expected } = await execute('sh', ['-c', script]);
    const put = `curl -sSk ${version} -T - --max-time 30 ${secure}/sum`;
    const upload = `head -c ${bytes} /dev/zero | ${put}`;
    const { stdout: summed } = await execute('sh', ['-c', upload]);
    expect(summed).toBe(expected.trim());
  });

  test('each name has its certificate', async () => {
    for (const name of ['a.example', 'b.example']) {
      const port = new URL(secure).port;
      const { code } = await curl(
        '--cacert',
        `${lb.keyDirectory}/${name.slice(0, 1)}.pem`,
        '--resolve',
        `${name}:${port}:127.0.0.1`,
        '--no-insecure',
        `https://${name}:${port}/`,
      );
      expect(code, name).toBe(0);
    }
  });
});

describe('WebSocket', () => {
  const SIZES = [0, 1, 125, 126, 127, 65_535, 65_536, 1_000_000];

  async function behaves(socket: WebSocket): Promise<void> {
    for (const size of SIZES) {
      const text = 'ü'.repeat(Math.floor(size / 2));
      const back = await echoed(socket, text);
      expect(back.isBinary, `text of ${size}`).toBe(false);
      expect(back.data.toString() === text, `text of ${size}`).toBe(true);
      const bytes = Buffer.alloc(size, Buffer.from([0, 255, 1, 254]));
      const binary = await echoed(socket, bytes, { binary: true });
      expect(binary.isBinary && binary.data.equals(bytes), `binary of ${size}`).toBe(true);
    }
    // Fragments, one inside of a character, with a ping between them.
    const [character] = [Buffer.from('€')];
    const message = once(socket, 'message');
    const pong = once(socket, 'pong');
    socket.send(character.subarray(0, 1).toString('latin1').length === 1 ? 'a' : '', {
      fin: false,
    });
    for (let at = 0; at < 50; at++) socket.send('b', { fin: false });
    socket.ping('p'.repeat(125));
    socket.send('', { fin: true });
    expect(`${(await pong)[0]}`).toBe('p'.repeat(125));
    expect(`${(await message)[0]}`).toBe(`a${'b'.repeat(50)}`);
    const ping = once(socket, 'ping');
    socket.send('ping you');
    expect(`${(await ping)[0]}`).toBe('you');
    // Many at once stay in order.
    const got: string[] = [];
    socket.on('message', (data: Buffer) => got.push(`${data}`));
    for (let at = 0; at < 500; at++) socket.send(`m${at}`);
    await until('all came back', () => got.length === 500);
    expect(got).toEqual(Array.from({ length: 500 }, (_, at) => `m${at}`));
    socket.removeAllListeners('message');
  }

  test.each([
    ['plain', () => plain, { perMessageDeflate: false }],
    ['with TLS', () => secure, { perMessageDeflate: false }],
    ['with TLS and compression', () => secure, { perMessageDeflate: { threshold: 0 } }],
  ])('through HTTP/1.1, %s', async (_, base, options) => {
    const socket = await webSocket(`${base().replace('http', 'ws')}/live`, options);
    await behaves(socket);
    socket.terminate();
  });

  test.each([
    ['the target, 1000', 'close 1000 bye', { code: 1000, reason: 'bye' }],
    ['the target, 4999', 'close 4999 x', { code: 4999, reason: 'x' }],
    ['the target, without a code', 'close', { code: 1005, reason: '' }],
    ['the target, without a close frame', 'drop', { code: 1006, reason: '' }],
  ])('is closed by %s', async (_, command, expected) => {
    const socket = await webSocket(`${plain.replace('http', 'ws')}/live`);
    const end = closed(socket);
    socket.send(command);
    expect(await end).toEqual(expected);
  });

  test.each([
    [1000, 'bye'],
    [3000, ''],
    [4001, 'r'.repeat(123)],
  ])('is closed by the client with %i', async (code, reason) => {
    const socket = await webSocket(`${plain.replace('http', 'ws')}/live`);
    const end = closed(socket);
    socket.close(code, reason);
    expect(await end).toEqual({ code, reason });
  });

  test('what is no WebSocket is told so by the target, not by the lb', async () => {
    const socket = await webSocket(`${plain.replace('http', 'ws')}/live`);
    const end = closed(socket);
    const { _socket: raw } = socket as unknown as { _socket: NodeJS.WritableStream };
    raw.write(Buffer.from([0xff, 0x80, 0, 0, 0, 0])); // reserved bits, unknown opcode
    expect((await end).code).toBe(1002);
  });

  test('through HTTP/2 (RFC 8441), several on one connection', async () => {
    const session = connect(secure, { rejectUnauthorized: false });
    await once(session, 'remoteSettings');
    const sockets = [await overHttp2(session), await overHttp2(session)];
    for (const socket of sockets) await behaves(socket);
    const [first, second] = sockets;
    const end = first && closed(first);
    first?.close(4001, 'done');
    expect(await end).toEqual({ code: 4001, reason: 'done' });
    expect(second && `${(await echoed(second, 'still')).data}`).toBe('still');
    session.destroy();
  });
});

async function overHttp2(session: ClientHttp2Session): Promise<WebSocket> {
  const stream = session.request({
    ':method': 'CONNECT',
    ':protocol': 'websocket',
    ':scheme': 'https',
    ':path': '/live',
    ':authority': 'a.example',
    'sec-websocket-version': '13',
  });
  const [headers] = (await once(stream, 'response')) as [Record<string, unknown>];
  expect(headers[':status']).toBe(200);
  return webSocketOver(stream);
}

describe('gRPC', () => {
  let session: ClientHttp2Session;
  beforeAll(async () => {
    session = connect(secure, { rejectUnauthorized: false });
    await once(session, 'connect');
  });
  afterAll(() => session.destroy());

  const call = (more: Record<string, string> = {}): ClientHttp2Stream =>
    session.request({
      ':method': 'POST',
      ':path': '/rpc/call',
      'content-type': 'application/grpc',
      te: 'trailers',
      ...more,
    });

  test('messages go both ways while both are open, and trailers end it', async () => {
    const stream = call();
    const trailers = once(stream, 'trailers');
    for (const word of ['one', 'two', 'three']) {
      const data = once(stream, 'data');
      stream.write(word);
      expect(`${(await data)[0]}`).toBe(word);
    }
    stream.end();
    expect((await trailers)[0]).toMatchObject({ 'grpc-status': '0', 'grpc-message': 'trailers' });
  });

  test('a response of trailers only', async () => {
    const stream = call({ 'x-fail': '1' });
    const [headers] = (await once(stream, 'response')) as [Record<string, unknown>];
    expect(headers).toMatchObject({ ':status': 200, 'grpc-status': '12' });
    stream.resume();
    stream.end();
    await once(stream, 'close');
  });

  test('a hundred calls at once', async () => {
    const calls = Array.from({ length: 100 }, async (_, at) => {
      const stream = call();
      stream.end(`call ${at}`);
      const [trailers] = await Promise.all([once(stream, 'trailers'), once(stream, 'data')]);
      return (trailers[0] as Record<string, string>)['grpc-status'];
    });
    expect(new Set(await Promise.all(calls))).toEqual(new Set(['0']));
  });
});

test('a browser loads a page and what belongs to it, through TLS and HTTP/2', async (context) => {
  needs(context, program('chromium'));
  const before = lb.accessLines().length;
  const profile = join(lb.directory, 'chromium');
  const flags = ['--headless', '--no-sandbox', '--disable-gpu', '--ignore-certificate-errors'];
  const own = [`--user-data-dir=${profile}`, '--virtual-time-budget=20000', '--dump-dom'];
  const { stdout } = await execute('chromium', [...flags, ...own, `${secure}/page`], {
    timeoutMs: 90_000,
  });
  const sizes = Array.from({ length: 12 }, (_, at) => at * 1000).join(' ');
  expect(stdout).toContain(`fetched ${sizes}, rgb(1, 2, 3)`);
  expect(stdout).toContain('data-loaded="yes"');
  const lines = await until('the access log has all of it', () => {
    const all = lb
      .accessLines()
      .slice(before)
      .filter(({ listener, target }) => {
        return listener === 'tls' && /^\/(page|style|script|image|bytes\/\d+000$)/.test(target);
      });
    return all.length >= 4 + 11 ? all : undefined;
  });
  expect(
    new Set(lines.map(({ protocol, status, cause }) => `${protocol} ${status} ${cause}`)),
  ).toEqual(new Set(['HTTP/2 200 ok']));
});
