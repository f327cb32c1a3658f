// Which request a connection begins, in which order it answers, and when it ends: RFC 9112, 9.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FrontRig } from '../../../support/lb/http/front-rig.ts';

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

let rig: FrontRig;
beforeEach(async () => {
  rig = await FrontRig.open();
});
afterEach(() => rig.close());

const get = (path: string, more = '') => `GET ${path} HTTP/1.1\r\nHost: a.example\r\n${more}\r\n`;

describe('one request after the other', () => {
  it('serves many on one connection, each told of once', async () => {
    const client = await rig.client();
    for (const path of ['/1', '/2', '/3']) {
      client.send(get(path));
      const handed = await rig.forwarder.next();
      expect(handed.target).toBe(path);
      handed.respond(OK);
      const { head, body } = await client.message();
      expect(head).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
      expect(head).not.toMatch(/^connection:/im);
      expect(head).toMatch(/^Via: 1\.1 edge-lb-1$/m);
      expect(head).toMatch(/^Date: Thu, 01 Jan 2026 00:00:00 GMT$/m);
      expect(body).toBe('ok');
    }
    expect(
      rig.journal.entries.map(({ target, status, cause, bytesOut }) => [
        target,
        status,
        cause,
        bytesOut,
      ]),
    ).toEqual([
      ['/1', 200, 'ok', 2],
      ['/2', 200, 'ok', 2],
      ['/3', 200, 'ok', 2],
    ]);
  });

  it('takes pipelined ones in order, the next when the one before is answered', async () => {
    const client = await rig.client();
    client.send(get('/1') + get('/2') + get('/3').slice(0, 10));
    const first = await rig.forwarder.next();
    expect(rig.forwarder.handed).toHaveLength(1);
    first.respond('HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\none');
    (await rig.forwarder.next()).respond('HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\ntwo');
    expect((await client.message()).body).toBe('one');
    expect((await client.message()).body).toBe('two');
    client.send(get('/3').slice(10));
    expect((await rig.forwarder.next()).target).toBe('/3');
  });

  it('reads a head that comes byte by byte', async () => {
    const client = await rig.client();
    for (const byte of get('/slow')) {
      client.send(byte);
      const sent = client.socket.bytesWritten;
      await rig.until('it is read', () => rig.connections[0]?.bytesRead === sent);
    }
    expect((await rig.forwarder.next()).target).toBe('/slow');
  });

  it('keeps pipelined bytes up to a bound, then reads no more', async () => {
    const client = await rig.client();
    client.send(get('/1'));
    const handed = await rig.forwarder.next();
    const more = get('/2', `X-Pad: ${'p'.repeat(4000)}\r\n`);
    const bytes = Buffer.from(more.repeat(3000));
    client.send(bytes);
    await rig.until('no more is taken', () => client.socket.writableNeedDrain);
    const read = () => rig.connections[0]?.bytesRead ?? 0;
    await rig.until('it has its bound', () => read() > 65_536);
    expect(read()).toBeLessThan(1_000_000);
    rig.forwarder.atOnce = (next) => queueMicrotask(() => next.respond(OK));
    handed.respond(OK);
    await rig.until('all are answered', () => rig.journal.entries.length === 3001);
  });
});

describe('when it ends', () => {
  const cases: [
    name: string,
    request: string,
    response: string,
    expected: RegExp,
    stays: boolean,
  ][] = [
    ['close is asked for', get('/', 'Connection: close\r\n'), OK, /^Connection: close$/m, false],
    ['HTTP/1.0', 'GET / HTTP/1.0\r\n\r\n', OK, /^Connection: close$/m, false],
    [
      'HTTP/1.0 with keep-alive and a length',
      'GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n',
      OK,
      /^Connection: keep-alive$/m,
      true,
    ],
    [
      'HTTP/1.0 with keep-alive, without a length',
      'GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n',
      'HTTP/1.1 200 OK\r\n\r\nok',
      /^Connection: close$/m,
      false,
    ],
    [
      'a target that closes',
      get('/'),
      `HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok`,
      /^HTTP/,
      true,
    ],
  ];
  it.each(cases)('%s', async (_name, request, response, expected, stays) => {
    const client = await rig.client();
    client.send(request);
    (await rig.forwarder.next()).respond(response);
    const { head, body } = await client.message();
    expect(head).toMatch(expected);
    expect(body).toBe('ok');
    if (stays) {
      expect(head).not.toMatch(/^Connection: close$/m);
      client.send(request);
      (await rig.forwarder.next()).respond(response);
      expect((await client.message()).body).toBe('ok');
    } else {
      expect(await client.ended()).toBe('');
    }
  });

  it('ignores what follows a request that asked for close', async () => {
    const client = await rig.client();
    client.send(get('/1', 'Connection: close\r\n') + get('/2'));
    (await rig.forwarder.next()).respond(OK);
    await client.message();
    expect(await client.ended()).toBe('');
    expect(rig.forwarder.handed).toHaveLength(1);
  });

  it('closes with the last of so many requests', async () => {
    await rig.close();
    rig = await FrontRig.open({ limits: { requests: 2 } });
    const client = await rig.client();
    client.send(get('/1') + get('/2') + get('/3'));
    (await rig.forwarder.next()).respond(OK);
    (await rig.forwarder.next()).respond(OK);
    expect((await client.message()).head).not.toMatch(/close/);
    expect((await client.message()).head).toMatch(/^Connection: close$/m);
    expect(await client.ended()).toBe('');
  });

  it('ends with the next response while it drains, at once when idle', async () => {
    const [busy, idle] = [await rig.client(), await rig.client()];
    busy.send(get('/'));
    const handed = await rig.forwarder.next();
    for (const connection of rig.connections) connection.closeWhenIdle();
    expect(await idle.ended()).toBe('');
    handed.respond(OK);
    expect((await busy.message()).head).toMatch(/^Connection: close$/m);
    expect(await busy.ended()).toBe('');
  });

  it('answers what a client has asked before its FIN', async () => {
    const client = await rig.client();
    client.send(get('/1') + get('/2'));
    client.end();
    (await rig.forwarder.next()).respond(OK);
    (await rig.forwarder.next()).respond(OK);
    await client.message();
    expect((await client.message()).body).toBe('ok');
    expect(await client.ended()).toBe('');
    await rig.until('it is closed', () => rig.closed === 1);
  });

  it('is closed without a word when nothing more is asked', async () => {
    const client = await rig.client();
    client.send(get('/'));
    (await rig.forwarder.next()).respond(OK);
    await client.message();
    await rig.pass(59_000);
    expect(client.state).toBe('open');
    await rig.pass(2000);
    expect(await client.ended()).toBe('');
    expect(rig.journal.entries).toHaveLength(1);
  });
});
