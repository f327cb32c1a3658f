// A client's bytes to a target's and back, through front, forwarder and upstream connections: what
// must hold of connections on both sides (RFC 9110, RFC 9112).
import { afterEach, describe, expect, it } from 'vitest';
import { StackRig } from '../../../support/lb/http/stack-rig.ts';

let rig: StackRig;
afterEach(() => rig.close());

const get = (path = '/', more = '') => `GET ${path} HTTP/1.1\r\nHost: a.example\r\n${more}\r\n`;
const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

describe('requests', () => {
  it('are written anew: own fields, no hop-by-hop ones, CRLF', async () => {
    rig = await StackRig.open();
    const client = await rig.client();
    client.send(
      get(
        '/x?y',
        'Connection: close, X-Foo\r\nX-Foo: 1\r\nKeep-Alive: timeout=5\r\nProxy-Connection: x\r\n' +
          'TE: gzip\r\nUpgrade: foo\r\nX-Forwarded-For: 9.9.9.9\r\nX_Forwarded_For: 9\r\nX-Bar:2\r\n',
      ),
    );
    const target = await rig.target.next();
    const head = await target.head();
    expect(head).toMatch(/^GET \/x\?y HTTP\/1\.1\r\nHost: a\.example\r\n/);
    expect(head).toMatch(/^X-Bar: 2$/m);
    expect(head).toMatch(/^X-Forwarded-For: 127\.0\.0\.1$/m);
    expect(head.match(/^via:/gim)).toHaveLength(1);
    expect(head).toMatch(/^Via: 1\.1 edge-lb-1$/m);
    expect(head).not.toMatch(/^(connection|x-foo|keep-alive|proxy-connection|te|upgrade):/im);
    expect(head).not.toMatch(/_/);
    target.send(
      OK.replace('\r\n\r\n', '\r\nConnection: X-Bar\r\nX-Bar: 1\r\nKeep-Alive: 9\r\n\r\n'),
    );
    const { head: answer } = await client.message();
    expect(answer).not.toMatch(/^(x-bar|keep-alive):/im);
    expect(answer).toMatch(/^Connection: close$/m);
    expect(await client.ended()).toBe('');
  });

  it('of two clients share a connection, one after the other', async () => {
    rig = await StackRig.open();
    for (const path of ['/1', '/2', '/3']) {
      const client = await rig.client();
      client.send(get(path));
      if (path === '/1') await rig.target.next();
      const target = rig.target.connections[0];
      expect(await target?.to('\r\n\r\n')).toMatch(new RegExp(`^GET ${path} `));
      target?.send(OK);
      expect((await client.message()).body).toBe('ok');
      await rig.front.until('it is kept', () => rig.idle === 1);
    }
    expect(rig.target.connections).toHaveLength(1);
  });

  it('that came here before are refused', async () => {
    rig = await StackRig.open();
    const client = await rig.client();
    client.send(get('/', 'Via: 1.1 a, 1.1 edge-lb-1\r\n'));
    expect((await client.message()).head).toMatch(/^HTTP\/1\.1 508 /);
    expect(rig.target.connections).toHaveLength(0);
  });

  it.each(['GET', 'DELETE', 'OPTIONS', 'POST'])('with a body stay framed: %s', async (method) => {
    rig = await StackRig.open();
    const client = await rig.client();
    client.send(`${method} /1 HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc`);
    const target = await rig.target.next();
    expect(await target.message()).toMatchObject({ body: 'abc' });
    target.send(OK);
    await client.message();
    client.send(
      `${method} /2 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3;x\r\nabc\r\n0\r\n\r\n`,
    );
    const second = await target.message();
    expect(second.head).toMatch(/^Transfer-Encoding: chunked$/m);
    expect(second.body).toBe('abc');
    target.send(OK);
    expect((await client.message()).body).toBe('ok');
  });

  it('a POST without a length has none; what follows is a request', async () => {
    rig = await StackRig.open();
    const client = await rig.client();
    client.send(`POST / HTTP/1.1\r\nHost: a\r\n\r\n${get('/2')}`);
    const target = await rig.target.next();
    expect(await target.head()).toMatch(/^POST \/ /);
    target.send(OK);
    expect(await target.head()).toMatch(/^GET \/2 /);
    target.send(OK);
    await client.message();
    expect((await client.message()).body).toBe('ok');
  });

  it.each([
    ['a length', 'Content-Length: 10', 'abc'],
    ['chunks', 'Transfer-Encoding: chunked', '5\r\nabc'],
    ['chunks that are broken', 'Transfer-Encoding: chunked', '3\r\nabcXX'],
  ])('that do not come whole never look whole to the target: %s', async (_name, framing, body) => {
    rig = await StackRig.open();
    const client = await rig.client();
    client.send(`POST / HTTP/1.1\r\nHost: a\r\n${framing}\r\n\r\n`);
    const target = await rig.target.next();
    await target.head();
    client.send(body);
    await target.to('abc');
    client.end();
    expect((await target.gone()).received).not.toContain('0\r\n\r\n');
    expect(rig.idle).toBe(0);
  });
});

describe('Expect: 100-continue', () => {
  const asking = 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n';

  it('waits for the target, which is used again', async () => {
    rig = await StackRig.open();
    const client = await rig.client();
    client.send(asking);
    const target = await rig.target.next();
    expect(await target.head()).toMatch(/^Expect: 100-continue$/m);
    target.send('HTTP/1.1 100 Continue\r\n\r\n');
    expect(await client.head()).toMatch(/^HTTP\/1\.1 100 /);
    client.send('abc');
    expect(await target.bytes(3)).toBe('abc');
    target.send(OK);
    await client.message();
    await rig.front.until('it is kept', () => rig.idle === 1);
  });

  it('that is refused: neither connection is used again', async () => {
    rig = await StackRig.open();
    const client = await rig.client();
    client.send(asking);
    const target = await rig.target.next();
    await target.head();
    target.send('HTTP/1.1 413 Too much\r\nContent-Length: 0\r\n\r\n');
    expect((await client.message()).head).toMatch(/^HTTP\/1\.1 413 [\s\S]*^Connection: close$/m);
    expect((await target.gone()).received).toBe('');
    client.send('abc');
    expect(await client.ended()).toBe('');
  });
});

describe('responses', () => {
  const cases: [name: string, request: string, response: string, status: number, body: string][] = [
    [
      'chunked for 1.0',
      'GET / HTTP/1.0\r\n\r\n',
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n',
      200,
      'ok',
    ],
    [
      'both framings',
      get(),
      'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n',
      502,
      '',
    ],
    [
      'two lengths',
      get(),
      'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok',
      502,
      '',
    ],
    ['a length that is none', get(), 'HTTP/1.1 200 OK\r\nContent-Length: 2x\r\n\r\nok', 502, ''],
    ['a folded line', get(), 'HTTP/1.1 200 OK\r\nX: a\r\n b\r\n\r\n', 502, ''],
    ['a NUL', get(), 'HTTP/1.1 200 OK\r\nX: \0\r\n\r\n', 502, ''],
    [
      'a 101 that nobody asked for',
      get(),
      'HTTP/1.1 101 X\r\nConnection: upgrade\r\nUpgrade: foo\r\n\r\n',
      502,
      '',
    ],
  ];
  it.each(cases)('%s', async (_name, request, response, status, body) => {
    rig = await StackRig.open();
    const client = await rig.client();
    client.send(request);
    const target = await rig.target.next();
    await target.head();
    target.send(response);
    const message = await client.message();
    expect(message.head).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    if (body !== '') expect(message.body).toBe(body);
    else await target.gone();
  });

  it('with a body for HEAD: it is dropped, and the connection to the target with it', async () => {
    rig = await StackRig.open();
    const client = await rig.client();
    client.send('HEAD / HTTP/1.1\r\nHost: a\r\n\r\n');
    const target = await rig.target.next();
    await target.head();
    target.send('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
    expect((await client.message({ bodiless: true })).head).toMatch(/^Content-Length: 2$/m);
    await target.gone();
    client.send(get());
    const second = await rig.target.next();
    await second.head();
    second.send(OK);
    expect(await client.message()).toMatchObject({ body: 'ok' });
  });

  it('with more behind: nobody else gets it', async () => {
    rig = await StackRig.open();
    const client = await rig.client();
    client.send(get('/1') + get('/2'));
    const target = await rig.target.next();
    await target.head();
    target.send(`${OK}HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil`);
    expect((await client.message()).body).toBe('ok');
    const second = await rig.target.next();
    await second.head();
    second.send(OK);
    expect((await client.message()).body).toBe('ok');
  });

  it.each([
    ['a length', 'Content-Length: 10\r\n\r\nabc'],
    ['chunks', 'Transfer-Encoding: chunked\r\n\r\n5\r\nabc'],
  ])('that the target does not end: the client sees that, %s', async (_name, rest) => {
    rig = await StackRig.open();
    const client = await rig.client();
    client.send(get());
    const target = await rig.target.next();
    await target.head();
    target.send(`HTTP/1.1 200 OK\r\n${rest}`);
    await client.to('abc');
    target.reset();
    expect((await client.gone()).received).not.toContain('0\r\n\r\n');
    expect(await rig.front.journal.ends(1)).toMatchObject({ cause: 'upstream-reset', status: 200 });
  });

  it('before the upload is over are told at once, and end it', async () => {
    rig = await StackRig.open();
    const client = await rig.client();
    client.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9000000\r\n\r\nabc');
    const target = await rig.target.next();
    await target.to('abc');
    target.send('HTTP/1.1 403 No\r\nContent-Length: 2\r\n\r\nno');
    client.send(Buffer.alloc(5_000_000));
    const { head, body } = await client.message();
    expect(head).toMatch(/^HTTP\/1\.1 403 No[\s\S]*^Connection: close$/m);
    expect(body).toBe('no');
    await target.gone();
    expect(await client.ended()).toBe('');
  });

  it('large ones, both ways, with slow ends', async () => {
    rig = await StackRig.open();
    const size = 8_000_000;
    const client = await rig.client();
    client.send(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${size}\r\n\r\n`);
    const target = await rig.target.next();
    await target.head();
    target.pause();
    client.send(Buffer.alloc(size, 'u'));
    await rig.front.until('the client waits', () => client.socket.writableNeedDrain);
    target.resume();
    expect((await target.bytes(size)) === 'u'.repeat(size)).toBe(true);
    client.pause();
    target.send('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n');
    for (let sent = 0; sent < size; sent += 50_000) {
      target.send(`c350\r\n${'d'.repeat(50_000)}\r\n`);
    }
    await rig.front.until('the target waits', () => target.socket.writableNeedDrain);
    client.resume();
    target.send('0\r\nX-End: 1\r\n\r\n');
    const { body, trailers } = await client.message();
    expect(body === 'd'.repeat(size)).toBe(true);
    expect(trailers).toBe('X-End: 1\r\n');
    await rig.front.until('it is kept', () => rig.idle === 1);
  });
});

describe('tunnels', () => {
  const ask =
    'GET /ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n' +
    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n';

  it('begin with 101, carry bytes both ways, and are half closed', async () => {
    rig = await StackRig.open();
    const client = await rig.client();
    client.send(`${ask}early`);
    const target = await rig.target.next();
    expect(await target.head()).toMatch(/^Upgrade: websocket$/m);
    expect(target.received).toBe('');
    target.send(
      'HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\nrest',
    );
    expect(await client.head()).toMatch(/^HTTP\/1\.1 101 /);
    expect(await client.to('rest')).toBe('rest');
    expect(await target.to('early')).toBe('early');
    client.send(Buffer.alloc(3_000_000, 'c'));
    client.end();
    expect((await target.ended()).length).toBe(3_000_000);
    target.send(Buffer.alloc(3_000_000, 't'));
    target.end();
    expect((await client.ended()).length).toBe(3_000_000);
    expect(await rig.front.journal.ends(1)).toMatchObject({
      cause: 'ok',
      protocol: 'websocket',
      bytesIn: 3_000_005,
      bytesOut: 3_000_004,
    });
  });

  it('do not begin with anything else: the bytes behind are the next request', async () => {
    rig = await StackRig.open();
    const client = await rig.client();
    client.send(ask + get('/next'));
    const target = await rig.target.next();
    await target.head();
    target.send(OK);
    expect((await client.message()).body).toBe('ok');
    expect(await target.head()).toMatch(/^GET \/next /);
    target.send(OK);
    expect((await client.message()).body).toBe('ok');
  });
});

describe('a client that goes away', () => {
  it('frees the target, whatever was under way', async () => {
    rig = await StackRig.open();
    const starts = [get(), 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc'];
    for (const start of starts) {
      const client = await rig.client();
      client.send(start);
      const target = await rig.target.next();
      await target.head();
      client.reset();
      await target.gone();
    }
    expect(rig.front.journal.entries).toMatchObject([
      { cause: 'client-gone', status: 0 },
      { cause: 'client-gone', status: 0 },
    ]);
    expect(rig.idle).toBe(0);
  });
});
