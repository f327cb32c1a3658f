import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { afterEach, describe, expect, test } from 'vitest';
import { totalsOf } from '../../../../dns/answer/counters.ts';
import type { Exchange } from '../../../../dns/answer/types.ts';
import { until } from '../../../../lab/ready.ts';
import { closeFd } from '../../../../shared/bpf/udp-sockets.ts';
import { bytesOf, queryHex, questionHex } from '../answer/packets.ts';
import { client, closeAll, serve, stateWith } from './udp-rig.ts';

afterEach(closeAll);

const www = bytesOf(queryHex({}));
const notify = bytesOf(queryHex({ flags: 0x2000, question: questionHex('example.com', 6) }));
const lastByte = ({ bytes }: { bytes: Buffer }): number => bytes[bytes.length - 1] ?? -1;

describe('queries', () => {
  test.each([
    ['0.0.0.0', '127.0.0.1', '127.0.0.2'],
    ['::', '::1', '::1'],
  ])('to %s are answered by who was asked', async (listen, own, asked) => {
    const { udp, port } = await serve([listen]);
    const { socket, heard } = await client(own);
    socket.send(www, port, asked);
    await until('it is answered', () => heard.length === 1);
    expect(heard).toMatchObject([{ from: asked }]);
    expect(heard.map(lastByte)).toEqual([1]);
    await until('it is counted', () => udp.counts.sent === 1);
    expect(udp.counts).toMatchObject({ received: 1, truncated: 0, sendFailed: 0 });
  });

  test('that come before there is a state wait for it', async () => {
    const { udp, port } = await serve(['127.0.0.1'], {}, 'none');
    const { socket, heard } = await client();
    await new Promise((sent) => socket.send(www, port, '127.0.0.1', sent));
    await udp.adopt(stateWith('192.0.2.7'));
    await until('it is answered', () => heard.length === 1);
    expect(heard.map(lastByte)).toEqual([7]);
  });

  test('are counted by whoever answers, and summed', async () => {
    const { udp, port } = await serve(['127.0.0.1', '127.0.0.2']);
    const clients = await Promise.all(Array.from({ length: 20 }, () => client()));
    for (const { socket } of clients) {
      socket.send(www, port, '127.0.0.1');
      socket.send(Uint8Array.of(1, 2, 3), port, '127.0.0.2');
    }
    await until('all came', () => udp.counts.received === 40);
    await until('20 are answered', () => clients.flatMap(({ heard }) => heard).length === 20);
    const { outcomes, received } = totalsOf(udp.counters, []);
    const countOf = (outcome: string) =>
      outcomes.find(({ labels }) => labels.outcome === outcome)?.value;
    expect(received[0]?.value).toBe(40);
    expect(countOf('answered')).toBe(20);
    expect(countOf('dropped-short')).toBe(20);
    expect(Math.min(...udp.receivedByThread)).toBeGreaterThan(0);
    expect(udp.unknownClients).toHaveLength(2);
  });
});

describe('a state', () => {
  test('is in force when adopt() has resolved', async () => {
    const { udp, port } = await serve(['127.0.0.1']);
    const clients = await Promise.all(Array.from({ length: 16 }, () => client()));
    for (let last = 2; last < 8; last++) {
      await udp.adopt(stateWith(`192.0.2.${last}`, last));
      for (const { socket, heard } of clients) {
        heard.length = 0;
        socket.send(www, port, '127.0.0.1');
      }
      await until('all are answered', () => clients.every(({ heard }) => heard.length === 1));
      const answered = clients.flatMap(({ heard }) => heard.map(lastByte));
      expect(new Set(answered)).toEqual(new Set([last]));
    }
  });

  test('that cannot be taken is said so, the one before stays, the next is taken', async () => {
    const { udp, port, fatal } = await serve(['127.0.0.1']);
    const { socket, heard } = await client();
    const good = stateWith('192.0.2.2', 3);
    const broken = good.zones.map((zone) => ({ ...zone, memory: new SharedArrayBuffer(4096) }));
    await expect(udp.adopt({ ...good, generation: 2, zones: broken })).rejects.toThrow(/no image/);
    socket.send(www, port, '127.0.0.1');
    await until('it is answered', () => heard.length === 1);
    await udp.adopt(good);
    socket.send(www, port, '127.0.0.1');
    await until('the next too', () => heard.length === 2);
    expect(heard.map(lastByte)).toEqual([1, 2]);
    expect(fatal).toEqual([]);
  });
});

describe('what is referred', () => {
  test('is answered once, by who was asked, with what the control plane yields first', async () => {
    const asked: Exchange[] = [];
    const { udp, port } = await serve(['0.0.0.0'], {
      async *referred(message, exchange) {
        asked.push(exchange);
        yield Uint8Array.of(...message.subarray(0, 2), 77);
        yield Uint8Array.of(78);
      },
    });
    const { socket, heard } = await client('127.0.0.9');
    socket.send(notify, port, '127.0.0.3');
    socket.send(www, port, '127.0.0.3');
    await until('both are answered', () => heard.length === 2);
    expect(heard.map(({ from }) => from)).toEqual(['127.0.0.3', '127.0.0.3']);
    expect(heard.map(({ bytes }) => [...bytes]).filter(({ length }) => length === 3)).toEqual([
      [0x12, 0x34, 77],
    ]);
    expect(asked).toMatchObject([{ transport: 'udp', clientPort: socket.address().port }]);
    expect([...(asked[0]?.client ?? [])]).toEqual([127, 0, 0, 9]);
    await until('it is counted', () => udp.counts.sent === 2);
    expect(udp.counts).toMatchObject({ referred: 1, referredDropped: 0 });
  });

  test('and waits for too long is not piled up', async () => {
    const release = Promise.withResolvers<void>();
    const { udp, port } = await serve(['127.0.0.1'], {
      workers: 1,
      async *referred() {
        await release.promise;
        yield* [];
      },
    });
    const { socket, heard } = await client();
    for (let at = 0; at < 300; at++) socket.send(notify, port, '127.0.0.1');
    await until('all came', () => udp.counts.received === 300);
    expect(udp.counts).toMatchObject({ referred: 256, referredDropped: 44 });
    release.resolve();
    await new Promise((resolve) => setImmediate(resolve));
    socket.send(notify, port, '127.0.0.1');
    await until('there is room again', () => udp.counts.referred === 257);
    expect(heard).toEqual([]);
  });
});

test('an address that somebody has is named, and nothing stays bound', async () => {
  const { port } = await serve(['127.0.0.2']);
  const listen = ['127.0.0.4', '127.0.0.2'].map((host) => ({ host, port }));
  const failed = serve([], { listen });
  await expect(failed).rejects.toMatchObject({
    code: 'EDGE_DNS_LISTEN',
    message: `udp 127.0.0.2:${port} cannot be bound`,
  });
  const first = listen.slice(0, 1);
  await expect(serve([], { listen: first })).resolves.toBeDefined();
});

test('after close() the address is free again', async () => {
  const { udp, port } = await serve(['0.0.0.0', '::']);
  await Promise.all([udp.close(), udp.close()]);
  const listen = ['0.0.0.0', '::'].map((host) => ({ host, port }));
  await expect(serve([], { listen })).resolves.toBeDefined();
});

test('a thread that ends is told of, and no state is in force any more', async () => {
  const { udp, port, fatal } = await serve(['127.0.0.1'], { workers: 1 });
  closeFd(fdOf(port));
  void udp.adopt(stateWith('192.0.2.9', 2)).catch(() => {}); // wakes it: before or after its end
  await until('it is told', () => fatal.length === 1);
  const code = 'EDGE_DNS_WORKER';
  expect(fatal).toMatchObject([{ code, cause: { message: expect.stringContaining('EBADF') } }]);
  await expect(udp.adopt(stateWith('192.0.2.9', 3))).rejects.toMatchObject({ code });
  expect(fatal).toHaveLength(1);
});

/** The descriptor of the one UDP socket of this process that is bound to a port. */
function fdOf(port: number): number {
  const hex = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  const row = readFileSync('/proc/net/udp', 'utf8')
    .split('\n')
    .find((line) => line.trim().split(/\s+/)[1]?.endsWith(hex));
  const inode = row?.trim().split(/\s+/)[9];
  for (const fd of readdirSync('/proc/self/fd')) {
    try {
      if (readlinkSync(`/proc/self/fd/${fd}`) === `socket:[${inode}]`) return Number(fd);
    } catch {
      // closed since it was listed
    }
  }
  throw new Error(`nobody is bound to ${port}`);
}
