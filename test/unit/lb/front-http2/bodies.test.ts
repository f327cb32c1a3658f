// Bodies both ways: no more is held than may be, each end waits for the other, and what is not
// whole is never made to look so.
import type { ClientHttp2Session, ClientHttp2Stream } from 'node:http2';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ROUTE } from '../../../support/lb/http/fakes.ts';
import { CODES, END_HEADERS, frame, GET, headers, POST, RawClient, TYPE, word } from './frames.ts';
import { answerOf, ask, Http2Rig } from './rig.ts';

/** A stream's window, what node has read of it, and the frames around it. */
const HELD_BYTES = 65_535 + 65_536 + 4096;
const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
const LENGTH_10 = 'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n';
const CHUNKED = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n';

let rig: Http2Rig;
let client: ClientHttp2Session;
beforeEach(async () => {
  rig = await Http2Rig.open();
  client = await rig.client();
});
afterEach(() => rig.close());

function post(more: Record<string, string> = {}): ClientHttp2Stream {
  const stream = client.request({ ':method': 'POST', ':path': '/', ...more });
  stream.on('error', () => {});
  return stream;
}

/** What the front has read of the client's connection, once it reads no more. */
async function readAtLast(): Promise<number> {
  const ping = () => new Promise((resolve) => client.ping(resolve));
  let before = -1;
  for (;;) {
    for (let at = 0; at < 5; at++) await ping();
    const read = rig.connections[0]?.bytesRead ?? 0;
    if (read - before < 1000) return read;
    before = read;
  }
}

describe('a request’s body', () => {
  test('comes in pieces, with its trailers', async () => {
    const stream = client.request({ ':method': 'POST', ':path': '/' }, { waitForTrailers: true });
    stream.on('wantTrailers', () => {
      stream.sendTrailers({ 'x-sum': '1', authorization: 'no', x_y: 'no' });
    });
    stream.write('one ');
    const handed = await rig.forwarder.next();
    expect(handed.request).toMatchObject({ hasBody: true, bodyBytes: -1 });
    await rig.until('the first piece is there', () => handed.body === 'one ');
    expect(handed.isBodyEnded).toBe(false);
    stream.end('two');
    await rig.until('it is whole', () => handed.isBodyEnded);
    expect([handed.body, handed.trailers]).toEqual(['one two', 'x-sum: 1\r\n']);
    const asked = answerOf(stream);
    handed.respond(OK);
    expect((await asked).headers[':status']).toBe(200);
    expect(await rig.journal.ends(1)).toMatchObject({ bytesIn: 7, bytesOut: 2, cause: 'ok' });
  });

  test('of a known length keeps it', async () => {
    const stream = post({ 'content-length': '5' });
    stream.end('12345');
    const handed = await rig.forwarder.next();
    expect(handed.request).toMatchObject({ hasBody: true, bodyBytes: 5 });
    expect(handed.head).toContain('Content-Length: 5\r\n');
    await rig.until('it is whole', () => handed.isBodyEnded);
    expect(handed.body).toBe('12345');
  });

  test('of length 0 that ends later is none', async () => {
    const stream = post({ 'content-length': '0' });
    const handed = await rig.forwarder.next();
    const asked = answerOf(stream);
    stream.end();
    handed.respond(OK);
    expect((await asked).headers[':status']).toBe(200);
    expect(handed).toMatchObject({ isBodyEnded: false, body: '', aborted: undefined });
  });

  test('is held back as the forwarder asks: no more than a window comes', async () => {
    const stream = post();
    const handed = await rig.forwarder.next();
    handed.isTaking = false;
    stream.write(Buffer.alloc(1_000_000, 'x'));
    expect(await readAtLast()).toBeLessThan(HELD_BYTES);
    handed.isTaking = true;
    handed.incoming.onDrain();
    stream.end();
    await rig.until('all of it is there', () => handed.isBodyEnded);
    expect(handed.body.length).toBe(1_000_000);
  });

  test('one that waits does not hold up another', async () => {
    const waiting = post();
    const handed = await rig.forwarder.next();
    handed.isTaking = false;
    waiting.write(Buffer.alloc(1_000_000, 'x'));
    await readAtLast();
    const other = post();
    other.end(Buffer.alloc(300_000, 'y'));
    const second = await rig.forwarder.next();
    await rig.until('all of the other is there', () => second.isBodyEnded);
    expect(second.body.length).toBe(300_000);
  });

  test.each([0, 2, 8])('that the client resets with code %d is given up', async (code) => {
    const raw = await RawClient.connect(rig.port);
    raw.send(headers(1, POST, END_HEADERS), frame(TYPE.DATA, 0, 1, 'some'));
    const handed = await rig.forwarder.next();
    await rig.until('some is there', () => handed.body === 'some');
    raw.send(frame(TYPE.RST_STREAM, 0, 1, word(code)));
    expect(await rig.journal.ends(1)).toMatchObject({ bytesIn: 4, cause: 'client-gone' });
    expect([handed.aborted, handed.isBodyEnded]).toEqual(['client-gone', false]);
    raw.socket.destroy();
  });

  test('that the forwarder holds back and the client resets is not ended', async () => {
    const raw = await RawClient.connect(rig.port);
    rig.forwarder.atOnce = (handed) => {
      handed.isTaking = false;
    };
    raw.send(headers(1, POST, END_HEADERS), frame(TYPE.DATA, 0, 1, 'some'));
    const handed = await rig.forwarder.next();
    await rig.until('some is there', () => handed.body === 'some');
    const more = frame(TYPE.DATA, 0, 1, 'more');
    raw.send(more, more, frame(TYPE.RST_STREAM, 0, 1, word(0)));
    expect(await rig.journal.ends(1)).toMatchObject({ cause: 'client-gone' });
    expect([handed.aborted, handed.isBodyEnded]).toEqual(['client-gone', false]);
    raw.socket.destroy();
  });

  test.each(['FIN', 'RST', 'GOAWAY'])('that a %s cuts is given up', async (how) => {
    const raw = await RawClient.connect(rig.port);
    raw.send(headers(1, POST, END_HEADERS), frame(TYPE.DATA, 0, 1, 'some'));
    const handed = await rig.forwarder.next();
    await rig.until('some is there', () => handed.body === 'some');
    if (how === 'FIN') raw.socket.end();
    else if (how === 'RST') raw.socket.resetAndDestroy();
    else raw.send(frame(TYPE.GOAWAY, 0, 0, Buffer.concat([word(0), word(2)])));
    expect(await rig.journal.ends(1)).toMatchObject({ cause: 'client-gone' });
    expect([handed.aborted, handed.isBodyEnded]).toEqual(['client-gone', false]);
  });

  test.each<[string, Buffer[]]>([
    ['less', [frame(TYPE.DATA, 1, 1, '1234')]],
    ['more', [frame(TYPE.DATA, 0, 1, '123456')]],
    ['more, late', [frame(TYPE.DATA, 0, 1, '12345'), frame(TYPE.DATA, 1, 1, '6')]],
    ['nothing', [frame(TYPE.DATA, 1, 1, '')]],
  ])('of %s than its content-length is aborted, not ended', async (_, frames) => {
    const raw = await RawClient.connect(rig.port);
    const length = [...POST, ['content-length', '5'] as const];
    raw.send(headers(1, length, END_HEADERS));
    const handed = await rig.forwarder.next();
    raw.send(...frames);
    expect(await rig.journal.ends(1)).toMatchObject({ cause: 'bad-request' });
    expect([handed.aborted, handed.isBodyEnded]).toEqual(['bad-request', false]);
    expect(handed.body.length).toBeLessThanOrEqual(5);
    raw.socket.destroy();
  });

  test('that is too large is refused, known or not', async () => {
    rig.policy.route = { ...ROUTE, maxBodyBytes: 10 };
    const known = answerOf(post({ 'content-length': '11' }));
    expect((await known).headers[':status']).toBe(413);
    expect(rig.forwarder.handed).toEqual([]);
    const stream = post();
    const asked = answerOf(stream);
    stream.write('x'.repeat(6));
    const handed = await rig.forwarder.next();
    stream.write('x'.repeat(6));
    const { headers: head, code } = await asked;
    expect([head[':status'], code]).toEqual([413, 0]);
    expect(handed.aborted).toBe('too-large');
    expect(await rig.journal.ends(2)).toMatchObject({ cause: 'too-large', status: 413 });
  });

  test('that does not come in time is answered with 408', async () => {
    const asked = answerOf(post());
    const handed = await rig.forwarder.next();
    await rig.pass(10_500);
    expect((await asked).headers[':status']).toBe(408);
    expect(handed.aborted).toBe('client-timeout');
    expect(await rig.journal.ends(1)).toMatchObject({ cause: 'client-timeout' });
  });

  test('that the target makes wait has its time', async () => {
    const stream = post();
    const handed = await rig.forwarder.next();
    handed.isTaking = false;
    stream.write('x');
    await rig.until('it is held', () => handed.body === 'x');
    await rig.pass(60_000);
    expect(rig.journal.entries).toEqual([]);
  });

  test('waits for 100 where the client asks so', async () => {
    const stream = post({ expect: '100-continue' });
    const continued = new Promise((resolve) => stream.once('continue', resolve));
    const handed = await rig.forwarder.next();
    expect(handed.head).toContain('expect: 100-continue\r\n');
    await rig.pass(20_000);
    handed.interim('HTTP/1.1 100 Continue\r\n\r\n');
    await continued;
    stream.end('body');
    await rig.until('it is whole', () => handed.isBodyEnded);
    const asked = answerOf(stream);
    handed.respond(OK);
    expect((await asked).headers[':status']).toBe(200);
  });

  test('is not waited for behind an early response', async () => {
    const stream = post();
    const asked = answerOf(stream);
    stream.write('some');
    const handed = await rig.forwarder.next();
    handed.respond('HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno');
    const { headers: head, body, code } = await asked;
    expect([head[':status'], `${body}`, code]).toEqual([403, 'no', 0]);
    expect(await rig.journal.ends(1)).toMatchObject({ status: 403, cause: 'ok' });
    expect(handed.isBodyEnded).toBe(false);
    expect((await ask(client, { ':method': 'TRACE' })).headers[':status']).toBe(405);
  });
});

describe('a response’s body', () => {
  /** A response that the client does not read: `pieces` of 16 KiB until the front says stop. */
  async function stall(): Promise<{
    handed: Awaited<ReturnType<typeof rig.forwarder.next>>;
    stream: ClientHttp2Stream;
    given: number;
  }> {
    const stream = client.request({ ':path': '/' }, { endStream: true });
    stream.on('error', () => {});
    const handed = await rig.forwarder.next();
    handed.respond(CHUNKED, { isOver: false });
    let given = 0;
    while (given < 10_000_000) {
      given += 16_384;
      if (!handed.piece('x'.repeat(16_384))) break;
    }
    return { handed, stream, given };
  }

  test('is held back as the client asks', async () => {
    const { handed, stream, given } = await stall();
    expect(given).toBeLessThanOrEqual(262_144);
    let got = 0;
    stream.on('data', (piece: Buffer) => {
      got += piece.length;
    });
    await rig.until('the forwarder may go on', () => handed.resumed > 0);
    handed.end();
    await rig.until('all of it is there', () => got === given);
    expect(await rig.journal.ends(1)).toMatchObject({ cause: 'ok', bytesOut: given });
  });

  test('that nobody takes is reset after a while', async () => {
    const { handed, stream } = await stall();
    while (handed.piece('x'.repeat(16_384))) await rig.until('a turn', () => true);
    await rig.pass(29_000);
    expect(rig.journal.entries).toEqual([]);
    await rig.pass(3000);
    expect(await rig.journal.ends(1)).toMatchObject({ cause: 'client-timeout', status: 200 });
    expect(handed.aborted).toBe('client-timeout');
    await rig.until('the client hears of it', () => stream.rstCode === 8);
  });

  test('that nobody takes is reset when all of it was said, too', async () => {
    const { handed } = await stall();
    handed.end();
    await rig.pass(31_000);
    expect(await rig.journal.ends(1)).toMatchObject({ cause: 'client-timeout' });
  });

  test.each([
    ['in pieces', CHUNKED, 'target', 'INTERNAL_ERROR'],
    ['of a known length', LENGTH_10, 'target', 'INTERNAL_ERROR'],
    ['compressed', LENGTH_10, 'target', 'INTERNAL_ERROR'],
    ['of a known length', LENGTH_10, 'clock', 'CANCEL'],
    ['compressed', LENGTH_10, 'worker', 'CANCEL'],
  ])('%s that is cut never looks whole: %#', async (what, head, by, code) => {
    rig.policy.compress = () => what === 'compressed';
    const raw = await RawClient.connect(rig.port);
    const wide = Buffer.from([0, 4, 0, 0, 0, 100]);
    if (by === 'clock') raw.send(frame(TYPE.SETTINGS, 0, 0, wide));
    raw.send(headers(1, GET));
    const handed = await rig.forwarder.next();
    handed.respond(`${head}${'x'.repeat(9)}`, { isOver: false });
    if (by === 'clock') handed.piece('x'.repeat(1000));
    await rig.pass(500); // the compressor says what it has
    await rig.until('some is there', () => raw.find(TYPE.DATA, 1) !== undefined);
    if (by === 'target') handed.cut({ status: 502, cause: 'upstream-reset' });
    else if (by === 'clock') await rig.pass(31_000);
    else rig.connections[1]?.destroy('drained');
    const reset = () => raw.find(TYPE.RST_STREAM, 1);
    await rig.until('it is cut', () => raw.isClosed || reset() !== undefined);
    expect(CODES[reset()?.payload.readUInt32BE(0) ?? -1]).toBe(code);
    const ended = raw.frames.filter(({ type, flags }) => type === TYPE.DATA && (flags & 1) !== 0);
    expect(ended).toEqual([]);
    raw.socket.destroy();
  });

  test('whose client goes away is given up', async () => {
    const { handed, stream } = await stall();
    stream.close(8);
    expect(await rig.journal.ends(1)).toMatchObject({ cause: 'client-gone', status: 200 });
    expect(handed.aborted).toBe('client-gone');
    expect(handed.piece('more')).toBe(true);
  });

  test('does not wait for a window that the client never opens', async () => {
    const raw = await RawClient.connect(rig.port);
    raw.send(frame(TYPE.SETTINGS, 0, 0, Buffer.from([0, 4, 0, 0, 0, 0])), headers(1, GET));
    const handed = await rig.forwarder.next();
    handed.respond(OK);
    await rig.until('the head is there', () => raw.find(TYPE.HEADERS, 1) !== undefined);
    await rig.pass(31_000);
    expect(await rig.journal.ends(1)).toMatchObject({ cause: 'client-timeout' });
    raw.socket.destroy();
  });
});
