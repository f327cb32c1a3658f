// Requests as bytes, and what becomes of them: the reason for which one is refused, or what is sent
// on in its place. By sections of RFC 9112 unless another RFC is named; rows of the table in
// docs/conformance-lb.md that are about parsing, and more of their kind.

export type RequestCase = {
  section: string;
  name: string;
  /** Written with LF for CRLF: see `wire`. Backquoted rows with `raw` are sent as they are. */
  input: string;
  /** Reason of the refusal. */
  bad?: string;
  status?: number;
  /** What is sent on, without our Via; written as `input` is. */
  output?: string;
  host?: string;
};

/** LF stands for CRLF; `<LF>`, `<CR>`, `<NUL>` … for that byte alone. */
export function wire(text: string): Buffer {
  const named = text
    .replaceAll('\n', '\r\n')
    .replaceAll('<LF>', '\n')
    .replaceAll('<CR>', '\r')
    .replaceAll('<NUL>', '\0')
    .replaceAll('<TAB>', '\t')
    .replaceAll('<VT>', '\v')
    .replaceAll('<DEL>', '\x7f')
    .replaceAll('<NBSP>', '\xa0');
  return Buffer.from(named, 'latin1');
}

const refused = (section: string, name: string, bad: string, input: string): RequestCase => ({
  section,
  name,
  bad,
  input,
});

const sent = (
  section: string,
  name: string,
  input: string,
  output = input,
  host?: string,
): RequestCase => ({ section, name, input, output, ...(host === undefined ? {} : { host }) });

const get = (fields: string) => `GET / HTTP/1.1\nHost: a\n${fields}\n`;
const post = (fields: string) => `POST / HTTP/1.1\nHost: a\n${fields}\n`;
const line = (text: string) => `${text}\nHost: a\n\n`;

export const LINE_CASES: readonly RequestCase[] = [
  sent('3', 'the least request', line('GET / HTTP/1.1')),
  sent('9110 9.1', 'an unknown method', line('FOOBAR / HTTP/1.1')),
  sent('9110 9.1', 'a method in lower case is another method', line('get / HTTP/1.1')),
  sent(
    '9110 5.6.2',
    'a method of all kinds of token characters',
    line("!#$%&'*+-.^_`|~1 / HTTP/1.1"),
  ),
  refused('9110 5.6.2', 'a method that is no token', 'request-line', line('G@T / HTTP/1.1')),
  refused('3', 'no method', 'method', line(' / HTTP/1.1')),
  refused('3', 'a TLS hello', 'method', '\x16\x03\x01\x02\x00'),
  refused('3', 'a long method', 'method-too-long', line(`${'A'.repeat(33)} / HTTP/1.1`)),
  refused('3', 'two blanks behind the method', 'request-line', line('GET  / HTTP/1.1')),
  refused('3', 'two blanks behind the target', 'request-line', line('GET /  HTTP/1.1')),
  refused('3', 'a tab behind the method', 'request-line', line('GET<TAB>/ HTTP/1.1')),
  refused('3', 'a tab behind the target', 'target', line('GET /<TAB>HTTP/1.1')),
  refused('3', 'a blank behind the version', 'request-line', line('GET / HTTP/1.1 ')),
  refused('3', 'a blank within the target', 'request-line', line('GET /a b HTTP/1.1')),
  refused('2.3', 'HTTP/0.9', 'request-line', 'GET /\n'),
  refused('2.3', 'HTTP/0.9 with a bare LF', 'request-line', 'GET /<LF>'),
  refused('2.3', 'no target', 'request-line', line('GET HTTP/1.1')),
  refused('9110 15.6.6', 'HTTP/2.0', 'version', line('GET / HTTP/2.0')),
  refused('9110 15.6.6', 'HTTP/0.9 with its name', 'version', line('GET / HTTP/0.9')),
  refused('9110 15.6.6', 'HTTP/9.9', 'version', line('GET / HTTP/9.9')),
  sent('9110 2.5', 'HTTP/1.2 is taken as 1.1', line('GET / HTTP/1.2'), line('GET / HTTP/1.1')),
  sent('9110 2.5', 'HTTP/1.9 is taken as 1.1', line('GET / HTTP/1.9'), line('GET / HTTP/1.1')),
  refused('2.3', 'a version of three digits', 'request-line', line('GET / HTTP/1.10')),
  refused('2.3', 'a version of one digit', 'request-line', line('GET / HTTP/1')),
  refused('2.3', 'a version without its dot', 'request-line', line('GET / HTTP/11.')),
  refused('2.3', 'a version in lower case', 'request-line', line('GET / http/1.1')),
  refused('2.3', 'another protocol', 'request-line', line('GET / ICY/1.1')),
  refused('9113 3.4', 'the preface of HTTP/2', 'version', 'PRI * HTTP/2.0\n\nSM\n\n'),
  sent('2.2', 'one empty line first', `\n${line('GET / HTTP/1.1')}`, line('GET / HTTP/1.1')),
  sent('2.2', 'two empty lines first', `\n\n${line('GET / HTTP/1.1')}`, line('GET / HTTP/1.1')),
  refused('2.2', 'many empty lines', 'leading-lines', '\n'.repeat(9)),
  refused('2.2', 'a bare LF first', 'method', `<LF>${line('GET / HTTP/1.1')}`),
  refused('2.2', 'a bare CR first', 'bare-carriage-return', `<CR>${line('GET / HTTP/1.1')}`),
  refused('2.2', 'a blank first', 'method', ` \n${line('GET / HTTP/1.1')}`),
  refused('2.2', 'a bare LF behind the line', 'bare-line-feed', 'GET / HTTP/1.1<LF>Host: a\n\n'),
  refused(
    '2.2',
    'a bare CR behind the line',
    'bare-carriage-return',
    'GET / HTTP/1.1<CR>Host: a\n\n',
  ),
  refused('2.2', 'CR CR LF', 'bare-carriage-return', 'GET / HTTP/1.1<CR>\nHost: a\n\n'),
  refused('2.2', 'blanks before the first field', 'folded-line', 'GET / HTTP/1.1\n Host: a\n\n'),
  refused('3', 'a target of 20 kB', 'target-too-long', line(`GET /${'a'.repeat(20_000)} HTTP/1.1`)),
  sent('3', 'a target of 8000 bytes (RFC: SHOULD)', line(`GET /${'a'.repeat(7999)} HTTP/1.1`)),
];

export const TARGET_CASES: readonly RequestCase[] = [
  sent('3.2.1', 'path and query', line('GET /a/%7Eb/;c=d?e=f&g=/?h:@ HTTP/1.1')),
  sent('3.2.1', 'two slashes', line('GET //a//b HTTP/1.1')),
  sent('3.2.1', 'what browsers leave as it is', line('GET /a|b[c]?d={e}^`"<> HTTP/1.1')),
  refused('3.2', 'a fragment', 'target', line('GET /a#b HTTP/1.1')),
  refused('3.2', 'NUL', 'target', line('GET /a<NUL>b HTTP/1.1')),
  refused('3.2', 'DEL', 'target', line('GET /a<DEL> HTTP/1.1')),
  refused('3.2', 'a byte that is not ASCII', 'target', line('GET /\xe9 HTTP/1.1')),
  refused('3.2', 'a bare CR', 'request-line', line('GET /<CR>x HTTP/1.1')),
  refused('3.2', 'no slash', 'target-form', line('GET a HTTP/1.1')),
  refused('3.2', 'a query alone', 'target-form', line('GET ?a HTTP/1.1')),
  refused('3.2.4', '* with GET', 'target-form', line('GET * HTTP/1.1')),
  refused('3.2.4', '*/x', 'target-form', line('OPTIONS */x HTTP/1.1')),
  refused('3.2.4', '**', 'target-form', line('OPTIONS ** HTTP/1.1')),
  sent('3.2.4', 'OPTIONS *', line('OPTIONS * HTTP/1.1')),
  sent(
    '3.2.2',
    'an absolute form',
    line('GET http://b/x HTTP/1.1'),
    'GET /x HTTP/1.1\nHost: b\n\n',
    'b',
  ),
  sent(
    '3.2.2',
    'an absolute form with a port, a query, in upper case',
    line('GET HTTPS://B.c:8/?x=http://d/ HTTP/1.1'),
    'GET /?x=http://d/ HTTP/1.1\nHost: B.c:8\n\n',
    'b.c',
  ),
  sent('3.2.2', 'without a path', line('GET http://b HTTP/1.1'), 'GET / HTTP/1.1\nHost: b\n\n'),
  sent(
    '3.2.2',
    'a query, but no path',
    line('GET http://b?c HTTP/1.1'),
    'GET /?c HTTP/1.1\nHost: b\n\n',
  ),
  sent(
    '3.2.4',
    'OPTIONS without a path',
    line('OPTIONS http://b HTTP/1.1'),
    'OPTIONS * HTTP/1.1\nHost: b\n\n',
  ),
  sent(
    '3.2.4',
    'OPTIONS with a path',
    line('OPTIONS http://b/ HTTP/1.1'),
    'OPTIONS / HTTP/1.1\nHost: b\n\n',
  ),
  sent(
    '3.2.4',
    'OPTIONS with a query',
    line('OPTIONS http://b?c HTTP/1.1'),
    'OPTIONS /?c HTTP/1.1\nHost: b\n\n',
  ),
  sent(
    '3.2.2',
    'an empty Host beside it',
    'GET http://b/ HTTP/1.1\nHost:\n\n',
    'GET / HTTP/1.1\nHost: b\n\n',
  ),
  sent(
    '3.2.2',
    'HTTP/1.0 without Host',
    'GET http://b/ HTTP/1.0\n\n',
    'GET / HTTP/1.1\nHost: b\n\n',
    'b',
  ),
  refused('3.2', 'no Host beside it', 'host-missing', 'GET http://b/ HTTP/1.1\n\n'),
  refused('3.2', 'a wrong Host beside it', 'host', 'GET http://b/ HTTP/1.1\nHost: a b\n\n'),
  refused('9110 4.2.4', 'user information', 'authority', line('GET http://u:p@b/ HTTP/1.1')),
  refused('9110 4.2.1', 'an empty host', 'authority', line('GET http:///x HTTP/1.1')),
  refused('9110 4.2.1', 'only a port', 'authority', line('GET http://:80/x HTTP/1.1')),
  refused('3.2.2', 'another scheme', 'target-form', line('GET ftp://b/ HTTP/1.1')),
  refused('3.2.2', 'one slash', 'target-form', line('GET http:/b HTTP/1.1')),
  refused('3.2.2', 'a scheme alone', 'target-form', line('GET http: HTTP/1.1')),
  refused('3.2.3', 'CONNECT', 'connect', line('CONNECT a:80 HTTP/1.1')),
  refused('3.2.3', 'CONNECT of HTTP/1.0', 'connect', 'CONNECT a:80 HTTP/1.0\n\n'),
  refused('3.2.3', 'CONNECT with a path', 'connect', line('CONNECT / HTTP/1.1')),
  refused('3.2.3', 'an authority with GET', 'target-form', line('GET a:80 HTTP/1.1')),
];

const hosted = (value: string) => `GET / HTTP/1.1\nHost: ${value}\n\n`;

export const HOST_CASES: readonly RequestCase[] = [
  refused('3.2', 'no Host', 'host-missing', 'GET / HTTP/1.1\n\n'),
  refused('3.2', 'no Host with HTTP/1.2', 'host-missing', 'GET / HTTP/1.2\n\n'),
  refused('3.2', 'two that differ', 'host-twice', 'GET / HTTP/1.1\nHost: a\nHost: b\n\n'),
  refused('3.2', 'two that are the same', 'host-twice', 'GET / HTTP/1.1\nHost: a\nhost: a\n\n'),
  refused('3.2', 'two with HTTP/1.0', 'host-twice', 'GET / HTTP/1.0\nHost: a\nHost: a\n\n'),
  sent('3.2', 'HTTP/1.0 without', 'GET / HTTP/1.0\n\n', 'GET / HTTP/1.1\nHost: \n\n', ''),
  sent('3.2', 'HTTP/1.0 with', 'GET / HTTP/1.0\nHost: a\n\n', 'GET / HTTP/1.1\nHost: a\n\n', 'a'),
  sent(
    '9110 4.2.3',
    'upper case, final dot, port',
    hosted('EXAMPLE.com.:80'),
    hosted('EXAMPLE.com.:80'),
    'example.com',
  ),
  sent('9110 4.2.3', 'IPv6', hosted('[::1]:8080'), hosted('[::1]:8080'), '[::1]'),
  sent('9110 4.2.3', 'IPv6 written long', hosted('[0:0::0:1]'), hosted('[0:0::0:1]'), '[::1]'),
  sent('9110 4.2.3', 'IPv4', hosted('192.0.2.1:8080'), hosted('192.0.2.1:8080'), '192.0.2.1'),
  sent('9110 4.2.1', 'an empty port', hosted('a:'), hosted('a:'), 'a'),
  sent('9110 7.2', 'a name with an underscore', hosted('a_b.c'), hosted('a_b.c'), 'a_b.c'),
  sent('3.2', 'Host last', 'GET / HTTP/1.1\nAccept: */*\nHost: a\n\n'),
  ...[
    ['empty', ''],
    ['a blank within', 'a b'],
    ['a list', 'a,b'],
    ['user information', 'u@a'],
    ['a path', 'a/b'],
    ['a scheme', 'http://a'],
    ['a port above 65535', 'a:65536'],
    ['a long port', 'a:000080'],
    ['a port of letters', 'a:http'],
    ['a negative port', 'a:-1'],
    ['two ports', 'a:1:2'],
    ['only a port', ':80'],
    ['a dot alone', '.'],
    ['two final dots', 'a..'],
    ['a dot first', '.a'],
    ['an empty label', 'a..b'],
    ['percent-encoding', 'a%2eb'],
    ['a backslash', 'a\\b'],
    ['a fragment', 'a#b'],
    ['a query', 'a?b'],
    ['IPv6 without brackets', '::1'],
    ['IPv6 not closed', '[::1'],
    ['IPv6 with a zone', '[fe80::1%25eth0]'],
    ['IPv6 that is none', '[::1::2]'],
    ['an IPvFuture', '[v1.a]'],
    ['brackets with nothing in them', '[]'],
    ['something behind the brackets', '[::1]a'],
    ['a byte that is not ASCII', 'caf\xe9'],
    ['NBSP', 'a<NBSP>'],
    ['a long name', 'a'.repeat(256)],
  ].map(([name, value]) => refused('3.2', `Host: ${name}`, 'host', hosted(value as string))),
];

export const FIELD_CASES: readonly RequestCase[] = [
  sent('5', 'names of all token characters but the underscore', get("!#$%&'*+-.^`|~1: x\n")),
  sent('5', 'an empty value', get('A: \n')),
  sent('5', 'no blank behind the colon', get('A:\nB:x\n'), get('A: \nB: x\n')),
  sent('5.1', 'blanks around a value', get('A: <TAB> x <TAB>\nB: y\n'), get('A: x\nB: y\n')),
  sent('5.1', 'a tab in place of the blank', get('A:<TAB>x\n'), get('A: x\n')),
  sent('9110 5.5', 'blanks within a value', get('A: x  y<TAB>z\n')),
  sent('9110 5.5', 'bytes that are not ASCII', get('A: \xe9\xff\x80\n')),
  sent('9110 5.3', 'the same name several times, in order', get('A: 1\nB: 2\nA: 3\n')),
  refused('5.1', 'a blank before the colon', 'space-before-colon', get('A : x\n')),
  refused('5.1', 'a tab before the colon', 'space-before-colon', get('A<TAB>: x\n')),
  refused(
    '5.1',
    "a blank before Content-Length's",
    'space-before-colon',
    post('Content-Length : 0\n'),
  ),
  refused('5.1', 'a blank within a name', 'space-before-colon', get('A b: x\n')),
  refused('5.2', 'a folded value', 'folded-line', get('A: x\n y\n')),
  refused('5.2', 'a value folded by a tab', 'folded-line', get('A: x\n<TAB>y\n')),
  refused('5.2', 'a line of blanks', 'folded-line', get('A: x\n \n')),
  refused('5', 'no colon', 'field-name', get('A\n')),
  refused('5', 'no name', 'field-name', get(': x\n')),
  refused('5', 'a name in brackets', 'field-name', get('(A): x\n')),
  refused('5', 'a name that is not ASCII', 'field-name', get('\xe9: x\n')),
  refused('5', 'NUL in a name', 'field-name', get('A<NUL>: x\n')),
  refused('5', 'CR in a name', 'field-name', get('A<CR>: x\n')),
  refused('2.2', 'a bare LF behind a field', 'bare-line-feed', 'GET / HTTP/1.1\nHost: a<LF>\n'),
  refused('2.2', 'a bare LF for the empty line', 'bare-line-feed', 'GET / HTTP/1.1\nHost: a\n<LF>'),
  refused('2.2', 'bare LFs all over', 'bare-line-feed', 'GET / HTTP/1.1<LF>Host: a<LF><LF>'),
  refused('2.2', 'a bare LF in a name', 'bare-line-feed', get('A<LF>B: x\n')),
  refused('2.2', 'a bare CR in a value', 'bare-carriage-return', get('A: x<CR>y\n')),
  refused(
    '2.2',
    'a bare CR for the empty line',
    'bare-carriage-return',
    'GET / HTTP/1.1\nHost: a\n<CR>x',
  ),
  refused('2.2', 'CR CR LF behind a field', 'bare-carriage-return', get('A: x<CR>\n')),
  refused('9110 5.5', 'NUL in a value', 'field-value', get('A: x<NUL>y\n')),
  refused('9110 5.5', 'VT in a value', 'field-value', get('A: x<VT>y\n')),
  refused('9110 5.5', 'DEL in a value', 'field-value', get('A: x<DEL>y\n')),
  refused('9110 5.5', 'ESC in a value', 'field-value', get('A: \x1b[31m\n')),
  sent(
    'H1',
    'names with an underscore go',
    post('X_Forwarded_For: 1\nContent_Length: 5\nA: x\n'),
    post('A: x\n'),
  ),
  sent('H1', 'an underscore does not frame', post('Transfer_Encoding: chunked\n'), post('')),
  sent('6585 5', '100 fields', get(Array.from({ length: 99 }, (_, i) => `A${i}: x\n`).join(''))),
  refused('6585 5', '101 fields', 'too-many-fields', get('A: x\n'.repeat(100))),
  refused('6585 5', 'a field of 20 kB', 'head-too-big', get(`A: ${'x'.repeat(20_000)}\n`)),
  refused('6585 5', 'a name of 20 kB', 'head-too-big', get(`${'x'.repeat(20_000)}: a\n`)),
  refused(
    '6585 5',
    'a value of 20 kB of blanks',
    'head-too-big',
    get(`A: ${' '.repeat(20_000)}\n`),
  ),
];

const cl = (value: string) => post(`Content-Length: ${value}\n`);
const te = (value: string) => post(`Transfer-Encoding: ${value}\n`);

export const FRAMING_CASES: readonly RequestCase[] = [
  sent('6.3', 'POST without a framing field', post('')),
  sent('6.2', 'Content-Length', cl('5')),
  sent('6.2', 'Content-Length: 0', cl('0')),
  sent('6.2', 'zeros first', cl('0005'), cl('5')),
  sent('6.2', '2^53 - 1', cl('9007199254740991')),
  sent('9110 9.3.1', 'GET with content', get('Content-Length: 3\n')),
  sent('6.1', 'chunked', te('chunked')),
  sent('6.1', 'chunked in upper case', te('CHUNKED'), te('chunked')),
  sent('6.1', 'chunked with blanks around it', te('<TAB>chunked '), te('chunked')),
  sent('6.1', 'DELETE with chunks', 'DELETE / HTTP/1.1\nHost: a\nTransfer-Encoding: chunked\n\n'),
  sent('6.1', 'OPTIONS with chunks', 'OPTIONS / HTTP/1.1\nHost: a\nTransfer-Encoding: chunked\n\n'),
  ...[
    '',
    '+2',
    '-1',
    '0x2',
    '1Z',
    '2 2',
    '2,2',
    '2, 2',
    '2;',
    '2.0',
    '1e3',
    '1_0',
    '\xb2',
    '"2"',
  ].map((value) => refused('6.3', `Content-Length: ${value}`, 'content-length', cl(value))),
  refused('6.3', 'Content-Length of 2^53', 'content-length', cl('9007199254740992')),
  refused('6.3', 'Content-Length of 17 digits', 'content-length', cl('00000000000000001')),
  refused('6.3', 'Content-Length of 2^64 + 2', 'content-length', cl('18446744073709551618')),
  refused('6.3', 'NBSP before it', 'content-length', cl('<NBSP>2')),
  refused(
    '6.3',
    'two that differ',
    'content-length-twice',
    post('Content-Length: 2\nContent-Length: 3\n'),
  ),
  refused(
    '6.3',
    'two that are the same',
    'content-length-twice',
    post('Content-Length: 2\nCONTENT-LENGTH: 2\n'),
  ),
  refused(
    '6.3',
    'an empty second one',
    'content-length-twice',
    post('Content-Length: 2\nContent-Length:\n'),
  ),
  refused(
    '6.3',
    'both',
    'content-length-and-transfer-encoding',
    post('Content-Length: 2\nTransfer-Encoding: chunked\n'),
  ),
  refused(
    '6.3',
    'both, the other way',
    'content-length-and-transfer-encoding',
    post('Transfer-Encoding: chunked\nContent-Length: 2\n'),
  ),
  refused(
    '6.3',
    'both, of HTTP/1.0',
    'content-length-and-transfer-encoding',
    'POST / HTTP/1.0\nContent-Length: 2\nTransfer-Encoding: chunked\n\n',
  ),
  refused(
    '6.1',
    'HTTP/1.0 with Transfer-Encoding',
    'transfer-encoding-in-http-1.0',
    'POST / HTTP/1.0\nTransfer-Encoding: chunked\n\n',
  ),
  refused(
    '6.1',
    'two fields',
    'transfer-encoding-twice',
    post('Transfer-Encoding: chunked\nTransfer-Encoding: chunked\n'),
  ),
  refused(
    '6.1',
    'two fields, one of them identity',
    'transfer-encoding-twice',
    post('Transfer-Encoding: chunked\ntransfer-encoding: identity\n'),
  ),
  ...[
    ...[
      '',
      'identity',
      'xchunked',
      'chunkedx',
      'chunked, chunked',
      'chunked, identity',
      ',chunked',
    ],
    ...[
      'chunked,',
      'chunked, gzip',
      'gzip',
      'identity, chunked',
      '"chunked"',
      'chunked;q=1',
      'chun ked',
    ],
    ...['<VT>chunked', '<NBSP>chunked', 'chunked<NBSP>', 'chunked chunked', 'cow, chunked'],
  ].map((value) => ({
    ...refused('6.1', `Transfer-Encoding: ${value}`, 'transfer-encoding', te(value)),
    ...(value === '<VT>chunked' ? { bad: 'field-value' } : {}),
  })),
  { ...refused('6.1', 'gzip, chunked', 'transfer-coding', te('gzip, chunked')), status: 501 },
  {
    ...refused('6.1', 'deflate , chunked', 'transfer-coding', te('deflate , chunked')),
    status: 501,
  },
];

export const CONNECTION_CASES: readonly RequestCase[] = [
  sent(
    '9110 7.6.1',
    'Connection, and what it lists',
    get('Connection: close, X-Foo\nX-Foo: 1\nA: x\nx-foo: 2\n'),
    get('A: x\n'),
  ),
  sent(
    '9110 7.6.1',
    'listed before and behind',
    get('X-Foo: 1\nConnection: x-FOO\nX-Food: 2\n'),
    get('X-Food: 2\n'),
  ),
  sent(
    '9110 7.6.1',
    'several Connection fields',
    get('Connection: B\nA: 1\nconnection: A , C\nB: 2\nC: 3\n'),
    get(''),
  ),
  sent(
    '9110 7.6.1',
    'known names',
    get('Connection: Cookie,, \nCookie: a=b\nVary: x\n'),
    get('Vary: x\n'),
  ),
  sent('9110 7.6.1', 'Host stays', 'GET / HTTP/1.1\nHost: a\nConnection: Host\n\n', get('')),
  sent(
    '9110 7.6.1',
    'the framing stays',
    post('Connection: Content-Length, Transfer-Encoding\nContent-Length: 2\n'),
    cl('2'),
  ),
  refused('9110 7.6.1', 'Connection that is no list', 'connection', get('Connection: a b\n')),
  refused('9110 7.6.1', 'Connection in quotes', 'connection', get('Connection: "close"\n')),
  refused(
    '9110 7.6.1',
    'a long list',
    'connection',
    get(`Connection: ${Array.from({ length: 40 }, (_, i) => `a${i}`).join()}\n`),
  ),
  sent(
    '9110 7.6.1',
    'hop-by-hop fields that nobody lists',
    get('Keep-Alive: timeout=5\nProxy-Connection: keep-alive\nUpgrade: foo\nTE: gzip\nA: x\n'),
    get('A: x\n'),
  ),
  sent(
    '9110 11.7',
    'credentials for a proxy',
    get('Proxy-Authorization: Basic eA==\nAuthorization: Basic eQ==\n'),
    get('Authorization: Basic eQ==\n'),
  ),
  sent('9110 10.1.4', 'TE: trailers', get('TE: trailers\n'), get('TE: trailers\nConnection: TE\n')),
  sent(
    '9110 10.1.4',
    'TE with trailers among others',
    get('Connection: TE\nTE: gzip;q=0.5, Trailers\n'),
    get('TE: trailers\nConnection: TE\n'),
  ),
  sent(
    '7540 3.2',
    'an upgrade to h2c',
    get('Connection: Upgrade, HTTP2-Settings\nUpgrade: h2c\nHTTP2-Settings: x\n'),
    get(''),
  ),
  sent('9110 10.1.1', 'Expect', post('Expect: 100-Continue\nContent-Length: 1\n')),
  refused('9110 10.1.1', 'another expectation', 'expect', post('Expect: 200-maybe\n')),
  refused(
    '9110 10.1.1',
    'two expectations',
    'expect',
    post('Expect: 100-continue\nExpect: 100-continue\n'),
  ),
  sent(
    '9110 10.1.1',
    'Expect of HTTP/1.0',
    'POST / HTTP/1.0\nHost: a\nExpect: 100-continue\n\n',
    post(''),
  ),
  sent(
    '9110 7.6.2',
    'Max-Forwards of OPTIONS',
    'OPTIONS / HTTP/1.1\nHost: a\nMax-Forwards: 5\n\n',
    'OPTIONS / HTTP/1.1\nHost: a\nMax-Forwards: 4\n\n',
  ),
  sent('9110 7.6.2', 'Max-Forwards of GET', get('Max-Forwards: x\n')),
  refused(
    '9110 7.6.2',
    'Max-Forwards that is no number',
    'max-forwards',
    'TRACE / HTTP/1.1\nHost: a\nMax-Forwards: -1\n\n',
  ),
  sent('9110 7.6.3', 'Via that is there', get('Via: 1.0 fred\n')),
];

export const REQUEST_CASES: readonly RequestCase[] = [
  ...LINE_CASES,
  ...TARGET_CASES,
  ...HOST_CASES,
  ...FIELD_CASES,
  ...FRAMING_CASES,
  ...CONNECTION_CASES,
];
