// Rows about whole connections: slow clients, upgrades and tunnels, PROXY headers (RFC 9110, 7.8;
// RFC 6455, 4; HAProxy's proxy-protocol.txt).
import { answers, atClient, atTarget, FIN, get, OK, post, type Row, refused, row } from './row.ts';

const PATIENCE = { setup: { impatient: true } } as const;
const SLOW: readonly Row[] = [
  row('78a', '9110 15.5.9', 'a head that does not end', {
    unfinished: true,
    client: ['GET / HTTP/1.1\nHo'],
    heard: [408],
    left: 'closed',
    upstream: 'unused',
    ...PATIENCE,
  }),
  row('78b', '9110 15.5.9', 'a body that does not come', {
    unfinished: true,
    client: [post('Content-Length: 5\n', 'ab')],
    sent: [post('Content-Length: 5\n', 'ab')],
    heard: [408],
    left: 'closed',
    upstream: 'dropped',
    ...PATIENCE,
  }),
  row('78c', '9.8', 'no further request', {
    client: [get(), atClient('ok')],
    sent: [get()],
    heard: [OK],
    left: 'closed',
    ...PATIENCE,
  }),
  row('A155', '9.8', 'not a byte', {
    unfinished: true,
    client: [],
    left: 'closed',
    upstream: 'unused',
    ...PATIENCE,
  }),
];

const upgrade = (fields = '') => get(`Connection: upgrade\nUpgrade: foo\n${fields}`);
const UPGRADE = get('Upgrade: foo\nConnection: upgrade\n');
const SWITCHING = 'HTTP/1.1 101 Switching Protocols\nUpgrade: foo\nConnection: upgrade\n\n';
const WS = 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\nSec-WebSocket-Version: 13\n';
const TUNNEL = { left: 'closed', upstream: 'dropped' } as const;

const TUNNELS: readonly Row[] = [
  row('79', '9110 7.8', 'Upgrade, a further request, and the target says 200', {
    client: [upgrade() + get('', '/2')],
    target: [answers(OK)],
    sent: [UPGRADE, get('', '/2')],
    heard: [OK, OK],
    watch: ['upgrade'],
  }),
  row('80a', '9110 7.8', '101, and bytes both ways', {
    client: [upgrade(), atClient('101'), 'hello', atClient('welcome'), FIN],
    target: [answers(SWITCHING, atTarget('hello'), 'welcome', FIN)],
    sent: [`${UPGRADE}hello`],
    heard: [`${SWITCHING}welcome`],
    ...TUNNEL,
  }),
  row('80b', '6455 7.1.1', 'a tunnel that is half closed', {
    client: [upgrade(), atClient('101'), 'hello', FIN],
    target: [answers(SWITCHING, { closed: 'target' }, 'still here', FIN)],
    sent: [`${UPGRADE}hello`],
    heard: [`${SWITCHING}still here`],
    ...TUNNEL,
  }),
  row('80c', 'H6', 'a tunnel that is idle', {
    unfinished: true,
    client: [upgrade(), atClient('101')],
    target: [answers(SWITCHING)],
    sent: [UPGRADE],
    heard: [SWITCHING],
    ...TUNNEL,
    setup: { route: { timeouts: { tunnelMs: 500 } } },
    why: 'others have longer times',
  }),
  row('80d', '6455 4.2.1', 'WebSocket without Sec-WebSocket-Key', {
    client: [get('Connection: upgrade\nUpgrade: websocket\n')],
    heard: [400],
    left: 'closed',
    upstream: 'unused',
  }),
  row('80e', '6455 4.2.2', 'WebSocket', {
    client: [
      get(`Connection: keep-alive, Upgrade\nUpgrade: websocket\n${WS}`),
      atClient('101'),
      '\x81\x02hi',
      atClient('\x81\x02yo'),
      FIN,
    ],
    target: [
      answers(
        'HTTP/1.1 101 Switching Protocols\nUpgrade: websocket\nConnection: Upgrade\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\n\n',
        atTarget('hi'),
        '\x81\x02yo',
        FIN,
      ),
    ],
    sent: [`${get(`${WS}Upgrade: websocket\nConnection: upgrade\n`)}\x81\x02hi`],
    heard: [
      'HTTP/1.1 101 Switching Protocols\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\nUpgrade: websocket\nConnection: upgrade\n\n\x81\x02yo',
    ],
    ...TUNNEL,
  }),
  row('A160', '9110 7.8', 'Upgrade with a body is no upgrade', {
    client: [post('Connection: upgrade\nUpgrade: foo\nContent-Length: 2\n', 'ab')],
    sent: [post('Content-Length: 2\n', 'ab')],
    heard: [OK],
    watch: ['upgrade'],
  }),
  row('A161', '9113 3.1', 'Upgrade: h2c', {
    client: [
      get('Connection: upgrade, HTTP2-Settings\nUpgrade: h2c\nHTTP2-Settings: AAMAAABkAAQAAP__\n'),
    ],
    sent: [get()],
    heard: [OK],
    watch: ['upgrade', 'http2-settings'],
  }),
  row('A162', '9110 7.8', 'Upgrade of HTTP/1.0', {
    client: ['GET / HTTP/1.0\nHost: a\nConnection: upgrade\nUpgrade: foo\n\n'],
    sent: [get()],
    heard: ['HTTP/1.1 200 OK\nContent-Length: 2\nConnection: close\n\nok'],
    left: 'closed',
    watch: ['upgrade'],
  }),
  row('A163', '9110 7.8', 'Upgrade, and what follows at once comes behind the 101', {
    client: [`${upgrade()}early`, atClient('late'), FIN],
    target: [answers(SWITCHING, atTarget('early'), 'late', FIN), answers()],
    sent: [`${UPGRADE}early`],
    heard: [`${SWITCHING}late`],
    ...TUNNEL,
  }),
  row('A164', '9110 7.8', 'Upgrade where the route has no tunnels', {
    client: [upgrade()],
    sent: [get()],
    heard: [OK],
    watch: ['upgrade'],
    setup: { route: { upgrade: false } },
  }),
  row('A165', '9110 7.8', '426 to an Upgrade, and the connection goes on', {
    client: [upgrade(), atClient('no'), get('', '/2')],
    target: [answers('HTTP/1.1 426 Upgrade Required\nContent-Length: 2\n\nno')],
    sent: [UPGRADE, get('', '/2')],
    heard: ['HTTP/1.1 426 Upgrade Required\nContent-Length: 2\n\nno', OK],
  }),
  row('A166', '9110 7.8', 'the target resets a tunnel', {
    client: [upgrade(), atClient('101'), 'hello'],
    target: [answers(SWITCHING, atTarget('hello'), { end: 'rst' })],
    sent: [`${UPGRADE}hello`],
    heard: [SWITCHING],
    left: 'reset',
    upstream: 'dropped',
  }),
];

const V1 = 'PROXY TCP4 192.0.2.9 192.0.2.1 9 80\n';
const V2 = '\n\n<NUL>\nQUIT<LF>';
const proxied = (address: string) =>
  get(
    `X-Forwarded-For: ${address}\nX-Forwarded-Proto: http\nX-Forwarded-Port: 80\n` +
      `Forwarded: for=${address};proto=http;host="a"\nX-Forwarded-Host: a\nVia: 1.1 edge-lb-rig\n`,
  );
const FROM = { setup: { proxyFrom: '127.0.0.0/8' }, watch: ['x-forwarded-for'] } as const;
const SHUT = { heard: [], left: 'closed', upstream: 'unused', ...FROM } as const;

const PROXY: readonly Row[] = [
  row('85a', 'PROXY 2.1', 'version 1', {
    client: [V1 + get()],
    sent: [proxied('192.0.2.9')],
    heard: [OK],
    own: true,
    ...FROM,
  }),
  row('85b', 'PROXY 2.2', 'version 2', {
    client: [`${V2}\x21\x11<NUL>\x0c\xc0<NUL>\x02\x09\xc0<NUL>\x02\x01<NUL>\x09<NUL>\x50${get()}`],
    sent: [proxied('192.0.2.9')],
    heard: [OK],
    own: true,
    ...FROM,
  }),
  row('85c', 'PROXY 2.2', 'version 2, LOCAL: the address of the socket', {
    client: [`${V2}\x20<NUL><NUL><NUL>${get()}`],
    sent: [proxied('127.0.0.1')],
    heard: [OK],
    own: true,
    ...FROM,
  }),
  row('85d', 'PROXY 2', 'no header', { client: [get()], ...SHUT }),
  row('85e', 'PROXY 2.1', 'a header that is wrong', {
    client: [`PROXY TCP4 192.0.2.999 192.0.2.1 9 80\n${get()}`],
    ...SHUT,
  }),
  row('85f', 'PROXY 2.1', 'a line of more than 107 bytes', {
    client: [`PROXY UNKNOWN ${'x'.repeat(100)}\n${get()}`],
    ...SHUT,
  }),
  refused('85g', 'PROXY 2', 'a header of a peer that is not believed', V1 + get(), 400, {
    setup: { proxyFrom: '192.0.2.0/24' },
  }),
  row('85h', 'PROXY 2.1', 'a header in pieces', {
    byChance: true,
    client: ['PRO', 'XY TCP4 192.0.2.9 192.0.2.1 9 80\n', get()],
    sent: [proxied('192.0.2.9')],
    heard: [OK],
    own: true,
    ...FROM,
  }),
];

export const CONNECTION_ROWS: readonly Row[] = [...SLOW, ...TUNNELS, ...PROXY];
