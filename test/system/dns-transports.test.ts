// Answers on every way in, as others' clients see them, on loopback.
import { execFile } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { promisify } from 'node:util';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { AnswerResponder } from '../../dns/answer/responder.ts';
import type { ServingState } from '../../dns/answer/types.ts';
import { HttpsServer } from '../../dns/transports/https.ts';
import { StreamServer } from '../../dns/transports/stream-server.ts';
import type { Transport } from '../../dns/transports/types.ts';
import { UdpWorkers } from '../../dns/transports/udp-workers.ts';
import { until } from '../../lab/ready.ts';
import { systemClock } from '../../shared/clock.ts';
import { decodeMessage } from '../../shared/dns/message.ts';
import { imageOf, stateOf } from '../support/dns/resolve-rig.ts';
import { freePorts } from '../support/redis.ts';
import { needs, program } from '../support/skip.ts';
import { bytesOf, hexOf, nameHex, queryHex, questionHex } from '../unit/dns/answer/packets.ts';
import { certificateFor } from '../unit/dns/transports/certificate.ts';

const run = promisify(execFile);
const HOSTS = ['127.0.0.1', '127.0.0.2', '::1'];
const LIMITS = { connections: 100, perClient: 100, idle: 5000, message: 5000, pipelined: 10 };
const CLIENTS = 32;
const WINDOW = 16;
const REFUSED = 5;

/** All its addresses are of one generation: 10.0.x.y, with x the generation. */
function stateNumber(generation: number): ServingState {
  const address = (last: number) => `10.0.${generation}.${last}`;
  const text = [
    '$TTL 60',
    `@ SOA ns hostmaster ${generation} 3600 600 86400 60`,
    '@ NS ns',
    `ns A ${address(53)}`,
    ...[1, 2, 3].map((last) => `www A ${address(last)}`),
    ...Array.from({ length: 60 }, (_, last) => `big A ${address(last)}`),
  ];
  return { ...stateOf([imageOf('example.com.', `${text.join('\n')}\n`)]), generation };
}

let udp: UdpWorkers;
let wild: UdpWorkers;
let transports: Transport[] = [];
let port = 0;
let wildPort = 0;
let tlsPort = 0;
let httpsPort = 0;

async function* referred(message: Uint8Array): AsyncIterable<Uint8Array> {
  const answer = Uint8Array.from(message);
  answer[2] = (answer[2] ?? 0) | 0x80;
  answer[3] = REFUSED;
  answer.fill(0, 6, 12); // the question alone
  yield answer.subarray(0, 12 + nameHex('example.com').length / 2 + 4);
}

beforeAll(async () => {
  [port = 0, wildPort = 0, tlsPort = 0, httpsPort = 0] = await freePorts(4);
  const state = stateNumber(1);
  const responder = new AnswerResponder(state, { keepaliveMs: LIMITS.idle, seed: 1 });
  const certificate = certificateFor('ns.example.com');
  const shared = { responder, referred, clock: systemClock, limits: LIMITS };
  const on = (at: number, hosts = HOSTS) => hosts.map((host) => ({ host, port: at }));
  const threads = (listen: ReturnType<typeof on>) =>
    new UdpWorkers({
      listen,
      workers: 2,
      keepaliveMs: LIMITS.idle,
      referred,
      clock: systemClock,
      onFatal: (error) => expect.unreachable(String(error.cause)),
    });
  udp = threads(on(port));
  wild = threads(on(wildPort, ['0.0.0.0', '::']));
  const secure = { ...shared, tls: () => certificate };
  transports = [
    udp,
    wild,
    new StreamServer({ ...shared, kind: 'tcp', listen: on(port) }),
    new StreamServer({ ...secure, kind: 'tls', listen: on(tlsPort) }),
    new HttpsServer({ ...secure, listen: on(httpsPort), path: '/dns-query' }),
  ];
  for (const transport of transports) {
    await transport.adopt(state);
    await transport.open();
  }
});
afterAll(async () => {
  for (const transport of transports) await transport.close();
});

async function dig(client: 'dig' | 'kdig', ...args: string[]): Promise<string> {
  const { stdout } = await run(client, [...args, '+time=5', '+retry=0'], { encoding: 'utf8' });
  return stdout;
}

const addressesIn = (text: string) => text.match(/10\.0\.1\.\d+/g)?.toSorted() ?? [];
const WWW = [1, 2, 3].map((last) => `10.0.1.${last}`);

describe('kdig and dig', () => {
  beforeEach((context) => needs(context, program('dig'), program('kdig')));

  test.each(HOSTS)('ask %s on all ways', async (host) => {
    const at = `@${host}`;
    const asked = ['www.example.com', 'A'];
    const ways: [...Parameters<typeof dig>][] = [
      ['dig', at, '-p', `${port}`, ...asked],
      ['kdig', at, '-p', `${port}`, ...asked],
      ['kdig', at, '-p', `${port}`, '+tcp', ...asked],
      ['kdig', at, '-p', `${tlsPort}`, '+tls', ...asked],
      ['kdig', at, '-p', `${httpsPort}`, '+https', ...asked],
      ['kdig', at, '-p', `${httpsPort}`, '+https-get', ...asked],
    ];
    for (const [client, ...args] of ways) {
      const said = await dig(client, ...args);
      expect(said, args.join(' ')).toMatch(/status: NOERROR/);
      expect(addressesIn(said), args.join(' ')).toEqual(WWW);
    }
  });

  test('come back over TCP for what is too long', async () => {
    const said = await dig('dig', '@127.0.0.1', '-p', `${port}`, '+noedns', 'big.example.com', 'A');
    expect(said).toMatch(/Truncated, retrying in TCP mode/);
    expect(addressesIn(said)).toHaveLength(60);
  });

  test('get what is referred over UDP', async () => {
    const args = ['@127.0.0.2', '-p', `${port}`, '+opcode=notify', 'example.com', 'SOA'];
    const said = await dig('dig', ...args);
    expect(said).toMatch(/opcode: NOTIFY, status: REFUSED/);
    expect(said).toMatch(/127\.0\.0\.2\) \(UDP\)/);
    expect(udp.counts.referred).toBeGreaterThan(0);
  });
});

type Asker = { sent: number; heard: Buffer[]; from: Set<string> };

/** Asks `count` times with so many sockets, a few at a time each; resolves with all answers. */
async function askMany(to: { host: string; port: number }, count: number): Promise<Asker[]> {
  const query = bytesOf(queryHex({ question: questionHex('www.example.com') }));
  const each = Math.ceil(count / CLIENTS);
  const askers = Array.from({ length: CLIENTS }, async () => {
    const type = to.host.includes(':') ? 'udp6' : 'udp4';
    const socket = createSocket({ type, recvBufferSize: 1 << 20 });
    const asker: Asker = { sent: 0, heard: [], from: new Set() };
    const send = () => {
      if (asker.sent >= each) return;
      asker.sent++;
      socket.send(query, to.port, to.host);
    };
    socket.on('message', (bytes, { address }) => {
      asker.heard.push(bytes);
      asker.from.add(address);
      send();
    });
    socket.bind();
    await once(socket, 'listening');
    for (let at = 0; at < WINDOW; at++) send();
    await until('all are answered', () => asker.heard.length === each, { timeoutMs: 60_000 });
    socket.close();
    return asker;
  });
  return await Promise.all(askers);
}

test('10,000 queries are answered, by both threads', async () => {
  const before = udp.receivedByThread;
  const askers = await askMany({ host: '127.0.0.1', port }, 10_000);
  const answers = askers.flatMap(({ heard }) => heard);
  expect(answers.length).toBeGreaterThanOrEqual(10_000);
  const distinct = new Set(answers.map(hexOf));
  expect(distinct.size).toBe(1);
  const shares = udp.receivedByThread.map((now, index) => now - (before[index] ?? 0));
  expect(shares.reduce((sum, share) => sum + share, 0)).toBe(answers.length);
  expect(Math.min(...shares)).toBeGreaterThan(0);
  expect(udp.counts).toMatchObject({ sendFailed: 0, overflowed: 0, truncated: 0 });
});

test.each(['127.0.0.1', '127.0.0.2', '127.9.9.9', '::1'])(
  'a socket of all addresses answers as %s when that is asked',
  async (host) => {
    const askers = await askMany({ host, port: wildPort }, CLIENTS);
    expect(new Set(askers.flatMap(({ from }) => [...from]))).toEqual(new Set([host]));
  },
);

test('while states change, each answer is wholly of one of them', async () => {
  const COUNT = 40;
  const asking = askMany({ host: '127.0.0.2', port }, 40_000);
  for (let generation = 2; generation < 2 + COUNT; generation++) {
    await udp.adopt(stateNumber(generation));
  }
  const asked = await asking;
  const seen = new Set<number>();
  for (const bytes of asked.flatMap(({ heard }) => heard)) {
    const rdatas = decodeMessage(bytes).answers.map(({ rdata }) => [...rdata]);
    const of = rdatas[0]?.[2] ?? -1;
    expect(rdatas).toEqual([1, 2, 3].map((last) => [10, 0, of, last]));
    seen.add(of);
  }
  expect(seen.size).toBeGreaterThan(1);
  const [after] = await askMany({ host: '127.0.0.2', port }, CLIENTS);
  const [answer] = after?.heard.map((bytes) => decodeMessage(bytes).answers[0]?.rdata) ?? [];
  expect(answer?.[2]).toBe(1 + COUNT);
});
