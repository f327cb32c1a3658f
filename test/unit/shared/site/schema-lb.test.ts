// Objects of lb that are wrong in themselves, and where in the site file.
import { describe, expect, test } from 'vitest';
import { ALGORITHMS } from '../../../../shared/site/lb-objects.ts';
import { PEM } from './any-lb-object.ts';
import { pools, problemsOf, section } from './dns-problems.ts';

const listener = (more: string) => section('listeners', `{ name: a, at: "0.0.0.0:80", ${more} }`);
const route = (more: string) => section('routes', `{ name: a, ${more} }`);
const proxy = (more: string) => pools(`{ name: p, targets: [], proxy: { ${more} } }`);
const certificate = (chain: string) =>
  section('certificates', JSON.stringify({ name: 'a', chain }));
const algorithms = ALGORITHMS.map((each) => `"${each}"`).join(' or ');
const KEY = '-----BEGIN EC PRIVATE KEY-----\nAAAA\n-----END EC PRIVATE KEY-----\n';
const TEXT = 'it is text from -----BEGIN CERTIFICATE----- to -----END CERTIFICATE-----';

describe('is refused', () => {
  test.each<[string, string[], string[]]>([
    // Virtual servers.
    [
      'no protocol',
      section('vservers', '{ at: "198.51.100.10:80", pool: p }'),
      [
        '2:11 "198.51.100.10:80" is not address:port/protocol, such as 198.51.100.10:80/tcp or 198.51.100.10:8000-8099/udp',
      ],
    ],
    [
      'a virtual server of IPv6',
      section('vservers', '{ at: "[2001:db8::1]:80/tcp", pool: p }'),
      [
        '2:11 "[2001:db8::1]:80/tcp" is not address:port/protocol, such as 198.51.100.10:80/tcp or 198.51.100.10:8000-8099/udp',
      ],
    ],
    [
      'another mode',
      section('vservers', '{ at: "198.51.100.10:80/tcp", pool: p, mode: nut }'),
      ['2:50 expected "nat" or "dsr", this is "nut" (did you mean "nat"?)'],
    ],
    // Listeners.
    [
      'a name to listen at',
      section('listeners', '{ name: a, at: ["localhost:80"], protocol: http }'),
      ['2:21 "localhost:80" is not address:port such as 0.0.0.0:80 or [::]:443'],
    ],
    [
      'nowhere, twice, by an unknown protocol',
      section(
        'listeners',
        '{ name: a, at: [], protocol: http }',
        '{ name: b, at: ["0.0.0.0:80", "0.0.0.0:80"], protocol: http }',
      ),
      [
        '2:20 listens nowhere (at has one or more of address:port such as 0.0.0.0:80 or [::]:443)',
        '3:35 0.0.0.0:80 is there twice',
      ],
    ],
    [
      'an unknown protocol',
      listener('protocol: htps'),
      ['2:44 expected "http" or "https" or "tcp" or "tls", this is "htps" (did you mean "https"?)'],
    ],
    [
      'https without a certificate',
      listener('protocol: https'),
      ['2:44 https without a certificate (name certificate objects under certificates)'],
    ],
    [
      'what is nothing of the protocol',
      listener('protocol: http, certificates: [w], minTls: 1.3, pool: p'),
      [
        '2:64 certificates is nothing of http (it is of https)',
        '2:77 minTls is nothing of http (it is of https)',
        '2:88 pool is nothing of http (it is of tcp and tls)',
      ],
    ],
    [
      'what is nothing of a stream',
      listener('protocol: tcp, pool: p, http2: true, trusted: [192.0.2.0/24]'),
      [
        '2:65 http2 is nothing of tcp (it is of http and https)',
        '2:80 trusted is nothing of tcp (it is of http and https)',
      ],
    ],
    ['tcp without a pool', listener('protocol: tcp'), ['2:44 tcp without a pool']],
    [
      'tls without a pool',
      listener('protocol: tls'),
      ['2:44 tls without a pool and without names'],
    ],
    [
      'a name twice',
      listener('protocol: tls, names: [{ name: a.b, pool: p }, { name: A.B, pool: q }]'),
      ['2:81 a.b is there twice'],
    ],
    [
      'clients without a CA',
      listener('protocol: https, certificates: w, clientCertificate: required'),
      ['2:87 clientCertificate required without clientCa'],
    ],
    [
      'a CA without clients',
      listener(
        `protocol: https, certificates: w, clientCa: ${JSON.stringify(PEM)}, clientCertificate: none`,
      ),
      ['2:719 clientCa has no use where no client is asked'],
    ],
    [
      'an old TLS',
      listener('protocol: https, certificates: w, minTls: 1.1'),
      ['2:76 expected "1.2" or "1.3", this is "1.1"'],
    ],
    [
      'host bits',
      listener('protocol: http, allow: [192.0.2.1/24]'),
      ['2:58 "192.0.2.1/24" has bits set beyond /24: write 192.0.2.0/24'],
    ],
    // Certificates.
    [
      'a private key',
      certificate(PEM + KEY),
      [
        '2:25 chain holds a private key, which is never stored (leave only the certificates; the key is the file <keyDirectory>/NAME.key of each lb)',
      ],
    ],
    ['no PEM', certificate('MIIB'), [`2:25 chain is no certificate in PEM (${TEXT})`]],
    ['cut', certificate(PEM.slice(0, -30)), [`2:25 chain is no certificate in PEM (${TEXT})`]],
    ['damaged', certificate(PEM + PEM.replace('MII', 'MIJ')), ['2:25 chain block 2 is damaged']],
    [
      'a request',
      certificate(PEM.replaceAll('CERTIFICATE', 'CERTIFICATE REQUEST')),
      ['2:25 chain is CERTIFICATE REQUEST, not a certificate'],
    ],
    [
      'neither text nor file',
      section('certificates', '{ name: a }'),
      ['2:5 chain is missing (give the text, or the name of a file)'],
    ],
    [
      'a file that nobody reads',
      section('certificates', '{ name: a, file: a.pem }'),
      ['2:22 a.pem cannot be read from here'],
    ],
    // Routes: what they match.
    [
      'hosts that are none',
      route('pool: p, hosts: ["*", "a.*", "b:80", "bücher.example", "a..b"]'),
      [
        '2:33 "*" is any name: leave it out',
        '2:38 "a.*" has a * that is not the whole first label, as in *.example.com',
        '2:45 "b:80" has a port: routes are chosen by the name alone',
        '2:53 "bücher.example" has letters beyond ASCII: write it as xn--…',
        '2:71 "a..b" is not a name such as www.example.com or *.example.com',
      ],
    ],
    [
      'paths that are none',
      route('pool: p, paths: [a, /a?b, /a/*, /a/../b, /%41, "/a b", //a]'),
      [
        '2:33 "a" is not a path such as /api',
        '2:36 "/a?b" has a ? or #: routes see the path alone',
        '2:42 "/a/*" ends in a *: a path is a prefix by itself',
        '2:48 "/a/../b" has . or .. as a segment: requests are compared without',
        '2:57 "/%41" has an escape that requests are compared without: write the character',
        '2:63 "/a b" is not a path such as /api',
        '2:71 "//a" is not a path such as /api',
      ],
    ],
    [
      'what is there twice',
      route(
        'pool: p, hosts: [a.b, A.B.], paths: [/a, /a/], methods: [GET, get], listeners: [l, l]',
      ),
      [
        '2:38 a.b is there twice',
        '2:57 /a is there twice',
        '2:78 GET is there twice',
        '2:99 l is there twice',
      ],
    ],
    [
      "methods that are none, or nobody's",
      route('pool: p, methods: ["G T"]'),
      ['2:35 "G T" is not a method such as GET'],
    ],
    [
      'methods that are never sent on',
      route('pool: p, methods: [TRACE, CONNECT]'),
      [
        '2:35 TRACE is never sent on: the balancer answers it',
        '2:42 CONNECT is never sent on: the balancer answers it',
      ],
    ],
    [
      'conditions that cannot be',
      route('pool: p, headers: [{ name: X-A }, { name: x-a, value: " b" }]'),
      ['2:50 x-a is there twice', '2:50 the value of x-a is not printable ASCII'],
    ],
    // Routes: what becomes of them.
    ['no action', route('hosts: [a.b]'), ['2:5 needs exactly one of pool, redirect and respond']],
    [
      'two actions',
      route('pool: p, respond: { status: 503 }'),
      ['2:5 needs exactly one of pool, redirect and respond'],
    ],
    [
      'an unknown field of a redirect',
      route('redirect: { to: "https://{host}{uri}" }'),
      ['2:32 "https://{host}{uri}" has {uri} (there are {scheme}, {host}, {path}, {query})'],
    ],
    [
      'where no redirect leads',
      section(
        'routes',
        '{ name: a, redirect: { to: www.example.com } }',
        '{ name: b, redirect: { to: //x } }',
        '{ name: c, redirect: { to: "/{path}" } }',
        '{ name: d, redirect: { to: "{path}/" } }',
        '{ name: e, redirect: { to: "https://a/b c" } }',
      ),
      ['www.example.com', '//x', '/{path}', '{path}/', 'https://a/b c'].map(
        (to, at) =>
          `${at + 2}:32 ${JSON.stringify(to)} is not where a redirect can lead (such as https://{host}{path}{query}, or a path of the same host such as /new)`,
      ),
    ],
    [
      'a status of no redirect',
      route('redirect: { status: 200, to: / }'),
      ['2:36 expected 301 or 302 or 303 or 307 or 308, this is 200'],
    ],
    [
      'a body where there is none',
      route('respond: { status: 204, body: x }'),
      ['2:46 a 204 has no body'],
    ],
    [
      'what only a pool has a use for',
      route('respond: { status: 410 }, rewritePath: /b, compress: true, request: { remove: X-A }'),
      [
        '2:55 rewritePath has no use: the balancer answers itself',
        '2:69 compress has no use: the balancer answers itself',
        '2:84 request has no use: the balancer answers itself',
      ],
    ],
    [
      "edits that are not a route's to make",
      route(
        'pool: p, request: { set: { Host: b, X_A: b, Connection: close }, remove: [Content-Length] }',
      ),
      [
        '2:49 Host is not edited as a field (write rewriteHost)',
        '2:57 "X_A" has an underscore (fields whose name has one are never sent on)',
        '2:72 Connection belongs to the connection, or to the balancer itself (it is written anew for each hop)',
        '2:90 Content-Length belongs to the connection, or to the balancer itself (it is written anew for each hop)',
      ],
    ],
    [
      'a field twice, and values that are none',
      route('pool: p, response: { set: { X-A: " b", x-a: c }, add: { X-B: "é" }, remove: [X-A] }'),
      [
        '2:49 the value of X-A is not printable ASCII without blanks at its ends',
        '2:60 x-a is there twice (upper and lower case are the same)',
        '2:77 the value of X-B is not printable ASCII without blanks at its ends',
        '2:93 X-A is there twice (upper and lower case are the same)',
      ],
    ],
    [
      'a name that is none',
      route('pool: p, request: { remove: ["X A"] }'),
      ['2:45 "X A" is not the name of a header field, such as X-Request-Source'],
    ],
    [
      'a rate that is none',
      route('pool: p, rateLimit: { rate: 100 }'),
      ['2:44 expected requests in a time, such as 100/s, 5/m or 1000/10s, this is 100'],
    ],
    [
      'a rate of nothing',
      route('pool: p, rateLimit: { rate: 0/s }'),
      ['2:44 "0/s" is not requests in a time, such as 100/s, 5/m or 1000/10s'],
    ],
    [
      'a timeout beyond',
      route('pool: p, timeouts: { connect: 1ms, tunel: 1h }'),
      ['2:46 must be 10ms to 1h', '2:51 unknown key "tunel" (did you mean "tunnel"?)'],
    ],
    // Pools.
    [
      'a target that is none',
      pools(
        '{ name: p, targets: ["10.0.0.5:0", "2001:db8::1:x", { address: 10.0.0.5, port: 70000 }] }',
      ),
      [
        '2:26 "10.0.0.5:0" is not an address such as 10.0.0.5 or 10.0.0.5:8080',
        '2:40 "2001:db8::1:x" is not an address such as 10.0.0.5 or 10.0.0.5:8080',
        '2:84 must be at most 65535',
      ],
    ],
    [
      'an unknown key of a target',
      pools('{ name: p, targets: [{ address: 10.0.0.5, wieght: 1 }] }'),
      ['2:47 unknown key "wieght" (did you mean "weight"?)'],
    ],
    [
      'a target twice, with and without a port',
      pools('{ name: p, targets: ["10.0.0.5:80", { address: 10.0.0.5, port: 80 }, 10.0.0.5] }'),
      [
        '2:26 target 10.0.0.5 is there with and without a port (give each of them one)',
        '2:52 target 10.0.0.5:80 is there twice (give it one weight)',
        '2:52 target 10.0.0.5 is there with and without a port (give each of them one)',
      ],
    ],
    [
      'nothing to probe',
      pools('{ name: p, targets: ["10.0.0.5:80", 10.0.0.6], check: { type: tcp } }'),
      [
        '2:59 the check has no port, and target 10.0.0.6 has none (give the one or the other a port)',
      ],
    ],
    [
      'an unknown algorithm',
      proxy('algorithm: roundrobin'),
      [`2:49 expected ${algorithms}, this is "roundrobin" (did you mean "round-robin"?)`],
    ],
    [
      'what the algorithm has no use for',
      proxy('hash: uri, bound: 150'),
      ['2:44 hash has no use with round-robin', '2:56 bound has no use with round-robin'],
    ],
    [
      'a bound below the mean',
      proxy('algorithm: ring, bound: 50'),
      ['2:62 bound 50 is less than the mean: 0 is none, 100 and more is one'],
    ],
    [
      'h2c with TLS or PROXY',
      proxy('protocol: h2c, tls: {}, sendProxy: 1'),
      [
        '2:58 h2c is without TLS: leave out one of them',
        '2:73 sendProxy is for one client a connection, h2c has many on one',
      ],
    ],
    [
      'a cookie that is none',
      proxy('sticky: { cookie: "a b" }'),
      ['2:56 "a b" is not the name of a cookie, such as lb'],
    ],
    [
      'a hash of nothing',
      proxy('algorithm: ring, hash: { query: a }'),
      ['2:55 "header" is missing', '2:63 unknown key "query"'],
    ],
    [
      'a CA with its key',
      proxy(`tls: { ca: ${JSON.stringify(KEY)} }`),
      [
        '2:49 ca holds a private key, which is never stored (leave only the certificates; the key is the file <keyDirectory>/NAME.key of each lb)',
      ],
    ],
    [
      'statuses that are no failures',
      proxy('retries: { statuses: [200, 503, 503] }'),
      ['2:60 must be at least 400'],
    ],
  ])('%s', (_, lines, expected) => {
    expect(problemsOf(lines.join('\n'))).toEqual(expected);
  });
});

describe('a file that is named', () => {
  const text = section(
    'certificates',
    '{ name: a, file: good.pem }',
    '{ name: b, file: key.pem }',
    '{ name: c, file: none.pem }',
    '{ name: d, file: good.pem, chain: x }',
  ).join('\n');
  const files: Record<string, string> = { 'good.pem': PEM, 'key.pem': KEY };
  const read = (path: string) => {
    const found = files[path];
    return found === undefined ? { problem: 'does not exist' } : { text: found };
  };

  test('is told of at its name', () => {
    expect(problemsOf(text, undefined, read)).toEqual([
      '3:22 chain holds a private key, which is never stored (leave only the certificates; the key is the file <keyDirectory>/NAME.key of each lb)',
      '4:22 none.pem does not exist',
      '5:22 is there beside the text itself (leave out one of them)',
    ]);
  });
});
