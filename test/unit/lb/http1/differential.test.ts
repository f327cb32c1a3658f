// Mutated messages: whatever we take, Node's strict parser takes as well, and as the same. It may
// take more than we do.
import { isDeepStrictEqual } from 'node:util';
import { describe, expect, test } from 'vitest';
import { createRequestHead, parseRequestHead } from '../../../../lb/l7/http1/request-head.ts';
import { createResponseHead, parseResponseHead } from '../../../../lb/l7/http1/response-head.ts';
import { MAX_FIELDS, type RequestHead } from '../../../../lb/l7/http1/types.ts';
import { fieldsOf, targetOf } from '../../../../lb/l7/http1/view.ts';
import { NO_EDITS, writeRequestHead } from '../../../../lb/l7/http1/write-head.ts';
import { pick, type Random, seededRandom } from '../../../../shared/random.ts';
import { wire } from './cases.ts';
import { knowsMethod, llhttp, type Message } from './llhttp.ts';
import { ours } from './ours.ts';
import { REQUEST_CASES } from './request-cases.ts';
import { RESPONSE_CASES } from './response-cases.ts';

type Kind = 'REQUEST' | 'RESPONSE';

const ROUNDS = 5000;

const BODIES = [
  'Content-Length: 5\n\nhello',
  'Content-Length: 0\n\n',
  'Transfer-Encoding: chunked\n\n5\nhello\n0\n\n',
  'Transfer-Encoding: chunked\n\n3;a=b\nabc\n00A;c="d"\n0123456789\n0\nX: y\n\n',
  '\n',
];
const REQUESTS = [
  ...BODIES.map((body) => `POST /a?b=c HTTP/1.1\nHost: a.example\nAccept: */*\n${body}`),
  'GET / HTTP/1.1\nHost: a\nConnection: keep-alive\n\n',
  'GET /x HTTP/1.0\nConnection: keep-alive\n\n',
  'GET http://b/x HTTP/1.1\nHost: a\n\n',
  'HEAD / HTTP/1.1\nHost: a\nConnection: close\n\n',
];
const RESPONSES = [
  ...BODIES.map((body) => `HTTP/1.1 200 OK\nServer: x\n${body}`),
  'HTTP/1.1 304 Not Modified\nETag: "x"\n\n',
  'HTTP/1.1 100 Continue\n\n',
  'HTTP/1.0 204 No Content\nConnection: keep-alive\n\n',
];
/** What smuggling is made of. */
const PIECES = [
  ...['\r', '\n', '\r\n', '\r\n\r\n', '\0', ' ', '\t', '\v', ':', ',', ';', '=', '"', '\\', '#'],
  ...['0', '1', 'f', '+', '-', '_', '0x', 'é', '\x7f', '\x80', 'chunked', 'identity', ', chunked'],
  ...['Content-Length: 3\r\n', 'Content-Length: 5\r\n', 'Transfer-Encoding: chunked\r\n'],
  ...['Host: b\r\n', 'Connection: close\r\n', 'Connection: upgrade\r\nUpgrade: x\r\n', '0\r\n\r\n'],
  ...['Content-Length', 'Transfer-Encoding', ' HTTP/1.1', 'HTTP/1.0', 'GET / HTTP/1.1\r\n'],
];

/** Good messages, so often that most draws are of them. */
const repeated = (corpus: readonly string[]) =>
  new Array<readonly string[]>(40).fill(corpus).flat();

/** One to three messages, cut, repeated, and written over in a few places. */
function mutated(random: Random, corpus: readonly string[]): Buffer {
  let text = '';
  for (let i = random.integer(3); i >= 0; i--)
    text += wire(pick(random, corpus)).toString('latin1');
  for (let edits = random.integer(4); edits > 0; edits--) {
    const at = random.integer(text.length + 1);
    const kind = random.integer(4);
    const removed = kind === 0 ? 0 : kind === 1 ? 1 : random.integer(6);
    const put = kind === 3 ? text.slice(at, at + random.integer(20)) : pick(random, PIECES);
    text = text.slice(0, at) + (kind === 2 ? '' : put) + text.slice(at + removed);
  }
  return Buffer.from(text, 'latin1');
}

/** Right by the RFCs, and refused by llhttp: methods that it has no name for, HTTP/1.2 and up. */
function isBeyondOracle(kind: Kind, { first, line = '' }: Message): boolean {
  if (kind === 'RESPONSE') return /^HTTP\/1\.[2-9]/.test(line);
  return /HTTP\/1\.[2-9]$/.test(line) || !knowsMethod(first.split(' ')[0] ?? '');
}

/** How many messages both took. */
function compare(kind: Kind, bytes: Buffer): number {
  const mine = ours(kind, bytes);
  const oracle = llhttp(kind, bytes);
  for (const [index, message] of mine.messages.entries()) {
    if (isBeyondOracle(kind, message)) return index;
    const isLast = index === mine.messages.length - 1;
    const isHeadOnly = (isLast && mine.error !== undefined) || message.isUpgrade === true;
    const [expected, got] = [shape(message, isHeadOnly), shape(oracle.messages[index], isHeadOnly)];
    if (!isDeepStrictEqual(got, expected)) {
      expect(got, JSON.stringify(bytes.toString('latin1'))).toEqual(expected);
    }
    if (message.isUpgrade === true) return index;
  }
  return mine.messages.length;
}

/** A body that we refuse in the middle is not compared. */
function shape(message: Message | undefined, isHeadOnly: boolean): Partial<Message> | undefined {
  if (message === undefined) return undefined;
  const { first, fields, body, isComplete } = message;
  return isHeadOnly ? { first, fields } : { first, fields, body, isComplete };
}

function writing({ framing, contentLength }: RequestHead) {
  const sent = framing === 'close' ? 'none' : framing;
  return { framing: sent, contentLength, upgrade: false, via: 'edge-lb' } as const;
}

/** Without a host, or with one more field than there may be, it would be refused at once. */
function isRewritable(head: RequestHead): boolean {
  return head.host !== '' && head.count < MAX_FIELDS;
}

/** All that a server on the way acts by. */
function essence(head: RequestHead) {
  const { method, host, authority, framing, contentLength } = head;
  const ours = /^(via|te|connection|max-forwards|expect)$/;
  const fields = fieldsOf(head).filter(([name]) => !ours.test(name) && name !== 'host');
  return { method, host, authority, framing, contentLength, target: targetOf(head), fields };
}

describe('against llhttp', () => {
  test.each([
    ['requests', 'REQUEST', [...repeated(REQUESTS), ...REQUEST_CASES.map(({ input }) => input)], 1],
    [
      'responses',
      'RESPONSE',
      [...repeated(RESPONSES), ...RESPONSE_CASES.map(({ input }) => input)],
      2,
    ],
  ] as const)('mutated %s', (_, kind, all, seed) => {
    const corpus = all.filter((input) => input.length < 1000);
    const random = seededRandom(seed);
    let taken = 0;
    for (let round = 0; round < ROUNDS; round++) taken += compare(kind, mutated(random, corpus));
    expect(taken).toBeGreaterThan(ROUNDS / 4);
  });

  test('what is sent on of a mutated request is sound, and reads the same', () => {
    const all = [...repeated(REQUESTS), ...REQUEST_CASES.map(({ input }) => input)];
    const corpus = all.filter((input) => input.length < 1000);
    const random = seededRandom(4);
    const [head, again, out] = [createRequestHead(), createRequestHead(), Buffer.alloc(8192)];
    let taken = 0;
    for (let round = 0; round < ROUNDS / 2; round++) {
      const bytes = mutated(random, corpus);
      if (parseRequestHead(bytes, 0, bytes.length, head) !== 'done' || !isRewritable(head))
        continue;
      const sent = out.subarray(0, writeRequestHead(out, head, NO_EDITS, writing(head)));
      const { messages, error } = llhttp('REQUEST', sent);
      const isKnown = knowsMethod(head.method);
      const isSound =
        parseRequestHead(sent, 0, sent.length, again) === 'done' &&
        isDeepStrictEqual(essence(again), essence(head)) &&
        (!isKnown || (messages.length === 1 && error === undefined)) &&
        (!isKnown || messages[0]?.first === `${head.method} ${targetOf(head)}`);
      if (!isSound) expect.fail(JSON.stringify(bytes.toString('latin1')));
      taken++;
    }
    expect(taken).toBeGreaterThan(ROUNDS / 8);
  });

  test('more bytes change no verdict on a mutated head', () => {
    const corpus = REQUEST_CASES.map(({ input }) => input).filter(({ length }) => length < 1000);
    const replies = RESPONSE_CASES.map(({ input }) => input).filter(({ length }) => length < 1000);
    const random = seededRandom(5);
    const [request, response] = [createRequestHead(), createResponseHead()];
    const of = { method: 'GET' };
    for (let round = 0; round < ROUNDS; round++) {
      const bytes = mutated(random, corpus);
      const early = parseRequestHead(bytes, 0, random.integer(bytes.length + 1), request);
      const whole = parseRequestHead(bytes, 0, bytes.length, request);
      if (early !== 'more') expect(whole).toBe(early);
      const reply = mutated(random, replies);
      const begun = parseResponseHead(reply, 0, random.integer(reply.length + 1), response, of);
      const ended = parseResponseHead(reply, 0, reply.length, response, of);
      if (begun !== 'more') expect(ended).toBe(begun);
    }
  });

  test('random bytes never throw', () => {
    const random = seededRandom(3);
    for (let round = 0; round < 1000; round++) {
      const bytes = Buffer.from(random.bytes(random.integer(200)));
      ours('REQUEST', bytes);
      ours('RESPONSE', bytes);
      const opened = Buffer.concat([Buffer.from('GET / HTTP/1.1\r\nHost: a\r\n'), bytes]);
      ours('REQUEST', opened);
    }
  });
});
