// Rows about the request line, the target and Host (RFC 9112, 2 and 3).
import { get, OK, passed, type Row, refused, row } from './row.ts';

const line = (text: string) => `${text}\nHost: a\n\n`;
const hosted = (host: string) => `GET / HTTP/1.1\nHost: ${host}\n\n`;
const POLICY = { left: 'open' } as const;

const LISTED: readonly Row[] = [
  refused('1', '3.2', 'HTTP/1.1 without Host', 'GET / HTTP/1.1\n\n'),
  refused('2', '3.2', 'two Host that differ', 'GET / HTTP/1.1\nHost: a\nHost: b\n\n'),
  refused('3', '3.2', 'two Host that are the same', 'GET / HTTP/1.1\nHost: a\nHost: a\n\n'),
  passed('5a', '9110 4.2.3', 'Host EXAMPLE.com.:80, routed', hosted('EXAMPLE.com.:80'), undefined, {
    setup: { route: { hosts: ['example.com', 'a'] } },
  }),
  passed('5b', '9110 4.2.3', 'Host [::1]:8080, routed', hosted('[::1]:8080')),
  passed(
    '6',
    '3.2.2',
    'an absolute form and another Host',
    line('GET http://b/x HTTP/1.1'),
    'GET /x HTTP/1.1\nHost: b\n\n',
  ),
  passed('7a', '3.2.4', 'OPTIONS *', line('OPTIONS * HTTP/1.1')),
  refused('7b', '3.2.4', 'GET *', line('GET * HTTP/1.1')),
  refused('7c', '3.2.4', 'OPTIONS */x', line('OPTIONS */x HTTP/1.1')),
  refused('8', '9110 9.3.6', 'CONNECT a:80', line('CONNECT a:80 HTTP/1.1'), 405),
  refused('11a', '3', 'two blanks in the request line', line('GET  / HTTP/1.1')),
  refused('11b', '3', 'a tab in the request line', line('GET<TAB>/ HTTP/1.1')),
  refused('12', '2.3', 'HTTP/0.9', 'GET /\n'),
  refused('14a', '9110 15.6.6', 'HTTP/2.0', line('GET / HTTP/2.0'), 505),
  passed('14b', '9110 2.5', 'HTTP/1.2 is taken as 1.1', line('GET / HTTP/1.2'), get()),
  refused('15a', '9110 5.6.2', 'method G@T', line('G@T / HTTP/1.1')),
  passed('15b', '9110 9.1', 'method FOOBAR', line('FOOBAR / HTTP/1.1')),
  passed('16', '2.2', 'two empty lines first', `\n\n${get()}`, get()),
  refused('17', '3', 'a target of 20 kB', line(`GET /${'a'.repeat(20_000)} HTTP/1.1`), 414),
];

const MORE: readonly Row[] = [
  refused('A1', '3', 'a blank within the target', line('GET /a b HTTP/1.1')),
  refused('A2', '3', 'a blank behind the version', line('GET / HTTP/1.1 ')),
  refused('A3', '2.2', 'a blank before the method', ` ${get()}`),
  refused('A4', '2.3', 'a version in lower case', line('GET / http/1.1')),
  refused('A5', '2.3', 'HTTP/1.10', line('GET / HTTP/1.10')),
  refused('A6', '9113 3.4', 'the preface of HTTP/2', 'PRI * HTTP/2.0\n\nSM\n\n', 505),
  refused('A7', '3.2', 'NUL in the target', line('GET /a<NUL>b HTTP/1.1')),
  refused('A8', '3.2', 'a fragment in the target', line('GET /a#b HTTP/1.1')),
  refused('A9', '3.2', 'a byte above 127 in the target', line('GET /\xe9 HTTP/1.1')),
  refused('A10', '3.2', 'a target without its slash', line('GET a HTTP/1.1')),
  refused('A11', '9110 4.2.4', 'user information', line('GET http://u:p@b/ HTTP/1.1')),
  refused('A12', '3.2.2', 'an absolute form of another scheme', line('GET ftp://b/ HTTP/1.1')),
  refused('A13', '3.2', 'an absolute form, and no Host', 'GET http://b/ HTTP/1.1\n\n'),
  passed(
    'A14',
    '3.2.2',
    'an absolute form without a path',
    line('GET http://b?c HTTP/1.1'),
    'GET /?c HTTP/1.1\nHost: b\n\n',
  ),
  refused('A15', '3.2', 'Host with a path', hosted('a/b')),
  refused('A16', '3.2', 'Host with user information', hosted('b@a')),
  refused('A17', '3.2', 'Host with a list', hosted('a, b')),
  refused('A18', '3.2', 'Host with a port of letters', hosted('a:http')),
  refused('A19', '3.2', 'an empty Host', hosted('')),
  row('A20', '3986 2.1', 'an escape that is none: /%zz', {
    client: [get('', '/%zz')],
    heard: [400],
    upstream: 'unused',
    ...POLICY,
    why: 'the path is compared with those of routes',
  }),
  row('A21', 'H2', 'an encoded slash: /a%2fb', {
    client: [get('', '/a%2fb')],
    heard: [400],
    upstream: 'unused',
    ...POLICY,
    why: 'it means two paths to two readers',
  }),
  row('A22', '3986 5.2.4', 'above the root: /../b', {
    client: [get('', '/../b')],
    heard: [400],
    upstream: 'unused',
    ...POLICY,
    why: 'it means two paths to two readers',
  }),
  passed('A23', 'H2', 'dot segments are compared, not rewritten', get('', '/a/./b/../c')),
  passed('A24', '9110 9.1', 'a method in lower case is another one', line('get / HTTP/1.1')),
  row('A25', '2.2', 'a request in single bytes', {
    client: [...'GET /1 HTTP/1.1<']
      .map((each) => each)
      .slice(0, 15)
      .concat('\nHost: a\n\n'),
    sent: [get('', '/1')],
    heard: [OK],
  }),
];

export const LINE_ROWS: readonly Row[] = [...LISTED, ...MORE];
