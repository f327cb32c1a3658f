// Rows about where a request ends: Content-Length, Transfer-Encoding, chunks, and the families of
// request smuggling (RFC 9112, 6 and 7.1, 11.2).
import {
  atClient,
  atTarget,
  FIN,
  get,
  OK,
  passed,
  post,
  type Row,
  RST,
  refused,
  row,
} from './row.ts';

const cl = (value: string, body = 'ab') => post(`Content-Length: ${value}\n`, body);
const te = (value: string, body = '0\n\n') => post(`Transfer-Encoding: ${value}\n`, body);
const chunked = (body: string) => te('chunked', body);
const HIDDEN = 'GET /hidden HTTP/1.1\nHost: a\n\n';

const LENGTHS: readonly Row[] = [
  refused(
    '27a',
    '6.1',
    'CL and TE (CL.TE)',
    post('Content-Length: 4\nTransfer-Encoding: chunked\n', `0\n\n${HIDDEN}`),
  ),
  refused(
    '27b',
    '6.1',
    'TE and CL (TE.CL)',
    post('Transfer-Encoding: chunked\nContent-Length: 4\n', `1e\n${HIDDEN}\n0\n\n`),
  ),
  refused(
    '28a',
    '6.1',
    'TE twice',
    post('Transfer-Encoding: chunked\nTransfer-Encoding: chunked\n', '0\n\n'),
  ),
  refused('28b', '6.3', 'TE: chunked, chunked', te('chunked, chunked')),
  refused('29a', '6.1', 'TE: identity', te('identity', '')),
  refused('29b', '6.1', 'TE: xchunked', te('xchunked')),
  refused('29c', '6.1', 'TE: VT chunked', te('<VT>chunked')),
  refused('29d', '6.1', 'TE: NBSP chunked', te('<NBSP>chunked')),
  refused('30', '6.3', 'TE: chunked, identity', te('chunked, identity')),
  refused('32', '6.1', 'TE: gzip, chunked', te('gzip, chunked'), 501),
  refused('34a', '6.3', 'CL 2 twice', post('Content-Length: 2\nContent-Length: 2\n', 'ab')),
  refused('34b', '9110 8.6', 'CL 2, 2', cl('2, 2')),
  refused('35a', '6.3', 'CL 2 and 3', post('Content-Length: 2\nContent-Length: 3\n', 'abc')),
  ...[
    ['b', '+2'],
    ['c', '-1'],
    ['d', '0x2'],
    ['e', ''],
    ['f', '1Z'],
  ].map(([letter, value]) =>
    refused(`35${letter}`, '6.3', `CL ${value === '' ? 'empty' : value}`, cl(value as string)),
  ),
  row('37', '9110 9.3.1', 'GET with a body', {
    client: [get('Content-Length: 2\n').concat('ab', get('', '/2'))],
    sent: [get('Content-Length: 2\n').concat('ab'), get('', '/2')],
    heard: [OK, OK],
  }),
  row('39', '6.3', 'POST without CL and TE', {
    client: [post('', get('', '/2'))],
    sent: [post(), get('', '/2')],
    heard: [OK, OK],
  }),
  ...['DELETE', 'OPTIONS'].map((method, index) => {
    const said = `${method} / HTTP/1.1\nHost: a\nTransfer-Encoding: chunked\n\n3\nabc\n0\n\n`;
    return passed(`38${'ab'[index]}`, '6.1', `${method} in chunks`, said, undefined);
  }),
  refused('A61', '6.3', 'CL of 2^64 + 2', cl('18446744073709551618'), 400, {
    watch: ['content-length'],
  }),
  refused('A62', '6.3', 'CL with a blank within', cl('2 2')),
  refused('A63', '6.3', 'CL behind NBSP', cl('<NBSP>2')),
  passed('A64', '6.2', 'CL 002', cl('002'), cl('2'), { watch: ['content-length'] }),
  refused(
    'A65',
    '6.1',
    'TE in HTTP/1.0',
    'POST / HTTP/1.0\nHost: a\nTransfer-Encoding: chunked\n\n0\n\n',
    400,
    { watch: ['transfer-encoding'] },
  ),
  refused(
    'A66',
    '6.1',
    'HTTP/1.0 with keep-alive, CL and TE',
    'POST / HTTP/1.0\nHost: a\nConnection: keep-alive\nContent-Length: 5\nTransfer-Encoding: chunked\n\n0\n\n',
  ),
];

/** What one reader takes for `Transfer-Encoding: chunked`, and another does not. */
const TE_TE: readonly Row[] = [
  refused(
    'A70',
    '6.1',
    'TE.TE: `TE: chunked` and `TE: x`',
    post('Transfer-Encoding: chunked\nTransfer-Encoding: x\n', '0\n\n'),
  ),
  refused(
    'A71',
    '6.1',
    'TE.TE: `TE : chunked`',
    post('Content-Length: 5\nTransfer-Encoding : chunked\n', '0\n\n'),
  ),
  refused(
    'A72',
    '6.1',
    'TE.TE: TE folded',
    post('Content-Length: 5\nTransfer-Encoding: chunked\n x\n', '0\n\n'),
  ),
  refused(
    'A73',
    '6.1',
    'TE.TE: `A: x` LF `TE: chunked`',
    post('Content-Length: 5\nA: x<LF>Transfer-Encoding: chunked\n', '0\n\n'),
  ),
  refused('A74', '6.1', 'TE.TE: quoted', te('"chunked"')),
  refused('A75', '6.1', 'TE.TE: a list with an empty item', te(',chunked')),
  refused('A76', '6.1', 'TE.TE: an empty TE', te('', '')),
  refused('A77', '6.1', 'TE.TE: with a parameter', te('chunked;a=b')),
  refused('A78', '6.1', 'TE.TE: chunked NUL', te('chunked<NUL>')),
  refused('A79', '6.1', 'TE.TE: `TE: cow, chunked`', te('cow, chunked')),
  passed(
    'A80',
    '6.1',
    'TE.TE: Transfer_Encoding and CL',
    post('Transfer_Encoding: chunked\nContent-Length: 5\n', '0\n\n'),
    post('Content-Length: 5\n', '0\n\n'),
    { watch: ['transfer_encoding'] },
  ),
  passed(
    'A81',
    '6.1',
    'TE.TE: X-Transfer-Encoding and CL',
    post('X-Transfer-Encoding: chunked\nContent-Length: 5\n', '0\n\n'),
  ),
  passed('A82', '6.1', 'TE: CHUNKED', te('CHUNKED'), te('chunked'), {
    watch: ['transfer-encoding'],
  }),
  refused(
    'A83',
    '5',
    'TE.TE: the name with a control character',
    post('Transfer-Encoding<VT>: chunked\n', '0\n\n'),
  ),
  refused('A84', '6.3', 'CL.0: CL behind a bare CR', post('A: x<CR>Content-Length: 30\n', HIDDEN)),
];

const CHUNKS: readonly Row[] = [
  refused('41a', '7.1.1', 'a bare LF in a chunk extension', chunked('2;a<LF>b\nab\n0\n\n')),
  refused('41b', '7.1.1', 'a bare CR in a chunk extension', chunked('2;a<CR>b\nab\n0\n\n')),
  passed(
    '42a',
    '7.1.1',
    'a chunk extension',
    chunked('2;a=b;c="d e"\nab\n0\n\n'),
    chunked('2\nab\n0\n\n'),
  ),
  refused('42b', '7.1.1', 'extensions of 5 kB', chunked(`2;a=${'b'.repeat(5000)}\nab\n0\n\n`)),
  ...[
    ['a', '0x1'],
    ['b', '-1'],
    ['c', '+1'],
    ['d', '1_0'],
    ['e', ''],
    ['f', ' 1'],
    ['g', '1 '],
  ].map(([letter, size]) =>
    refused(
      `43${letter}`,
      '7.1',
      `chunk size ${JSON.stringify(size)}`,
      chunked(`${size}\na\n0\n\n`),
    ),
  ),
  refused('45a', '7.1', 'chunk data without CRLF behind', chunked('1\nabc\n0\n\n')),
  row('45b', '7.1', 'the same, behind a chunk that was sent on', {
    client: [chunked('3\nabc\n'), atTarget('abc'), '1\nxy\n0\n\n'],
    sent: [chunked('3\nabc\n1\nx\n').replace('3\nabc\n1\nx\n', '4\nabcx\n')],
    heard: [400],
    left: 'closed',
    upstream: 'dropped',
  }),
  refused('A86', '7.1', 'chunk size of 17 digits', chunked(`${'0'.repeat(16)}1\na\n0\n\n`)),
  refused('A87', '7.1', 'chunk size of 2^64 + 1', chunked('10000000000000001\na\n0\n\n')),
  refused('A88', '7.1', 'a bare LF behind a chunk size', chunked('1<LF>a\n0\n\n')),
  refused('A89', '7.1', 'a bare LF behind chunk data', chunked('1\na<LF>0\n\n')),
  refused('A90', '7.1', 'a bare CR behind a chunk size', chunked('1<CR>a\n0\n\n')),
  refused('A91', '7.1', 'chunk data ends in two other bytes (TERM.EXT)', chunked(`2\nabXX0\n\n`)),
  refused('A92', '7.1.1', 'an extension that is only a semicolon', chunked('1;\na\n0\n\n')),
  refused('A93', '7.1.1', 'a blank before an extension', chunked('1 ;a=b\na\n0\n\n'), 400, {
    why: 'RFC 9112 takes BWS there; nobody sends it',
  }),
  passed(
    'A94',
    '7.1',
    'chunk size 0002, FF in both cases',
    chunked('0002\nab\n0\n\n'),
    chunked('2\nab\n0\n\n'),
  ),
  passed(
    'A95',
    '7.1.2',
    'a trailer',
    chunked('2\nab\n0\nA: x\n\n'),
    chunked('2\nab\n0\nA: x\n\n'),
    { watch: ['trailers'] },
  ),
  refused(
    'A96',
    '7.1.2',
    'Content-Length in a trailer',
    chunked('2\nab\n0\nContent-Length: 9\n\n'),
    400,
    { watch: ['trailers'] },
  ),
  refused(
    'A97',
    '7.1.2',
    'Transfer-Encoding in a trailer',
    chunked('2\nab\n0\nTransfer-Encoding: chunked\n\n'),
    400,
    { watch: ['trailers'] },
  ),
  passed(
    'A98',
    '9110 6.5.1',
    'Host and Authorization in a trailer',
    chunked('2\nab\n0\nHost: b\nAuthorization: x\nA: y\n\n'),
    chunked('2\nab\n0\nA: y\n\n'),
    { watch: ['trailers'] },
  ),
  refused('A99', '7.1.2', 'a trailer with a bare LF', chunked('2\nab\n0\nA: x<LF>B: y\n\n')),
  refused(
    'A100',
    '7.1.2',
    'trailers of 10 kB',
    chunked(`2\nab\n0\nA: ${'x'.repeat(10_000)}\n\n`),
    431,
  ),
  row('A101', '7.1', 'what is behind the last chunk is the next request', {
    client: [`${chunked('2\nab\n0\n\n')}${get('', '/2')}`],
    sent: [chunked('2\nab\n0\n\n'), get('', '/2')],
    heard: [OK, OK],
  }),
  row('A102', '7.1', 'an incomplete last chunk is waited for', {
    client: [chunked('2\nab\n0\n'), atTarget('ab'), '\n'],
    sent: [chunked('2\nab\n0\n\n')],
    heard: [OK],
  }),
];

const CUT: readonly Row[] = [
  row('47a', '8', 'the client ends in the middle of CL', {
    unfinished: true,
    client: [cl('5'), atTarget('ab'), FIN],
    sent: [cl('5')],
    left: 'reset',
    upstream: 'dropped',
  }),
  row('47b', '8', 'the client ends in the middle of chunks', {
    unfinished: true,
    client: [chunked('2\nab\n'), atTarget('ab'), FIN],
    sent: [chunked('2\nab\n')],
    left: 'reset',
    upstream: 'dropped',
  }),
  row('47c', '8', 'the client resets in the middle of CL', {
    unfinished: true,
    client: [cl('5'), atTarget('ab'), RST],
    sent: [cl('5')],
    left: 'closed',
    upstream: 'dropped',
  }),
  row('47d', '8', 'the client ends in the middle of a head', {
    unfinished: true,
    client: ['GET / HTTP/1.1\nHo', FIN],
    left: 'closed',
    upstream: 'unused',
  }),
  row('A105', '8', 'the client ends behind a whole request', {
    byChance: true,
    client: [get(), FIN],
    sent: [get()],
    heard: ['HTTP/1.1 200 OK\nContent-Length: 2\nConnection: close\n\nok'],
    left: 'closed',
  }),
  row('48', '9.3.2', 'two requests in one', {
    client: [get('', '/1') + get('', '/2')],
    sent: [get('', '/1'), get('', '/2')],
    heard: [OK, OK],
  }),
  row('49', '9.6', 'a request behind Connection: close', {
    client: [get('Connection: close\n') + HIDDEN],
    sent: [get()],
    heard: ['HTTP/1.1 200 OK\nContent-Length: 2\nConnection: close\n\nok'],
    left: 'closed',
  }),
  row('A106', '9.3.2', 'a bad request behind a good one', {
    client: [get() + get('A : x\n')],
    sent: [get()],
    heard: [OK, 400],
    left: 'closed',
  }),
  row('A107', '9.3.2', 'a request while the last one is answered', {
    client: [get('', '/1'), atTarget('/1'), get('', '/2'), atClient('ok')],
    sent: [get('', '/1'), get('', '/2')],
    heard: [OK, OK],
  }),
];

export const FRAMING_ROWS: readonly Row[] = [...LENGTHS, ...TE_TE, ...CHUNKS, ...CUT];
