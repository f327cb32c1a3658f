import { createSocket, type Socket, type SocketType } from 'node:dgram';
import { once } from 'node:events';
import { afterEach, describe, expect, test } from 'vitest';
import { until } from '../../../../lab/ready.ts';
import { MESSAGE_BYTES, UdpRing } from '../../../../shared/bpf/udp-ring.ts';
import {
  closeFd,
  createWake,
  openShared,
  queueDrops,
  UdpWait,
  wake,
} from '../../../../shared/bpf/udp-sockets.ts';
import { ipv4ToBytes, parseIpv4 } from '../../../../shared/net/ipv4.ts';
import { ipv6ToBytes, parseIpv6 } from '../../../../shared/net/ipv6.ts';
import { freePorts } from '../../../support/redis.ts';

const BATCH = 8;
const done: (() => unknown)[] = [];
afterEach(() => {
  for (const each of done.splice(0)) each();
});

function bytesOf(host: string): Uint8Array {
  const v4 = parseIpv4(host);
  if (v4 !== undefined) return ipv4ToBytes(v4);
  return ipv6ToBytes(parseIpv6(host) ?? (0n as never));
}

async function server(host: string, count = 1, bufferBytes = 1 << 20) {
  const [port = 0] = await freePorts(1);
  const fds = openShared({ address: bytesOf(host), port }, count, bufferBytes);
  done.push(() => fds.map(closeFd));
  const ring = new UdpRing(BATCH);
  done.push(() => ring.free());
  return { port, fds, fd: fds[0] ?? -1, ring };
}

async function client(host: string): Promise<{ socket: Socket; heard: string[] }> {
  const type: SocketType = host.includes(':') ? 'udp6' : 'udp4';
  const socket = createSocket(type);
  done.push(() => socket.close());
  const heard: string[] = [];
  socket.on('message', (bytes, from) => heard.push(`${from.address} ${bytes}`));
  socket.bind(0, host);
  await once(socket, 'listening');
  return { socket, heard };
}

/** Takes what is there and answers those that do not begin with `-` with their own words. */
function answerAll(ring: UdpRing, fd: number): number {
  const count = ring.receive(fd);
  let answers = 0;
  for (let index = 0; index < count; index++) {
    const length = ring.length(index);
    const query = ring.query(index);
    if (length < 0 || query[0] === 0x2d) continue;
    ring.answer(answers).set(query.subarray(0, length));
    ring.address(answers++, index, length);
  }
  expect(ring.send(fd, answers)).toBe(answers);
  return count;
}

async function receiveAll(ring: UdpRing, fd: number, count: number): Promise<void> {
  let left = count;
  await until('all are received', () => {
    left -= answerAll(ring, fd);
    return left <= 0;
  });
}

describe('answers', () => {
  test.each([
    ['0.0.0.0', '127.0.0.9', ['127.0.0.1', '127.0.0.3']],
    ['127.0.0.5', '127.0.0.9', ['127.0.0.5']],
    ['::', '::1', ['::1']],
    ['::1', '::1', ['::1']],
  ])('of a socket of %s leave from the address that was asked', async (host, own, asked) => {
    const { ring, fd, port } = await server(host);
    const { socket, heard } = await client(own);
    for (const to of asked) socket.send(`to ${to}`, port, to);
    await receiveAll(ring, fd, asked.length);
    await until('all are answered', () => heard.length === asked.length);
    expect(heard.toSorted()).toEqual(asked.map((to) => `${to} to ${to}`).toSorted());
  });

  test('go to whom they are for, though some before get none and batches are many', async () => {
    const { ring, fd, port } = await server('0.0.0.0');
    const clients = await Promise.all(['127.0.0.7', '127.0.0.8', '127.0.0.9'].map(client));
    const numbers = Array.from({ length: 5 * BATCH }, (_, at) => at);
    for (const at of numbers) {
      const word = at % 4 === 0 ? `-${at}` : `${at}`;
      clients[at % 3]?.socket.send(word, port, `127.0.0.${1 + (at % 2)}`);
    }
    await receiveAll(ring, fd, numbers.length);
    const wanted = numbers.filter((at) => at % 4 !== 0);
    await until('all are answered', () => clients.flatMap((c) => c.heard).length >= wanted.length);
    for (const [which, { heard }] of clients.entries()) {
      const own = wanted.filter((at) => at % 3 === which);
      expect(heard.toSorted()).toEqual(own.map((at) => `127.0.0.${1 + (at % 2)} ${at}`).toSorted());
    }
  });

  test('say who asked, and may come later by another ring', async () => {
    const { ring, fd, port } = await server('0.0.0.0');
    const { socket, heard } = await client('127.0.0.9');
    socket.send('-later', port, '127.0.0.4');
    await until('it came', () => ring.receive(fd) === 1);
    expect([...ring.client(0)]).toEqual([127, 0, 0, 9]);
    expect(ring.clientPort(0)).toBe(socket.address().port);
    const back = structuredClone(ring.returnAddress(0, 0));
    const other = new UdpRing(1);
    done.push(() => other.free());
    expect(other.reply(fd, back, Buffer.from('now'))).toBe(true);
    expect(other.reply(fd, back, new Uint8Array(MESSAGE_BYTES + 1))).toBe(false);
    await until('it is answered', () => heard.length === 1);
    expect(heard).toEqual(['127.0.0.4 now']);
  });

  test('that cannot leave hold up no others', async () => {
    const { ring, fd, port } = await server('0.0.0.0');
    const { socket, heard } = await client('127.0.0.9');
    socket.send('one', port, '127.0.0.1');
    await until('it came', () => ring.receive(fd) === 1);
    for (const answer of [0, 1, 2]) {
      ring.answer(answer).set(Buffer.from('one'));
      ring.address(answer, 0, answer === 1 ? 1 << 20 : 3); // no datagram is so long
    }
    expect(ring.send(fd, 3)).toBe(2);
    await until('the others came', () => heard.length === 2);
  });
});

test('a message that is too long is known as such, the longest one comes whole', async () => {
  const { ring, fd, port } = await server('127.0.0.1');
  const { socket } = await client('127.0.0.9');
  socket.send(new Uint8Array(MESSAGE_BYTES), port, '127.0.0.1');
  socket.send(new Uint8Array(MESSAGE_BYTES + 1), port, '127.0.0.1');
  socket.send(Buffer.alloc(0), port, '127.0.0.1');
  const lengths: number[] = [];
  await until('all came', () => {
    const count = ring.receive(fd);
    for (let at = 0; at < count; at++) lengths.push(ring.length(at));
    return lengths.length === 3;
  });
  expect(lengths).toEqual([MESSAGE_BYTES, -1, 0]);
});

test('what a full queue loses is counted', async () => {
  const { fd, port } = await server('127.0.0.1', 1, 4096);
  const { socket } = await client('127.0.0.9');
  expect(queueDrops(fd)).toBe(0);
  for (let at = 0; at < 100; at++) socket.send(new Uint8Array(1000), port, '127.0.0.1');
  await until('some are lost', () => queueDrops(fd) > 0);
});

describe('an address', () => {
  test.each([false, true])(
    'that somebody has is not shared, whether they would: %s',
    async (reusePort) => {
      const theirs = createSocket({ type: 'udp4', reusePort });
      done.push(() => theirs.close());
      theirs.bind(0, '127.0.0.1');
      await once(theirs, 'listening');
      const { port } = theirs.address();
      for (const host of ['127.0.0.1', '0.0.0.0']) {
        expect(() => openShared({ address: bytesOf(host), port }, 2, 4096)).toThrow(/EADDRINUSE/);
      }
    },
  );

  test('is taken by one of ours only', async () => {
    const { port } = await server('127.0.0.1', 2);
    const again = () => openShared({ address: bytesOf('127.0.0.1'), port }, 2, 4096);
    expect(again).toThrow(/EADDRINUSE/);
  });

  test('of both families is two sockets', async () => {
    const { port } = await server('0.0.0.0');
    const fds = openShared({ address: new Uint8Array(16), port }, 1, 4096);
    done.push(() => fds.map(closeFd));
    expect(fds).toHaveLength(1);
  });
});

test('askers are spread over the sockets that share', async () => {
  const { ring, fds, port } = await server('127.0.0.1', 2);
  const clients = await Promise.all(Array.from({ length: 32 }, () => client('127.0.0.9')));
  for (const { socket } of clients) socket.send('x', port, '127.0.0.1');
  const got = [0, 0];
  await until('all came', () => {
    for (const [index, fd] of fds.entries()) got[index] = (got[index] ?? 0) + answerAll(ring, fd);
    return (got[0] ?? 0) + (got[1] ?? 0) === clients.length;
  });
  expect(Math.min(...got)).toBeGreaterThan(0);
});

test('a wait ends for a socket that has something, and when it is woken', async () => {
  const { fds, port } = await server('127.0.0.1', 2);
  const bell = createWake();
  const wait = new UdpWait(fds, bell);
  done.push(
    () => wait.free(),
    () => closeFd(bell),
  );
  wait.wait(0);
  expect(fds.map((_, index) => wait.isReady(index))).toEqual([false, false]);
  wake(bell);
  wake(bell);
  wait.wait(60_000);
  wait.wait(0);
  expect(fds.map((_, index) => wait.isReady(index))).toEqual([false, false]);
  const { socket } = await client('127.0.0.9');
  await new Promise((sent) => socket.send('x', port, '127.0.0.1', sent));
  wait.wait(60_000);
  expect(fds.filter((_, index) => wait.isReady(index))).toHaveLength(1);
});
