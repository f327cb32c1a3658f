import { connect, createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { until } from '../../../../lab/ready.ts';
import type { ConnectFailure } from '../../../../lb/l7/types.ts';
import type { ClientSocket } from '../../../../lb/l7/wiring.ts';
import type { TargetState } from '../../../../lb/pools/types.ts';
import type { PoolProxy } from '../../../../shared/site/lb-objects.ts';
import { makeCertificate } from '../tls/certificates.ts';
import { createRig, GET, HEAD_REQUEST, poolOf, startTarget, Told, targetAt } from './rig.ts';

let rig: ReturnType<typeof createRig>;
const servers: Server[] = [];
const accepted: Socket[] = [];

beforeEach(() => {
  rig = createRig();
});
afterEach(async () => {
  await rig.close();
  for (const socket of accepted.splice(0)) socket.destroy();
  for (const server of servers.splice(0)) await new Promise((resolve) => server.close(resolve));
});

async function listen(server: Server): Promise<TargetState> {
  servers.push(server);
  server.on('connection', (socket) => accepted.push(socket));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return targetAt((server.address() as { port: number }).port);
}

async function failureOf(proxy: Partial<PoolProxy>, target: TargetState): Promise<ConnectFailure> {
  const failed = await rig.connect(poolOf(proxy), target).then(
    () => undefined,
    (error) => error,
  );
  await until('nothing is left open', () => rig.upstreams.open === 0);
  return failed?.failure;
}

describe('a connection', () => {
  test('is refused where nobody listens', async () => {
    const target = await listen(createServer());
    const server = servers.pop();
    await new Promise((resolve) => server?.close(resolve));
    expect(await failureOf({}, target)).toEqual({ kind: 'refused', detail: 'ECONNREFUSED' });
  });

  test('that takes too long is given up', async () => {
    // A server that never says its part of the handshake is as good as a black hole.
    const target = await listen(createServer((socket) => socket.on('error', () => {})));
    const pool = poolOf({ tls: { verify: false } });
    const failed = rig.connect(pool, target, { connectMs: 1000 }).catch((error) => error.failure);
    await rig.clock.advance(900);
    rig.upstreams.tick(rig.clock.monotonicMs());
    expect(rig.upstreams.open).toBe(1);
    await rig.clock.advance(100);
    rig.upstreams.tick(rig.clock.monotonicMs());
    expect(await failed).toMatchObject({ kind: 'timeout' });
    await until('it is closed', () => rig.upstreams.open === 0);
  });

  test('that is cancelled tells nothing', async () => {
    const target = await listen(createServer());
    let told = 0;
    const options = { fresh: false, connectMs: 1000 };
    const cancel = rig.upstreams.connect(poolOf(), target, options, () => told++);
    cancel();
    await until('it is closed', () => rig.upstreams.open === 0);
    expect(told).toBe(0);
  });

  test('as a plain stream begins with the PROXY header, and half-closes', async () => {
    const target = await startTarget(() => {});
    const stream = await new Promise<ClientSocket>((resolve, reject) => {
      const options = { connectMs: 1000, proxyHeader: Buffer.from('PROXY UNKNOWN\r\n') };
      rig.upstreams.stream({ ...poolOf(), targets: [] }, target.state, options, (result) => {
        if ('kind' in result) reject(new Error(result.detail));
        else resolve(result);
      });
    });
    let heard = '';
    stream.on('data', (piece) => {
      heard += String(piece);
    });
    stream.write('hello');
    await until('it came', () => target.received === 'PROXY UNKNOWN\r\nhello');
    target.sockets[0]?.write('world');
    await until('it goes back', () => heard === 'world');
    stream.end();
    await until('the other end closes', () => stream.readableEnded);
    stream.destroy();
    await target.close();
  });
});

describe('TLS towards a target', () => {
  const ca = makeCertificate({ subject: 'ca', isCa: true });
  const made = makeCertificate({ subject: 'web', names: ['web.example'], issuer: ca });
  const serverNames: (string | false | null)[] = [];

  const startTls = (minVersion: 'TLSv1.2' | 'TLSv1.3' = 'TLSv1.2') =>
    listen(
      createTlsServer({ key: made.key, cert: made.chain, minVersion }, (socket) => {
        serverNames.push(socket.servername);
        socket.on('error', () => {});
        let count = 0;
        socket.on('data', (piece) => {
          if (!String(piece).startsWith('GET')) return;
          socket.write(`HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n${count++}`);
        });
      }),
    );

  test('is verified by name and CA, and kept', async () => {
    const target = await startTls();
    const tls = { serverName: 'web.example', verify: true, ca: ca.chain };
    for (const index of [0, 1]) {
      const connection = await rig.connect(poolOf({ tls }), target);
      const told = new Told();
      connection.send(HEAD_REQUEST, GET, told);
      await told.over;
      expect(told.lines).toEqual(['head 200', `body ${index}`, 'end']);
      expect(rig.upstreams.idle).toBe(1);
    }
    expect(serverNames).toEqual(['web.example']);
  });

  test.each<[string, NonNullable<PoolProxy['tls']>, string]>([
    [
      'another name',
      { serverName: 'other.example', verify: true, ca: ca.chain },
      'ERR_TLS_CERT_ALTNAME_INVALID',
    ],
    ['no name', { verify: true, ca: ca.chain }, 'ERR_TLS_CERT_ALTNAME_INVALID'],
    ['another CA', { serverName: 'web.example', verify: true }, 'UNABLE_TO_VERIFY_LEAF_SIGNATURE'],
    ['a CA that is none', { verify: true, ca: 'nonsense' }, 'ca'],
  ])('is refused for %s', async (_what, tls, detail) => {
    const target = await startTls();
    expect(await failureOf({ tls }, target)).toMatchObject({ kind: 'tls', detail });
  });

  test('is not verified where the pool says so', async () => {
    const target = await startTls();
    const connection = await rig.connect(poolOf({ tls: { verify: false } }), target);
    connection.abort();
  });

  test('fails at a target that speaks none', async () => {
    const target = await listen(
      createServer((socket) => {
        socket.on('error', () => {});
        socket.end('HTTP/1.1 400 Bad Request\r\n\r\n');
      }),
    );
    expect(await failureOf({ tls: { verify: false } }, target)).toMatchObject({ kind: 'tls' });
  });

  test('goes behind a PROXY header', async () => {
    const inner = await startTls();
    let first = '';
    const target = await listen(
      createServer((socket) => {
        socket.on('error', () => {});
        socket.once('data', (piece) => {
          first = piece.subarray(0, 15).toString();
          const onward = connect(inner.port, inner.address);
          onward.on('error', () => socket.destroy());
          onward.write(piece.subarray(15));
          socket.pipe(onward).pipe(socket);
        });
      }),
    );
    const tls = { serverName: 'web.example', verify: true, ca: ca.chain };
    const proxyHeader = Buffer.from('PROXY UNKNOWN\r\n');
    const connection = await rig.connect(poolOf({ tls }), target, { proxyHeader });
    const told = new Told();
    connection.send(HEAD_REQUEST, GET, told);
    await told.over;
    expect(first).toBe('PROXY UNKNOWN\r\n');
    expect(told.lines).toEqual(['head 200', 'body 0', 'end']);
    expect(rig.upstreams.idle).toBe(0);
  });
});
