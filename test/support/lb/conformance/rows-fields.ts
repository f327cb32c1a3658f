// Rows about fields: their grammar, and which of them a balancer sends on (RFC 9112, 5; RFC 9110, 5
// and 7.6).
import { answered, answers, FIN, get, OK, passed, post, type Row, refused, row } from './row.ts';

const CLOSED_OK = 'HTTP/1.1 200 OK\nContent-Length: 2\nConnection: close\n\nok';
const own = (address: string) =>
  `X-Forwarded-For: ${address}\nX-Forwarded-Proto: http\nX-Forwarded-Port: 80\n` +
  `Forwarded: for=${address};proto=http;host="a"\nX-Forwarded-Host: a\nVia: 1.1 edge-lb-rig\n`;

const GRAMMAR: readonly Row[] = [
  refused('18a', '6585 5', 'a field of 20 kB', get(`A: ${'x'.repeat(20_000)}\n`), 431),
  refused('18b', '6585 5', '150 fields', get('A: x\n'.repeat(150)), 431),
  refused('19', '5.1', 'a blank before the colon', post('Content-Length : 0\n')),
  refused('20', '5.2', 'a folded line', get('A: x\n y\n')),
  refused('22', '2.2', 'bare LF as line end', 'GET / HTTP/1.1<LF>Host: a<LF><LF>'),
  refused('23', '2.2', 'a bare CR in a value', get('A: x<CR>y\n')),
  refused('24', '9110 5.5', 'NUL in a value', get('A: x<NUL>y\n'), 400, { watch: ['a'] }),
  passed(
    '26a',
    'H1',
    'Content_Length and X_Forwarded_For are left out',
    post('Content_Length: 5\nX_Forwarded_For: 9.9.9.9\n'),
    post(),
    { watch: ['content_length', 'x_forwarded_for'] },
  ),
  refused('A30', '5.1', 'a tab before the colon', get('A<TAB>: x\n')),
  refused('A31', '5', 'a line without a colon', get('A\n')),
  refused('A32', '5', 'a line without a name', get(': x\n')),
  refused('A33', '5', 'NUL in a name', get('A<NUL>B: x\n')),
  refused('A34', '5.2', 'a folded line first', 'GET / HTTP/1.1\n A: x\nHost: a\n\n'),
  refused(
    'A35',
    '5.2',
    'Transfer-Encoding, folded',
    post('Transfer-Encoding:\n chunked\n', '0\n\n'),
  ),
  refused('A36', '2.2', 'one line ends in a bare LF', get('A: x<LF>B: y\n')),
  refused('A37', '2.2', 'CR CR LF', get('A: x<CR>\n')),
  refused(
    'A38',
    '2.2',
    'a bare CR as the end of a line',
    get('A: x<CR>Transfer-Encoding: chunked\n'),
  ),
  refused('A39', '9110 5.5', 'a control character in a value', get('A: \x1b[31m\n')),
  passed('A40', '5.1', 'blanks around a value', get('A: <TAB> x <TAB>\n'), get('A: x\n'), {
    watch: ['a'],
  }),
  passed('A41', '9110 5.5', 'bytes above 127 in a value', get('A: \xe9\xff\n'), undefined, {
    watch: ['a'],
  }),
];

const HOP_BY_HOP: readonly Row[] = [
  row('52a', '9110 7.6.1', 'Connection: close, X-Foo in a request', {
    client: [get('Connection: close, X-Foo\nX-Foo: 1\n')],
    sent: [get()],
    heard: [CLOSED_OK],
    left: 'closed',
    watch: ['x-foo', 'connection'],
  }),
  answered(
    '52b',
    '9110 7.6.1',
    'Connection: close, X-Foo in a response',
    OK.replace('\n\n', '\nConnection: close, X-Foo\nX-Foo: 1\n\n'),
    OK,
    { upstream: 'dropped', watch: ['x-foo', 'connection'] },
  ),
  passed(
    '54a',
    '9110 7.6.1',
    'Keep-Alive, Proxy-Connection, TE: gzip, Upgrade',
    get('Keep-Alive: timeout=5\nProxy-Connection: keep-alive\nTE: gzip\nUpgrade: foo\n'),
    get(),
    { watch: ['keep-alive', 'proxy-connection', 'te', 'upgrade'] },
  ),
  passed(
    '54b',
    '9110 10.1.4',
    'TE: trailers, gzip',
    get('TE: trailers, gzip;q=0.5\n'),
    get('TE: trailers\nConnection: TE\n'),
    { watch: ['te'] },
  ),
  answered(
    '54c',
    '9110 7.6.1',
    'Keep-Alive and Upgrade in a response',
    OK.replace('\n\n', '\nKeep-Alive: timeout=5\nUpgrade: foo\nConnection: Upgrade\n\n'),
    OK,
    { watch: ['keep-alive', 'upgrade', 'connection'] },
  ),
  row('55a', '9110 7.6.3', 'a request with our own Via', {
    client: [get('Via: 1.1 b, 1.1 edge-lb-rig\n')],
    heard: [508],
    upstream: 'unused',
    why: 'others have other names',
  }),
  passed(
    '55b',
    '9110 7.6.3',
    'Via is added to',
    get('Via: 1.0 b\n'),
    get(`Via: 1.0 b\n${own('127.0.0.1')}`),
    { own: true, watch: ['via'] },
  ),
  passed(
    'A45',
    'H3',
    'X-Forwarded-* and Forwarded of a client that is not believed',
    get('X-Forwarded-For: 9.9.9.9\nX-Forwarded-Proto: https\nForwarded: for=9.9.9.9\n'),
    get(own('127.0.0.1')),
    { own: true, watch: ['x-forwarded-for', 'x-forwarded-proto', 'forwarded'] },
  ),
  passed(
    'A46',
    'H3',
    'X-Forwarded-For of a peer that is believed',
    get('X-Forwarded-For: 192.0.2.9\n'),
    get(own('192.0.2.9, 127.0.0.1').replace('for=192.0.2.9, ', 'for=')),
    { own: true, setup: { trusted: '127.0.0.0/8' }, watch: ['x-forwarded-for'] },
  ),
  passed(
    'A47',
    '9110 7.6.1',
    'Connection lists Host, Content-Length',
    post('Connection: Host, Content-Length\nContent-Length: 2\n', 'ab'),
    post('Content-Length: 2\n', 'ab'),
    { watch: ['content-length'] },
  ),
  passed(
    'A48',
    'H3',
    'Connection lists X-Forwarded-For',
    get('Connection: X-Forwarded-For\n'),
    get(own('127.0.0.1').replace('X-Forwarded-For: 127.0.0.1\n', 'X-Forwarded-For: 127.0.0.1\n')),
    { own: true, watch: ['x-forwarded-for'] },
  ),
  passed(
    'A49',
    '9110 7.6.1',
    'Connection lists Cookie and Authorization',
    get('Connection: Cookie, Authorization\nCookie: a=b\nAuthorization: x\n'),
    get(),
    { watch: ['cookie', 'authorization'] },
  ),
  refused('A50', '9110 7.6.1', 'Connection is no list', get('Connection: a b\n')),
  passed(
    'A51',
    '9110 11.7',
    'Proxy-Authorization is for us',
    get('Proxy-Authorization: Basic x\n'),
    get(),
    { watch: ['proxy-authorization'] },
  ),
  answered(
    'A52',
    '9110 7.6.1',
    'Connection of a response lists Set-Cookie',
    OK.replace('\n\n', '\nConnection: Set-Cookie\nSet-Cookie: a=b\n\n'),
    OK,
    { watch: ['set-cookie'] },
  ),
];

const LOCAL: readonly Row[] = [
  row('56a', '9110 9.3.8', 'TRACE', {
    client: ['TRACE / HTTP/1.1\nHost: a\n\n'],
    heard: [405],
    upstream: 'unused',
  }),
  row('56b', '9110 7.6.2', 'OPTIONS with Max-Forwards: 0', {
    client: ['OPTIONS / HTTP/1.1\nHost: a\nMax-Forwards: 0\n\n'],
    heard: [200],
    upstream: 'unused',
  }),
  passed(
    '56c',
    '9110 7.6.2',
    'OPTIONS with Max-Forwards: 5',
    'OPTIONS / HTTP/1.1\nHost: a\nMax-Forwards: 5\n\n',
    'OPTIONS / HTTP/1.1\nHost: a\nMax-Forwards: 4\n\n',
    { watch: ['max-forwards'] },
  ),
  row('A55', '9110 10.1.1', 'an unknown expectation', {
    client: [post('Expect: 200-ok\nContent-Length: 2\n', 'ab')],
    heard: [417],
    left: 'closed',
    upstream: 'unused',
  }),
  row('A56', '9110 7.6.2', 'OPTIONS with Max-Forwards: x', {
    client: ['OPTIONS / HTTP/1.1\nHost: a\nMax-Forwards: x\n\n'],
    heard: [400],
    left: 'closed',
    upstream: 'unused',
  }),
];

const OLD: readonly Row[] = [
  row('50a', '9.3', 'HTTP/1.0', {
    client: ['GET / HTTP/1.0\nHost: a\n\n'],
    sent: [get()],
    heard: [CLOSED_OK],
    left: 'closed',
  }),
  row('50b', '9.3', 'HTTP/1.0 with Connection: keep-alive', {
    client: ['GET / HTTP/1.0\nHost: a\nConnection: keep-alive\n\n'],
    sent: [get()],
    heard: [OK.replace('\n\n', '\nConnection: keep-alive\n\n')],
  }),
  row('51', '6.1', 'HTTP/1.0, and the target answers in chunks', {
    client: ['GET / HTTP/1.0\nHost: a\n\n'],
    target: [answers('HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n2\nok\n0\n\n')],
    sent: [get()],
    heard: ['HTTP/1.1 200 OK\nConnection: close\n\nok'],
    left: 'closed',
    watch: ['transfer-encoding'],
  }),
  row('A57', '9.3', 'HTTP/1.0 with keep-alive, and chunks', {
    client: ['GET / HTTP/1.0\nHost: a\nConnection: keep-alive\n\n'],
    target: [answers('HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n2\nok\n0\n\n')],
    sent: [get()],
    heard: ['HTTP/1.1 200 OK\nConnection: close\n\nok'],
    left: 'closed',
    watch: ['transfer-encoding'],
  }),
  row('A58', '9.3', 'a target of HTTP/1.0', {
    client: [get()],
    target: [answers('HTTP/1.0 200 OK\nContent-Length: 2\n\nok', FIN)],
    sent: [get()],
    heard: [OK],
    upstream: 'dropped',
  }),
  row('A59', '9.3', 'a target of HTTP/1.0 with keep-alive', {
    client: [get()],
    target: [answers('HTTP/1.0 200 OK\nConnection: keep-alive\nContent-Length: 2\n\nok')],
    sent: [get()],
    heard: [OK],
  }),
  row('A60', '3.2', 'HTTP/1.0 without Host', {
    client: ['GET / HTTP/1.0\n\n'],
    sent: ['GET / HTTP/1.1\nHost: \n\n'],
    heard: [CLOSED_OK],
    left: 'closed',
  }),
];

export const FIELD_ROWS: readonly Row[] = [...GRAMMAR, ...HOP_BY_HOP, ...LOCAL, ...OLD];
