// Who is too slow, and what becomes of him (docs/balancing.md, H6).
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FrontRig } from '../../../support/lb/http/front-rig.ts';

let rig: FrontRig;
beforeEach(async () => {
  rig = await FrontRig.open();
});
afterEach(() => rig.close());

/** The front has read all that was sent. */
async function read(at: number, bytes: number) {
  await rig.until('it is read', () => rig.connections[at]?.bytesRead === bytes);
}

describe('408', () => {
  it('a head that drips, however often something comes', async () => {
    const client = await rig.client();
    let sent = 0;
    for (const part of ['GET / HT', 'TP/1.1\r\n', 'Host: a\r\n', 'X: y\r\n']) {
      client.send(part);
      sent += part.length;
      await read(0, sent);
      await rig.pass(3000);
    }
    const { head } = await client.message();
    expect(head).toMatch(/^HTTP\/1\.1 408 Request Timeout\r\n/);
    expect(head).toMatch(/^Connection: close$/m);
    expect(await client.ended()).toBe('');
    expect(rig.journal.entries).toMatchObject([
      { status: 408, cause: 'client-timeout', detail: 'head-timeout' },
    ]);
  });

  it('a body that drips', async () => {
    const client = await rig.client();
    const start = 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5000\r\n\r\n';
    client.send(start);
    const handed = await rig.forwarder.next();
    for (let count = 1; count <= 10; count++) {
      client.send('x');
      await read(0, start.length + count);
      await rig.pass(1000);
    }
    expect(handed.aborted).toBeUndefined();
    await rig.pass(1000);
    expect((await client.message()).head).toMatch(/^HTTP\/1\.1 408 /);
    expect(handed.aborted).toBe('client-timeout');
    expect(await rig.journal.ends(1)).toMatchObject({ status: 408, detail: 'body', bytesIn: 10 });
  });

  it('not a body that comes fast enough, nor one that the target makes wait', async () => {
    const client = await rig.client();
    const start = 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 20000\r\n\r\n';
    client.send(start);
    const handed = await rig.forwarder.next();
    for (let count = 1; count <= 5; count++) {
      client.send('x'.repeat(2000));
      await read(0, start.length + 2000 * count);
      await rig.pass(8000);
    }
    handed.isTaking = false;
    client.send('x');
    await read(0, start.length + 10_001);
    await rig.pass(60_000);
    expect(handed.aborted).toBeUndefined();
    handed.isTaking = true;
    handed.incoming.onDrain();
    client.send('x'.repeat(9999));
    await rig.until('it is whole', () => handed.isBodyEnded);
  });
});

describe('without a word', () => {
  it('a connection on which nothing was ever said', async () => {
    const client = await rig.client();
    await rig.pass(11_000);
    expect(await client.ended()).toBe('');
    expect(rig.journal.entries).toHaveLength(0);
  });

  it('one on which only empty lines came', async () => {
    const client = await rig.client();
    client.send('\r\n');
    await read(0, 2);
    await rig.pass(11_000);
    expect(await client.ended()).toBe('');
    expect(rig.journal.entries).toHaveLength(0);
  });

  it('a client that does not end is let go after a while', async () => {
    const client = await rig.client();
    client.send('GET /\r\n\r\n');
    expect((await client.message()).head).toMatch(/^HTTP\/1\.1 400 /);
    await rig.pass(6000);
    await rig.until('it is closed', () => rig.closed === 1);
  });
});

it('a target that says neither 100 nor anything else: 504', async () => {
  const client = await rig.client();
  client.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n');
  const handed = await rig.forwarder.next();
  await rig.pass(11_000);
  expect((await client.message()).head).toMatch(/^HTTP\/1\.1 504 /);
  expect(handed.aborted).toBe('upstream-timeout');
});

describe('a slow reader', () => {
  it('of our own answers is let go, too', async () => {
    const body = Buffer.alloc(9_000_000);
    const answer = { kind: 'answer', status: 200, headers: [], body, route: 'r' } as const;
    rig.policy.answer = () => ({ ...answer, cause: 'answered' });
    const client = await rig.client();
    client.pause();
    client.send('GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
    await rig.journal.ends(1);
    await rig.pass(70_000);
    await rig.until('it is closed', () => rig.closed === 1);
  });

  it('is reset, and its target freed', async () => {
    const client = await rig.client();
    client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    client.pause();
    const handed = await rig.forwarder.next();
    handed.respond('HTTP/1.1 200 OK\r\nContent-Length: 90000000\r\n\r\n', { isOver: false });
    const piece = Buffer.alloc(50_000);
    await rig.until('no more is taken', () => !handed.incoming.onBody(piece));
    await rig.pass(29_000);
    expect(handed.aborted).toBeUndefined();
    await rig.pass(2000);
    expect(handed.aborted).toBe('client-timeout');
    client.resume();
    expect((await client.gone()).how).toBe('reset');
    expect(await rig.journal.ends(1)).toMatchObject({ status: 200, cause: 'client-timeout' });
  });

  it('that takes some now and then is served', async () => {
    const client = await rig.client();
    client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    client.pause();
    const handed = await rig.forwarder.next();
    handed.respond('HTTP/1.1 200 OK\r\nContent-Length: 90000000\r\n\r\n', { isOver: false });
    const piece = Buffer.alloc(50_000);
    for (let round = 0; round < 4; round++) {
      await rig.until('no more is taken', () => !handed.incoming.onBody(piece));
      await rig.pass(20_000);
      const { resumed } = handed;
      client.resume();
      await rig.until('more is asked for', () => handed.resumed > resumed);
      client.pause();
    }
    expect(handed.aborted).toBeUndefined();
  });
});
