import { createServer, type Http2Server, type ServerHttp2Stream } from 'node:http2';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { until } from '../../../../lab/ready.ts';
import type { MessageShape } from '../../../../lb/l7/upstream/types.ts';
import type { TargetState } from '../../../../lb/pools/types.ts';
import { createRig, GET, poolOf, Told, targetAt } from './rig.ts';

type Handler = (stream: ServerHttp2Stream, headers: Record<string, unknown>) => void;

let rig: ReturnType<typeof createRig>;
let server: Http2Server;
let target: TargetState;
let sessions = 0;
let handle: Handler = () => {};
const pool = poolOf({ protocol: 'h2c' });

beforeEach(async () => {
  rig = createRig();
  sessions = 0;
  server = createServer({ settings: { maxConcurrentStreams: 2 } });
  server.on('session', (session) => {
    sessions++;
    session.on('error', () => {});
  });
  server.on('stream', (stream, headers) => {
    stream.on('error', () => {});
    handle(stream, headers);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  target = targetAt((server.address() as { port: number }).port);
});

afterEach(async () => {
  await rig.close();
  await new Promise((resolve) => server.close(resolve));
});

async function begin(shape: Partial<MessageShape> = {}, more: [string, string][] = []) {
  const connection = await rig.connect(pool, target);
  const told = new Told();
  const list: [string, string][] = [
    [':method', shape.isHead ? 'HEAD' : shape.hasBody ? 'POST' : 'GET'],
    [':scheme', 'http'],
    [':authority', 'a'],
    [':path', '/x'],
    ...more,
  ];
  connection.sendList(list, { ...GET, ...shape }, told);
  return { connection, told };
}

async function linesOf(shape: Partial<MessageShape> = {}): Promise<string[]> {
  const { told } = await begin(shape);
  await told.over;
  return told.lines;
}

describe('h2c', () => {
  test('a request and its response, and the session again', async () => {
    const seen: unknown[] = [];
    handle = (stream, headers) => {
      seen.push([headers[':path'], headers['x-twice']]);
      stream.respond({ ':status': 200, 'content-length': 5, 'set-cookie': ['a=1', 'b=2'] });
      stream.end('hello');
    };
    const heads: string[] = [];
    for (let i = 0; i < 3; i++) {
      const { told, connection } = await begin({}, [
        ['x-twice', '1'],
        ['x-twice', '2'],
      ]);
      told.onAnyHead = (head) => heads.push(head.bytes.toString('latin1', 0, head.end));
      expect(connection.isReused).toBe(i > 0);
      await told.over;
      expect(told.lines).toEqual(['head 200', 'body hello', 'end']);
    }
    expect(sessions).toBe(1);
    expect(seen[0]).toEqual(['/x', '1, 2']);
    expect(heads[0]).toContain('set-cookie: a=1\r\nset-cookie: b=2\r\n');
    expect(rig.upstreams.idle).toBe(1);
  });

  test('trailers go both ways, as gRPC needs them', async () => {
    let came = '';
    handle = (stream) => {
      stream.on('data', (piece) => {
        came += piece;
      });
      stream.on('trailers', (trailers) => {
        came += ` ${trailers['x-sum']}`;
        stream.respond({ ':status': 200 }, { waitForTrailers: true });
        stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
        stream.end('answer');
      });
    };
    const { connection, told } = await begin({ hasBody: true, chunked: true });
    connection.writeBody(Buffer.from('question'));
    connection.endBody(Buffer.from('x-sum: 1\r\n'));
    await told.over;
    expect(came).toBe('question 1');
    expect(told.lines).toEqual(['head 200', 'body answer', 'end grpc-status: 0']);
  });

  test('both ways at once', async () => {
    handle = (stream) => {
      stream.respond({ ':status': 200 });
      stream.pipe(stream);
    };
    const { connection, told } = await begin({ hasBody: true, chunked: true });
    await until('the head came', () => told.lines.includes('head 200'));
    for (const piece of ['a', 'b', 'c']) {
      const before = told.bytes;
      connection.writeBody(Buffer.from(piece));
      await until('it comes back', () => told.bytes === before + 1);
    }
    connection.endBody(undefined);
    await told.over;
    expect(told.lines).toEqual(['head 200', 'body abc', 'end']);
  });

  test.each<[string, Handler, Partial<MessageShape>, string[]]>([
    [
      '204',
      (stream) => stream.respond({ ':status': 204 }, { endStream: true }),
      {},
      ['head 204', 'end'],
    ],
    [
      'no body',
      (stream) => stream.respond({ ':status': 200 }, { endStream: true }),
      {},
      ['head 200', 'end'],
    ],
    [
      'HEAD',
      (stream) => stream.respond({ ':status': 200, 'content-length': 9 }, { endStream: true }),
      { isHead: true },
      ['head 200', 'end'],
    ],
    [
      '103, then 200',
      (stream) => {
        stream.additionalHeaders({ ':status': 103, link: '</a>' });
        stream.respond({ ':status': 200 });
        stream.end('x');
      },
      {},
      ['interim 103', 'head 200', 'body x', 'end'],
    ],
    ['a reset before the head', (stream) => stream.close(2), {}, ['reset']],
    [
      'the end of the connection in the body',
      (stream) => {
        stream.respond({ ':status': 200 });
        stream.write('hello');
        setImmediate(() => stream.session?.destroy());
      },
      {},
      ['head 200', 'body hello', 'reset received'],
    ],
    [
      'less than it told',
      (stream) => {
        stream.respond({ ':status': 200, 'content-length': 9 });
        stream.end('hello');
      },
      {},
      ['head 200', 'body hello', 'reset received'],
    ],
  ])('%s', async (_what, how, shape, lines) => {
    handle = how;
    expect(await linesOf(shape)).toEqual(lines);
  });

  test('an early response: the rest of the request is not waited for', async () => {
    handle = (stream) => {
      stream.respond({ ':status': 413 });
      stream.end('no');
    };
    const { connection, told } = await begin({ hasBody: true });
    connection.writeBody(Buffer.alloc(10));
    await told.over;
    expect(told.lines).toEqual(['head 413', 'body no', 'end']);
    expect(connection.writeBody(Buffer.alloc(10))).toBe(true);
  });

  test('a stream that is refused was never begun', async () => {
    handle = (stream) => stream.close(7);
    const { connection, told } = await begin();
    await told.over;
    expect(told.lines).toEqual(['reset']);
    expect(connection.isUnsent).toBe(true);
  });

  test('what HTTP/2 cannot say fails, and nothing else does', async () => {
    handle = (stream) => {
      stream.resume();
      stream.respond({ ':status': 200 });
      stream.on('end', () => stream.end());
    };
    const { told } = await begin({}, [['connection', 'close']]);
    await told.over;
    expect(told.lines).toEqual(['bad request-not-for-http2']);
    const second = await begin({ hasBody: true, chunked: true });
    second.connection.endBody(Buffer.from('Connection: close\r\n'));
    await second.told.over;
    expect(second.told.lines.at(-1)).toBe('bad request-not-for-http2');
    expect(await linesOf()).toEqual(['head 200', 'end']);
    expect(sessions).toBe(1);
  });

  test.each(['user-agent', 'content-type', 'cookie'])('%s twice', async (name) => {
    const seen: unknown[] = [];
    handle = (stream, headers) => {
      seen.push(headers[name]);
      stream.respond({ ':status': 200 }, { endStream: true });
    };
    const { told } = await begin({}, [
      [name, 'a'],
      [name, 'b'],
    ]);
    await told.over;
    expect(told.lines).toEqual(['head 200', 'end']);
    expect(seen).toHaveLength(1);
  });

  test('an upgrade is not for it', async () => {
    expect(await linesOf({ isUpgrade: true })).toEqual(['bad upgrade-over-http2']);
  });

  test('more requests than a session takes get another', async () => {
    const streams: ServerHttp2Stream[] = [];
    handle = (stream) => streams.push(stream);
    const first = await begin();
    await until('the settings came', () => streams.length === 1);
    const others = await Promise.all([begin(), begin(), begin()]);
    await until('all came', () => streams.length === 4);
    expect(sessions).toBe(2);
    for (const stream of streams) {
      stream.respond({ ':status': 200 });
      stream.end();
    }
    for (const { told } of [first, ...others]) {
      await told.over;
      expect(told.lines).toEqual(['head 200', 'end']);
    }
  });

  test('those that come while one is opened share it; one that is cancelled is none', async () => {
    handle = (stream) => stream.respond({ ':status': 200 }, { endStream: true });
    const options = { fresh: false, connectMs: 1000 };
    let told = 0;
    const cancel = rig.upstreams.connect(pool, target, options, () => told++);
    const other = rig.connect(pool, target);
    cancel();
    (await other).abort();
    expect(told).toBe(0);
    expect(sessions).toBe(1);
  });

  test('an idle session is closed after 30 s, and when its target is gone', async () => {
    handle = (stream) => stream.respond({ ':status': 200 }, { endStream: true });
    await linesOf();
    await rig.clock.advance(31_000);
    rig.upstreams.tick(rig.clock.monotonicMs());
    await until('it is closed', () => rig.upstreams.open === 0);
    await linesOf();
    rig.upstreams.update(new Map());
    await until('it is closed, too', () => rig.upstreams.open === 0);
  });

  test('a session that says it goes away is not used for more', async () => {
    handle = (stream) => {
      stream.respond({ ':status': 200 }, { endStream: true });
      stream.session?.goaway();
    };
    await linesOf();
    await until('it is no more', () => rig.upstreams.idle === 0);
    expect(await linesOf()).toEqual(['head 200', 'end']);
    expect(sessions).toBe(2);
  });

  test('a body is read as fast as it is taken', async () => {
    let written = 0;
    handle = (stream) => {
      stream.respond({ ':status': 200 });
      const piece = Buffer.alloc(100_000);
      const more = () => {
        while (written < 10_000_000) {
          written += piece.length;
          if (!stream.write(piece)) return;
        }
        stream.end();
      };
      stream.on('drain', more);
      more();
    };
    const { connection, told } = await begin();
    told.onPiece = () => connection.pause();
    await until('some came', () => told.bytes > 0);
    expect(told.bytes).toBeLessThan(200_000);
    expect(written).toBeLessThan(1_000_000);
    told.onPiece = () => {};
    connection.resume();
    await told.over;
    expect(told.bytes).toBe(10_000_000);
  });
});
