// The first bytes of connections: what one reader leaves is the next one's.
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Beginning } from '../../../../lb/worker/beginning.ts';

let server: Server;
let client: Socket;
let accepted: Socket;

beforeEach(async () => {
  server = createServer({ allowHalfOpen: true });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo; // it listens on TCP
  client = connect(port, '127.0.0.1');
  client.on('error', () => {});
  [accepted] = (await once(server, 'connection')) as [Socket];
  accepted.on('error', () => {});
});
afterEach(() => {
  client.destroy();
  accepted.destroy();
  server.close();
});

const begin = () => new Beginning(accepted, Number.POSITIVE_INFINITY, () => {});
const proxyHeader = () => new Promise<unknown>((resolve) => begin().proxyHeader(resolve));
const http2Preface = () => new Promise<boolean>((resolve) => begin().http2Preface(resolve));
const HEADER = 'PROXY TCP4 192.0.2.1 198.51.100.1 4242 443\r\n';

test.each([
  ['HTTP/2', true, 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
  ['HTTP/1.1', false, 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'],
])('%s behind a PROXY header, in one piece or two', async (_, isHttp2, bytes) => {
  const header = proxyHeader();
  client.write(HEADER);
  client.write(bytes);
  expect(await header).toEqual({
    address: '192.0.2.1',
    port: 4242,
    localAddress: '198.51.100.1',
    localPort: 443,
  });
  expect(await http2Preface()).toBe(isHttp2);
  const [read] = (await once(accepted.resume(), 'data')) as [Buffer];
  expect(read.toString()).toBe(bytes);
});

test('what comes only after the header was read is read, too', async () => {
  const header = proxyHeader();
  client.write(HEADER);
  await header;
  const preface = http2Preface();
  client.write('GET / HTTP/1.1\r\n\r\n');
  expect(await preface).toBe(false);
});

test('no header, or half of one: closed', async () => {
  const header = proxyHeader();
  client.write('GET / HTTP/1.1\r\n\r\n');
  expect(await header).toBeUndefined();
  expect(accepted.destroyed).toBe(true);
});

test('a beginning that ends early, or takes too long, ends the connection', async () => {
  let ended = 0;
  const beginning = new Beginning(accepted, 1000, () => ended++);
  beginning.http2Preface(() => expect.unreachable());
  beginning.tick(999);
  expect(accepted.destroyed).toBe(false);
  beginning.tick(1001);
  await once(accepted, 'close');
  expect(ended).toBe(1);
});
