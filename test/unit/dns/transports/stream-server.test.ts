// DNS over TCP on loopback, by clients that behave and others that do not.
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { type Exchange, REFERRED, type Responder, SILENCE } from '../../../../dns/answer/types.ts';
import type { StreamLimits } from '../../../../dns/transports/listening.ts';
import { StreamServer } from '../../../../dns/transports/stream-server.ts';
import { until } from '../../../../lab/ready.ts';
import { ManualClock } from '../../../../shared/clock.ts';

const LIMITS: StreamLimits = {
  connections: 8,
  perClient: 4,
  idle: 10_000,
  message: 5000,
  pipelined: 2,
};
/** What a query begins with says what becomes of it. */
const [ECHO, REFER, QUIET, BIG] = [1, 2, 3, 4];
const BIG_BYTES = 60_000;

const asked: Exchange[] = [];
const responder: Responder = {
  respond(query, length, exchange, out) {
    asked.push(structuredClone(exchange));
    if (query[0] === REFER) return REFERRED;
    if (query[0] === QUIET) return SILENCE;
    if (query[0] === BIG) return BIG_BYTES;
    out.set(query.subarray(0, length));
    return length;
  },
  adopt() {},
  counters: new Float64Array(new SharedArrayBuffer(0)),
};

const open: StreamServer[] = [];
const sockets: Socket[] = [];
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  for (const server of open.splice(0)) await server.close();
  asked.length = 0;
});

async function serve(limits: Partial<StreamLimits> = {}, release?: Promise<void>) {
  const clock = new ManualClock();
  const port = await freePort();
  const server = new StreamServer({
    kind: 'tcp',
    listen: [{ host: '127.0.0.1', port }],
    limits: { ...LIMITS, ...limits },
    responder,
    async *referred(message) {
      await release;
      yield message;
      yield message;
    },
    clock,
  });
  await server.open();
  open.push(server);
  return { server, clock, port };
}

async function freePort(): Promise<number> {
  const { createServer } = await import('node:net');
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const address = probe.address();
  probe.close();
  await once(probe, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

/** `got`: whole messages that have come. */
async function client(port: number) {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  sockets.push(socket);
  let bytes = Buffer.alloc(0);
  const state = { closed: false };
  socket.on('data', (chunk: Buffer) => {
    bytes = Buffer.concat([bytes, chunk]);
  });
  socket.on('error', () => {});
  socket.on('end', () => {
    state.closed = true;
  });
  socket.on('close', () => {
    state.closed = true;
  });
  await once(socket, 'connect');
  const got = () => {
    const messages: Buffer[] = [];
    for (let at = 0; bytes.length >= at + 2; ) {
      const length = bytes.readUInt16BE(at);
      if (bytes.length < at + 2 + length) break;
      messages.push(bytes.subarray(at + 2, at + 2 + length));
      at += 2 + length;
    }
    return messages;
  };
  return { socket, got, state };
}
const framed = (...message: number[]) => Buffer.from([0, message.length, ...message]);

describe('TCP', () => {
  test('two queries in one segment, then one byte at a time', async () => {
    const { port } = await serve();
    const { socket, got } = await client(port);
    socket.write(Buffer.concat([framed(ECHO, 7), framed(ECHO, 8)]));
    await until('two answers', async () => got().length === 2);
    for (const byte of framed(ECHO, 9)) {
      socket.write(Buffer.of(byte));
      await new Promise((resolve) => setImmediate(resolve));
    }
    await until('three answers', async () => got().length === 3);
    expect(got().map((each) => each[1])).toEqual([7, 8, 9]);
    expect(asked[0]).toMatchObject({ transport: 'tcp', client: Uint8Array.of(127, 0, 0, 1) });
    expect(asked[0]?.clientPort).toBe(socket.localPort);
  });

  test('a referred message does not hold up those after it; its answers are a stream', async () => {
    const release = Promise.withResolvers<void>();
    const { port } = await serve({}, release.promise);
    const { socket, got } = await client(port);
    socket.write(Buffer.concat([framed(REFER, 1), framed(ECHO, 2)]));
    await until('the second is answered', async () => got().length === 1);
    release.resolve();
    await until('all', async () => got().length === 3);
    expect(got().map((each) => each[1])).toEqual([2, 1, 1]);
  });

  test('no more than so many are under way; the rest wait', async () => {
    const release = Promise.withResolvers<void>();
    const { port } = await serve({ pipelined: 1 }, release.promise);
    const { socket, got } = await client(port);
    socket.write(Buffer.concat([framed(REFER, 1), framed(ECHO, 2)]));
    await until('both came', async () => asked.length === 1);
    expect(got()).toEqual([]);
    release.resolve();
    await until('all', async () => got().length === 3);
    expect(got().map((each) => each[1])).toEqual([1, 1, 2]);
  });

  test('a client that has said its last word gets its answers, and an end', async () => {
    const { port, server } = await serve();
    const { socket, got, state } = await client(port);
    socket.end(framed(ECHO, 1));
    await until('answered and ended', async () => got().length === 1 && state.closed);
    await until('closed', async () => server.connections === 0);
    expect(server.counts.client).toBe(1);
  });

  test('one that has said its last word and reads late gets them all', async () => {
    const { port } = await serve();
    const { socket, got, state } = await client(port);
    socket.pause();
    socket.end(Buffer.concat(Array.from({ length: 100 }, () => framed(BIG))));
    await until('the first are asked', async () => asked.length > 3);
    expect(asked.length).toBeLessThan(100);
    socket.resume();
    await until('all', async () => got().length === 100);
    await until('the end', async () => state.closed);
  });

  test('the longest message in small pieces', async () => {
    const { port } = await serve();
    const { socket, got } = await client(port);
    const longest = Buffer.alloc(2 + 0xffff, ECHO).fill(0xff, 0, 2);
    for (let at = 0; at < longest.length; at += 997) socket.write(longest.subarray(at, at + 997));
    socket.write(framed(ECHO, 5));
    await until('both', async () => got().length === 2);
    expect(got()[0]?.equals(longest.subarray(2))).toBe(true);
    expect(got()[1]?.[1]).toBe(5);
  });

  test('many streams of answers to one that reads late', async () => {
    const warned: string[] = [];
    const onWarning = ({ name }: Error) => void warned.push(name);
    process.on('warning', onWarning);
    const { port } = await serve({ pipelined: 20 });
    const { socket, got } = await client(port);
    socket.pause();
    const long = Buffer.alloc(2 + 60_000, REFER);
    long.writeUInt16BE(60_000);
    for (let at = 0; at < 20; at++) socket.write(long);
    await until('all are asked', async () => asked.length === 20);
    socket.resume();
    await until('all are answered', async () => got().length === 40);
    process.off('warning', onWarning);
    expect(warned).toEqual([]);
  });

  test('what is not a query ends the connection', async () => {
    const { port, server } = await serve();
    const { socket, state } = await client(port);
    socket.write(framed(QUIET));
    await until('closed', async () => state.closed);
    expect(server.counts['no-query']).toBe(1);
  });

  test('an idle one is closed, one that is used is not', async () => {
    const { port, server, clock } = await serve();
    const [idle, used] = [await client(port), await client(port)];
    await until('both are there', async () => server.connections === 2);
    await clock.advance(6000);
    used.socket.write(framed(ECHO, 1));
    await until('answered', async () => used.got().length === 1);
    await clock.advance(6000);
    await until('closed', async () => idle.state.closed);
    expect(used.state.closed).toBe(false);
    expect(server.counts.idle).toBe(1);
  });

  test('a message that does not come whole in time', async () => {
    const { port, server, clock } = await serve();
    const { socket, state, got } = await client(port);
    socket.write(Buffer.concat([framed(ECHO, 1), Buffer.of(0, 9, 1)]));
    await until('the whole one is answered', async () => got().length === 1);
    await clock.advance(7000);
    await until('closed', async () => state.closed);
    expect(server.counts['slow-sender']).toBe(1);
  });

  test('a client that does not take its answers is cut, and little is kept for it', async () => {
    const { port, server, clock } = await serve();
    const { socket, state } = await client(port);
    socket.pause();
    const queries = Buffer.concat(new Array<Buffer>(2000).fill(framed(BIG)));
    socket.write(queries);
    await until('the answers back up', async () => asked.length >= 5);
    let before = -1;
    await until('no more are made', async () => {
      const still = asked.length === before;
      before = asked.length;
      return still;
    });
    expect(asked.length).toBeLessThan(500);
    await clock.advance(7000);
    expect(server.counts['slow-reader']).toBe(1);
    socket.resume();
    await until('closed', async () => state.closed);
  });

  test('more than so many of a client, or in all, are not let in', async () => {
    const { port, server } = await serve({ perClient: 2 });
    const all = [await client(port), await client(port)];
    await until('both are there', async () => server.connections === 2);
    const refused = await client(port);
    await until('closed', async () => refused.state.closed);
    expect(server.counts).toMatchObject({ refused: 1, accepted: 2, client: 0 });
    all[0]?.socket.destroy();
    await until('one has gone', async () => server.connections === 1);
    const next = await client(port);
    next.socket.write(framed(ECHO, 1));
    await until('answered', async () => next.got().length === 1);
  });

  test('drained: idle ones end, nobody new comes in', async () => {
    const { port, server } = await serve();
    const { state } = await client(port);
    await until('it is there', async () => server.connections === 1);
    server.drain();
    await until('closed', async () => state.closed);
    await expect(client(port)).rejects.toThrow();
  });

  test('drained while answers wait: they are taken, then it ends', async () => {
    const { server, port } = await serve();
    const { socket, got, state } = await client(port);
    socket.pause();
    for (let at = 0; at < 4; at++) socket.write(framed(BIG));
    await until('all are asked', async () => asked.length === 4);
    server.drain();
    socket.resume();
    await until('the end', async () => state.closed);
    expect(got()).toHaveLength(4);
  });

  test('an address that is taken is named', async () => {
    const { port } = await serve();
    const second = new StreamServer({
      kind: 'tcp',
      listen: [{ host: '127.0.0.1', port }],
      limits: LIMITS,
      responder,
      async *referred() {},
      clock: new ManualClock(),
    });
    await expect(second.open()).rejects.toThrow(`tcp 127.0.0.1:${port} cannot be bound`);
  });
});
