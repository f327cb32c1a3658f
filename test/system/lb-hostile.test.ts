// A real edge-lb against whoever can reach it: clients that drip, hold on, never read or talk
// nonsense, targets that never end or lie, files that are none, a store in which a foreign hand
// wrote. Others are served all the while, nobody sees what is another's, and what was taken is
// given back. Rules: docs/balancing.md, H1 and H5 to H7.
import { once } from 'node:events';
import { type ClientHttp2Session, connect as connectHttp2 } from 'node:http2';
import type { Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { until } from '../../lab/ready.ts';
import { pick, seededRandom } from '../../shared/random.ts';
import { mutated, REQUESTS } from '../support/lb/hostile-corpus.ts';
import { FLOODS, idOf, many, to } from '../support/lb/hostile-frames.ts';
import { inLanes, Marks, markOf } from '../support/lb/hostile-marks.ts';
import {
  HostileRig,
  heard,
  type ListenerName,
  open,
  openMany,
  over,
} from '../support/lb/hostile-rig.ts';
import { TOKEN } from '../support/lb/hostile-targets.ts';
import { needs, program } from '../support/skip.ts';
import {
  END_HEADERS,
  END_STREAM,
  frame,
  headers,
  POST,
  PREFACE,
  settings,
  TYPE,
  word,
} from '../unit/lb/front-http2/frames.ts';

const random = seededRandom(20261121);
let rig: HostileRig;
beforeAll(async () => {
  if (!program('redis-server').met || !program('openssl').met) return;
  rig = await HostileRig.start();
});
beforeEach((context) => needs(context, program('redis-server'), program('openssl')));
afterAll(() => rig?.down());

const get = (path: string, more = '') => `GET ${path} HTTP/1.1\r\nHost: a.example\r\n${more}\r\n`;
const statusOf = (text: string) => /^HTTP\/1\.1 (\d+)/.exec(text)?.[1] ?? 'none';
const destroy = (sockets: readonly Socket[]) => {
  for (const socket of sockets) socket.destroy();
};

/** What is attacked is held until somebody else was served, and given back then. */
async function served(sockets: readonly Socket[] = []): Promise<void> {
  await rig.served();
  destroy(sockets);
  await rig.givenBack();
}

test('a FIFO, a device and a directory in the place of files hold up nothing', async () => {
  const { drift } = await rig.lb.status();
  expect(drift.join('\n').match(/is no regular file/g)).toHaveLength(3);
  await until('the access log is given up', async () => {
    await rig.served();
    return (await rig.lb.metric('edge_lb_access_log_dropped_total')) > 0;
  });
});

describe('noise, and whose answers are whose', () => {
  const marks = new Marks();
  const play = (count: number, request: (token: string) => string) =>
    marks.play(rig.port(pick(random, ['web', 'known'] as const)), count, request);

  test('52,000 mutated requests', async () => {
    const before = await rig.rssMebibytes();
    const request = (token: string) => mutated(REQUESTS, random).replaceAll('TOKEN', token);
    expect(await inLanes(32, 2000, () => play(26, request))).toEqual([]);
    await served();
    // Another parser takes what is sent on as we have meant it.
    expect(rig.echo.refused).toEqual([]);
    expect(rig.echo.seen.length).toBeGreaterThan(500);
    expect((await rig.rssMebibytes()) - before).toBeLessThan(150);
  });

  test('mutated responses', async () => {
    const before = await rig.rssMebibytes();
    expect(await inLanes(64, 700, () => play(2, (token) => get(`/fuzz/${token}`)))).toEqual([]);
    await served();
    expect((await rig.rssMebibytes()) - before).toBeLessThan(150);
  });

  test('mutated responses, to streams of HTTP/2', async () => {
    const foreign: string[] = [];
    const one = async (session: ClientHttp2Session, at: number) => {
      const token = markOf(`stream ${at}`);
      const stream = session.request({ ':path': `/fuzz/${token}`, ':authority': 'a.example' });
      const told: string[] = [];
      const note = (fields: object) => void told.push(JSON.stringify(fields));
      stream.on('headers', note).on('response', note).on('trailers', note);
      stream.on('data', (piece: Buffer) => void told.push(piece.toString('latin1')));
      stream.on('error', () => {});
      await new Promise((resolve) => stream.once('close', resolve));
      foreign.push(...(told.join(' ').match(TOKEN) ?? []).filter((each) => each !== token));
    };
    const session = connectHttp2(rig.url('known'));
    session.on('error', () => {});
    for (let at = 0; at < 600; at += 50) {
      await Promise.all(Array.from({ length: 50 }, (_, of) => one(session, at + of)));
    }
    session.destroy();
    expect(foreign).toEqual([]);
    await served();
  });

  test('random bytes, at every door', async () => {
    const doors = ['web', 'known', 'tls', 'sni', 'proxied', 'stream'] as const;
    const openings = ['', 'GET / HTTP/1.1\r\n', PREFACE.toString('latin1'), '\u0016\u0003\u0001'];
    openings.push('PROXY TCP4 127.0.0.1 ', '\r\n\r\n\0\r\nQUIT\n\u0021\u0011');
    for (let round = 0; round < 6; round++) {
      const sockets = await openMany(60, rig.port(doors[round % doors.length] as ListenerName));
      for (const socket of sockets) {
        const bytes = Buffer.from(random.bytes(1 + random.integer(3000)));
        socket.end(Buffer.concat([Buffer.from(pick(random, openings), 'latin1'), bytes]));
        socket.resume();
      }
      await Promise.all(sockets.map(over));
    }
    await served();
  });
});

describe('clients of HTTP/1.1', () => {
  test('that drip heads and bodies, or say half and hold on', async () => {
    const sockets = await openMany(200, rig.port('web'));
    const all = sockets.map(heard);
    const post = 'POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 99999\r\n\r\n';
    for (const [at, socket] of sockets.entries()) {
      if (at % 4 === 1) socket.write('GET / HT');
      if (at % 4 === 2) socket.write(get('/echo').slice(0, -2));
      if (at % 4 === 3) socket.write(`${post}abc`);
    }
    const drip = setInterval(() => {
      for (const [at, socket] of sockets.entries()) if (at % 4 > 1) socket.write('x');
    }, 100);
    await rig.served();
    const told = await Promise.all(all);
    clearInterval(drip);
    expect(new Set(told.map(statusOf))).toEqual(new Set(['none', '408']));
    expect(told.filter((text) => statusOf(text) === '408').length).toBe(150);
    await served(sockets);
  });

  test.each([
    ['one field of 100 MB', () => `GET / HTTP/1.1\r\nHost: a\r\nX: `, 'x'.repeat(1e6), '431'],
    ['10,000 fields', () => 'GET / HTTP/1.1\r\nHost: a\r\n', 'X-Field: y\r\n'.repeat(100), '431'],
    ['a target without an end', () => 'GET /', 'x'.repeat(1e6), '414'],
    [
      'chunk extensions without an end',
      () => 'POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1;',
      'a=b;'.repeat(1000),
      '400',
    ],
    [
      'trailers without an end',
      () => 'POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n',
      'X-Field: y\r\n'.repeat(100),
      '4\\d\\d',
    ],
    ['empty lines without an end', () => '', '\r\n'.repeat(1000), '4\\d\\d|none'],
  ])('that say %s', async (_, opening, more, status) => {
    const before = await rig.rssMebibytes();
    const sockets = await openMany(10, rig.port('web'));
    const all = sockets.map(heard);
    for (const socket of sockets) {
      socket.write(opening());
      let left = 100;
      const on = () => {
        while (left-- > 0 && !socket.destroyed) if (!socket.write(more)) return;
      };
      socket.on('drain', on);
      on();
    }
    for (const text of await Promise.all(all))
      expect(statusOf(text)).toMatch(new RegExp(`^(${status})$`));
    expect((await rig.rssMebibytes()) - before).toBeLessThan(100);
    await served(sockets);
  });

  test('that send 100,000 requests at once, and read none of the answers', async () => {
    const before = await rig.rssMebibytes();
    const sockets = await openMany(3, rig.port('web'));
    const text = (get('/echo/pipelined') + get('/%2f').repeat(99)).repeat(1000);
    for (const socket of sockets) {
      socket.pause();
      socket.write(text);
    }
    await rig.served();
    expect((await rig.rssMebibytes()) - before).toBeLessThan(100);
    await rig.givenBack();
    destroy(sockets);
  });

  test('that read nothing of 100 MB, by the hundred', async () => {
    const before = await rig.rssMebibytes();
    const sockets = await openMany(100, rig.port('web'));
    for (const [at, socket] of sockets.entries()) {
      socket.pause();
      const path = at < 5 ? '/gzip' : at < 10 ? '/tiny' : '/big';
      socket.write(get(path, 'Accept-Encoding: gzip\r\n'));
    }
    await rig.served();
    expect((await rig.rssMebibytes()) - before).toBeLessThan(100);
    await rig.givenBack(); // they are reset
    destroy(sockets);
  });

  test('whose bodies are chunks of one byte that have to wait', async () => {
    const sockets = await openMany(60, rig.port('web'));
    const before = await rig.rssMebibytes();
    const head = 'POST /queued HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n';
    for (const socket of sockets) socket.write(head + '1\r\nx\r\n'.repeat(60_000));
    await rig.served();
    expect((await rig.rssMebibytes()) - before).toBeLessThan(80);
    await served(sockets);
  });
});

describe('connections', () => {
  test('beyond what one client, a listener and the instance may have', async () => {
    const few = await openMany(100, rig.port('few'));
    await until('the rest is refused', () => few.filter(({ closed }) => closed).length >= 70);
    destroy(few);
    const own = await Promise.all(Array.from({ length: 1200 }, () => open(rig.port('web'))));
    await until('the rest is refused', () => own.filter(({ closed }) => closed).length >= 400);
    await served(own);
  });

  test('a tunnel whose ends are silent, and one whose client reads nothing', async () => {
    const sockets = await openMany(50, rig.port('web'));
    const upgrade = get('/ws', 'Connection: upgrade\r\nUpgrade: foo\r\n');
    for (const socket of sockets) socket.write(upgrade);
    await rig.served();
    await Promise.all(sockets.map(over));
    await served();
  });

  test('PROXY headers that are none, or never come', async () => {
    const lines = [
      '',
      'PROXY',
      'PROXY TCP4 1.2.3.4 5.6.7.8 99999 1\r\n',
      `PROXY ${'x'.repeat(200)}`,
    ];
    lines.push('GET / HTTP/1.1\r\n', '\r\n\r\n\0\r\nQUIT\n\u0021\u0011\u00ff\u00ff');
    const sockets = await openMany(60, rig.port('proxied'));
    const all = sockets.map(heard);
    for (const [at, socket] of sockets.entries()) {
      socket.write(Buffer.from(lines[at % lines.length] ?? '', 'latin1'));
    }
    expect(new Set(await Promise.all(all))).toEqual(new Set(['']));
    await served();
  });

  test('TLS that never goes on, is none, or is negotiated again', async () => {
    const sockets = await openMany(300, rig.port('tls'));
    for (const [at, socket] of sockets.entries()) {
      if (at % 3 === 1) socket.write(Buffer.from('1603010200010001fc0303', 'hex'));
      if (at % 3 === 2) socket.write(random.bytes(500));
    }
    await rig.served();
    await Promise.all(sockets.map(over));
    const secure = connectTls({
      host: '127.0.0.1',
      port: rig.port('tls'),
      rejectUnauthorized: false,
      maxVersion: 'TLSv1.2',
    });
    await once(secure, 'secureConnect');
    const refused = once(secure, 'error');
    secure.renegotiate({ rejectUnauthorized: false }, () => {});
    expect(String(await refused.catch((error) => error))).toMatch(/renegotiation/i);
    secure.destroy();
    await served();
  });
});

describe('clients of HTTP/2', () => {
  test.each(FLOODS)('%s', async (_, bytes) => {
    const before = await rig.rssMebibytes();
    const sockets = await openMany(4, rig.port('known'));
    const flood = Buffer.concat([PREFACE, frame(TYPE.SETTINGS, 0, 0), bytes()]);
    for (const socket of sockets) socket.resume().write(flood);
    await rig.served();
    expect((await rig.rssMebibytes()) - before).toBeLessThan(150);
    await served(sockets);
  });

  test('zero windows, and streams that nobody reads', async () => {
    const before = await rig.rssMebibytes();
    const sockets = await openMany(4, rig.port('known'));
    for (const socket of sockets) {
      socket.write(Buffer.concat([PREFACE, frame(TYPE.SETTINGS, 0, 0, settings([4, 0]))]));
      socket.write(many(100, (at) => headers(idOf(at), to(at % 10 === 0 ? '/big' : '/echo'))));
    }
    await rig.served();
    expect((await rig.rssMebibytes()) - before).toBeLessThan(100);
    await until('streams are reset', async () => {
      const { targets } = await rig.lb.status();
      return targets.every((each) => each.open === 0);
    });
    await served(sockets);
  });

  test('frames that are changed here and there', async () => {
    const good = Buffer.concat([
      PREFACE,
      frame(TYPE.SETTINGS, 0, 0),
      headers(1, to('/echo')),
      headers(3, [...POST, ['content-length', '3']], END_HEADERS),
      frame(TYPE.DATA, END_STREAM, 3, 'abc'),
      frame(TYPE.WINDOW_UPDATE, 0, 0, word(1000)),
      headers(5, to('/fuzz')),
      frame(TYPE.PING, 0, 0, Buffer.alloc(8)),
    ]);
    const sockets = await openMany(100, rig.port('known'));
    for (const socket of sockets) {
      const bytes = Buffer.from(good);
      for (let left = 1 + random.integer(4); left > 0; left--) {
        bytes[PREFACE.length + random.integer(good.length - PREFACE.length)] = random.integer(256);
      }
      socket.resume().end(bytes);
    }
    await served(sockets);
  });
});

describe('targets', () => {
  test.each([
    ['interims', '502'],
    ['head', '502'],
    ['line', '502'],
    ['garbage', '502'],
    ['silent', '504'],
    ['close', '502'],
    ['closeInHead', '502'],
    ['reset', '502'],
    ['resetInHead', '502'],
    ['half', '200'],
    ['closeInBody', '200'],
    ['closeInChunk', '200'],
    ['resetInBody', '200'],
    ['extensions', '200'],
    ['trailers', '200'],
    ['resetBehind', '200'],
  ])('%s: %s, and never a whole answer that was none', async (deed, status) => {
    const sockets = await openMany(8, rig.port('web'));
    const all = sockets.map(heard);
    for (const socket of sockets) socket.write(get(`/${deed}`, 'Connection: close\r\n'));
    await rig.served();
    for (const text of await Promise.all(all)) {
      const [head = '', body = ''] = text
        .replace(/^(HTTP\/1\.1 1[\s\S]*?\r\n\r\n)*/, '')
        .split('\r\n\r\n');
      expect(statusOf(head)).toBe(status);
      if (status !== '200' || deed === 'resetBehind') continue;
      expect(text.endsWith('0\r\n\r\n')).toBe(false);
      expect(body.length).toBeLessThan(
        Number(/content-length: (\d+)/i.exec(head)?.[1] ?? Infinity),
      );
    }
    await served();
  });
});

test('a foreign hand in Redis: what is in force goes on', async () => {
  const redis = new Redis(rig.lb.redis.url.replace(/\/\d+$/, ''));
  try {
    const keys = await redis.keys('*');
    expect(keys.length).toBeGreaterThan(3);
    const values = ['["zzz"]', '', '{"name":1}', 'x'.repeat(10_000_000)];
    for (const [at, key] of keys.entries()) {
      await redis.del(key);
      const value = values[at % values.length] ?? '';
      if (at % 3 === 0) await redis.hset(key, 'listener/web', value, 'route/all', '{"pool":7}');
      else await redis.set(key, value);
    }
    await until('it is noticed', () => /EDGE_STORE_DAMAGED|store-damaged/.test(rig.lb.logText()));
    expect(rig.lb.daemon?.exitCode).toBeNull();
    expect((await rig.lb.status()).state).toBe('running');
    await served();
  } finally {
    redis.disconnect();
  }
});
