import { describe, expect, test } from 'vitest';
import { createRequestHead, parseRequestHead } from '../../../../lb/l7/http1/request-head.ts';
import { reasonOf, writeSimpleResponse } from '../../../../lb/l7/http1/simple-response.ts';
import type { HeadEdits, RequestHead } from '../../../../lb/l7/http1/types.ts';
import {
  NO_EDITS,
  type RequestWriting,
  writeRequestHead,
} from '../../../../lb/l7/http1/write-head.ts';
import { wire } from './cases.ts';

const PLAIN: RequestWriting = { framing: 'none', contentLength: -1, upgrade: false, via: 'lb' };

function parsed(text: string): RequestHead {
  const head = createRequestHead();
  const bytes = wire(text);
  expect(parseRequestHead(bytes, 0, bytes.length, head)).toBe('done');
  return head;
}

function written(
  text: string,
  edits: Partial<HeadEdits>,
  how: Partial<RequestWriting> = {},
): string {
  const out = Buffer.alloc(4096);
  const head = parsed(text);
  const length = writeRequestHead(out, head, { ...NO_EDITS, ...edits }, { ...PLAIN, ...how });
  return out.toString('latin1', 0, length).replaceAll('\r\n', '\n');
}

const GET = 'GET /a HTTP/1.1\nHost: a\nX-A: 1\nCookie: c\nX-B: 2\n\n';
const WEBSOCKET = 'GET / HTTP/1.1\nHost: a\nConnection: Upgrade\nUpgrade: websocket\n\n';

describe('a request with edits', () => {
  test.each<[string, string, Partial<HeadEdits>, Partial<RequestWriting>, string]>([
    ['none', GET, {}, {}, 'GET /a HTTP/1.1\nHost: a\nX-A: 1\nCookie: c\nX-B: 2\nVia: 1.1 lb\n\n'],
    [
      'fields dropped',
      GET,
      { drop: new Set(['cookie', 'x-b']) },
      {},
      'GET /a HTTP/1.1\nHost: a\nX-A: 1\nVia: 1.1 lb\n\n',
    ],
    [
      'fields added',
      GET,
      {
        drop: new Set(['x-a']),
        add: [
          ['X-A', 'é'],
          ['X-C', ''],
        ],
      },
      {},
      'GET /a HTTP/1.1\nHost: a\nCookie: c\nX-B: 2\nX-A: é\nX-C: \nVia: 1.1 lb\n\n',
    ],
    [
      'a target',
      GET,
      { target: '/b?c' },
      {},
      'GET /b?c HTTP/1.1\nHost: a\nX-A: 1\nCookie: c\nX-B: 2\nVia: 1.1 lb\n\n',
    ],
    [
      'an authority',
      GET,
      { authority: 'b:1' },
      {},
      'GET /a HTTP/1.1\nHost: b:1\nX-A: 1\nCookie: c\nX-B: 2\nVia: 1.1 lb\n\n',
    ],
    [
      'an authority where there was none',
      'GET / HTTP/1.0\n\n',
      { authority: 'b' },
      {},
      'GET / HTTP/1.1\nHost: b\nVia: 1.0 lb\n\n',
    ],
    [
      'Host is not dropped',
      GET,
      { drop: new Set(['host']) },
      {},
      'GET /a HTTP/1.1\nHost: a\nX-A: 1\nCookie: c\nX-B: 2\nVia: 1.1 lb\n\n',
    ],
    [
      'another framing',
      GET,
      {},
      { framing: 'chunked' },
      'GET /a HTTP/1.1\nHost: a\nX-A: 1\nCookie: c\nX-B: 2\nTransfer-Encoding: chunked\nVia: 1.1 lb\n\n',
    ],
    [
      'a tunnel',
      WEBSOCKET,
      {},
      { upgrade: true },
      'GET / HTTP/1.1\nHost: a\nUpgrade: websocket\nConnection: upgrade\nVia: 1.1 lb\n\n',
    ],
    ['no tunnel', WEBSOCKET, {}, {}, 'GET / HTTP/1.1\nHost: a\nVia: 1.1 lb\n\n'],
    [
      'what would end a line',
      GET,
      { drop: new Set(['x-a', 'x-b', 'cookie']), add: [['A', 'b\r\n\r\nc\0\u010a']] },
      {},
      'GET /a HTTP/1.1\nHost: a\nA: b????c??\nVia: 1.1 lb\n\n',
    ],
    [
      'a target that would end a line',
      'GET / HTTP/1.1\nHost: a\n\n',
      { target: '/\r\n' },
      {},
      'GET /?? HTTP/1.1\nHost: a\nVia: 1.1 lb\n\n',
    ],
  ])('%s', (_, text, edits, how, expected) => {
    expect(written(text, edits, how)).toBe(expected);
  });

  test('a buffer that is too small is told, whatever makes it so', () => {
    const head = parsed(GET);
    const room = (edits: Partial<HeadEdits>, bytes: number) =>
      writeRequestHead(Buffer.alloc(bytes), head, { ...NO_EDITS, ...edits }, PLAIN);
    expect(room({}, head.end + 1024 + 1)).toBeGreaterThan(0);
    expect(room({}, 1000)).toBe(-1);
    expect(room({ add: [['A', 'x'.repeat(1000)]] }, 1500)).toBe(-1);
    expect(room({ target: 'x'.repeat(1000) }, 1500)).toBe(-1);
    expect(room({ authority: 'x'.repeat(1000) }, 1500)).toBe(-1);
  });

  test('the largest head fits when it is written looser than it came', () => {
    const text = `GET / HTTP/1.1\nHost:a\n${'A:x\n'.repeat(98)}A:${'x'.repeat(15_000)}\n\n`;
    const head = parsed(text);
    const out = Buffer.alloc(head.end + 1024 + 1);
    const length = writeRequestHead(out, head, NO_EDITS, { ...PLAIN, via: 'v'.repeat(100) });
    expect(length).toBeGreaterThan(head.end);
    expect(out.toString('latin1', length - 4, length)).toBe('\r\n\r\n');
  });
});

describe('a response of our own', () => {
  const how = { keepAlive: true, clientMinor: 1, isHead: false } as const;
  const text = (status: number, more: Partial<Parameters<typeof writeSimpleResponse>[3]>) =>
    writeSimpleResponse(status, [['X-A', 'b\r\n']], Buffer.from('hi'), { ...how, ...more })
      .toString('latin1')
      .replaceAll('\r\n', '\n');
  const head = 'X-A: b??\nContent-Length: 2\n';

  test.each([
    ['stays', 404, {}, `HTTP/1.1 404 Not Found\n${head}\nhi`],
    [
      'goes',
      503,
      { keepAlive: false },
      `HTTP/1.1 503 Service Unavailable\n${head}Connection: close\n\nhi`,
    ],
    [
      'HTTP/1.0 stays',
      200,
      { clientMinor: 0 },
      `HTTP/1.1 200 OK\n${head}Connection: keep-alive\n\nhi`,
    ],
    ['HEAD', 200, { isHead: true }, `HTTP/1.1 200 OK\n${head}\n`],
    ['204', 204, {}, 'HTTP/1.1 204 No Content\nX-A: b??\n\n'],
    ['304', 304, {}, 'HTTP/1.1 304 Not Modified\nX-A: b??\n\n'],
    ['a status without a reason', 499, {}, `HTTP/1.1 499 \n${head}\nhi`],
  ] as const)('%s', (_, status, more, expected) => {
    expect(text(status, more)).toBe(expected);
  });

  test('every status that we refuse with has a reason', () => {
    for (const status of [400, 405, 408, 414, 417, 431, 501, 502, 503, 504, 505, 508]) {
      expect(reasonOf(status)).not.toBe('');
    }
  });
});
