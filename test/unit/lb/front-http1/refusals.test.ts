// What is answered without a target, and how a connection ends with it.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Decision } from '../../../../lb/l7/types.ts';
import { FrontRig } from '../../../support/lb/http/front-rig.ts';

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

let rig: FrontRig;
beforeEach(async () => {
  rig = await FrontRig.open();
});
afterEach(() => rig.close());

const get = (path = '/') => `GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`;

describe('heads that are refused', () => {
  const rows: [name: string, bytes: string, status: number][] = [
    ['no host', 'GET / HTTP/1.1\r\n\r\n', 400],
    ['two hosts', 'GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n', 400],
    ['HTTP/0.9', 'GET /\r\n', 400],
    ['HTTP/2.0', 'GET / HTTP/2.0\r\nHost: a\r\n\r\n', 505],
    ['bare LF', 'GET / HTTP/1.1\nHost: a\n\n', 400],
    ['a long target', `GET /${'x'.repeat(9000)} HTTP/1.1\r\n`, 414],
    ['a long head', `GET / HTTP/1.1\r\nHost: a\r\nX: ${'x'.repeat(17_000)}`, 431],
    [
      'length and chunks',
      'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n',
      400,
    ],
    ['CONNECT', 'CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\n\r\n', 405],
    [
      'an upgrade to websocket without a key',
      'GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n',
      400,
    ],
  ];
  it.each(rows)('%s', async (_name, bytes, status) => {
    const client = await rig.client();
    client.send(bytes);
    const { head, body } = await client.message();
    expect(head).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    expect(head).toMatch(/^Connection: close$/m);
    expect(head).toMatch(/^Content-Type: text\/plain/m);
    expect(head).toMatch(/^Date: \w{3}, /m);
    expect(body).toContain(String(status));
    client.send(get());
    expect(await client.ended()).toBe('');
    expect(rig.forwarder.handed).toHaveLength(0);
    expect(rig.journal.entries).toMatchObject([{ status, cause: 'bad-request' }]);
    expect(rig.journal.entries[0]?.detail).toBeTruthy();
  });

  it('the request before is answered first', async () => {
    const client = await rig.client();
    client.send(`${get()}GET /\r\n\r\n`);
    (await rig.forwarder.next()).respond(OK);
    expect((await client.message()).body).toBe('ok');
    expect((await client.message()).head).toMatch(/^HTTP\/1\.1 400 /);
    expect(await client.ended()).toBe('');
    expect(rig.journal.entries.map(({ cause }) => cause)).toEqual(['ok', 'bad-request']);
  });
});

describe('answered here', () => {
  it.each([
    ['TRACE / HTTP/1.1\r\nHost: a\r\n\r\n', 405, /^Allow: .*GET/m],
    ['OPTIONS * HTTP/1.1\r\nHost: a\r\nMax-Forwards: 0\r\n\r\n', 200, /^Allow: .*GET/m],
    ['OPTIONS /x HTTP/1.1\r\nHost: a\r\nMax-Forwards: 0\r\n\r\n', 200, /^Content-Length: 0$/m],
  ])('%j', async (bytes, status, header) => {
    const client = await rig.client();
    for (let round = 0; round < 2; round++) {
      client.send(bytes);
      const { head } = await client.message();
      expect(head).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
      expect(head).toMatch(header);
    }
    expect(rig.forwarder.handed).toHaveLength(0);
    expect(rig.journal.entries).toMatchObject([
      { status, cause: 'answered' },
      { status, cause: 'answered' },
    ]);
  });

  it("OPTIONS * is the target's to answer", async () => {
    const client = await rig.client();
    client.send('OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n');
    const handed = await rig.forwarder.next();
    expect(handed.head).toMatch(/^OPTIONS \* HTTP\/1\.1\r\nHost: a\r\n/);
    handed.respond(OK);
    expect((await client.message()).body).toBe('ok');
  });

  it('Max-Forwards counts down on its way', async () => {
    const client = await rig.client();
    client.send('OPTIONS /x HTTP/1.1\r\nHost: a\r\nMax-Forwards: 3\r\n\r\n');
    expect((await rig.forwarder.next()).head).toMatch(/^Max-Forwards: 2$/m);
  });

  const redirect: Decision = {
    kind: 'answer',
    status: 301,
    headers: [['Location', 'https://a/']],
    body: Buffer.from('moved'),
    cause: 'answered',
    route: 'to-https',
  };

  it('by policy, on one connection, pipelined', async () => {
    rig.policy.answer = () => redirect;
    const client = await rig.client();
    client.send(get('/1') + get('/2').repeat(500));
    for (let count = 0; count < 501; count++) {
      const { head, body } = await client.message();
      expect(head).toMatch(/^HTTP\/1\.1 301 Moved Permanently\r\n/);
      expect(head).toMatch(/^Location: https:\/\/a\/$/m);
      expect(body).toBe('moved');
    }
    expect(rig.journal.entries).toHaveLength(501);
    expect(rig.journal.entries[0]).toMatchObject({ route: 'to-https', status: 301, bytesOut: 5 });
  });

  it('a client that asks and never reads does not fill the memory', async () => {
    rig.policy.answer = () => ({ ...redirect, body: Buffer.alloc(30_000, 'm') });
    const client = await rig.client();
    client.pause();
    client.send(get().repeat(1000));
    const count = () => rig.journal.entries.length;
    let before = -1;
    await rig.until('it has stopped', () => {
      const isStill = count() > 0 && count() === before;
      before = count();
      return isStill;
    });
    expect(count()).toBeLessThan(900);
    client.resume();
    await rig.until('all are answered', () => count() === 1000);
  });

  it('without a body for HEAD', async () => {
    rig.policy.answer = () => redirect;
    const client = await rig.client();
    client.send('HEAD / HTTP/1.1\r\nHost: a\r\n\r\n');
    const { head } = await client.message({ bodiless: true });
    expect(head).toMatch(/^Content-Length: 5$/m);
    client.send(get());
    expect((await client.message()).body).toBe('moved');
  });

  it('a body that is here is thrown away, one that is not ends the connection', async () => {
    rig.policy.answer = () => redirect;
    const client = await rig.client();
    client.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc');
    expect((await client.message()).head).not.toMatch(/^Connection: close$/m);
    client.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nabc');
    expect((await client.message()).head).toMatch(/^Connection: close$/m);
    expect(await client.ended()).toBe('');
  });
});

describe('failures behind', () => {
  it('are told, and the connection goes on', async () => {
    const client = await rig.client();
    client.send(get());
    (await rig.forwarder.next()).fail({ status: 504, cause: 'connect-timeout', detail: 'x' });
    const { head, body } = await client.message();
    expect(head).toMatch(/^HTTP\/1\.1 504 Gateway Timeout\r\n/);
    expect(head).not.toMatch(/^Connection: close$/m);
    expect(body).toContain('504');
    client.send(get());
    (await rig.forwarder.next()).respond(OK);
    expect((await client.message()).body).toBe('ok');
    expect(rig.journal.entries[0]).toMatchObject({
      status: 504,
      cause: 'connect-timeout',
      detail: 'x',
    });
    expect(rig.journal.entries[0]?.forward).toBeDefined();
  });

  it('even before forward() has returned', async () => {
    rig.forwarder.atOnce = (handed) => handed.fail({ status: 503, cause: 'no-target' });
    const client = await rig.client();
    client.send(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc${get()}`);
    expect((await client.message()).head).toMatch(/^HTTP\/1\.1 503 /);
    expect((await client.message()).head).toMatch(/^HTTP\/1\.1 503 /);
    expect(rig.journal.entries).toHaveLength(2);
    expect(rig.journal.entries[0]?.forward).toBeDefined();
  });

  it('a client that is gone lets the target go', async () => {
    for (const leave of ['reset', 'destroy'] as const) {
      const client = await rig.client();
      client.send(get());
      const handed = await rig.forwarder.next();
      client[leave]();
      // A FIN alone says only that no more requests come.
      if (leave === 'destroy')
        handed.respond(`${OK.slice(0, 17)}\r\n\r\n${'z'.repeat(9000)}`, { isOver: false });
      await rig.until('the target is let go', () => {
        if (leave === 'destroy') handed.piece('z'.repeat(9000));
        return handed.aborted === 'client-gone';
      });
    }
    expect(rig.journal.entries).toMatchObject([{ cause: 'client-gone' }, { cause: 'client-gone' }]);
  });

  it('a worker that takes the connection away says why', async () => {
    const client = await rig.client();
    client.send(get());
    const handed = await rig.forwarder.next();
    expect(rig.connections[0]?.routeName).toBe('all');
    rig.connections[0]?.destroy('removed');
    expect(handed.aborted).toBe('removed');
    expect((await client.gone()).how).toBe('reset');
    expect(rig.journal.entries).toMatchObject([{ cause: 'removed', status: 0 }]);
    await rig.until('it is closed', () => rig.closed === 1);
  });
});
