import { once } from 'node:events';
import type { Socket } from 'node:net';
import { describe, expect, test } from 'vitest';
import { until } from '../../../../lab/ready.ts';
import type { Upstreams } from '../../../../lb/l7/wiring.ts';
import { DEFAULT_PROXY } from '../../../../shared/site/lb-objects.ts';
import { closedPort, cutOf, poolOf, type Rig, readAll, startFront, startTarget } from './rig.ts';

const echo = (socket: Socket) => void socket.pipe(socket);
const timeouts = DEFAULT_PROXY.timeouts;

function openPlaces(rig: Rig): number {
  const targets = rig.balancers.get('www')?.statistics(0).targets ?? [];
  return targets.reduce((sum, { open }) => sum + open, 0);
}

test('bytes go both ways, and are counted; one entry, one place', async () => {
  const target = await startTarget(echo);
  const rig = await startFront([poolOf('www', [target.port])]);
  const client = rig.connect();
  client.write('hello');
  const [bytes] = await once(client, 'data');
  expect(String(bytes)).toBe('hello');
  expect(openPlaces(rig)).toBe(1);
  expect([...rig.streams][0]?.target).toEqual({ pool: 'www', id: `127.0.0.1:${target.port}` });
  client.end(' and more');
  expect(await readAll(client)).toBe(' and more');
  const entry = await rig.entry();
  expect(entry).toMatchObject({
    listener: 'front',
    protocol: 'tcp',
    bytesIn: 14,
    bytesOut: 14,
    cause: 'ok',
    forward: { pool: 'www', target: `127.0.0.1:${target.port}`, tries: 1, cause: 'ok' },
  });
  expect(entry.forward?.connectMs).toBeGreaterThanOrEqual(0);
  expect(openPlaces(rig)).toBe(0);
  await until('the stream is let go', () => rig.streams.size === 0);
  expect(rig.entries).toHaveLength(1);
});

test('a client that ends its half at once still gets its answer', async () => {
  const target = await startTarget((socket) => {
    void readAll(socket).then((question) => socket.end(`you said ${question}`));
  });
  const rig = await startFront([poolOf('www', [target.port])]);
  const client = rig.connect();
  client.end('question');
  expect(await readAll(client)).toBe('you said question');
  expect((await rig.entry()).cause).toBe('ok');
});

test('a target that ends its half still hears the client', async () => {
  let heard = '';
  const target = await startTarget((socket) => {
    socket.end('bye');
    void readAll(socket).then((text) => {
      heard = text;
    });
  });
  const rig = await startFront([poolOf('www', [target.port])]);
  const client = rig.connect();
  expect(await readAll(client)).toBe('bye');
  client.write('not ');
  client.end('yet');
  await until('the target heard all', () => heard === 'not yet');
  expect((await rig.entry()).cause).toBe('ok');
});

test('a target that speaks first', async () => {
  const target = await startTarget((socket) => socket.end('220 ready'));
  const rig = await startFront([poolOf('www', [target.port])]);
  const client = rig.connect();
  expect(await readAll(client)).toBe('220 ready');
  client.end();
  expect(await rig.entry()).toMatchObject({ cause: 'ok', bytesIn: 0, bytesOut: 9 });
});

describe('targets that refuse', () => {
  test('the next one is tried', async () => {
    const target = await startTarget(echo);
    const ports = [await closedPort(), await closedPort(), target.port];
    const rig = await startFront([poolOf('www', ports, { algorithm: 'round-robin' })]);
    for (let at = 0; at < 6; at++) {
      const client = rig.connect();
      client.end(`stream ${at}`);
      expect(await readAll(client)).toBe(`stream ${at}`);
    }
    await until('all are told of', () => rig.entries.length === 6);
    expect(rig.entries.every(({ cause }) => cause === 'ok')).toBe(true);
    expect(Math.max(...rig.entries.map(({ forward }) => forward?.tries ?? 0))).toBeGreaterThan(1);
    expect(openPlaces(rig)).toBe(0);
  });

  test.each([
    { count: 0, tries: 1 },
    { count: 1, tries: 2 },
    { count: 5, tries: 6 },
  ])('$count retries, and no more', async ({ count, tries }) => {
    const ports = [await closedPort(), await closedPort()];
    const retries = { ...DEFAULT_PROXY.retries, count };
    const rig = await startFront([poolOf('www', ports, { retries })]);
    const client = rig.connect();
    expect(await cutOf(client)).toBe('ECONNRESET');
    expect(await rig.entry()).toMatchObject({
      cause: 'connect-failed',
      detail: 'ECONNREFUSED',
      forward: { tries, connectMs: -1 },
    });
    expect(openPlaces(rig)).toBe(0);
  });
});

describe('what ends without a target', () => {
  test('none is there', async () => {
    const rig = await startFront([poolOf('www', [])]);
    const client = rig.connect();
    expect(await cutOf(client)).toBe('ECONNRESET');
    expect((await rig.entry()).cause).toBe('no-target');
  });

  test('the pool is unknown', async () => {
    const rig = await startFront([]);
    await cutOf(rig.connect());
    expect(await rig.entry()).toMatchObject({ cause: 'no-target', detail: 'no-pool' });
  });

  test('all are full: it waits, and is served when a place is free', async () => {
    const target = await startTarget(echo);
    const rig = await startFront([poolOf('www', [target.port], { maxRequests: 1 })]);
    const first = rig.connect();
    first.write('x');
    await once(first, 'data');
    const second = rig.connect();
    second.end('patient');
    await until('it waits', () => rig.balancers.get('www')?.queued === 1);
    expect(target.sockets).toHaveLength(1);
    first.end();
    expect(await readAll(second)).toBe('patient');
    await until('both are told of', () => rig.entries.length === 2);
    expect(rig.entries[1]?.forward?.queueMs).toBeGreaterThan(0);
  });

  test('its time in the queue is over', async () => {
    const target = await startTarget(echo);
    const proxy = { maxRequests: 1, timeouts: { ...timeouts, queueMs: 50 } };
    const rig = await startFront([poolOf('www', [target.port], proxy)]);
    const first = rig.connect();
    first.write('x');
    await once(first, 'data');
    await cutOf(rig.connect());
    expect((await rig.entry()).cause).toBe('queue-timeout');
  });

  test('the client leaves while it waits', async () => {
    const target = await startTarget(echo);
    const rig = await startFront([poolOf('www', [target.port], { maxRequests: 1 })]);
    const first = rig.connect();
    first.write('x');
    await once(first, 'data');
    const second = rig.connect();
    second.write('y');
    await until('it waits', () => rig.balancers.get('www')?.queued === 1);
    second.resetAndDestroy();
    expect(await rig.entry()).toMatchObject({ cause: 'client-gone', bytesIn: 1 });
    expect(rig.balancers.get('www')?.queued).toBe(0);
    expect(openPlaces(rig)).toBe(1);
  });
});

describe('resets', () => {
  test('of the client reach the target', async () => {
    const target = await startTarget(echo);
    const rig = await startFront([poolOf('www', [target.port])]);
    const client = rig.connect();
    client.write('x');
    await once(client, 'data');
    client.resetAndDestroy();
    const [socket] = target.sockets;
    const cut = socket && (await cutOf(socket));
    expect(cut).toBe('ECONNRESET');
    expect(await rig.entry()).toMatchObject({ cause: 'client-gone', detail: 'ECONNRESET' });
    expect(rig.balancers.get('www')?.statistics(0).targets[0]?.failures).toBe(0);
  });

  test('of the target reach the client, and count as its failure', async () => {
    const target = await startTarget((socket) => {
      socket.once('data', () => socket.resetAndDestroy());
    });
    const rig = await startFront([poolOf('www', [target.port])]);
    const client = rig.connect();
    client.write('x');
    expect(await cutOf(client)).toBe('ECONNRESET');
    expect(await rig.entry()).toMatchObject({ cause: 'upstream-reset', detail: 'ECONNRESET' });
    expect(rig.balancers.get('www')?.statistics(0).targets[0]?.failures).toBe(1);
  });
});

test('a stream without a byte is ended, one with bytes is not', async () => {
  const target = await startTarget(echo);
  const proxy = { timeouts: { ...timeouts, tunnelMs: 300 } };
  const rig = await startFront([poolOf('www', [target.port], proxy)]);
  const busy = rig.connect();
  const idle = rig.connect();
  idle.write('once');
  const talking = setInterval(() => busy.write('.'), 30);
  try {
    expect((await rig.entry()).cause).toBe('idle');
    expect(rig.entries).toHaveLength(1);
    expect(rig.entries[0]).toMatchObject({ bytesIn: 4, bytesOut: 4 });
    expect(rig.streams.size).toBe(1);
  } finally {
    clearInterval(talking);
  }
});

test('a draining worker closes it when its time is over', async () => {
  const target = await startTarget(echo);
  const rig = await startFront([poolOf('www', [target.port])]);
  const client = rig.connect();
  client.write('x');
  await once(client, 'data');
  const [stream] = rig.streams;
  stream?.closeWhenIdle();
  client.write('still');
  expect(String((await once(client, 'data'))[0])).toBe('still');
  stream?.destroy('drained');
  expect(await cutOf(client)).toBe('ECONNRESET');
  expect((await rig.entry()).cause).toBe('drained');
});

test('a reader that takes nothing costs no more than what was read of the target', async () => {
  const piece = Buffer.alloc(65_536, 'x');
  let sent = 0;
  const target = await startTarget((socket) => {
    const more = () => {
      while (sent < 64 * 2 ** 20) {
        sent += piece.length;
        if (!socket.write(piece)) return void socket.once('drain', more);
      }
      socket.end();
    };
    more();
  });
  const rig = await startFront([poolOf('www', [target.port])]);
  const client = rig.connect();
  client.pause();
  let [before, same] = [-1, 0];
  await until('nothing moves any more', () => {
    same = sent === before ? same + 1 : 0;
    before = sent;
    return same > 8 && rig.dialled[0]?.isPaused() && (rig.accepted[0]?.writableLength ?? 0) > 0;
  });
  expect(sent).toBeLessThan(64 * 2 ** 20);
  expect(rig.accepted[0]?.writableLength).toBeLessThanOrEqual(65_536);
  // One read waits to be written; Node has read up to its own mark, and stopped.
  expect(rig.dialled[0]?.readableLength).toBeLessThan(2 * 65_536);
  let received = 0;
  client.on('data', (bytes: Buffer) => {
    received += bytes.length;
  });
  client.resume();
  await once(client, 'end');
  client.end();
  expect(received).toBe(64 * 2 ** 20);
  expect(await rig.entry()).toMatchObject({ cause: 'ok', bytesOut: 64 * 2 ** 20 });
});

test('a client that speaks before there is a target is read up to a bound', async () => {
  const target = await startTarget(echo);
  const rig = await startFront([poolOf('www', [target.port], { maxRequests: 1 })]);
  const first = rig.connect();
  first.write('x');
  await once(first, 'data');
  const second = rig.connect();
  second.write(Buffer.alloc(8 * 2 ** 20, 'y'));
  second.end();
  await until('it is not read any more', () => rig.accepted[1]?.isPaused());
  expect(rig.accepted[1]?.bytesRead).toBeLessThanOrEqual(4 * 65_536);
  first.end();
  expect((await readAll(second)).length).toBe(8 * 2 ** 20);
});

test('a target without a port is asked at the listener’s', async () => {
  const ports: number[] = [];
  const dial: Upstreams['stream'] = (_pool, target, _options, done) => {
    ports.push(target.port);
    done({ kind: 'refused', detail: 'ECONNREFUSED' });
    return () => {};
  };
  const rig = await startFront([poolOf('www', [0])], {}, { dial });
  await cutOf(rig.connect());
  expect(ports).toEqual([rig.port, rig.port, rig.port]);
  expect((await rig.entry()).forward?.tries).toBe(3);
});
