// Rows about how a request and its response go together: interim responses, Expect, early answers,
// and what is tried again (RFC 9110, 9.2.2, 10.1.1 and 15.2; RFC 9112, 9.3.1 and 9.5).
import { DEFAULT_PROXY } from '../../../../shared/site/lb-objects.ts';
import {
  answers,
  answersHead,
  atClient,
  atTarget,
  FIN,
  get,
  OK,
  post,
  type Row,
  RST,
  row,
} from './row.ts';

const CLOSING = 'HTTP/1.1 200 OK\nContent-Length: 2\nConnection: close\n\nok';

const INTERIM: readonly Row[] = [
  row('60a', '9110 15.2', '103, then 200', {
    client: [get()],
    target: [answers(`HTTP/1.1 103 Early Hints\nLink: </x>\n\n${OK}`)],
    sent: [get()],
    heard: ['HTTP/1.1 103 Early Hints\nLink: </x>\n\n', OK],
  }),
  row('60b', '9110 15.2', '103, then 200, to HTTP/1.0', {
    client: ['GET / HTTP/1.0\nHost: a\n\n'],
    target: [answers(`HTTP/1.1 103 Early Hints\nLink: </x>\n\n${OK}`)],
    sent: [get()],
    heard: [CLOSING],
    left: 'closed',
  }),
  row('A140', '9110 15.2', '20 interim responses', {
    client: [get()],
    target: [answers('HTTP/1.1 103 x\n\n'.repeat(20) + OK)],
    sent: [get()],
    heard: [...Array.from({ length: 20 }, () => 'HTTP/1.1 103 x\n\n'), OK],
  }),
  row('A141', '9110 15.2', '1000 interim responses', {
    client: [get()],
    target: [answers('HTTP/1.1 103 x\n\n'.repeat(1000) + OK)],
    sent: [get()],
    heard: [...Array.from({ length: 32 }, () => 'HTTP/1.1 103 x\n\n'), 502],
    upstream: 'dropped',
  }),
  row('A142', '9110 15.2', '103 with CL and a body', {
    client: [get()],
    target: [answers(`HTTP/1.1 103 x\nContent-Length: 4\n\nevil`)],
    sent: [get()],
    heard: ['HTTP/1.1 103 x\n\n', 502],
    upstream: 'dropped',
  }),
  row('A143', '9110 15.2.1', '100 that nobody waits for', {
    client: [get()],
    target: [answers(`HTTP/1.1 100 Continue\n\n${OK}`)],
    sent: [get()],
    heard: ['HTTP/1.1 100 Continue\n\n', OK],
  }),
];

const EXPECTING = post('Expect: 100-continue\nContent-Length: 3\n');
const EXPECT: readonly Row[] = [
  row('57', '9110 10.1.1', 'Expect: 100-continue, and the target says 100', {
    client: [EXPECTING, atClient('100 Continue'), 'abc'],
    target: [answersHead('HTTP/1.1 100 Continue\n\n', atTarget('abc'), OK)],
    sent: [`${EXPECTING}abc`],
    heard: ['HTTP/1.1 100 Continue\n\n', OK],
    watch: ['expect'],
  }),
  row('58', '9110 10.1.1', 'Expect: 100-continue, and the target refuses', {
    unfinished: true,
    client: [EXPECTING],
    target: [answersHead('HTTP/1.1 403 Forbidden\nContent-Length: 2\n\nno')],
    sent: [EXPECTING],
    heard: ['HTTP/1.1 403 Forbidden\nContent-Length: 2\nConnection: close\n\nno'],
    left: 'closed',
    upstream: 'dropped',
    watch: ['expect'],
  }),
  row('A145', '9110 10.1.1', 'Expect: 100-continue, and the body comes at once', {
    client: [`${EXPECTING}abc`],
    sent: [`${EXPECTING}abc`],
    heard: [OK],
    watch: ['expect'],
  }),
  row('A146', '9110 10.1.1', 'Expect of HTTP/1.0 is not sent on', {
    client: ['POST / HTTP/1.0\nHost: a\nExpect: 100-continue\nContent-Length: 3\n\nabc'],
    sent: [post('Content-Length: 3\n', 'abc')],
    heard: [CLOSING],
    left: 'closed',
    watch: ['expect'],
  }),
  row('A147', '9110 10.1.1', 'refused, and the body comes all the same', {
    unfinished: true,
    client: [EXPECTING, atClient('403'), 'GET'],
    target: [answersHead('HTTP/1.1 403 Forbidden\nContent-Length: 2\n\nno')],
    sent: [EXPECTING],
    heard: ['HTTP/1.1 403 Forbidden\nContent-Length: 2\nConnection: close\n\nno'],
    left: 'closed',
    upstream: 'dropped',
  }),
];

const LONG = post('Content-Length: 10\n', 'ab');
const EARLY: readonly Row[] = [
  row('73a', '9.5', '413 before the body is there', {
    unfinished: true,
    client: [LONG],
    target: [answersHead('HTTP/1.1 413 Content Too Large\nContent-Length: 2\n\nno')],
    sent: [LONG],
    heard: ['HTTP/1.1 413 Content Too Large\nContent-Length: 2\nConnection: close\n\nno'],
    left: 'closed',
    upstream: 'dropped',
  }),
  row('73b', '9.5', '200 before the body is there', {
    unfinished: true,
    client: [LONG],
    target: [answersHead(OK)],
    sent: [LONG],
    heard: [CLOSING],
    left: 'closed',
    upstream: 'dropped',
  }),
  row('A150', '9.5', '413 and Connection: close, with a FIN', {
    unfinished: true,
    client: [LONG],
    target: [answersHead('HTTP/1.1 413 x\nConnection: close\nContent-Length: 2\n\nno', FIN)],
    sent: [LONG],
    heard: ['HTTP/1.1 413 x\nContent-Length: 2\nConnection: close\n\nno'],
    left: 'closed',
    upstream: 'dropped',
  }),
];

const two = (second: string) => [get('', '/1'), atClient('ok'), second];
const PUT = 'PUT / HTTP/1.1\nHost: a\nContent-Length: 3\n\nabc';
const AGAIN: readonly Row[] = [
  row('74a', '9.3.1', 'GET, and the kept connection ends without a word', {
    client: two(get('', '/2')),
    target: [answers(OK), answers(FIN)],
    sent: [get('', '/1'), get('', '/2'), get('', '/2')],
    heard: [OK, OK],
  }),
  row('74b', '9.3.1', 'PUT, and the kept connection is reset', {
    client: two(PUT),
    target: [answers(OK), answers(RST)],
    sent: [get('', '/1'), PUT, PUT],
    heard: [OK, OK],
  }),
  row('74c', '9110 9.2.2', 'POST, and the kept connection ends without a word', {
    client: two(post('Content-Length: 3\n', 'abc')),
    target: [answers(OK), answers(FIN)],
    sent: [get('', '/1'), post('Content-Length: 3\n', 'abc')],
    heard: [OK, 502],
    upstream: 'dropped',
  }),
  row('A151', '9.3.1', 'DELETE, and the kept connection ends without a word', {
    client: two('DELETE / HTTP/1.1\nHost: a\n\n'),
    target: [answers(OK), answers(FIN)],
    sent: [get('', '/1'), 'DELETE / HTTP/1.1\nHost: a\n\n', 'DELETE / HTTP/1.1\nHost: a\n\n'],
    heard: [OK, OK],
  }),
  row('75a', '9110 15.6.4', 'nobody listens at the target', {
    client: [get()],
    heard: [503],
    upstream: 'unused',
    setup: { dead: 'only' },
  }),
  row('75b', '9110 9.2.2', 'nobody listens at one of two: POST', {
    client: [`${post('Content-Length: 2\n', 'ab')}${post('Content-Length: 2\n', 'cd')}`],
    sent: [post('Content-Length: 2\n', 'ab'), post('Content-Length: 2\n', 'cd')],
    heard: [OK, OK],
    setup: { dead: 'first' },
  }),
  row('75c', '9110 15.6.5', 'the target says nothing for headMs', {
    client: [get()],
    target: [answers()],
    sent: [get()],
    heard: [504],
    upstream: 'dropped',
    setup: { proxy: { timeouts: { ...DEFAULT_PROXY.timeouts, headMs: 1000 } } },
  }),
  row('76a', '9110 9.2.2', 'GET, and the kept connection ends behind a byte', {
    client: two(get('', '/2')),
    target: [answers(OK), answers('HTTP/1.1 2', FIN)],
    sent: [get('', '/1'), get('', '/2')],
    heard: [OK, 502],
    upstream: 'dropped',
  }),
  row('76b', '9110 9.2.2', 'a fresh connection ends without a word', {
    client: [get()],
    target: [answers(RST)],
    sent: [get()],
    heard: [502],
    upstream: 'dropped',
  }),
];

export const EXCHANGE_ROWS: readonly Row[] = [...INTERIM, ...EXPECT, ...EARLY, ...AGAIN];
