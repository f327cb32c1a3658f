// Responses as bytes: why one is refused, or how it is framed and what the client gets. Sections of
// RFC 9112 unless another RFC is named.
import type { Framing } from '../../../../lb/l7/http1/types.ts';

export type ResponseCase = {
  section: string;
  name: string;
  /** LF stands for CRLF: see `wire`. */
  input: string;
  method: string;
  bad?: string;
  framing?: Framing;
  contentLength?: number;
  keepAlive?: boolean;
  /** To a client of HTTP/1.1 that stays, without our Via. */
  output?: string;
};

const DATED = 'Date: Sat, 21 Nov 2026 15:49:04 GMT\n';
const ok = (fields: string) => `HTTP/1.1 200 OK\n${DATED}${fields}\n`;

type More = Omit<Partial<ResponseCase>, 'section' | 'name' | 'input'>;
const row = (section: string, name: string, input: string, more: More): ResponseCase => ({
  method: 'GET',
  ...more,
  section,
  name,
  input,
});
const refused = (section: string, name: string, bad: string, input: string) =>
  row(section, name, input, { bad });

const LINES: readonly ResponseCase[] = [
  row('4', 'the least response', ok('Content-Length: 2\n'), {
    framing: 'length',
    contentLength: 2,
    keepAlive: true,
    output: ok('Content-Length: 2\n'),
  }),
  row('4', 'an empty reason', `HTTP/1.1 200 \n${DATED}\n`, {
    framing: 'close',
    output: `HTTP/1.1 200 \n${DATED}Transfer-Encoding: chunked\n\n`,
  }),
  row('4', 'no blank before no reason', `HTTP/1.1 200\n${DATED}\n`, {
    framing: 'close',
    output: `HTTP/1.1 200 \n${DATED}Transfer-Encoding: chunked\n\n`,
  }),
  row('4', 'a reason of all kinds', `HTTP/1.1 599 a<TAB>b  \xe9\nContent-Length: 0\n${DATED}\n`, {
    framing: 'length',
    output: `HTTP/1.1 599 a<TAB>b  \xe9\n${DATED}Content-Length: 0\n\n`,
  }),
  row('9110 2.5', 'HTTP/1.2', `HTTP/1.2 200 OK\n${DATED}Content-Length: 0\n\n`, {
    framing: 'length',
    output: ok('Content-Length: 0\n'),
  }),
  row('9110 6.6.1', 'no Date', 'HTTP/1.1 200 OK\nContent-Length: 0\n\n', {
    framing: 'length',
    output: 'HTTP/1.1 200 OK\nDate: now\nContent-Length: 0\n\n',
  }),
  refused('4', 'an empty line first', 'status-line', `\n${ok('')}`),
  refused('4', 'HTTP/2.0', 'status-line', 'HTTP/2.0 200 OK\n\n'),
  refused('4', 'HTTP/0.9: no status line', 'status-line', '<html>\n'),
  refused('4', 'another protocol', 'status-line', 'ICY 200 OK\n\n'),
  refused('4', 'two blanks before the status', 'status-line', 'HTTP/1.1  200 OK\n\n'),
  refused('4', 'a status of two digits', 'status-line', 'HTTP/1.1 20 OK\n\n'),
  refused('4', 'a status of four digits', 'status-line', 'HTTP/1.1 2000 OK\n\n'),
  refused('9110 15', 'a status below 100', 'status-line', 'HTTP/1.1 099 OK\n\n'),
  refused('9110 15', 'a status above 599', 'status-line', 'HTTP/1.1 600 OK\n\n'),
  refused('4', 'a tab behind the status', 'status-line', 'HTTP/1.1 200<TAB>OK\n\n'),
  refused('4', 'NUL in a reason', 'status-line', 'HTTP/1.1 200 O<NUL>K\n\n'),
  refused('2.2', 'a bare LF', 'bare-line-feed', 'HTTP/1.1 200 OK<LF>A: b\n\n'),
  refused('2.2', 'a bare CR', 'bare-carriage-return', 'HTTP/1.1 200 OK<CR>A: b\n\n'),
  refused('5.2', 'a folded value', 'folded-line', ok('A: x\n y\n')),
  refused('5.1', 'a blank before the colon', 'space-before-colon', ok('A : x\n')),
  refused('9110 5.5', 'NUL in a value', 'field-value', ok('A: <NUL>\n')),
  refused('5', 'a head of 20 kB', 'head-too-big', ok(`A: ${'x'.repeat(20_000)}\n`)),
  refused('5', '101 fields', 'too-many-fields', ok('A: x\n'.repeat(100))),
];

const FRAMINGS: readonly ResponseCase[] = [
  row('6.3', 'chunked', ok('Transfer-Encoding: chunked\n'), {
    framing: 'chunked',
    keepAlive: true,
    output: ok('Transfer-Encoding: chunked\n'),
  }),
  row('6.3', 'until the end', ok('Server: x\n'), {
    framing: 'close',
    keepAlive: false,
    output: ok('Server: x\nTransfer-Encoding: chunked\n'),
  }),
  row('6.3', 'until the end, whatever Connection says', ok('Connection: keep-alive\n'), {
    framing: 'close',
    keepAlive: false,
  }),
  row('6.3', 'HEAD with a length', ok('Content-Length: 10\n'), {
    method: 'HEAD',
    framing: 'none',
    contentLength: 10,
    keepAlive: true,
    output: ok('Content-Length: 10\n'),
  }),
  row('6.3', 'HEAD with chunks', ok('Transfer-Encoding: chunked\n'), {
    method: 'HEAD',
    framing: 'none',
    contentLength: -1,
    keepAlive: true,
    output: ok(''),
  }),
  row('6.3', 'HEAD without either', ok(''), {
    method: 'HEAD',
    framing: 'none',
    keepAlive: true,
    output: ok(''),
  }),
  row('6.3', '304 with a length', `HTTP/1.1 304 Not Modified\n${DATED}Content-Length: 7\n\n`, {
    framing: 'none',
    contentLength: 7,
    output: `HTTP/1.1 304 Not Modified\n${DATED}Content-Length: 7\n\n`,
  }),
  row('9110 8.6', '204 with a length', `HTTP/1.1 204 No Content\n${DATED}Content-Length: 7\n\n`, {
    framing: 'none',
    contentLength: -1,
    output: `HTTP/1.1 204 No Content\n${DATED}\n`,
  }),
  row('6.1', '204 with chunks', `HTTP/1.1 204 No Content\n${DATED}Transfer-Encoding: chunked\n\n`, {
    framing: 'none',
    output: `HTTP/1.1 204 No Content\n${DATED}\n`,
  }),
  row('9110 15.2', '100', 'HTTP/1.1 100 Continue\n\n', {
    framing: 'none',
    output: 'HTTP/1.1 100 Continue\n\n',
  }),
  row('8297', '103', 'HTTP/1.1 103 Early Hints\nLink: </a>\nConnection: x\n\n', {
    framing: 'none',
    output: 'HTTP/1.1 103 Early Hints\nLink: </a>\n\n',
  }),
  row('6.3', '103 with a length', 'HTTP/1.1 103 Early Hints\nContent-Length: 5\n\n', {
    framing: 'none',
    contentLength: -1,
    output: 'HTTP/1.1 103 Early Hints\n\n',
  }),
  row(
    '9110 15.2.2',
    '101',
    'HTTP/1.1 101 Switching Protocols\nUpgrade: foo\nConnection: upgrade\n\n',
    {
      framing: 'none',
      output: 'HTTP/1.1 101 Switching Protocols\nUpgrade: foo\nConnection: upgrade\n\n',
    },
  ),
  row('9.3', 'HTTP/1.0 closes', `HTTP/1.0 200 OK\n${DATED}Content-Length: 1\n\n`, {
    framing: 'length',
    keepAlive: false,
    output: ok('Content-Length: 1\n'),
  }),
  row(
    '9.3',
    'HTTP/1.0 that stays',
    `HTTP/1.0 200 OK\n${DATED}Content-Length: 1\nConnection: Keep-Alive\n\n`,
    { framing: 'length', keepAlive: true, output: ok('Content-Length: 1\n') },
  ),
  row('9.3', 'close', ok('Content-Length: 1\nConnection: close\n'), {
    framing: 'length',
    keepAlive: false,
    output: ok('Content-Length: 1\n'),
  }),
  row(
    '9.3',
    'close beats keep-alive',
    ok('Content-Length: 1\nConnection: close\nConnection: keep-alive\n'),
    { keepAlive: false },
  ),
  refused(
    '6.3',
    'both',
    'content-length-and-transfer-encoding',
    ok('Content-Length: 1\nTransfer-Encoding: chunked\n'),
  ),
  refused(
    '6.3',
    'two lengths',
    'content-length-twice',
    ok('Content-Length: 2\nContent-Length: 3\n'),
  ),
  refused(
    '6.3',
    'the same length twice',
    'content-length-twice',
    ok('Content-Length: 2\nContent-Length: 2\n'),
  ),
  refused('6.3', 'a length of 2x', 'content-length', ok('Content-Length: 2x\n')),
  refused('6.3', 'a list of lengths', 'content-length', ok('Content-Length: 2, 2\n')),
  refused(
    '6.1',
    'chunked of HTTP/1.0',
    'transfer-encoding-in-http-1.0',
    'HTTP/1.0 200 OK\nTransfer-Encoding: chunked\n\n',
  ),
  refused('6.1', 'gzip, chunked', 'transfer-coding', ok('Transfer-Encoding: gzip, chunked\n')),
  refused('6.1', 'identity', 'transfer-encoding', ok('Transfer-Encoding: identity\n')),
  refused(
    '6.1',
    'chunked twice',
    'transfer-encoding-twice',
    ok('Transfer-Encoding: chunked\nTransfer-Encoding: chunked\n'),
  ),
];

const FIELDS: readonly ResponseCase[] = [
  row(
    '9110 7.6.1',
    'what Connection lists',
    ok('Connection: X-Foo\nContent-Length: 0\nX-Foo: 1\nServer: x\n'),
    { output: ok('Server: x\nContent-Length: 0\n') },
  ),
  row(
    '9110 7.6.1',
    'hop-by-hop fields',
    ok('Keep-Alive: timeout=5\nProxy-Connection: x\nUpgrade: h2c\nContent-Length: 0\nServer: x\n'),
    { output: ok('Server: x\nContent-Length: 0\n') },
  ),
  row(
    '9110 11.7',
    'a challenge of a proxy',
    ok('Proxy-Authenticate: Basic\nContent-Length: 0\nWWW-Authenticate: Basic\n'),
    { output: ok('WWW-Authenticate: Basic\nContent-Length: 0\n') },
  ),
  row('6265 3', 'cookies stay apart', ok('Set-Cookie: a=1\nSet-Cookie: b=2\nContent-Length: 0\n'), {
    output: ok('Set-Cookie: a=1\nSet-Cookie: b=2\nContent-Length: 0\n'),
  }),
  row('6.5', 'Trailer with a length', ok('Trailer: X\nContent-Length: 0\n'), {
    output: ok('Trailer: X\nContent-Length: 0\n'),
  }),
  row('H1', 'names with an underscore', ok('X_A: 1\nContent-Length: 0\n'), {
    output: ok('Content-Length: 0\n'),
  }),
];

export const RESPONSE_CASES: readonly ResponseCase[] = [...LINES, ...FRAMINGS, ...FIELDS];
