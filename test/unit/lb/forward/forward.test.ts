import { afterEach, describe, expect, test } from 'vitest';
import { until } from '../../../../lab/ready.ts';
import type { PoolProxy } from '../../../../shared/site/lb-objects.ts';
import { type Answer, type ScriptedTarget, startTarget } from '../upstream/rig.ts';
import { createForwardRig, requestOf, Seen } from './rig.ts';

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
const ok: Answer = (socket) => socket.write(OK);
const silent: Answer = () => {};
const SERVED = ['head 200', 'body ok', 'end'];

let rig: ReturnType<typeof createForwardRig>;
let target: ScriptedTarget;

afterEach(async () => {
  await rig.close();
  await target.close();
});

async function start(answer: Answer, proxy: Partial<PoolProxy> = {}): Promise<void> {
  target = await startTarget(answer);
  rig = createForwardRig([target.state], proxy);
}

describe('a request', () => {
  test('is sent, and its response comes back', async () => {
    await start(ok);
    const { lines, record } = await rig.get();
    expect(lines).toEqual(SERVED);
    expect(target.received).toBe('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    expect(record).toMatchObject({
      pool: 'web',
      target: target.state.id,
      tries: 1,
      isReused: false,
      status: 200,
      bytesIn: 2,
      cause: 'ok',
    });
    expect(rig.balancer.outcomes).toEqual(['response 200']);
    expect(rig.balancer.requests).toBe(1);
  });

  test('goes by the connection of the one before', async () => {
    await start(ok);
    await rig.get();
    expect((await rig.get()).record.isReused).toBe(true);
    expect(target.connections).toBe(1);
  });

  test('bears the host that the route says', async () => {
    await start(ok);
    await rig.get({ route: { rewriteHost: 'inner.example' } });
    expect(target.received).toContain('Host: inner.example\r\n');
  });

  test('has its body in one write with its head', async () => {
    await start(ok);
    const { seen, forwarding } = rig.forward({ method: 'POST', bodyBytes: 5 });
    forwarding.writeBody(Buffer.from('hello'));
    forwarding.endBody(undefined);
    await seen.over;
    expect(seen.lines).toEqual(SERVED);
    expect(target.received).toMatch(/Content-Length: 5\r\n\r\nhello$/);
    expect(rig.upstreams.idle).toBe(1);
  });

  test('of unknown length is sent in chunks, with its trailers', async () => {
    await start((socket) => socket.once('data', () => socket.write(OK)));
    const { seen, forwarding } = rig.forward({ method: 'POST', bodyBytes: -1 });
    await until('the head came', () => target.received.includes('\r\n\r\n'));
    forwarding.writeBody(Buffer.from('hello'));
    forwarding.endBody(Buffer.from('X-Sum: 1\r\n'));
    await seen.over;
    expect(target.received).toMatch(/\r\n\r\n5\r\nhello\r\n0\r\nX-Sum: 1\r\n\r\n$/);
  });

  test('for a pool that is not there is answered 503', async () => {
    await start(ok);
    const seen = new Seen();
    const route = { action: { kind: 'pool', pool: 'gone' } } as const;
    const { record } = rig.forwarder.forward(requestOf({ route }), seen);
    expect(seen.lines).toEqual([]);
    await seen.over;
    expect(seen.lines).toEqual(['fail 503 no-target']);
    expect(record.cause).toBe('no-target');
  });

  test.each(['no-target', 'queue-full', 'queue-timeout'] as const)('%s is 503', async (refusal) => {
    await start(ok);
    rig.balancer.targets = [];
    rig.balancer.refuses = refusal;
    expect((await rig.get()).lines).toEqual([`fail 503 ${refusal}`]);
  });

  test('waits for its turn', async () => {
    await start(ok);
    const { targets } = rig.balancer;
    rig.balancer.targets = [];
    rig.balancer.refuses = undefined;
    const { seen, forwarding } = rig.forward({ method: 'POST', bodyBytes: 3 });
    expect(forwarding.writeBody(Buffer.from('abc'))).toBe(true);
    forwarding.endBody(undefined);
    rig.balancer.targets = targets;
    rig.balancer.serve();
    await seen.over;
    expect(seen.lines).toEqual(SERVED);
    expect(target.received).toMatch(/abc$/);
  });

  test('holds 64 KiB of body meanwhile, then no more', async () => {
    await start((socket) => socket.on('data', () => {}));
    const { targets } = rig.balancer;
    rig.balancer.targets = [];
    rig.balancer.refuses = undefined;
    const { seen, forwarding } = rig.forward({ method: 'POST', bodyBytes: 70_000 });
    expect(forwarding.writeBody(Buffer.alloc(60_000))).toBe(true);
    expect(forwarding.writeBody(Buffer.alloc(10_000))).toBe(false);
    rig.balancer.targets = targets;
    rig.balancer.serve();
    await until('more is wanted', () => seen.drains === 1);
    forwarding.abort('client-gone');
  });

  test('sends a PROXY header first where the pool says so, and is not pooled', async () => {
    await start(ok, { sendProxy: 1 });
    expect((await rig.get()).lines).toEqual(SERVED);
    expect(target.received).toMatch(/^PROXY TCP4 203\.0\.113\.5 198\.51\.100\.10 4242 80\r\nGET /);
    expect(rig.upstreams.idle).toBe(0);
  });
});

describe('a response', () => {
  test.each([
    ['is none', 'HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n', ['fail 502 bad-response']],
    [
      'breaks in its body',
      'HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello',
      ['head 200', 'body hello', 'cut upstream-reset'],
    ],
    [
      'is bad in its body',
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhelloX',
      ['head 200', 'body hello', 'cut bad-response'],
    ],
  ])('that %s', async (_what, bytes, lines) => {
    await start((socket) => socket.end(bytes));
    expect((await rig.get()).lines).toEqual(lines);
    expect(rig.balancer.outcomes).toEqual(['failed']);
  });

  test('comes as the body is still sent: it goes on, and its connection ends (#73)', async () => {
    await start((socket) => socket.write('HTTP/1.1 413 Too Big\r\nContent-Length: 3\r\n\r\nbig'));
    const { seen, forwarding } = rig.forward({ method: 'POST', bodyBytes: 1000 });
    forwarding.writeBody(Buffer.alloc(10));
    await seen.over;
    expect(seen.lines).toEqual(['head 413', 'body big', 'end']);
    expect(forwarding.writeBody(Buffer.alloc(10))).toBe(true);
    forwarding.endBody(undefined);
    await until('it is closed', () => rig.upstreams.open === 0);
  });

  test('100, then the body, then 200 (#57)', async () => {
    await start((socket) => {
      socket.write('HTTP/1.1 100 Continue\r\n\r\n');
      socket.once('data', () => socket.write(OK));
    });
    const headers = { expect: '100-continue' };
    const { seen, forwarding } = rig.forward({ method: 'POST', bodyBytes: 3, headers });
    await until('the body is wanted', () => seen.drains === 1);
    expect(seen.lines).toEqual(['interim 100']);
    forwarding.writeBody(Buffer.from('abc'));
    forwarding.endBody(undefined);
    await seen.over;
    expect(seen.lines).toEqual(['interim 100', ...SERVED]);
    expect(rig.upstreams.idle).toBe(1);
  });

  test('417 in place of 100: no body is sent, the connection ends (#58)', async () => {
    await start((socket) => socket.write('HTTP/1.1 417 No\r\nContent-Length: 0\r\n\r\n'));
    const headers = { expect: '100-continue' };
    const { seen } = rig.forward({ method: 'POST', bodyBytes: 3, headers });
    await seen.over;
    expect(seen.lines).toEqual(['head 417', 'end']);
    await until('it is closed', () => rig.upstreams.open === 0);
  });

  test('is not read faster than the client takes it', async () => {
    const piece = Buffer.alloc(1_000_000, 'x');
    let written = 0;
    await start((socket) => {
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n');
      const more = () => {
        while (written < 100 && socket.writable) {
          written++;
          if (!socket.write(piece)) return socket.once('drain', more);
        }
        return undefined;
      };
      more();
    });
    const { seen, forwarding } = rig.forward();
    seen.takes = false;
    await until('some came', () => seen.bytes > 0);
    const before = seen.bytes;
    expect(before).toBeLessThanOrEqual(2 * 65_536);
    await rig.advance(1000);
    await new Promise((resolve) => setImmediate(resolve));
    expect(seen.bytes).toBe(before);
    seen.takes = true;
    forwarding.resume();
    await seen.over;
    expect(seen.bytes).toBe(100_000_000);
    expect(seen.lines.at(-1)).toBe('end');
  });
});

describe('time', () => {
  test('the head is awaited for headMs: 504', async () => {
    await start(silent);
    const { seen } = rig.forward({ route: { timeouts: { headMs: 1000 } } });
    await until('it came', () => target.received !== '');
    await rig.advance(900);
    expect(seen.lines).toEqual([]);
    await rig.advance(300);
    expect(seen.lines).toEqual(['fail 504 upstream-timeout']);
    expect(rig.balancer.outcomes).toEqual(['failed']);
    await until('it is closed', () => rig.upstreams.open === 0);
  });

  test('of a request that is not whole the head is not awaited', async () => {
    await start(silent);
    const { seen, forwarding } = rig.forward({ method: 'POST', bodyBytes: 5 });
    await until('it came', () => target.received !== '');
    await rig.advance(60_000);
    expect(seen.lines).toEqual([]);
    forwarding.writeBody(Buffer.from('hello'));
    forwarding.endBody(undefined);
    await rig.advance(30_200);
    expect(seen.lines).toEqual(['fail 504 upstream-timeout']);
  });

  test('nor where the client waits for 100, that one excepted', async () => {
    await start(silent);
    const headers = { expect: '100-continue' };
    const { seen } = rig.forward({ method: 'POST', bodyBytes: 3, headers });
    await until('it came', () => target.received !== '');
    await rig.advance(30_200);
    expect(seen.lines).toEqual(['fail 504 upstream-timeout']);
  });

  test('a body that stops is cut after idleMs', async () => {
    await start((socket) => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello'));
    const { seen } = rig.forward({ route: { timeouts: { idleMs: 500 } } });
    await until('it began', () => seen.bytes === 5);
    await rig.advance(400);
    expect(seen.lines).toEqual(['head 200']);
    await rig.advance(300);
    expect(seen.lines).toEqual(['head 200', 'body hello', 'cut upstream-timeout']);
  });

  test('a client that takes nothing is cut, and it is not the target', async () => {
    await start((socket) => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello'));
    const { seen } = rig.forward({ route: { timeouts: { idleMs: 500 } } });
    seen.takes = false;
    await until('it began', () => seen.bytes === 5);
    await rig.advance(700);
    expect(seen.lines).toEqual(['head 200', 'body hello', 'cut client-timeout']);
    expect(rig.balancer.outcomes).toEqual(['response 200']);
  });

  test('a target that takes nothing of the body is given up', async () => {
    await start((socket) => socket.pause());
    const { seen, forwarding } = rig.forward({ method: 'POST', bodyBytes: 1e9 });
    const piece = Buffer.alloc(1_000_000);
    await until('the head came', () => target.received !== '');
    await until(
      'it takes no more',
      () => !forwarding.writeBody(piece) && !forwarding.writeBody(piece),
    );
    await rig.advance(30_200);
    expect(seen.lines).toEqual(['fail 504 upstream-timeout']);
  });
});

describe('a client that leaves', () => {
  test('as it waits for its turn', async () => {
    await start(ok);
    rig.balancer.targets = [];
    rig.balancer.refuses = undefined;
    const { seen, forwarding } = rig.forward();
    forwarding.abort('client-gone');
    expect(rig.balancer.queued).toBe(0);
    expect(seen.lines).toEqual([]);
    expect(forwarding.record.cause).toBe('client-gone');
  });

  test('as its connection is opened', async () => {
    await start(ok);
    const { forwarding } = rig.forward();
    forwarding.abort('client-gone');
    await until('it is closed', () => rig.upstreams.open === 0);
    expect(rig.balancer.outcomes).toEqual(['cancelled']);
    expect(target.received).toBe('');
  });

  test('before the response', async () => {
    await start(silent);
    const { forwarding } = rig.forward();
    await until('it came', () => target.received !== '');
    forwarding.abort('client-gone');
    await until('it is closed', () => rig.upstreams.open === 0);
    expect(rig.balancer.outcomes).toEqual(['cancelled']);
  });

  test('in its body', async () => {
    await start((socket) => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello'));
    const { seen, forwarding } = rig.forward();
    await until('it began', () => seen.bytes === 5);
    forwarding.abort('client-gone');
    await until('it is closed', () => rig.upstreams.open === 0);
    expect(rig.balancer.outcomes).toEqual(['response 200']);
    expect(seen.lines).toEqual(['head 200']);
  });
});

describe('an upgrade', () => {
  const SWITCH = 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: foo\r\nConnection: upgrade\r\n\r\n';

  test('hands the connection over, with what came behind the head', async () => {
    await start((socket) => {
      socket.write(`${SWITCH}early`);
      socket.on('data', (piece) => socket.write(`you said ${piece}`));
    });
    const { lines, seen, record } = await rig.get({ isUpgrade: true });
    expect(lines).toEqual(['upgrade 101']);
    expect(record).toMatchObject({ status: 101, cause: 'ok' });
    const { socket, rest } = seen.upgraded ?? {};
    if (socket === undefined) throw new Error('no socket');
    let heard = String(rest);
    socket.on('data', (piece) => {
      heard += String(piece);
    });
    socket.write('hello');
    await until('it goes both ways', () => heard === 'earlyyou said hello');
    expect(rig.balancer.open).toBe(1);
    socket.end();
    await until('its FIN comes back', () => socket.readableEnded);
    socket.destroy();
    await until('its place is free', () => rig.balancer.open === 0);
    expect(rig.balancer.outcomes).toEqual(['response 101']);
  });

  test('that the target does not take is a response as any (#79)', async () => {
    await start(ok);
    expect((await rig.get({ isUpgrade: true })).lines).toEqual(SERVED);
    expect(rig.upstreams.idle).toBe(1);
  });
});

describe('a sticky cookie', () => {
  const proxy = { sticky: { cookie: 'edge', ttlMs: 60_000 } };

  test('is set, and brings the client back', async () => {
    await start(ok, proxy);
    const { seen } = await rig.get();
    const [pair = ''] = seen.cookie?.split('; ') ?? [];
    expect(seen.cookie).toMatch(/^edge=[\w-]+; Path=\/; HttpOnly; SameSite=Lax; Max-Age=60$/);
    const again = await rig.get({ headers: { cookie: `a=b; ${pair}` } });
    expect(again.seen.cookie).toBeUndefined();
    expect(rig.balancer.keys.at(-1)?.sticky).toBe(target.state.id);
  });

  test('that somebody else made counts for nothing', async () => {
    await start(ok, proxy);
    const { seen } = await rig.get({ headers: { cookie: 'edge=AAAAAAAAAAAAAAAAAAAAAAAAAAAA' } });
    expect(rig.balancer.keys.at(-1)?.sticky).toBeUndefined();
    expect(seen.cookie).toMatch(/^edge=/);
  });
});
