// Requests and responses of HTTP/2 clients: what a target is sent, and what a client is told.
import type { ClientHttp2Session } from 'node:http2';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ROUTE } from '../../../support/lb/http/fakes.ts';
import { answerOf, ask, Http2Rig } from './rig.ts';

let rig: Http2Rig;
let client: ClientHttp2Session;
beforeEach(async () => {
  rig = await Http2Rig.open();
  client = await rig.client();
});
afterEach(() => rig.close());

/** Without what node adds. */
const plain = (headers: object | undefined) => Object.fromEntries(Object.entries(headers ?? {}));

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

describe('a request', () => {
  test('goes on as one of HTTP/1.1, and its response comes back', async () => {
    const asked = ask(client, { ':path': '/a?b=c', 'X-Some': 'thing', accept: '*/*' });
    const handed = await rig.forwarder.next();
    expect(handed.head.split('\r\n').slice(0, -2)).toEqual([
      'GET /a?b=c HTTP/1.1',
      `host: 127.0.0.1:${rig.port}`,
      'x-some: thing',
      'accept: */*',
      'Via: 2.0 edge-lb-1',
    ]);
    expect(handed.request).toMatchObject({ hasBody: false, bodyBytes: 0, isUpgrade: false });
    handed.respond('HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: X-A\r\nX-A: 1\r\n\r\nok');
    const { headers, body, code } = await asked;
    expect(plain(headers)).toEqual({
      ':status': 200,
      'content-length': '2',
      via: '1.1 edge-lb-1',
      date: expect.any(String),
    });
    expect([`${body}`, code]).toEqual(['ok', 0]);
    expect(await rig.journal.ends(1)).toMatchObject({
      listener: 'web',
      route: 'all',
      protocol: 'HTTP/2',
      method: 'GET',
      host: '127.0.0.1',
      target: '/a?b=c',
      status: 200,
      bytesIn: 0,
      bytesOut: 2,
      cause: 'ok',
      forward: { pool: 'p' },
    });
  });

  test('has one cookie, whatever crumbs it came in', async () => {
    void ask(client, { cookie: ['a=1', 'b=2', 'c=3'] });
    const { head } = await rig.forwarder.next();
    expect(head).toContain('\r\ncookie: a=1; b=2; c=3\r\n');
  });

  test('keeps bytes beyond ASCII as they are', async () => {
    const asked = ask(client, { 'x-name': 'caf\u00e9' });
    const handed = await rig.forwarder.next();
    expect(handed.head).toContain('\r\nx-name: caf\u00e9\r\n');
    handed.respond('HTTP/1.1 200 OK\r\nX-Name: caf\u00e9\r\nContent-Length: 0\r\n\r\n');
    expect((await asked).headers['x-name']).toBe('caf\u00e9');
  });

  test('is seen by routing as one of HTTP/1.1 would be', async () => {
    void ask(client, { ':authority': 'WWW.Example.com.:8080', ':path': '/x', te: 'trailers' });
    const { request } = await rig.forwarder.next();
    const { view } = request;
    expect([view.method, view.host, view.target]).toEqual(['GET', 'www.example.com', '/x']);
    expect(request.headList(undefined).slice(0, 4)).toEqual([
      [':method', 'GET'],
      [':scheme', 'http'],
      [':authority', 'WWW.Example.com.:8080'],
      [':path', '/x'],
    ]);
    expect(request.headList('other').slice(2)).toEqual([
      [':authority', 'other'],
      [':path', '/x'],
      ['via', '2.0 edge-lb-1'],
      ['te', 'trailers'],
    ]);
  });

  test.each([
    ['POST', true, 'content-length: 0'],
    ['PUT', true, 'content-length: 0'],
    ['GET', true, undefined],
    ['DELETE', true, undefined],
    ['POST', false, 'transfer-encoding: chunked'],
    ['GET', false, 'transfer-encoding: chunked'],
  ])('%s, whole with its head: %j, says %s', async (method, endStream, framing) => {
    client.request({ ':path': '/', ':method': method }, { endStream }).on('error', () => {});
    const { head } = await rig.forwarder.next();
    const found = head.toLowerCase().match(/^(content-length|transfer-encoding): .*$/gm) ?? [];
    expect(found.map((line) => line.trim())).toEqual(framing === undefined ? [] : [framing]);
  });

  test('of more fields than a head may have is refused', async () => {
    const many = (count: number) =>
      Object.fromEntries(Array.from({ length: count }, (_, at) => [`x-${at}`, 'v']));
    expect((await ask(client, many(110))).headers[':status']).toBe(431);
    expect((await ask(client, many(300))).code).not.toBe(0);
    const asked = ask(client, many(80));
    (await rig.forwarder.next()).respond(OK);
    expect((await asked).headers[':status']).toBe(200);
  });

  test('of more bytes than a head may have is refused', async () => {
    const asked = await ask(client, { 'x-a': 'v'.repeat(9000), 'x-b': 'v'.repeat(9000) });
    expect([asked.headers[':status'], asked.code]).not.toEqual([200, 0]);
    expect(rig.forwarder.handed).toEqual([]);
    const asked2 = await ask(client, { ':path': `/${'v'.repeat(8200)}` });
    expect(asked2.headers[':status']).toBe(414);
  });

  test.each<[string, Record<string, string>, number]>([
    ['TRACE', { ':method': 'TRACE' }, 405],
    ['OPTIONS *', { ':method': 'OPTIONS', ':path': '*', 'max-forwards': '0' }, 200],
    ['an unknown expectation', { expect: 'much' }, 417],
  ])('is answered by the front: %s', async (_, headers, status) => {
    const answer = await ask(client, headers);
    expect(answer.headers[':status']).toBe(status);
    expect(rig.forwarder.handed).toEqual([]);
    expect(await rig.journal.ends(1)).toMatchObject({ status, protocol: 'HTTP/2' });
  });

  test.each<[string, Record<string, string>, string]>([
    ['a fragment in the path', { ':path': '/a#b' }, 'target'],
    ['a host that is none', { ':authority': 'a..example' }, 'host'],
    ['two hosts', { ':authority': 'a.example', host: 'b.example' }, 'authority'],
    ['a strange scheme', { ':scheme': 'ftp' }, 'scheme'],
  ])('is malformed: %s', async (_, headers, detail) => {
    const answer = await ask(client, headers);
    expect([answer.headers[':status'], answer.code]).toEqual([undefined, 1]);
    expect(rig.forwarder.handed).toEqual([]);
    expect(await rig.journal.ends(1)).toMatchObject({ status: 0, cause: 'bad-request', detail });
  });

  test('with Host and the same :authority is one', async () => {
    void ask(client, { ':authority': 'A.example', host: 'a.example' });
    const { head } = await rig.forwarder.next();
    expect(head.match(/host: .*/gi)).toEqual(['host: A.example']);
  });

  test('CONNECT is none of ours', async () => {
    const stream = client.request({ ':method': 'CONNECT', ':authority': 'a.example:80' });
    expect((await answerOf(stream)).headers[':status']).toBe(405);
  });

  test('that policy answers is answered', async () => {
    rig.policy.answer = () => ({
      kind: 'answer',
      status: 302,
      headers: [['Location', '/there']],
      body: Buffer.from('see there'),
      cause: 'answered',
      route: 'r',
    });
    const { headers, body } = await ask(client, {});
    expect(headers).toMatchObject({ ':status': 302, location: '/there', 'content-length': '9' });
    expect(`${body}`).toBe('see there');
    const head = await ask(client, { ':method': 'HEAD' });
    expect(head.headers['content-length']).toBe('9');
    expect(head.body).toHaveLength(0);
    expect(await rig.journal.ends(1)).toMatchObject({ route: 'r', cause: 'answered' });
  });

  test('whose client does not wait for policy goes nowhere', async () => {
    rig.policy.answer = () => 'later';
    const stream = client.request({ ':path': '/' });
    stream.on('error', () => {});
    await rig.until('it came', () => rig.connections[0]?.streams === 1);
    stream.close(8);
    expect(await rig.journal.ends(1)).toMatchObject({ cause: 'client-gone', status: 0 });
    expect(rig.forwarder.handed).toEqual([]);
  });
});

describe('a response', () => {
  const given = async (head: string, request: Record<string, string> = {}) => {
    const asked = ask(client, request);
    (await rig.forwarder.next()).respond(head);
    return await asked;
  };

  test('without a body ends with its head', async () => {
    const { headers, body } = await given('HTTP/1.1 204 No Content\r\nX-A: 1\r\n\r\n');
    expect(headers).toMatchObject({ ':status': 204, 'x-a': '1' });
    expect(headers['content-length']).toBeUndefined();
    expect(body).toHaveLength(0);
  });

  test('to HEAD tells its length', async () => {
    const head = 'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n';
    const { headers, body } = await given(head, { ':method': 'HEAD' });
    expect([headers['content-length'], body.length]).toEqual(['10', 0]);
    expect(await rig.journal.ends(1)).toMatchObject({ cause: 'ok', bytesOut: 0 });
  });

  test('304 tells its length, too', async () => {
    const { headers } = await given('HTTP/1.1 304 Not Modified\r\nContent-Length: 10\r\n\r\n');
    expect(headers).toMatchObject({ ':status': 304, 'content-length': '10' });
  });

  test('keeps fields of one name apart, and gets the cookie that sticks', async () => {
    const asked = ask(client, {});
    const handed = await rig.forwarder.next();
    const lines = ['Set-Cookie: a=1', 'Set-Cookie: b=2', 'ETag: x', 'Etag: y', 'Content-Length: 0'];
    handed.respond(`HTTP/1.1 200 OK\r\n${lines.join('\r\n')}\r\n\r\n`, { cookie: 'lb=t' });
    expect((await asked).headers).toMatchObject({ 'set-cookie': ['a=1', 'b=2', 'lb=t'] });
  });

  test('has what the site adds, as far as HTTP/2 has it', async () => {
    const add = [
      ['X-Site', 'caf\u00e9 \u010a \u4e2d'],
      ['Connection', 'close'],
      ['Transfer-Encoding', 'chunked'],
    ] as const;
    rig.policy.edits = { drop: new Set(['x-gone']), add };
    const head = 'HTTP/1.1 200 OK\r\nX-Gone: 1\r\nX-A: 2\r\nContent-Length: 0\r\n\r\n';
    const { headers, code } = await given(head);
    expect(headers).toMatchObject({ ':status': 200, 'x-a': '2', 'x-site': 'caf\u00e9 ? ?' });
    expect([headers.connection, headers['x-gone'], code]).toEqual([undefined, undefined, 0]);
  });

  test('205 has no content', async () => {
    const head = 'HTTP/1.1 205 Reset Content\r\nContent-Length: 2\r\n\r\nno';
    const { headers, body, code } = await given(head);
    expect([headers[':status'], body.length, code]).toEqual([205, 0, 0]);
  });

  test('in pieces comes with its trailers', async () => {
    const asked = ask(client, {});
    const handed = await rig.forwarder.next();
    handed.respond('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n', { isOver: false });
    handed.piece('a');
    handed.piece('b');
    handed.end('X-Sum: 1\r\nX-Sum: 2\r\nConnection: close\r\n');
    const { body, trailers, code } = await asked;
    expect([`${body}`, code]).toEqual(['ab', 0]);
    expect(plain(trailers)).toEqual({ 'x-sum': '1, 2' });
  });

  test('in pieces without trailers ends', async () => {
    const { body, trailers } = await given(
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nabc',
    );
    expect([`${body}`, trailers]).toEqual(['abc', undefined]);
  });

  test('comes behind interim ones', async () => {
    const asked = ask(client, {});
    const handed = await rig.forwarder.next();
    handed.interim('HTTP/1.1 103 Early Hints\r\nLink: </a>\r\nLink: </b>\r\n\r\n');
    for (let at = 0; at < 30; at++) handed.interim('HTTP/1.1 102 Processing\r\n\r\n');
    handed.respond(OK);
    const { interim, headers } = await asked;
    expect(interim[0]).toMatchObject({ ':status': 103, link: '</a>, </b>' });
    expect(interim).toHaveLength(16);
    expect(headers[':status']).toBe(200);
  });

  test('is compressed where policy says so', async () => {
    rig.policy.route = { ...ROUTE, compress: true };
    rig.policy.compress = () => true;
    const text = 'text '.repeat(5000);
    const asked = ask(client, { 'accept-encoding': 'gzip' });
    const handed = await rig.forwarder.next();
    handed.respond(`HTTP/1.1 200 OK\r\nETag: "a"\r\nContent-Length: ${text.length}\r\n\r\n${text}`);
    const { headers, body } = await asked;
    expect(headers).toMatchObject({ 'content-encoding': 'gzip', etag: 'W/"a"' });
    expect(headers['content-length']).toBeUndefined();
    const { gunzipSync } = await import('node:zlib');
    expect(`${gunzipSync(body)}`).toBe(text);
  });

  test('that is cut is cut here, too', async () => {
    const asked = ask(client, {});
    const handed = await rig.forwarder.next();
    handed.respond('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc', { isOver: false });
    handed.cut({ status: 502, cause: 'upstream-reset' });
    expect((await asked).code).toBe(2);
    expect(await rig.journal.ends(1)).toMatchObject({ cause: 'upstream-reset', status: 200 });
  });

  test.each([true, false])('there is none: the failure is told (at once: %j)', async (atOnce) => {
    const failure = { status: 503, cause: 'no-target', detail: 'nobody' } as const;
    if (atOnce) rig.forwarder.atOnce = (handed) => handed.fail(failure);
    const asked = ask(client, { ':method': 'POST' });
    if (!atOnce) (await rig.forwarder.next()).fail(failure);
    const { headers, body } = await asked;
    expect(headers[':status']).toBe(503);
    expect(`${body}`).toBe('503 Service Unavailable\n');
    expect(await rig.journal.ends(1)).toMatchObject({
      status: 503,
      cause: 'no-target',
      detail: 'nobody',
      forward: { pool: 'p' },
    });
  });
});

describe('gRPC', () => {
  const grpc = { ':method': 'POST', 'content-type': 'application/grpc+proto', te: 'trailers' };

  test('has its status in trailers', async () => {
    const stream = client.request({ ':path': '/s/m', ...grpc });
    const asked = answerOf(stream);
    stream.end('message');
    const handed = await rig.forwarder.next();
    await rig.until('the message is there', () => handed.isBodyEnded);
    expect([handed.body, handed.head]).toEqual([
      'message',
      expect.stringContaining('TE: trailers'),
    ]);
    const type = 'Content-Type: application/grpc';
    handed.respond(`HTTP/1.1 200 OK\r\n${type}\r\nTransfer-Encoding: chunked\r\n\r\nanswer`, {
      isOver: false,
    });
    handed.end('grpc-status: 0\r\ngrpc-message: \r\n');
    const { trailers, body } = await asked;
    expect(plain(trailers)).toEqual({ 'grpc-status': '0', 'grpc-message': '' });
    expect(`${body}`).toBe('answer');
  });

  test.each([
    [503, '14'],
    [504, '14'],
    [502, '14'],
    [429, '14'],
    [404, '12'],
    [403, '7'],
    [400, '13'],
    [413, '2'],
  ])('learns of our %d as %s', async (status, code) => {
    const asked = ask(client, grpc);
    (await rig.forwarder.next()).fail({ status, cause: 'no-target' });
    const { headers } = await asked;
    expect(headers).toMatchObject({
      ':status': 200,
      'content-type': 'application/grpc',
      'grpc-status': code,
      'grpc-message': expect.stringContaining(String(status)),
    });
    expect(await rig.journal.ends(1)).toMatchObject({ status });
  });
});
