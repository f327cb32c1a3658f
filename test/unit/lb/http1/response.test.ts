import { describe, expect, test } from 'vitest';
import { createResponseHead, parseResponseHead } from '../../../../lb/l7/http1/response-head.ts';
import type { ResponseHead } from '../../../../lb/l7/http1/types.ts';
import {
  framingFor,
  NO_EDITS,
  type ResponseWriting,
  writeResponseHead,
} from '../../../../lb/l7/http1/write-head.ts';
import { wire } from './cases.ts';
import { RESPONSE_CASES } from './response-cases.ts';

function sentOn(head: ResponseHead, how: Partial<ResponseWriting> = {}): string {
  const out = Buffer.alloc(32_768);
  const clientMinor = how.clientMinor ?? 1;
  const length = writeResponseHead(out, head, NO_EDITS, {
    clientMinor,
    keepAlive: true,
    framing: framingFor(head.framing, clientMinor),
    contentLength: head.contentLength,
    upgrade: head.status === 101,
    via: 'edge-lb',
    date: 'now',
    ...how,
  });
  return out.toString('latin1', 0, length);
}

const via = (text: string, minor: number) =>
  wire(text).toString('latin1').replace(/\r\n$/, `Via: 1.${minor} edge-lb\r\n\r\n`);

function parsed(text: string, method = 'GET'): ResponseHead {
  const bytes = wire(text);
  const head = createResponseHead();
  expect(parseResponseHead(bytes, 0, bytes.length, head, { method })).toBe('done');
  return head;
}

describe('response', () => {
  test.each(RESPONSE_CASES)('$section: $name', (row) => {
    const bytes = wire(row.input);
    const head = createResponseHead();
    const verdict = parseResponseHead(bytes, 0, bytes.length, head, row);
    if (row.bad !== undefined) {
      expect(verdict).toMatchObject({ reason: row.bad });
      return;
    }
    expect(verdict).toBe('done');
    expect(head.end).toBe(bytes.length);
    for (const key of ['framing', 'contentLength', 'keepAlive'] as const) {
      if (row[key] !== undefined) expect(head[key], key).toBe(row[key]);
    }
    if (row.output !== undefined) expect(sentOn(head)).toBe(via(row.output, head.minor));
  });

  test('wherever a response is cut, the verdict is the same', () => {
    for (const { input, method } of RESPONSE_CASES) {
      const bytes = wire(input);
      const whole = parseResponseHead(bytes, 0, bytes.length, createResponseHead(), { method });
      const head = createResponseHead();
      const step = Math.max(1, Math.floor(bytes.length / 500));
      let verdict = parseResponseHead(bytes, 0, 0, head, { method });
      for (let end = step; verdict === 'more'; end = Math.min(bytes.length, end + step)) {
        verdict = parseResponseHead(bytes, 0, end, head, { method });
        if (end === bytes.length) break;
      }
      expect(verdict, input).toBe(whole);
    }
  });

  const chunked = 'HTTP/1.1 200 OK\nDate: x\nTransfer-Encoding: chunked\n\n';
  test.each([
    ['chunks to HTTP/1.0', chunked, { clientMinor: 0 }, 'Connection: close\n'],
    [
      'chunks to 1.1 that must go',
      chunked,
      { keepAlive: false },
      'Transfer-Encoding: chunked\nConnection: close\n',
    ],
    [
      'a length to HTTP/1.0 that stays',
      'HTTP/1.1 200 OK\nDate: x\nContent-Length: 2\n\n',
      { clientMinor: 0 },
      'Content-Length: 2\nConnection: keep-alive\n',
    ],
    [
      'a sticky cookie',
      'HTTP/1.1 200 OK\nDate: x\nContent-Length: 2\n\n',
      { cookie: 'a=b; Path=/' },
      'Set-Cookie: a=b; Path=/\nContent-Length: 2\n',
    ],
    [
      'compressed',
      'HTTP/1.1 200 OK\nDate: x\nContent-Length: 2\n\n',
      { framing: 'chunked' },
      'Transfer-Encoding: chunked\n',
    ],
  ] as const)('%s', (_, input, how, fields) => {
    const head = parsed(input);
    expect(sentOn(head, how)).toBe(via(`HTTP/1.1 200 OK\nDate: x\n${fields}\n`, 1));
  });

  test('an edit cannot end a line', () => {
    const out = Buffer.alloc(4096);
    const head = parsed('HTTP/1.1 200 OK\nDate: x\nServer: y\nContent-Length: 2\n\n');
    const edits = {
      drop: new Set(['server']),
      add: [['X-A', 'b\r\nX-C: \u010ad\u010d\0']] as const,
    };
    const length = writeResponseHead(out, head, edits, {
      ...{ clientMinor: 1, keepAlive: true, framing: 'length', contentLength: 2, upgrade: false },
      ...{ via: 'v', date: '' },
    });
    expect(out.toString('latin1', 0, length)).toBe(
      wire(
        'HTTP/1.1 200 OK\nDate: x\nX-A: b??X-C: ?d??\nContent-Length: 2\nVia: 1.1 v\n\n',
      ).toString('latin1'),
    );
  });

  test('a buffer that is too small is told', () => {
    const head = parsed(chunked);
    const how = { clientMinor: 1, keepAlive: true, framing: 'chunked', contentLength: -1 } as const;
    const rest = { upgrade: false, via: 'v', date: '' };
    expect(writeResponseHead(Buffer.alloc(100), head, NO_EDITS, { ...how, ...rest })).toBe(-1);
  });
});
