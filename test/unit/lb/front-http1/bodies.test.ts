// Bodies both ways: how they are framed, who waits for whom, and what a broken one does. RFC 9112,
// 6 to 8; RFC 9110, 10.1.1 and 15.2.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ROUTE } from '../../../support/lb/http/fakes.ts';
import { FrontRig } from '../../../support/lb/http/front-rig.ts';

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

let rig: FrontRig;
beforeEach(async () => {
  rig = await FrontRig.open();
});
afterEach(() => rig.close());

const post = (more: string, path = '/') => `POST ${path} HTTP/1.1\r\nHost: a\r\n${more}\r\n\r\n`;
const get = (path = '/', version = '1.1') => `GET ${path} HTTP/${version}\r\nHost: a\r\n\r\n`;

describe('of requests', () => {
  it('of a length, in pieces, then the next request', async () => {
    const client = await rig.client();
    client.send(`${post('Content-Length: 10')}01234`);
    const handed = await rig.forwarder.next();
    expect(handed.head).toMatch(/^Content-Length: 10$/m);
    expect([handed.request.hasBody, handed.request.bodyBytes]).toEqual([true, 10]);
    client.send(`56789${get('/next')}`);
    await rig.until('it is whole', () => handed.isBodyEnded);
    expect(handed.body).toBe('0123456789');
    handed.respond(OK);
    expect((await rig.forwarder.next()).target).toBe('/next');
    expect(rig.journal.entries[0]).toMatchObject({ bytesIn: 10, bytesOut: 2, cause: 'ok' });
  });

  it('chunked: content without extensions, trailers behind', async () => {
    const client = await rig.client();
    client.send(post('Transfer-Encoding: chunked'));
    const handed = await rig.forwarder.next();
    expect(handed.head).toMatch(/^Transfer-Encoding: chunked$/m);
    expect([handed.request.hasBody, handed.request.bodyBytes]).toEqual([true, -1]);
    client.send('3;a=b\r\nabc\r\n2\r\nde\r\n0\r\nX-Sum: 5\r\n\r\n');
    await rig.until('it is whole', () => handed.isBodyEnded);
    expect(handed.body).toBe('abcde');
    expect(handed.trailers).toBe('X-Sum: 5\r\n');
  });

  it('is not read while the forwarder takes nothing, and goes on after that', async () => {
    const client = await rig.client();
    const size = 20_000_000;
    client.send(post(`Content-Length: ${size}`));
    const handed = await rig.forwarder.next();
    handed.isTaking = false;
    client.send(Buffer.alloc(size, 'x'));
    await rig.until('the client waits', () => client.socket.writableNeedDrain);
    await rig.until('some has come', () => handed.body.length > 0);
    expect(handed.body.length).toBeLessThan(1_000_000);
    handed.isTaking = true;
    handed.incoming.onDrain();
    await rig.until('all has come', () => handed.isBodyEnded);
    expect(handed.body.length).toBe(size);
  });

  it('that is broken: 400, nothing after it is a request, the target is let go', async () => {
    const client = await rig.client();
    client.send(`${post('Transfer-Encoding: chunked')}3\r\nabcX`);
    const handed = await rig.forwarder.next();
    const { head } = await client.message();
    expect(head).toMatch(/^HTTP\/1\.1 400 /);
    expect(head).toMatch(/^Connection: close$/m);
    expect(handed.aborted).toBe('bad-request');
    expect(handed.isBodyEnded).toBe(false);
    client.send(get('/smuggled'));
    await client.ended();
    expect(rig.forwarder.handed).toHaveLength(1);
    expect(rig.journal.entries).toMatchObject([
      { status: 400, cause: 'bad-request', detail: 'chunk-end' },
    ]);
  });

  it.each(['Content-Length: 10', 'Transfer-Encoding: chunked'])(
    'that ends with the connection (%s) is no whole one',
    async (framing) => {
      const client = await rig.client();
      client.send(`${post(framing)}3\r\n`);
      const handed = await rig.forwarder.next();
      client.end();
      await rig.until('the target is let go', () => handed.aborted !== undefined);
      expect(handed.isBodyEnded).toBe(false);
      expect(handed.aborted).toBe('client-gone');
      expect(await rig.journal.ends(1)).toMatchObject({ status: 0, cause: 'client-gone' });
    },
  );

  it('that is too large by its length is not begun', async () => {
    rig.policy.route = { ...ROUTE, maxBodyBytes: 4 };
    const client = await rig.client();
    client.send(`${post('Content-Length: 5')}01234`);
    expect((await client.message()).head).toMatch(/^HTTP\/1\.1 413 /);
    expect(rig.forwarder.handed).toHaveLength(0);
    expect(rig.journal.entries).toMatchObject([{ status: 413, cause: 'too-large', route: 'all' }]);
  });

  it('that grows too large is given up', async () => {
    rig.policy.route = { ...ROUTE, maxBodyBytes: 4 };
    const client = await rig.client();
    client.send(`${post('Transfer-Encoding: chunked')}5\r\n01234\r\n`);
    expect((await client.message()).head).toMatch(/^HTTP\/1\.1 413 /);
    expect((await rig.forwarder.next()).aborted).toBe('too-large');
    expect(await client.ended()).toBe('');
  });

  it('is read after a decision that came later', async () => {
    let decide = () => {};
    rig.policy.answer = (_view, later) => {
      decide = () => later({ kind: 'forward', route: ROUTE });
      return 'later';
    };
    const client = await rig.client();
    client.send(`${post('Content-Length: 3')}abc`);
    await rig.until('it is asked', () => rig.connections[0]?.isIdle === false);
    decide();
    const handed = await rig.forwarder.next();
    expect(handed.body).toBe('abc');
    expect(handed.isBodyEnded).toBe(true);
  });
});

describe('Expect: 100-continue', () => {
  const asking = post('Content-Length: 3\r\nExpect: 100-continue');

  it('the target says when', async () => {
    const client = await rig.client();
    client.send(asking);
    const handed = await rig.forwarder.next();
    expect(handed.head).toMatch(/^Expect: 100-continue$/m);
    handed.interim('HTTP/1.1 100 Continue\r\n\r\n');
    expect(await client.head()).toMatch(/^HTTP\/1\.1 100 Continue/);
    client.send('abc');
    await rig.until('it is whole', () => handed.isBodyEnded);
    handed.respond(OK);
    const { head } = await client.message();
    expect(head).toMatch(/^HTTP\/1\.1 200 /);
    expect(head).not.toMatch(/^Connection: close$/m);
  });

  it('an answer instead: the body is not read, the connection ends', async () => {
    const client = await rig.client();
    client.send(asking);
    const handed = await rig.forwarder.next();
    handed.respond('HTTP/1.1 417 No\r\nContent-Length: 2\r\n\r\nno');
    const { head, body } = await client.message();
    expect(head).toMatch(/^HTTP\/1\.1 417 No/);
    expect(head).toMatch(/^Connection: close$/m);
    expect(body).toBe('no');
    client.send('abc');
    expect(await client.ended()).toBe('');
    expect(handed.body).toBe('');
  });
});

describe('early answers', () => {
  it('are sent at once; what still comes is thrown away, for they are to be read', async () => {
    const client = await rig.client();
    client.send(`${post('Content-Length: 5000000')}abc`);
    const handed = await rig.forwarder.next();
    handed.respond('HTTP/1.1 403 No\r\nContent-Length: 2\r\n\r\nno');
    client.send(Buffer.alloc(4_000_000));
    const { head, body } = await client.message();
    expect(head).toMatch(/^Connection: close$/m);
    expect(body).toBe('no');
    expect(await client.ended()).toBe('');
    client.end();
    await rig.until('it is closed', () => rig.closed === 1);
    expect(rig.journal.entries).toMatchObject([{ status: 403, cause: 'ok' }]);
  });
});

describe('a FIN before the request is whole', () => {
  it.each([
    ['a refusal is still told', 403, 'ended'],
    ['another response cannot come to its end', 200, 'reset'],
  ])('%s', async (_name, status, how) => {
    const client = await rig.client();
    client.send(`${post('Content-Length: 5000')}abc`);
    const handed = await rig.forwarder.next();
    handed.respond(`HTTP/1.1 ${status} X\r\nContent-Length: 4\r\n\r\nno`, { isOver: false });
    await client.to('no');
    client.end();
    await rig.until('it is heard', () => rig.connections[0]?.bytesRead !== 0);
    if (how === 'ended') {
      handed.piece('pe');
      handed.end();
    }
    expect((await client.gone()).how).toBe(how);
    expect(await rig.journal.ends(1)).toMatchObject({
      cause: how === 'ended' ? 'ok' : 'client-gone',
    });
  });
});

describe('1xx', () => {
  it('go to HTTP/1.1, not to 1.0', async () => {
    for (const version of ['1.1', '1.0']) {
      const client = await rig.client();
      client.send(get('/', version));
      const handed = await rig.forwarder.next();
      handed.interim('HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n');
      handed.respond(OK);
      if (version === '1.1') {
        const hints = await client.head();
        expect(hints).toMatch(/^HTTP\/1\.1 103 Early Hints\r\nLink: <\/a\.css>/);
        expect(hints).not.toMatch(/^(connection|content-length|transfer-encoding|date):/im);
      }
      expect((await client.message()).head).toMatch(/^HTTP\/1\.1 200 /);
    }
  });
});

describe('of responses', () => {
  const cases: [name: string, version: string, head: string, framed: RegExp, raw: string][] = [
    ['a length', '1.1', 'Content-Length: 5\r\n', /^Content-Length: 5$/m, 'hello'],
    [
      'chunks',
      '1.1',
      'Transfer-Encoding: chunked\r\n',
      /^Transfer-Encoding: chunked$/m,
      '5\r\nhello\r\n0\r\n\r\n',
    ],
    ['chunks for 1.0', '1.0', 'Transfer-Encoding: chunked\r\n', /^Connection: close$/m, 'hello'],
    [
      'the end of the connection',
      '1.1',
      '',
      /^Transfer-Encoding: chunked$/m,
      '5\r\nhello\r\n0\r\n\r\n',
    ],
    ['the end of the connection for 1.0', '1.0', '', /^Connection: close$/m, 'hello'],
  ];
  it.each(cases)('by %s (HTTP/%s)', async (_name, version, framing, framed, raw) => {
    const client = await rig.client();
    client.send(get('/', version));
    (await rig.forwarder.next()).respond(`HTTP/1.1 200 OK\r\n${framing}\r\nhello`);
    const head = await client.head();
    expect(head).toMatch(framed);
    expect(head.match(/^(content-length|transfer-encoding):/gim) ?? []).toHaveLength(
      version === '1.0' ? 0 : 1,
    );
    expect(await client.bytes(raw.length)).toBe(raw);
  });

  it('have no body for HEAD, 204 and 304', async () => {
    const client = await rig.client();
    const rows: [method: string, response: string, told: string | undefined][] = [
      ['HEAD', 'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n', '10'],
      ['GET', 'HTTP/1.1 204 No Content\r\n\r\n', undefined],
      ['GET', 'HTTP/1.1 304 Not Modified\r\nContent-Length: 10\r\n\r\n', '10'],
      ['HEAD', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n', undefined],
    ];
    for (const [method, response, told] of rows) {
      client.send(`${method} / HTTP/1.1\r\nHost: a\r\n\r\n`);
      (await rig.forwarder.next()).respond(response);
      const { head } = await client.message({ bodiless: true });
      expect(/^content-length: (\d+)$/im.exec(head)?.[1]).toBe(told);
      expect(head).not.toMatch(/^transfer-encoding/im);
      expect(head).not.toMatch(/^connection: close$/im);
    }
  });

  it('keep their trailers', async () => {
    const client = await rig.client();
    client.send(get());
    const handed = await rig.forwarder.next();
    handed.respond('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nabc', { isOver: false });
    handed.end('X-Sum: 3\r\n');
    expect(await client.message()).toMatchObject({ body: 'abc', trailers: 'X-Sum: 3\r\n' });
  });

  it('are sent as they come, the head without waiting for a body', async () => {
    const client = await rig.client();
    client.send(get());
    const handed = await rig.forwarder.next();
    handed.respond('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n', { isOver: false });
    await client.head();
    handed.piece('abc');
    expect(await client.to('abc\r\n')).toBe('3\r\nabc\r\n');
    handed.piece('d'.repeat(20_000));
    expect(await client.to('d\r\n')).toBe(`4e20\r\n${'d'.repeat(20_000)}\r\n`);
    handed.end();
    expect(await client.bytes(5)).toBe('0\r\n\r\n');
  });

  it('of two clients at once do not mix', async () => {
    const clients = [await rig.client(), await rig.client()];
    const handed = [];
    for (const client of clients) {
      client.send(get());
      handed.push(await rig.forwarder.next());
    }
    for (const [at, one] of handed.entries()) {
      one.respond(`HTTP/1.1 200 OK\r\nX-At: ${at}\r\nTransfer-Encoding: chunked\r\n\r\n`, {
        isOver: false,
      });
    }
    for (let round = 0; round < 3; round++) {
      for (const [at, one] of handed.entries()) one.piece(`${at}${round};`);
    }
    for (const one of handed) one.end();
    for (const [at, client] of clients.entries()) {
      const { head, body } = await client.message();
      expect(head).toContain(`X-At: ${at}`);
      expect(body).toBe(`${at}0;${at}1;${at}2;`);
    }
  });

  it('wait for a client that does not read, and go on when it does', async () => {
    const client = await rig.client();
    client.send(get());
    client.pause();
    const handed = await rig.forwarder.next();
    handed.respond('HTTP/1.1 200 OK\r\nContent-Length: 20000000\r\n\r\n', { isOver: false });
    const piece = Buffer.alloc(50_000, 'y');
    let sent = 0;
    await rig.until('no more is taken', () => {
      sent += piece.length;
      return !handed.incoming.onBody(piece);
    });
    expect(sent).toBeLessThan(20_000_000);
    expect(handed.resumed).toBe(0);
    client.resume();
    await rig.until('more is asked for', () => handed.resumed > 0);
    while (sent < 20_000_000) {
      handed.incoming.onBody(piece);
      sent += piece.length;
    }
    handed.end();
    expect((await client.message()).body.length).toBe(20_000_000);
    expect((await rig.journal.ends(1)).bytesOut).toBe(20_000_000);
  });

  it('of the shared buffer are safe when the client takes only some of it', async () => {
    const [slow, other] = [await rig.client(), await rig.client()];
    slow.send(get());
    slow.pause();
    const handed = await rig.forwarder.next();
    handed.respond('HTTP/1.1 200 OK\r\n\r\n', { isOver: false });
    let pieces = 0;
    // Small ones go through the buffer; the write that the kernel takes in part is one of them.
    while (handed.piece(`${String(pieces).padStart(7999, '.')};`) || pieces < 1000) pieces++;
    for (let at = 0; at < 20; at++) {
      other.send(get());
      (await rig.forwarder.next()).respond(
        'HTTP/1.1 200 OK\r\nContent-Length: 6000\r\n\r\n'.padEnd(6041, 'x'),
      );
      expect((await other.message()).body).toMatch(/^x{6000}$/);
    }
    slow.resume();
    handed.end();
    const { body } = await slow.message();
    const expected = Array.from(
      { length: pieces + 1 },
      (_, at) => `${String(at).padStart(7999, '.')};`,
    );
    expect(body === expected.join('')).toBe(true);
  });

  it.each([
    ['a length', '1.1', 'Content-Length: 10\r\n', 'ended'],
    ['chunks', '1.1', 'Transfer-Encoding: chunked\r\n', 'ended'],
    ['the end of the connection', '1.0', '', 'reset'],
  ])('that are cut are seen to be, by %s', async (_name, version, framing, how) => {
    const client = await rig.client();
    client.send(get('/', version));
    const handed = await rig.forwarder.next();
    handed.respond(`HTTP/1.1 200 OK\r\n${framing}\r\nabc`, { isOver: false });
    await client.to('abc');
    handed.cut({ status: 502, cause: 'upstream-reset' });
    const gone = await client.gone();
    expect(gone.how).toBe(how);
    expect(gone.received).not.toMatch(/0\r\n\r\n/);
    expect(rig.journal.entries).toMatchObject([
      { status: 200, cause: 'upstream-reset', bytesOut: 3 },
    ]);
  });
});
