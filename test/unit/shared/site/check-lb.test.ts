// Objects of lb that go together, that do not, and that make one wonder.
import { describe, expect, test } from 'vitest';
import { warnSite } from '../../../../shared/site/check.ts';
import { PEM } from './any-lb-object.ts';
import { pools, problemsOf, section } from './dns-problems.ts';

const listeners = (...lines: string[]) => section('listeners', ...lines);
const routes = (...lines: string[]) => section('routes', ...lines);
const vservers = (...lines: string[]) => section('vservers', ...lines);
const PORTED = '{ name: p, targets: ["10.0.0.5:8080"] }';
const BARE = '{ name: bare, targets: [10.0.0.5] }';
const WEB = '{ name: web, at: "0.0.0.0:80", protocol: http }';
const CERTIFICATE = section('certificates', `{ name: w, chain: ${JSON.stringify(PEM)} }`);
const TLS = '{ name: tls, at: "0.0.0.0:443", protocol: https, certificates: w }';

describe('goes together', () => {
  test.each<[string, string[]]>([
    [
      'both families, other ports, other addresses',
      [
        ...listeners(
          '{ name: a, at: ["0.0.0.0:80", "[::]:80"], protocol: http }',
          '{ name: b, at: ["10.0.0.1:81", "10.0.0.2:81"], protocol: http }',
          '{ name: c, at: "10.0.0.3:81", protocol: http }',
        ),
        ...routes('{ name: r, pool: p }'),
        ...pools(PORTED),
      ],
    ],
    [
      'a listener beside a virtual server',
      [
        ...listeners('{ name: a, at: ["198.51.100.10:81", "0.0.0.0:80"], protocol: tcp, pool: p }'),
        ...vservers(
          '{ at: "198.51.100.10:80/tcp", pool: p }',
          '{ at: "198.51.100.10:81/udp", pool: p }',
        ),
        ...pools(PORTED),
      ],
    ],
    [
      'targets without ports of streams and of virtual servers',
      [
        ...listeners(
          '{ name: a, at: "0.0.0.0:5432", protocol: tcp, pool: bare }',
          '{ name: b, at: "0.0.0.0:993", protocol: tls, names: [{ name: a.b, pool: bare }] }',
        ),
        ...vservers('{ at: "198.51.100.10:8000-8099/tcp", pool: bare }'),
        ...pools(BARE),
      ],
    ],
    [
      'one pool of two virtual servers, by protocol, by port, and dsr',
      [
        ...vservers(
          '{ at: "198.51.100.10:53/udp", pool: bare }',
          '{ at: "198.51.100.10:53/tcp", pool: bare }',
          '{ at: "198.51.100.11:54/udp", pool: bare }',
          '{ at: "198.51.100.12:53/udp", pool: bare, mode: dsr }',
          '{ at: "198.51.100.12:8080/udp", pool: p, mode: dsr }',
        ),
        ...pools(BARE, PORTED),
      ],
    ],
    [
      'routes that match alike but for something',
      [
        ...listeners(WEB, '{ name: web2, at: "0.0.0.0:81", protocol: http }'),
        ...routes(
          '{ name: a, pool: p, listeners: web }',
          '{ name: b, pool: p, listeners: web2 }',
          '{ name: c, pool: p, listeners: web, hosts: a.b }',
          '{ name: d, pool: p, listeners: web, hosts: "*.a.b" }',
          '{ name: e, pool: p, listeners: web, paths: /a }',
          '{ name: f, pool: p, listeners: web, methods: GET }',
          '{ name: g, pool: p, listeners: web, methods: [GET, POST] }',
          '{ name: h, pool: p, listeners: web, headers: [{ name: x-a }] }',
          '{ name: i, pool: p, listeners: web, headers: [{ name: x-a, value: b }] }',
        ),
        ...pools(PORTED),
      ],
    ],
    [
      'an address at two ports',
      [
        ...listeners(WEB),
        ...routes('{ name: r, pool: two }'),
        ...pools('{ name: two, targets: ["10.0.0.5:80", "10.0.0.5:81"] }'),
      ],
    ],
  ])('%s', (_, lines) => {
    expect(problemsOf(lines.join('\n'))).toEqual([]);
  });
});

describe('is refused', () => {
  test.each<[string, string[], string[]]>([
    [
      'what names nothing',
      [
        ...vservers('{ at: "198.51.100.10:80/tcp", pool: x }'),
        ...listeners(
          '{ name: a, at: "0.0.0.0:80", protocol: tcp, pool: x }',
          '{ name: b, at: "0.0.0.0:81", protocol: tls, pool: y, names: [{ name: a.b, pool: x }] }',
          '{ name: c, at: "0.0.0.0:82", protocol: https, certificates: [w] }',
        ),
        ...routes('{ name: r, listeners: [x], pool: x }'),
      ],
      [
        '2:41 vserver 198.51.100.10:80/tcp: there is no pool "x" (add it under pools)',
        '4:55 listener a: there is no pool "x" (add it under pools)',
        '5:55 listener b: there is no pool "y" (add it under pools)',
        '5:85 listener b: there is no pool "x" (add it under pools)',
        '6:66 listener c: there is no certificate "w" (add it under certificates)',
        '8:28 route r: there is no listener "x" (add it under listeners)',
        '8:38 route r: there is no pool "x" (add it under pools)',
      ],
    ],
    [
      'a place of two listeners, or one within the other',
      listeners(
        '{ name: a, at: "10.0.0.1:80", protocol: http }',
        '{ name: b, at: ["10.0.0.1:80", "[::1]:80"], protocol: http }',
        '{ name: c, at: ["0.0.0.0:80", "[::]:80"], protocol: http }',
        '{ name: d, at: ["10.0.0.2:81", "0.0.0.0:81"], protocol: http }',
      ),
      [
        '3:21 listener b: 10.0.0.1:80 is within 10.0.0.1:80 of listener a',
        '4:21 listener c: 0.0.0.0:80 is within 10.0.0.1:80 of listener a',
        '4:35 listener c: [::]:80 is within [::1]:80 of listener b',
        '5:36 listener d: 0.0.0.0:81 is within 10.0.0.2:81',
      ],
    ],
    [
      'a virtual server before a listener',
      [
        ...listeners('{ name: a, at: "198.51.100.10:8080", protocol: tcp, pool: p }'),
        ...vservers('{ at: "198.51.100.10:8000-8099/tcp", pool: p }'),
        ...pools(PORTED),
      ],
      [
        '4:11 vserver 198.51.100.10:8000-8099/tcp: takes the packets of listener a at 198.51.100.10:8080',
      ],
    ],
    [
      'ports of two virtual servers',
      [
        ...vservers(
          '{ at: "198.51.100.10:80-90/tcp", pool: p, mode: nat }',
          '{ at: "198.51.100.10:90-95/tcp", pool: bare, mode: dsr }',
        ),
        ...pools(BARE, '{ name: p, targets: [10.0.0.6] }'),
      ],
      ['3:11 vserver 198.51.100.10:90-95/tcp: has ports of 198.51.100.10:80-90/tcp'],
    ],
    [
      'a target of two nat servers',
      [
        ...vservers(
          '{ at: "198.51.100.10:8000-8099/udp", pool: bare }',
          '{ at: "198.51.100.11:8099/udp", pool: bare }',
          '{ at: "198.51.100.12:1/udp", pool: p }',
          '{ at: "198.51.100.13:2/udp", pool: p }',
        ),
        ...pools(BARE, '{ name: p, targets: ["10.0.0.6:53"] }'),
      ],
      [
        '3:43 vserver 198.51.100.11:8099/udp: its target 10.0.0.5:8099/udp serves 198.51.100.10:8000-8099/udp already: whose reply would it send? (another port of the target, or `mode: dsr`)',
        '5:40 vserver 198.51.100.13:2/udp: its target 10.0.0.6:53/udp serves 198.51.100.12:1/udp already: whose reply would it send? (another port of the target, or `mode: dsr`)',
      ],
    ],
    [
      'what L4 cannot send',
      [
        ...vservers(
          '{ at: "198.51.100.10:80/tcp", pool: six }',
          '{ at: "198.51.100.10:81/tcp", pool: p, mode: dsr }',
          '{ at: "198.51.100.10:1000-2999/tcp", pool: high }',
          '{ at: "10.0.0.5:82/tcp", pool: bare }',
        ),
        ...pools(
          '{ name: six, targets: ["2001:db8::5"] }',
          PORTED,
          '{ name: high, targets: ["10.0.0.6:65000"] }',
          BARE,
        ),
      ],
      [
        '2:41 vserver 198.51.100.10:80/tcp: pool six has 2001:db8::5; L4 has IPv4 targets only (a pool of its own for the IPv6 targets, behind L7)',
        '3:41 vserver 198.51.100.10:81/tcp: pool p has 10.0.0.5:8080, and dsr changes no port (leave its port out, or make it 81)',
        '4:48 vserver 198.51.100.10:1000-2999/tcp: of pool high 10.0.0.6:65000 has no room for the range (at most 63536 as its port)',
        '5:36 vserver 10.0.0.5:82/tcp: pool bare has the address of the server itself (name another target)',
      ],
    ],
    [
      'a route of a stream',
      [
        ...listeners('{ name: a, at: "0.0.0.0:1", protocol: tcp, pool: p }'),
        ...routes('{ name: r, listeners: a, pool: p }'),
        ...pools(PORTED),
      ],
      ['4:16 route r: listener a is tcp, which has no routes (its pool is in the listener itself)'],
    ],
    [
      'targets without a port of a route',
      [
        ...listeners(WEB),
        ...routes('{ name: r, pool: bare }', '{ name: s, pool: six, hosts: a.b }'),
        ...pools(BARE, '{ name: six, targets: ["2001:db8::5"] }'),
      ],
      [
        '4:22 route r: pool bare has target 10.0.0.5 without a port for requests (write it with its port, such as "10.0.0.5:80")',
        '5:22 route s: pool six has target 2001:db8::5 without a port for requests (write it with its port, such as "[2001:db8::5]:80")',
      ],
    ],
    [
      'routes that match the same',
      [
        ...listeners(WEB, TLS),
        ...CERTIFICATE,
        ...routes(
          '{ name: a, pool: p }',
          '{ name: b, listeners: [tls], respond: { status: 404 }, paths: / }',
          '{ name: c, pool: p, hosts: [x.y, a.b], paths: [/a, /b], methods: [GET, POST] }',
          '{ name: d, pool: p, hosts: [a.b], paths: [/b, /c], methods: [POST, GET] }',
        ),
        ...pools(PORTED),
      ],
      [
        '8:5 route b: matches the same as route a: listener tls, any host, path / (give one of them another host, path or condition)',
        '10:5 route d: matches the same as route c: listener web, host a.b, path /b (give one of them another host, path or condition)',
      ],
    ],
    [
      'a record of a pool with an address at two ports',
      [
        ...pools('{ name: two, targets: ["10.0.0.5:80", "10.0.0.5:81"] }'),
        ...section('records', '{ name: w, type: A, lines: { default: { pool: two } } }'),
      ],
      [
        '4:51 record w/A: pool two has 10.0.0.5 at several ports, and an answer has addresses alone',
      ],
    ],
  ])('%s', (_, lines, expected) => {
    expect(problemsOf(lines.join('\n'))).toEqual(expected);
  });
});

describe('is a warning', () => {
  test.each<[string, string[], string[]]>([
    [
      'a listener that no route serves',
      [
        ...listeners(WEB, TLS),
        ...CERTIFICATE,
        ...routes('{ name: a, listeners: tls, pool: p }'),
        ...pools(PORTED),
      ],
      ['2:13 listener web: no route is for it: every request is answered 404'],
    ],
    ['a certificate of nobody', CERTIFICATE, ['2:13 certificate w: no listener names it']],
    [
      'whom anybody can be',
      [
        ...listeners(
          '{ name: a, at: "0.0.0.0:1", protocol: http, trusted: [10.0.0.0/8, "::/0"] }',
          '{ name: b, at: "0.0.0.0:2", protocol: tcp, pool: p, proxyFrom: [0.0.0.0/0] }',
        ),
        ...routes('{ name: r, pool: p }'),
        ...pools(PORTED),
      ],
      [
        '2:71 listener a: anybody may say in X-Forwarded-For who the client is',
        '3:69 listener b: every client needs a PROXY header, and may say who it is',
      ],
    ],
    [
      'a redirect in a circle',
      [
        ...listeners(WEB, TLS),
        ...CERTIFICATE,
        ...routes(
          '{ name: a, redirect: { to: "https://{host}{path}{query}" } }',
          '{ name: b, listeners: web, redirect: { to: "https://{host}{path}" }, hosts: a.b }',
          '{ name: c, listeners: tls, redirect: { to: "{scheme}://{host}{path}" }, hosts: a.c }',
        ),
      ],
      [
        '7:32 route a: leads clients of listener tls back to where they are, again and again (name the other listeners under listeners)',
        '9:48 route c: leads clients of listener tls back to where they are, again and again (name the other listeners under listeners)',
      ],
    ],
    [
      'a pool without targets',
      [
        ...vservers('{ at: "198.51.100.10:80/tcp", pool: none }'),
        ...listeners('{ name: a, at: "0.0.0.0:1", protocol: tcp, pool: none }', WEB),
        ...routes('{ name: r, pool: none }'),
        ...pools('{ name: none, targets: [] }'),
      ],
      [
        '2:41 vserver 198.51.100.10:80/tcp: pool none has no targets',
        '4:54 listener a: pool none has no targets',
        '7:22 route r: pool none has no targets',
      ],
    ],
    [
      'an override of a port that no target has',
      [
        ...pools(PORTED),
        ...section(
          'overrides',
          '{ address: 10.0.0.5, state: up, who: a, why: b }',
          '{ address: 10.0.0.5, port: 8080, state: up, who: a, why: b }',
          '{ address: 10.0.0.5, port: 8080, pool: p, state: up, who: a, why: b }',
          '{ address: 10.0.0.5, port: 8081, pool: p, state: up, who: a, why: b }',
        ),
      ],
      ['7:16 override 10.0.0.5:8081/p: 10.0.0.5:8081 is no target of p'],
    ],
  ])('%s', (_, lines, expected) => {
    expect(problemsOf(lines.join('\n'))).toEqual([]);
    const warnings = problemsOf(lines.join('\n'), (items) => warnSite(items, 1_790_000_000));
    expect(warnings).toEqual(expected);
  });
});
