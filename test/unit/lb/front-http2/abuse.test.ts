// Clients that cost more than they should (RFC 9113, 10.5): each is cut off by ENHANCE_YOUR_CALM,
// or costs nothing that grows.
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  block,
  END_HEADERS,
  END_STREAM,
  frame,
  GET,
  headers,
  integer,
  POST,
  RawClient,
  settings,
  TYPE,
  word,
} from './frames.ts';
import { Http2Rig } from './rig.ts';

const { DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PING, WINDOW_UPDATE, CONTINUATION } = TYPE;
const CANCEL = word(8);
const CALM = 'goaway ENHANCE_YOUR_CALM';

let rig: Http2Rig;
let client: RawClient;
beforeEach(async () => {
  rig = await Http2Rig.open();
  client = await RawClient.connect(rig.port);
});
afterEach(async () => {
  client.socket.destroy();
  await rig.close();
});

const times = (count: number, of: (at: number) => Buffer) =>
  Buffer.concat(Array.from({ length: count }, (_, at) => of(at)));
const idOf = (at: number) => 2 * at + 1;

/** How the connection ended: by itself, with all that was open. */
async function end(): Promise<string | undefined> {
  await rig.until('the connection is closed', () => client.isClosed);
  await rig.until('nothing is left of it', () => rig.closed === 1);
  return client.outcome(2 ** 30);
}

async function isAlive(stream: number): Promise<boolean> {
  const before = rig.forwarder.handed.length;
  client.send(headers(stream, GET));
  await rig.until('a request comes through', () => rig.forwarder.handed.length > before);
  return !client.isClosed;
}

describe('resets', () => {
  const openAndReset = (at: number) =>
    Buffer.concat([headers(idOf(at), GET), frame(RST_STREAM, 0, idOf(at), CANCEL)]);

  test('of streams, one after the other', async () => {
    let sent = 0;
    while (!client.isClosed && sent < 1000) {
      client.send(openAndReset(sent++));
      await rig.until('it was seen', () => client.isClosed || rig.forwarder.handed.length >= 0);
    }
    expect(await end()).toBe(CALM);
    expect(rig.forwarder.handed.length).toBeLessThanOrEqual(101);
  });

  test('of streams, all in one piece: nobody is asked for what is gone already', async () => {
    client.send(times(5000, openAndReset));
    expect(await end()).toMatch(/^goaway/);
    expect(rig.forwarder.handed.length).toBeLessThanOrEqual(101);
  });

  test('of requests that targets work on', async () => {
    for (let at = 0; at < 101; at++) {
      client.send(headers(idOf(at), GET));
      await rig.until('it is worked on', () => rig.forwarder.handed.length === at + 1);
      client.send(frame(RST_STREAM, 0, idOf(at), CANCEL));
      await rig.until('it is given up', () => rig.journal.entries.length === at + 1);
    }
    expect(await end()).toBe(CALM);
    expect(rig.forwarder.handed.every(({ aborted }) => aborted === 'client-gone')).toBe(true);
  });

  test('by us that the client provokes (CVE-2025-8671)', async () => {
    client.send(
      times(200, (at) =>
        Buffer.concat([
          headers(idOf(at), [...POST, ['content-length', '1']], END_HEADERS),
          frame(DATA, END_STREAM, idOf(at), ''),
        ]),
      ),
    );
    expect(await end()).toMatch(/^goaway/);
  });

  test('of a client that changes its mind now and then are nothing', async () => {
    for (let at = 0; at < 300; at++) {
      client.send(headers(idOf(at), GET), frame(RST_STREAM, 0, idOf(at), CANCEL));
      if (at % 50 === 49) {
        await rig.until('they are over', () => rig.connections[0]?.requests !== undefined);
        client.send(frame(PING, 0, 0, word(at).toString('latin1').padEnd(8)));
        await rig.until(
          'they were read',
          () => client.frames.filter(({ type }) => type === PING).length === (at + 1) / 50,
        );
        await rig.until('they are told', () => rig.connections[0]?.isIdle === true);
        await rig.pass(1000);
      }
    }
    expect(await isAlive(9999)).toBe(true);
  });
});

describe('floods', () => {
  test.each<[string, number, (at: number) => Buffer]>([
    ['PING', 500, () => frame(PING, 0, 0, Buffer.alloc(8))],
    ['SETTINGS', 500, () => frame(SETTINGS, 0, 0, settings([3, 1]))],
    ['PRIORITY', 20_000, (at) => frame(PRIORITY, 0, idOf(at + 9), Buffer.from([0, 0, 0, 0, 1]))],
    ['unknown frames', 20_000, () => frame(0x42, 0, 0, 'what is this')],
    ['empty DATA', 5000, () => frame(DATA, 0, 1, '')],
    [
      'heads that are wrong',
      5000,
      (at) => headers(idOf(at + 1), [...GET, ['connection', 'close']]),
    ],
    ['heads that we find wrong', 500, (at) => headers(idOf(at + 1), [...GET, ['host', 'b']])],
    ['streams beyond the bound', 5000, (at) => headers(idOf(at + 1), POST, END_HEADERS)],
  ])('of %s', async (_, count, of) => {
    client.send(headers(1, POST, END_HEADERS), times(count, of));
    expect(await end()).toMatch(/^goaway/);
    expect(rig.forwarder.handed.length).toBeLessThanOrEqual(101);
  });

  test('of CONTINUATION', async () => {
    const many = times(5000, () => frame(CONTINUATION, 0, 1, ''));
    client.send(frame(HEADERS, END_STREAM, 1, block(GET)), many);
    expect(await end()).toMatch(/^goaway/);
    expect(rig.forwarder.handed).toEqual([]);
  });

  test('of a head without end', async () => {
    const field = block([['x', 'y'.repeat(4000)]]);
    const many = times(6, () => frame(CONTINUATION, 0, 1, field));
    client.send(frame(HEADERS, END_STREAM, 1, block(GET)), many, frame(CONTINUATION, 4, 1, ''));
    await rig.until('it is refused', () => client.outcome(1) !== undefined);
    expect(client.outcome(1)).toMatch(/^(rst|goaway|status other)/); // 431
    expect(rig.forwarder.handed).toEqual([]);
  });

  test('of a head that is small packed, and large unpacked', async () => {
    // A field of 4000 bytes into the dynamic table, then its index, one byte each.
    const value = Buffer.concat([integer(4000, 7), Buffer.alloc(4000, 'y')]);
    const indexed = Buffer.concat([Buffer.from([0x40, 1, 0x78]), value]);
    const bomb = Buffer.concat([block(GET), indexed, Buffer.alloc(8000, 0x80 | 62)]);
    client.send(frame(HEADERS, END_STREAM | END_HEADERS, 1, bomb));
    await rig.until('it is refused', () => client.outcome(1) !== undefined);
    expect(client.outcome(1)).toMatch(/^(rst|goaway)/);
    expect(rig.forwarder.handed).toEqual([]);
  });

  test('of WINDOW_UPDATE cost nothing that stays', async () => {
    client.send(times(20_000, () => frame(WINDOW_UPDATE, 0, 0, word(1))));
    expect(await isAlive(40_001)).toBe(true);
  });

  test('of acknowledgments that the client does not read are bounded', async () => {
    rig.connections[0]?.destroy('drained');
    await rig.until('the first is gone', () => rig.closed === 1);
    rig.closed = 0;
    client = await RawClient.connect(rig.port);
    client.socket.pause();
    const pings = times(1000, () => frame(PING, 0, 0, Buffer.alloc(8)));
    client.send(pings);
    await rig.until('it is closed', () => rig.sockets[1]?.destroyed === true || rig.closed === 1);
  });
});

// Node 24.21 aborts the process when it frees a session that ended while nghttp2 read on.
test('sessions that end inside of what was read leave nothing behind', async () => {
  const wrong = times(5000, (at) => headers(idOf(at + 1), [...GET, ['connection', 'close']]));
  for (let round = 1; round <= 40; round++) {
    const each = await RawClient.connect(rig.port);
    each.send(headers(1, POST, END_HEADERS), wrong);
    await rig.until('it is over', () => each.isClosed && rig.closed === round);
  }
});

describe('bounds', () => {
  test('streams beyond the first hundred are refused, and may be tried again', async () => {
    client.send(times(103, (at) => headers(idOf(at), GET)));
    await rig.until('the last one is refused', () => client.outcome(idOf(102)) !== undefined);
    expect(client.outcome(idOf(102))).toBe('rst REFUSED_STREAM');
    expect(rig.forwarder.handed).toHaveLength(100);
    rig.forwarder.handed[0]?.respond('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n');
    await rig.until('one is over', () => rig.journal.entries.length === 1);
    client.send(headers(301, GET));
    await rig.until('there is room', () => rig.forwarder.handed.length === 101);
    // Who has acknowledged the bound knows better.
    client.send(frame(SETTINGS, 1, 0), headers(303, GET));
    expect(await end()).toBe('goaway PROTOCOL_ERROR');
  });

  test('a client that begins and says nothing is sent away', async () => {
    await rig.pass(11_000);
    await rig.until('it is warned', () => client.find(TYPE.GOAWAY) !== undefined);
    await rig.pass(8000);
    expect(await end()).toBe('goaway NO_ERROR');
  });

  test('a head that drips in is not waited for', async () => {
    client.send(frame(HEADERS, END_STREAM, 1, block(GET)));
    await rig.pass(20_000);
    await rig.until('it is gone', () => client.isClosed);
    expect(rig.forwarder.handed).toEqual([]);
  });
});
