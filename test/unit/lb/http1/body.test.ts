import { describe, expect, test } from 'vitest';
import { BAD } from '../../../../lb/l7/http1/bad.ts';
import { Body } from '../../../../lb/l7/http1/body.ts';
import { wire } from './cases.ts';

type Outcome = {
  content: string;
  done: boolean;
  bad: string | undefined;
  trailers: string | undefined;
  /** What was not taken. */
  rest: string;
};

/** Fed in pieces of `step` bytes. */
function decode(body: Body, bytes: Buffer, step: number): Outcome {
  let content = '';
  let at = 0;
  while (at < bytes.length && !body.done && body.bad === undefined) {
    const piece = bytes.subarray(at, Math.min(bytes.length, at + step));
    at += body.take(piece, 0, (part) => {
      content += part.toString('latin1');
    });
  }
  return {
    content,
    done: body.done,
    bad: body.bad?.reason,
    trailers: body.trailers?.toString('latin1').replaceAll('\r\n', '\n'),
    rest: body.bad === undefined ? bytes.toString('latin1', at) : '',
  };
}

const CHUNKED = { framing: 'chunked', contentLength: -1 } as const;

type ChunkCase = [section: string, name: string, input: string, outcome: Partial<Outcome>];

const whole = (content: string, more: Partial<Outcome> = {}) => ({ content, done: true, ...more });
const refused = (bad: string) => ({ bad, done: false });

const CASES: ChunkCase[] = [
  ['7.1', 'one chunk', '5\nhello\n0\n\n', whole('hello')],
  ['7.1', 'several', '1\na\n02\nbc\n0003\ndef\n000\n\n', whole('abcdef')],
  [
    '7.1',
    'upper and lower case',
    'A\n0123456789\na\n0123456789\n0\n\n',
    whole('01234567890123456789'),
  ],
  ['7.1', 'content that looks like a chunk', '7\n0\n\n5\n\n0\n\n', refused('chunk-end')],
  ['7.1', 'CRLF as content', '4\n\n\n\n0\n\n', whole('\r\n\r\n')],
  ['7.1', 'nothing', '0\n\n', whole('')],
  ['7.1', 'the next request behind it', '1\na\n0\n\nGET /', whole('a', { rest: 'GET /' })],
  ['7.1', 'not all of it', '5\nhel', { content: 'hel', done: false, bad: undefined }],
  ['7.1', 'no last chunk', '1\na\n', { content: 'a', done: false, bad: undefined }],
  ['7.1', 'no end of the trailers', '1\na\n0\n', { done: false, bad: undefined }],
  ...['0x1', '-1', '+1', '1_0', '', ' 1', '1 ', '<TAB>1', 'g', '1g', '1,1', '"1"', '\xb2'].map(
    (size): ChunkCase => [
      '7.1',
      `a size of ${JSON.stringify(size)}`,
      `${size}\na\n0\n\n`,
      refused('chunk-size'),
    ],
  ),
  ['7.1', 'a size of 2^53', '20000000000000\n', refused('chunk-size')],
  ['7.1', 'a size of 2^64 + 1', '10000000000000001\na\n0\n\n', refused('chunk-size')],
  ['7.1', '17 zeros', '00000000000000000\n\n', refused('chunk-size')],
  ['7.1', 'a size that ends in a bare LF', '1<LF>a\n0\n\n', refused('bare-line-feed')],
  ['7.1', 'a size that ends in a bare CR', '1<CR>a\n0\n\n', refused('bare-carriage-return')],
  ['7.1', 'CR CR LF behind a size', '1<CR>\na\n0\n\n', refused('bare-carriage-return')],
  ['7.1', 'no CRLF behind the content', '1\nab\n0\n\n', refused('chunk-end')],
  ['7.1', 'a bare LF behind the content', '1\na<LF>0\n\n', refused('chunk-end')],
  ['7.1', 'a bare CR behind the content', '1\na<CR>0\n\n', refused('chunk-end')],
  ['7.1', 'an empty line more', '1\na\n\n0\n\n', refused('chunk-size')],
  ['7.1.1', 'an extension', '1;a=b\nx\n0;c\n\n', whole('x')],
  ['7.1.1', 'several, one quoted', '1;a;b="c;d\\"=<TAB> \xe9";e=f\nx\n0\n\n', whole('x')],
  ['7.1.1', 'LF in one', '1;a<LF>b\nx\n0\n\n', refused('bare-line-feed')],
  ['7.1.1', 'LF in quotes', '1;a="<LF>"\nx\n0\n\n', refused('bare-line-feed')],
  ['7.1.1', 'CR in one', '1;a<CR>b\nx\n0\n\n', refused('bare-carriage-return')],
  ['7.1.1', 'CRLF in quotes', '1;a="\n"\nx\n0\n\n', refused('chunk-extension')],
  ['7.1.1', 'an escaped CR', '1;a="\\<CR>"\nx\n0\n\n', refused('chunk-extension')],
  ['7.1.1', 'NUL', '1;a=<NUL>\nx\n0\n\n', refused('chunk-extension')],
  ['7.1.1', 'no name', '1;\nx\n0\n\n', refused('chunk-extension')],
  ['7.1.1', 'no name, but a value', '1;=b\nx\n0\n\n', refused('chunk-extension')],
  ['7.1.1', 'no value', '1;a=\nx\n0\n\n', refused('chunk-extension')],
  ['7.1.1', 'something behind the quotes', '1;a="b"c\nx\n0\n\n', refused('chunk-extension')],
  ['7.1.1', 'blanks around it', '1 ;a\nx\n0\n\n', refused('chunk-size')],
  ['7.1.1', 'a blank behind the semicolon', '1; a\nx\n0\n\n', refused('chunk-size')],
  [
    '7.1.1',
    '5 kB of extensions',
    `1;${'a'.repeat(5000)}\nx\n0\n\n`,
    refused('chunk-extension-too-big'),
  ],
  [
    '7.1.1',
    'many small chunks of long extensions',
    `1;${'a'.repeat(1000)}\nx\n`.repeat(20),
    refused('chunk-extension-too-big'),
  ],
  [
    '7.1.1',
    'long extensions of long chunks',
    `${`3e8;${'a'.repeat(900)}\n${'x'.repeat(1000)}\n`.repeat(30)}0\n\n`,
    whole('x'.repeat(30_000)),
  ],
  ['7.1.2', 'trailers', '0\nX-Sum: 1\nX-B:2\n\n', whole('', { trailers: 'X-Sum: 1\nX-B: 2\n' })],
  [
    '7.1.2',
    'a trailer as gRPC has it',
    '0\ngrpc-status: 0\n\nGET',
    whole('', { trailers: 'grpc-status: 0\n', rest: 'GET' }),
  ],
  [
    '9110 6.5.1',
    'forbidden ones',
    '0\nHost: a\nContent-Type: x\nAuthorization: x\nSet-Cookie: a\nX_y: 1\n\n',
    whole('', { trailers: undefined }),
  ],
  ['9110 6.5.1', 'a length', '0\nContent-Length: 5\n\n', refused('trailer')],
  ['9110 6.5.1', 'chunks again', '0\nTransfer-Encoding: chunked\n\n', refused('trailer')],
  [
    '9110 6.5.1',
    'forbidden ones among others',
    '0\nA: 1\nTrailer: B\nB: 2\n\n',
    whole('', { trailers: 'A: 1\nB: 2\n' }),
  ],
  ['5.2', 'a folded trailer', '0\nA: 1\n 2\n\n', refused('folded-line')],
  ['5.1', 'a blank before the colon', '0\nA : 1\n\n', refused('space-before-colon')],
  ['5', 'a trailer without colon', '0\nA\n\n', refused('field-name')],
  [
    '5',
    'a request in place of trailers',
    '0\nGET / HTTP/1.1\nHost: a\n\n',
    refused('space-before-colon'),
  ],
  ['2.2', 'a bare LF behind a trailer', '0\nA: 1<LF>\n', refused('bare-line-feed')],
  ['2.2', 'a bare LF for the empty line', '0\n<LF>', refused('bare-line-feed')],
  ['9110 5.5', 'NUL in a trailer', '0\nA: <NUL>\n\n', refused('field-value')],
  ['7.1.2', '101 trailers', `0\n${'A: 1\n'.repeat(101)}\n`, refused('too-many-fields')],
  ['7.1.2', '10 kB of trailers', `0\nA: ${'x'.repeat(10_000)}\n\n`, refused('trailers-too-big')],
];

describe('chunked body', () => {
  test.each(CASES)('%s: %s', (_section, _name, input, expected) => {
    const bytes = wire(input);
    const body = new Body();
    for (const step of [bytes.length, 1, 2, 3, 7, 1000]) {
      body.reset(CHUNKED);
      expect(decode(body, bytes, step)).toMatchObject(expected);
    }
  });

  test('every reason to refuse a body is in the table', () => {
    const tabled = new Set(CASES.map(([, , , { bad }]) => bad));
    const reasons = Object.values(BAD).map(({ reason }) => reason);
    const ours = reasons.filter((reason) => /^(chunk|trailer)/.test(reason));
    expect(ours.filter((reason) => !tabled.has(reason))).toEqual([]);
  });
});

describe('other bodies', () => {
  test.each([
    [
      'none',
      { framing: 'none', contentLength: 7 },
      'GET',
      { content: '', done: true, rest: 'GET' },
    ],
    [
      'a length',
      { framing: 'length', contentLength: 3 },
      'abcGET',
      { content: 'abc', done: true, rest: 'GET' },
    ],
    [
      'a length of 0',
      { framing: 'length', contentLength: 0 },
      'GET',
      { content: '', done: true, rest: 'GET' },
    ],
    [
      'less than the length',
      { framing: 'length', contentLength: 5 },
      'abc',
      { content: 'abc', done: false },
    ],
    [
      'until the end',
      { framing: 'close', contentLength: -1 },
      'abc',
      { content: 'abc', done: false },
    ],
  ] as const)('%s', (_, head, input, expected) => {
    const body = new Body();
    for (const step of [1, 2, 100]) {
      body.reset(head);
      expect(decode(body, Buffer.from(input), step)).toMatchObject(expected);
    }
  });

  test('nothing of one message is left in the next', () => {
    const body = new Body();
    body.reset(CHUNKED);
    decode(body, wire('1;a=b\nx\n0\nA: b\n\n'), 1);
    expect(body.trailers).toBeDefined();
    body.reset(CHUNKED);
    decode(body, wire('zz'), 1);
    expect(body.bad).toBeDefined();
    body.reset(CHUNKED);
    const outcome = { content: 'y', done: true, bad: undefined, trailers: undefined };
    expect(decode(body, wire('1\ny\n0\n\n'), 1)).toMatchObject(outcome);
    body.reset({ framing: 'length', contentLength: 1 });
    expect(decode(body, wire('z'), 1)).toMatchObject({
      content: 'z',
      done: true,
      trailers: undefined,
    });
  });
});
