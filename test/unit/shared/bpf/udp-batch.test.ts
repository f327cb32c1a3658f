import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { afterEach, describe, expect, test } from 'vitest';
import { until } from '../../../../lab/ready.ts';
import { type Received, UdpBatch } from '../../../../shared/bpf/udp-batch.ts';
import { formatIpv4, ipv4, parseIpv4 } from '../../../../shared/net/ipv4.ts';
import { freePorts } from '../../../support/redis.ts';

const address = (text: string): number => parseIpv4(text) ?? 0;
const BATCH_BYTES = 4096;

const opened: { close(): unknown }[] = [];
afterEach(async () => {
  for (const each of opened.splice(0)) await each.close();
});

type Heard = Received & { socket: number };

async function server(...hosts: string[]) {
  const [port = 0] = await freePorts(1);
  const heard: Heard[] = [];
  const batch = new UdpBatch({
    sockets: hosts.map((host) => ({ address: address(host), port })),
    bufferBytes: 1 << 20,
    onDatagram: (datagram, socket) => void heard.push({ ...datagram, socket }),
    onError: (error) => expect.unreachable(String(error)),
  });
  opened.push(batch);
  return { batch, heard, port };
}

async function client() {
  const socket = createSocket('udp4');
  opened.push(socket);
  socket.bind(0, '127.0.0.9');
  await once(socket, 'listening');
  return socket;
}

describe('datagrams in batches', () => {
  test('come with where from and where to', async () => {
    const { heard, port, batch } = await server('0.0.0.0');
    const from = await client();
    for (let at = 0; at < 200; at++) from.send(Buffer.of(at, 7), port, '127.0.0.3');
    await until('all are heard', () => heard.length === 200);
    expect([...(heard[199]?.bytes ?? [])]).toEqual([199, 7]);
    const [first] = heard;
    expect(formatIpv4(ipv4(first?.address ?? 0))).toBe('127.0.0.9');
    expect(formatIpv4(ipv4(first?.destination ?? 0))).toBe('127.0.0.3');
    expect(first).toMatchObject({ port: from.address().port, interfaceIndex: 1, socket: 0 });
    expect(batch.counts).toMatchObject({ received: 200, truncated: 0, overflowed: 0 });
  });

  test('leave from the address that was chosen, more than one call takes', async () => {
    const { batch, port } = await server('0.0.0.0');
    const to = await client();
    const sources: string[] = [];
    to.on('message', (_bytes, from) => sources.push(`${from.address}:${from.port}`));
    const bytes = new Uint8Array(300);
    const reply = { bytes, address: address('127.0.0.9'), port: to.address().port };
    for (let at = 0; at < 150; at++) batch.send(0, { ...reply, source: address('127.0.0.5') });
    await until('all have come', () => sources.length === 150);
    expect(new Set(sources)).toEqual(new Set([`127.0.0.5:${port}`]));
    expect(batch.counts).toMatchObject({ sent: 150, sendFailed: 0, sourceRefused: 0 });
  });

  test('leave all the same when the source is no address of ours', async () => {
    const { batch } = await server('0.0.0.0');
    const to = await client();
    const came = once(to, 'message');
    const reply = { bytes: Uint8Array.of(1), address: address('127.0.0.9') };
    batch.send(0, { ...reply, port: to.address().port, source: address('192.0.2.200') });
    const [, from] = await came;
    expect(from.address).toMatch(/^127\./);
    expect(batch.counts).toMatchObject({ sent: 1, sourceRefused: 1, sendFailed: 0 });
  });

  test('that cannot leave are counted and hold nobody up', async () => {
    const { batch } = await server('127.0.0.2');
    const to = await client();
    const came = once(to, 'message');
    const bytes = Uint8Array.of(1);
    const port = to.address().port;
    batch.send(0, { bytes, address: address('255.255.255.254'), port: 0, source: 0 });
    batch.send(0, { bytes: new Uint8Array(BATCH_BYTES + 1), address: 1, port: 1, source: 0 });
    batch.send(0, { bytes, address: address('127.0.0.9'), port, source: 0 });
    await came;
    expect(batch.counts).toMatchObject({ sent: 1, sendFailed: 2 });
  });

  test('that are too long are dropped and counted', async () => {
    const { batch, heard, port } = await server('127.0.0.2', '127.0.0.4');
    const from = await client();
    from.send(new Uint8Array(BATCH_BYTES + 1), port, '127.0.0.2');
    from.send(new Uint8Array(BATCH_BYTES), port, '127.0.0.4');
    await until('both came', () => batch.counts.received === 2);
    expect(batch.counts.truncated).toBe(1);
    expect(heard).toMatchObject([{ socket: 1 }]);
  });
});

test('an address that somebody has cannot be bound', async () => {
  const { port } = await server('127.0.0.2');
  const open = () =>
    new UdpBatch({
      sockets: [{ address: address('127.0.0.2'), port }],
      bufferBytes: 4096,
      onDatagram() {},
      onError() {},
    });
  expect(open).toThrow(/EADDRINUSE/);
});

test('closed twice, what was queued has left', async () => {
  const { batch } = await server('127.0.0.2');
  const to = await client();
  const came = once(to, 'message');
  const port = to.address().port;
  batch.send(0, { bytes: Uint8Array.of(5), address: address('127.0.0.9'), port, source: 0 });
  await Promise.all([batch.close(), batch.close()]);
  await came;
});
