// TLS that passes through: routed by the ClientHello's server name, ended by the target.
import { once } from 'node:events';
import { connect as connectTls, createServer as createTlsServer } from 'node:tls';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import type { Listener } from '../../../../shared/site/lb-objects.ts';
import { certificateFor } from '../../dns/transports/certificate.ts';
import { cutOf, listening, poolOf, readAll, startFront, startTarget } from './rig.ts';

let certificates: Map<string, ReturnType<typeof certificateFor>>;
beforeAll(() => {
  const names = ['one.example.com', 'two.example.com'];
  certificates = new Map(names.map((name) => [name, certificateFor(name)]));
});

/** Says its name to whoever connects. */
async function startTls(name: string): Promise<number> {
  const { certificate, key } = certificates.get(name) ?? {};
  const server = createTlsServer({ cert: certificate, key }, (socket) => {
    socket.on('error', () => {});
    socket.end(`${name} serves ${socket.servername || 'nobody'}`);
  });
  server.on('tlsClientError', () => {});
  onTestFinished(() => void server.close());
  return await listening(server);
}

async function start(listener: Partial<Listener> = {}, options = {}) {
  const [one, two] = [await startTls('one.example.com'), await startTls('two.example.com')];
  const pools = [poolOf('one', [one]), poolOf('two', [two])];
  const names = [
    { name: 'one.example.com', pool: 'one' },
    { name: '*.example.com', pool: 'two' },
  ];
  return await startFront(pools, { protocol: 'tls', names, ...listener }, options);
}

async function ask(port: number, servername: string): Promise<{ text: string; subject: string }> {
  const socket = connectTls({ host: '127.0.0.1', port, servername, rejectUnauthorized: false });
  onTestFinished(() => void socket.destroy());
  await once(socket, 'secureConnect');
  const subject = String(socket.getPeerCertificate().subject.CN);
  return { text: await readAll(socket), subject };
}

/** As a client of TLS begins. */
async function helloFor(servername: string): Promise<Buffer> {
  const heard = Promise.withResolvers<Buffer>();
  const { port } = await startTarget((socket) => socket.once('data', heard.resolve));
  const client = connectTls({ host: '127.0.0.1', port, servername });
  client.on('error', () => {});
  const hello = await heard.promise;
  client.destroy();
  return hello;
}

test.each([
  ['one.example.com', 'one.example.com'],
  ['ONE.example.com', 'one.example.com'],
  ['any.example.com', 'two.example.com'],
  ['a.b.example.com', 'two.example.com'],
  ['two.example.net', 'one.example.com'],
])('%s is served by %s', async (name, server) => {
  const rig = await start({ pool: 'one' });
  const { text, subject } = await ask(rig.port, name);
  expect(text).toBe(`${server} serves ${name}`);
  expect(subject).toBe(server);
  const entry = await rig.entry();
  expect(entry).toMatchObject({ cause: 'ok', host: name.toLowerCase(), protocol: 'tcp' });
  expect(entry.client.serverName).toBe(name.toLowerCase());
  expect(entry.bytesIn).toBeGreaterThan(200);
});

test('a client without a server name goes to the listener’s pool', async () => {
  const rig = await start({ pool: 'two' });
  expect((await ask(rig.port, '')).text).toBe('two.example.com serves nobody');
});

test('a hello in many pieces', async () => {
  const rig = await start();
  const hello = await helloFor('one.example.com');
  const client = rig.connect();
  client.setNoDelay(true);
  for (const byte of hello) {
    client.write(Buffer.from([byte]));
    await new Promise((resolve) => setImmediate(resolve));
  }
  const [answer] = await once(client, 'data');
  expect((answer as Buffer)[0]).toBe(22);
});

describe('what leads nowhere', () => {
  test('a name that nobody serves is told by an alert', async () => {
    const rig = await startFront([], {
      protocol: 'tls',
      names: [{ name: 'a.example', pool: 'a' }],
    });
    await expect(ask(rig.port, 'two.example.net')).rejects.toMatchObject({
      code: 'ERR_SSL_TLSV1_UNRECOGNIZED_NAME',
    });
    expect(await rig.entry()).toMatchObject({ cause: 'no-route', host: 'two.example.net' });
  });

  test('what is no TLS', async () => {
    const rig = await start();
    const client = rig.connect();
    client.write('GET / HTTP/1.1\r\n\r\n');
    expect(await readAll(client)).toBe('\x15\x03\x01\x00\x02\x02\x32');
    expect(await rig.entry()).toMatchObject({ cause: 'bad-request', detail: 'client-hello' });
  });

  test('a hello that does not end in time', async () => {
    const rig = await start({}, { helloMs: 50 });
    const client = rig.connect();
    client.write(Buffer.from([22, 3, 1]));
    expect(await cutOf(client)).toBe('ECONNRESET');
    expect(await rig.entry()).toMatchObject({ cause: 'client-timeout', bytesIn: 3 });
  });

  test('a client that says nothing and leaves', async () => {
    const rig = await start();
    rig.connect().end();
    expect((await rig.entry()).cause).toBe('client-gone');
  });
});

test('draining, a connection of which nothing has come is closed', async () => {
  const rig = await start();
  const client = rig.connect();
  await once(client, 'connect');
  await expect.poll(() => rig.streams.size).toBe(1);
  const [stream] = rig.streams;
  expect(stream?.isIdle).toBe(true);
  stream?.closeWhenIdle();
  expect((await rig.entry()).cause).toBe('drained');
});
