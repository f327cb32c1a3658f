import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type RequestListener } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { freePorts } from '../../../support/redis.ts';
import { endTargets, listen, SHORT_MS, tcpServer, verdict } from './probe-rig.ts';

afterEach(endTargets);

const plain = { type: 'http', path: '/', status: [200, 399], verify: false } as const;
const secure = { ...plain, type: 'https' } as const;
const local = '127.0.0.1';

function serve(listener: RequestListener, host?: string): Promise<number> {
  return listen(createServer(listener), host);
}

function answers(status: number, body = ''): Promise<number> {
  return serve((_, response) => response.writeHead(status, { location: '/other' }).end(body));
}

/** What a server sends that is none. */
function says(text: string, isLast = true): Promise<number> {
  return tcpServer((socket) => {
    socket.once('data', () => (isLast ? socket.end(text) : socket.write(text)));
  });
}

describe('status', () => {
  test.each([
    [200, 'good: status 200'],
    [204, 'good: status 204'],
    [301, 'good: status 301'],
    [400, 'bad: status 400'],
    [503, 'bad: status 503'],
  ])('%s', async (status, expected) => {
    const port = await answers(status);
    expect(await verdict(local, { ...plain, port })).toBe(expected);
  });

  test('the range is what the check says', async () => {
    const port = await answers(301);
    const only = { ...plain, port, status: [200, 200] } as const;
    expect(await verdict(local, only)).toBe('bad: status 301');
    const teapot = { ...plain, port: await answers(418), status: [418, 418] } as const;
    expect(await verdict(local, teapot)).toBe('good: status 418');
  });

  test('the head decides, however long the body takes', async () => {
    const port = await serve((_, response) => response.writeHead(200).write('a'));
    expect(await verdict(local, { ...plain, port })).toBe('good: status 200');
  });
});

describe('the request', () => {
  async function asked(
    address: string,
    check: { host?: string; path?: string },
  ): Promise<{ request: IncomingMessage; port: number }> {
    const requests: IncomingMessage[] = [];
    const port = await serve((request, response) => {
      requests.push(request);
      response.end();
    }, address);
    await verdict(address, { ...plain, port, ...check });
    expect(requests.length).toBe(1);
    return { request: requests[0] as IncomingMessage, port }; // one, as expected
  }

  test.each([
    ['127.0.0.1', '127.0.0.1'],
    ['::1', '[::1]'],
  ])('%s is the host unless told', async (address, host) => {
    const { request, port } = await asked(address, { path: '/a?b=c' });
    expect(request.method).toBe('GET');
    expect(request.url).toBe('/a?b=c');
    expect(request.headers).toEqual({
      host: `${host}:${port}`,
      'user-agent': 'edgeplane-health',
      accept: '*/*',
      connection: 'close',
    });
  });

  test('the host that is told', async () => {
    const { request } = await asked(local, { host: 'www.example' });
    expect(request.headers.host).toBe('www.example');
  });

  test('what cannot be sent is not probed', async () => {
    expect(await verdict(local, { ...plain, port: 9, path: '/a b' })).toBe(
      'not-probed: cannot be asked: ERR_UNESCAPED_CHARACTERS',
    );
  });
});

describe('the expected text', () => {
  const expecting = { ...plain, expect: 'all is well' };

  test.each<[string, RequestListener, string]>([
    ['is there', (_, to) => to.end('here all is well.'), 'good: status 200, the expected text'],
    ['is not there', (_, to) => to.end('all is lost'), 'bad: the expected text is not in the body'],
    ['no body', (_, to) => to.end(), 'bad: the expected text is not in the body'],
    ['of another status', (_, to) => to.writeHead(500).end('all is well'), 'bad: status 500'],
    [
      'at the end of 64 KiB',
      (_, to) => to.end(`${'x'.repeat(65_536 - 11)}all is well`),
      'good: status 200, the expected text',
    ],
    [
      'beyond 64 KiB',
      (_, to) => to.end(`${'x'.repeat(65_536 - 10)}all is well`),
      'bad: the expected text is not in the first 64 KiB',
    ],
    [
      'of a body that breaks off',
      (_, to) => to.writeHead(200, { 'content-length': 100 }).write('all', () => to.destroy()),
      'bad: closed by the target',
    ],
  ])('%s', async (_, listener, expected) => {
    const port = await serve(listener);
    expect(await verdict(local, { ...expecting, port })).toBe(expected);
  });

  test('in pieces', async () => {
    const port = await tcpServer(async (socket) => {
      socket.setNoDelay(true);
      socket.write('HTTP/1.1 200 OK\r\n\r\n');
      for (const character of 'so all is well') {
        await new Promise((sent) => socket.write(character, sent));
      }
    });
    expect(await verdict(local, { ...expecting, port })).toMatch(/^good/);
  });

  test('a body that never ends has one deadline with the rest', async () => {
    const port = await serve((_, response) => response.write('all is'));
    expect(await verdict(local, { ...expecting, port }, SHORT_MS)).toBe('bad: timeout');
  });
});

describe('servers that are none', () => {
  test('nobody listens', async () => {
    const [port = 0] = await freePorts(1);
    expect(await verdict(local, { ...plain, port })).toBe('bad: refused');
  });

  test('it never answers', async () => {
    const port = await tcpServer(() => {});
    expect(await verdict(local, { ...plain, port }, SHORT_MS)).toBe('bad: timeout');
  });

  test('its head never ends', async () => {
    const port = await says('HTTP/1.1 200 OK\r\na: b\r\n', false);
    expect(await verdict(local, { ...plain, port }, SHORT_MS)).toBe('bad: timeout');
  });

  test.each([
    ['closes', '', 'bad: closed by the target'],
    ['speaks another protocol', '220 mail.example\r\n', 'bad: answers no HTTP'],
    [
      'has endless headers',
      `HTTP/1.1 200 OK\r\n${`a: ${'b'.repeat(98)}\r\n`.repeat(200)}`,
      'bad: headers of more than 16 KiB',
    ],
    [
      'switches protocols',
      'HTTP/1.1 101 So\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n',
      'bad: status 101',
    ],
    ['speaks TLS only', '\x15\x03\x01\x00\x02\x02\x46', 'bad: answers no HTTP'],
  ])('it %s', async (_, text, expected) => {
    const port = await says(text);
    expect(await verdict(local, { ...plain, port })).toBe(expected);
  });
});

test.each([
  [200, 'good: status 200'],
  [204, 'bad: status 204'],
  [503, 'bad: status 503'],
])('readyz: %s', async (status, expected) => {
  const paths: (string | undefined)[] = [];
  const port = await serve((request, response) => {
    paths.push(request.url);
    response.writeHead(status).end();
  });
  expect(await verdict(local, { type: 'readyz', port })).toBe(expected);
  expect(paths).toEqual(['/readyz']);
});

describe('https', () => {
  let [key, cert] = ['', ''];

  // One for the name a.example and the address ::1, which nobody has signed but itself.
  beforeAll(() => {
    const directory = mkdtempSync(join(tmpdir(), 'edge-health-'));
    try {
      const request = 'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2';
      const names = 'subjectAltName=DNS:a.example,IP:::1';
      const files = ['-keyout', 'key.pem', '-out', 'cert.pem'];
      const args = [...request.split(' '), '-subj', '/CN=a.example', '-addext', names, ...files];
      execFileSync('openssl', args, { cwd: directory, stdio: 'ignore' });
      key = readFileSync(join(directory, 'key.pem'), 'utf8');
      cert = readFileSync(join(directory, 'cert.pem'), 'utf8');
    } finally {
      rmSync(directory, { recursive: true });
    }
  });

  function serveSecure(listener: RequestListener, host?: string): Promise<number> {
    return listen(createSecureServer({ key, cert }, listener), host);
  }

  test('a certificate is not looked at unless told', async () => {
    const port = await serveSecure((_, response) => response.end());
    expect(await verdict(local, { ...secure, port })).toBe('good: status 200');
  });

  test.each([
    ['a.example', 'a.example'],
    [undefined, false],
    ['192.0.2.1', false],
  ])('of host %s SNI is %s', async (host, expected) => {
    const names: (string | false | null)[] = [];
    const port = await serveSecure((request, response) => {
      names.push((request.socket as TLSSocket).servername ?? null); // of a TLS server
      response.end();
    });
    await verdict(local, { ...secure, port, ...(host === undefined ? {} : { host }) });
    expect(names).toEqual([expected]);
  });

  const verified = { ...secure, verify: true };

  test('verified: signed by nobody who is believed', async () => {
    const port = await serveSecure((_, response) => response.end());
    expect(await verdict(local, { ...verified, port, host: 'a.example' })).toBe(
      'bad: certificate refused: depth zero self signed cert',
    );
  });

  test.each([
    ['127.0.0.1', 'a.example', 'good: status 200'],
    ['127.0.0.1', 'b.example', 'bad: certificate of another name'],
    ['127.0.0.1', undefined, 'bad: certificate of another name'],
    ['::1', undefined, 'good: status 200'],
  ])('verified, believed: %s as %s is %s', async (address, host, expected) => {
    const port = await serveSecure((_, response) => response.end(), address);
    const check = { ...verified, port, ...(host === undefined ? {} : { host }) };
    expect(await verdict(address, check, undefined, { ca: cert })).toBe(expected);
  });

  test('a server without TLS', async () => {
    const port = await answers(200);
    expect(await verdict(local, { ...secure, port })).toMatch(/^bad: TLS failed: /);
  });

  test('a handshake that hangs', async () => {
    const port = await tcpServer(() => {});
    expect(await verdict(local, { ...secure, port }, SHORT_MS)).toBe('bad: timeout');
  });
});
