// A real dns against whoever can reach it: noise, clients that hold on or never read, HTTP/2 as it
// is misused, reflection, files that are none, a store in which a foreign hand wrote. Who asks
// besides is answered all the while, and what was taken is given back.
import { execFileSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect as connectHttp2, constants } from 'node:http2';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { until } from '../../lab/ready.ts';
import { seededRandom } from '../../shared/random.ts';
import { DnsRig } from '../support/dns/dns-rig.ts';
import { askTcp, askUdp, framed } from '../support/dns/packets-ask.ts';
import { nameOf } from '../support/dns/resolve-rig.ts';
import { freePorts } from '../support/redis.ts';
import { needs, program } from '../support/skip.ts';
import { optHex, optionHex, queryHex, questionHex } from '../unit/dns/answer/packets.ts';
import { hostileCorpus, illegal, mutated } from '../unit/dns/hostile-packets.ts';
import { certificateFor } from '../unit/dns/transports/certificate.ts';

const SECRET = Buffer.alloc(32, 7);
const KEY = { name: nameOf('one.example'), algorithm: 'hmac-sha256', secret: SECRET } as const;
const WWW = queryHex({ question: questionHex('www.example.com') });
const AXFR = framed(queryHex({ question: questionHex('large.test', 252) }));
const HEAD = '$TTL 60\n@ SOA ns h 1 1 1 1000 60\n@ NS ns\nns A 192.0.2.1\n';
const PER_SECOND = 50;
const TEXT = { encoding: 'utf8' } as const;

const directory = mkdtempSync(join(tmpdir(), 'edge-dns-hostile-'));
const random = seededRandom(20261121);
let rig: DnsRig;
let tlsPort = 0;
let httpsPort = 0;
let fdsBefore = 0;

const file = (name: string, content: string | Buffer) => {
  writeFileSync(join(directory, name), content);
  return join(directory, name);
};
const fds = () => readdirSync(`/proc/${rig.daemon?.pid}/fd`).length;
const rssMebibytes = () => {
  const status = readFileSync(`/proc/${rig.daemon?.pid}/status`, TEXT);
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024;
};

/** Over UDP, and over TCP as somebody who has no part in it. */
async function expectAnswers(): Promise<void> {
  expect(await askUdp(rig.endpoint, WWW)).toBeDefined();
  expect(await askTcp(rig.endpoint, [framed(WWW)], 1)).toHaveLength(1);
}

async function expectGivenBack(): Promise<void> {
  await until('no connection is open', async () => {
    const { connections } = await rig.status();
    return Object.values(connections).every((each) => each === 0);
  });
  await until('files to be closed', () => fds() <= fdsBefore + 5);
}

beforeAll(async () => {
  if (!program('redis-server').met || !program('openssl').met) return;
  const { certificate, key } = certificateFor('localhost');
  [tlsPort = 0, httpsPort = 0] = await freePorts(2);
  execFileSync('mkfifo', [join(directory, 'fifo')]);
  rig = await DnsRig.prepared({
    zones: {
      'example.com': `${HEAD}www A 192.0.2.2\nbig TXT ${`"${'x'.repeat(250)}" `.repeat(15)}\n`,
      'large.test': `${HEAD}$GENERATE 1-100000 h$ A 192.0.2.1\n`,
      'fifo.test': `${HEAD}$INCLUDE ${join(directory, 'fifo')}\n`,
      'zero.test': `${HEAD}$INCLUDE /dev/zero\n`,
    },
    site: {
      zones: [{ zone: 'site.test', soa: { primary: 'ns.site.test', mail: 'h.site.test' } }],
      records: [
        { name: 'site.test', type: 'NS', data: ['ns.example.com'] },
        { name: 'www.site.test', type: 'A', data: ['192.0.2.7'] },
      ],
    },
    config: {
      tcp: { connections: 400, perClient: 400, idle: '1s', message: '1s' },
      tls: {
        listen: [`127.0.0.1:${tlsPort}`],
        certificate: file('certificate', certificate),
        key: file('key', key),
      },
      https: { listen: [`127.0.0.1:${httpsPort}`] },
      keys: [{ name: 'one.example', secretFile: file('secret', SECRET.toString('base64')) }],
      transfer: { prefixes: ['127.0.0.0/8'] },
      lines: [{ file: join(directory, 'fifo'), line: 'telecom' }],
      rateLimit: { perSecond: PER_SECOND, slip: 2, exempt: ['127.0.0.0/24'] },
    },
  });
  await rig.start();
  fdsBefore = fds();
});
beforeEach((context) => needs(context, program('redis-server'), program('openssl')));
afterAll(async () => {
  await rig?.down();
  rmSync(directory, { recursive: true, force: true });
});

test('a FIFO and a device in the place of files hold up nothing', async () => {
  const { zones, drift } = await rig.status();
  expect(zones.map(({ zone }) => zone)).toEqual(
    expect.arrayContaining(['example.com', 'large.test']),
  );
  const told = drift.join('\n');
  expect(told.match(/it is no regular file/g)).toHaveLength(2);
  expect(rig.logText()).toContain('line-file-bad');
});

test('noise over UDP: legal answers or silence, no exception, no more memory', async () => {
  const corpus = hostileCorpus(KEY);
  const socket = createSocket('udp4');
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  socket.setRecvBufferSize(4 << 20);
  const asked = new Map<number, Uint8Array>();
  const problems: string[] = [];
  let [bytesIn, bytesOut] = [0, 0];
  socket.on('message', (answer) => {
    const id = answer.readUInt16BE(0);
    const problem = illegal(asked.get(id), answer);
    asked.delete(id);
    bytesOut += answer.length;
    if (problem !== undefined) problems.push(problem);
  });
  const before = rssMebibytes();
  for (let id = 1; id <= 40_000; id++) {
    const query = mutated(corpus, random, id);
    asked.set(id, query);
    bytesIn += query.length;
    socket.send(query, rig.endpoint.port, rig.endpoint.host);
    if (id % 32 === 0) await turn();
  }
  await expectAnswers();
  socket.close();
  expect(problems).toEqual([]);
  expect((await rig.outcomes())['servfail-exception']).toBe(0);
  expect(bytesOut).toBeGreaterThan(0);
  expect(bytesOut / bytesIn).toBeLessThan(2);
  expect(rssMebibytes() - before).toBeLessThan(60);
});

describe('streams', () => {
  const open = (port: number): Promise<Socket> => {
    const socket = connect({ host: '127.0.0.1', port });
    socket.on('error', () => {});
    return once(socket, 'connect').then(() => socket);
  };
  const openMany = (count: number, port = rig.endpoint.port) =>
    Promise.all(Array.from({ length: count }, () => open(port)));

  test('clients that ask for a large zone a hundred times and read nothing', async () => {
    const before = rssMebibytes();
    const sockets = await openMany(20);
    for (const socket of sockets) {
      socket.pause();
      for (let left = 100; left > 0; left--) socket.write(AXFR);
    }
    try {
      await expectAnswers();
      expect(rssMebibytes() - before).toBeLessThan(300);
    } finally {
      for (const socket of sockets) socket.destroy();
    }
    await expectAnswers();
    await expectGivenBack();
  });

  test('clients that say nothing, half a message, or garbage, and hold on', async () => {
    const sockets = (
      await Promise.all([openMany(200), openMany(50, tlsPort), openMany(50, httpsPort)])
    ).flat();
    for (const [index, socket] of sockets.entries()) {
      if (index % 3 === 1) socket.write(framed(WWW).subarray(0, 5));
      if (index % 3 === 2) socket.write(random.bytes(300));
    }
    await expectAnswers();
    await expectGivenBack();
    for (const socket of sockets) socket.destroy();
  });

  test('TLS is not negotiated again', async () => {
    const socket = connectTls({
      host: '127.0.0.1',
      port: tlsPort,
      rejectUnauthorized: false,
      maxVersion: 'TLSv1.2',
      ALPNProtocols: ['dot'],
    });
    await once(socket, 'secureConnect');
    const refused = once(socket, 'error');
    socket.renegotiate({ rejectUnauthorized: false }, () => {});
    expect(String(await refused.catch((error) => error))).toMatch(/renegotiation/i);
    socket.destroy();
  });
});

describe('HTTP/2', () => {
  const POST = {
    ':method': 'POST',
    ':path': '/dns-query',
    'content-type': 'application/dns-message',
  };
  const session = () => {
    const http = connectHttp2(`https://127.0.0.1:${httpsPort}`, { rejectUnauthorized: false });
    http.on('error', () => {});
    return http;
  };

  test('a client that never ends what the server has ended', async () => {
    const sockets = Array.from({ length: 20 }, (): TLSSocket => {
      const holding = { allowHalfOpen: true, rejectUnauthorized: false };
      const to = { host: '127.0.0.1', port: httpsPort, ALPNProtocols: ['h2'], ...holding };
      const socket = connectTls(to);
      socket.on('error', () => {});
      socket.once('secureConnect', () => {
        socket.write('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
        socket.write(Uint8Array.of(0, 0, 0, 4, 0, 0, 0, 0, 0));
        socket.pause();
      });
      return socket;
    });
    await until('all to be open', async () => (await rig.status()).connections.https === 20);
    await expectGivenBack();
    for (const socket of sockets) socket.destroy();
  });

  test('a hundred bodies at once that never end are not all kept', async () => {
    const http = session();
    const statuses: unknown[] = [];
    for (let left = 100; left > 0; left--) {
      const stream = http.request(POST);
      stream.on('error', () => {});
      stream.on('response', (headers) => statuses.push(headers[':status']));
      stream.write(Buffer.alloc(60_000));
    }
    await until('some to be refused', () => statuses.length > 0);
    expect(new Set(statuses)).toEqual(new Set([413]));
    await expectAnswers();
    http.destroy();
    await expectGivenBack();
  });

  test('streams that are reset at once end the session', async () => {
    const http = session();
    await once(http, 'connect');
    const isOver = () => http.destroyed || http.closed;
    // By the clock, not as fast as it goes: what a slow machine has not sent must not pile up here.
    await until('the session to be ended', async () => {
      if (isOver()) return true;
      const streams = Array.from({ length: 50 }, () => http.request(POST));
      for (const stream of streams) stream.on('error', () => {});
      await turn(); // they have left
      for (const stream of streams) stream.close(constants.NGHTTP2_CANCEL);
      return isOver();
    });
    await expectAnswers();
    await expectGivenBack();
  });
});

describe('reflection', () => {
  const QUERIES = 1000;

  /** What comes back to one who asks the same again and again. */
  async function floodFrom(address: string, query: string): Promise<Buffer[]> {
    const socket = createSocket('udp4');
    await new Promise<void>((resolve) => socket.bind(0, address, resolve));
    socket.setRecvBufferSize(4 << 20);
    const answers: Buffer[] = [];
    socket.on('message', (answer) => answers.push(answer));
    const bytes = Buffer.from(query.replaceAll(' ', ''), 'hex');
    for (let sent = 0; sent < QUERIES; sent++) {
      socket.send(bytes, rig.endpoint.port, rig.endpoint.host);
      if (sent % 50 === 49) await turn();
    }
    await expectAnswers(); // those before have been dealt with
    await turn();
    socket.close();
    return answers;
  }
  const limited = async () => {
    const { slipped = 0, 'rate-limited': dropped = 0 } = await rig.outcomes();
    return { slipped, dropped };
  };
  const isCut = (answer: Buffer) => ((answer[2] ?? 0) & 2) !== 0;

  test('a /24 has whole answers by the limit; of those beyond it every second, cut', async () => {
    const before = await limited();
    const answers = [
      ...(await floodFrom('127.1.1.1', WWW)),
      ...(await floodFrom('127.1.1.2', WWW)),
    ];
    const { dropped, slipped } = await limited();
    const whole = 2 * QUERIES - (dropped - before.dropped) - (slipped - before.slipped);
    expect(whole).toBeGreaterThanOrEqual(PER_SECOND);
    expect(whole).toBeLessThan(QUERIES / 2); // 50, and 50 for each second that it took
    const difference = dropped - before.dropped - (slipped - before.slipped);
    expect(Math.abs(difference)).toBeLessThanOrEqual(1);
    expect(answers.every(({ length }) => length <= 49)).toBe(true);
    expect(answers.some(isCut)).toBe(true);
  });

  test('a right cookie is not limited', async () => {
    const withCookie = (cookie: string) =>
      queryHex(
        { question: questionHex('www.example.com') },
        optHex({ options: optionHex(10, cookie) }),
      );
    const [first] = await floodFrom('127.2.1.1', withCookie('0102030405060708'));
    const cookie = first?.subarray(-24).toString('hex') ?? '';
    const before = await limited();
    const answers = await floodFrom('127.2.1.1', withCookie(cookie));
    expect(answers.filter(isCut)).toEqual([]);
    expect(await limited()).toEqual(before);
  });
});

test('a foreign hand in Redis: what is served stays', async () => {
  const redis = new Redis(rig.redis.url.replace(/\/\d+$/, ''));
  try {
    const keys = await redis.keys('*');
    expect(keys.length).toBeGreaterThan(3);
    for (const key of keys) {
      await redis.del(key);
      await redis.set(key, '["zzz"]');
    }
    await until('it is noticed', () => /EDGE_STORE_DAMAGED|store-damaged/.test(rig.logText()));
    expect(rig.daemon?.exitCode).toBeNull();
    expect((await rig.status()).state).toBe('running');
    await expectAnswers();
    const site = queryHex({ question: questionHex('www.site.test') });
    expect((await askUdp(rig.endpoint, site))?.readUInt16BE(6)).toBe(1);
  } finally {
    redis.disconnect();
  }
});
