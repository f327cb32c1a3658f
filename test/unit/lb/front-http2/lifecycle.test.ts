// The end of connections: by the client, by an idle time, by a drain, by the worker.
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { isHttp2Preface } from '../../../../lb/l7/front-http2/preface.ts';
import { frame, GET, headers, PREFACE, RawClient, TYPE, word } from './frames.ts';
import { ask, Http2Rig } from './rig.ts';

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n';

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

/** Last stream and code of each GOAWAY that came. */
const goaways = () =>
  client.frames
    .filter(({ type }) => type === TYPE.GOAWAY)
    .map(({ payload }) => [payload.readUInt32BE(0), payload.readUInt32BE(4)]);

async function request(stream: number) {
  client.send(headers(stream, GET));
  return await rig.forwarder.next();
}

describe('an orderly end', () => {
  test('says which stream was the last, and waits for it', async () => {
    const first = await request(1);
    const connection = rig.connections[0];
    connection?.closeWhenIdle();
    connection?.closeWhenIdle();
    await rig.until('the last is named', () => goaways().length > 0);
    expect(goaways()).toEqual([[1, 0]]);
    client.send(headers(3, GET));
    await rig.pass(60_000 - 1000);
    expect(client.isClosed).toBe(false);
    first.respond(OK);
    await rig.until('it is closed', () => client.isClosed);
    expect(client.find(TYPE.HEADERS, 1)).toBeDefined();
    expect(rig.forwarder.handed).toHaveLength(1);
    expect(rig.journal.entries.map(({ cause }) => cause)).toEqual(['ok']);
    await rig.until('it is told', () => rig.closed === 1);
  });

  test('begins with the next request while the worker drains', async () => {
    (await request(1)).respond(OK);
    expect(goaways()).toEqual([]);
    rig.bounds.isDraining = true;
    (await request(3)).respond(OK);
    await rig.until('it is warned', () => goaways().length > 0);
  });

  test('comes to a connection that is idle', async () => {
    (await request(1)).respond(OK);
    await rig.until('it is idle', () => rig.connections[0]?.isIdle === true);
    await rig.pass(59_000);
    expect(goaways()).toEqual([]);
    await rig.pass(3000);
    await rig.until('it is closed', () => client.isClosed);
    expect(goaways()[0]).toEqual([1, 0]);
  });

  test('comes behind so many requests', async () => {
    await rig.close();
    rig = await Http2Rig.open({ limits: { requests: 2 } });
    client = await RawClient.connect(rig.port);
    (await request(1)).respond(OK);
    expect(goaways()).toEqual([]);
    (await request(3)).respond(OK);
    await rig.until('it is warned', () => goaways().length > 0);
    expect(rig.connections[0]?.requests).toBe(2);
  });

  test('is not waited for without end by who does not close', async () => {
    await rig.close();
    rig = await Http2Rig.open();
    client = await RawClient.connect(rig.port);
    client.socket.pause();
    await rig.until('it is there', () => rig.connections.length === 1);
    rig.connections[0]?.closeWhenIdle();
    await rig.pass(10_000);
    await rig.until('it is over', () => rig.closed === 1);
  });
});

describe('an end at once', () => {
  test('cuts what is open', async () => {
    const handed = await request(1);
    rig.connections[0]?.destroy('drained');
    await rig.until('it is closed', () => client.isClosed && rig.closed === 1);
    expect(handed.aborted).toBe('drained');
    expect(await rig.journal.ends(1)).toMatchObject({ cause: 'drained' });
  });

  test.each(['FIN', 'RST', 'GOAWAY'])('by the client’s %s gives up what is open', async (how) => {
    const handed = await request(1);
    if (how === 'FIN') client.socket.end();
    else if (how === 'RST') client.socket.resetAndDestroy();
    else client.send(frame(TYPE.GOAWAY, 0, 0, Buffer.concat([word(0), word(2)])));
    expect(await rig.journal.ends(1)).toMatchObject({ cause: 'client-gone' });
    expect(handed.aborted).toBe('client-gone');
    await rig.until('it is told', () => rig.closed === 1);
  });

  test('by the client’s FIN of a connection that is idle is its end', async () => {
    const handed = await request(1);
    handed.respond(OK);
    await rig.until('it is answered', () => client.find(TYPE.HEADERS, 1) !== undefined);
    client.socket.end();
    await rig.until('it is told', () => rig.closed === 1);
  });

  test('the client’s GOAWAY of no error lets streams end', async () => {
    const handed = await request(1);
    client.send(frame(TYPE.GOAWAY, 0, 0, Buffer.concat([word(0), word(0)])));
    client.send(frame(TYPE.PING, 0, 0, Buffer.alloc(8)));
    await rig.until('it was read', () => client.find(TYPE.PING) !== undefined);
    handed.respond(OK);
    await rig.until('it is answered', () => client.find(TYPE.HEADERS, 1) !== undefined);
    expect(await rig.journal.ends(1)).toMatchObject({ cause: 'ok' });
  });
});

describe('what the worker sees', () => {
  test('streams, bytes and the time of the last one', async () => {
    const session = await rig.client();
    const connection = rig.connections[1];
    const asked = ask(session, {});
    const handed = await rig.forwarder.next();
    expect(connection).toMatchObject({
      streams: 1,
      isIdle: false,
      tunnelRoutes: [],
      requests: 1,
    });
    handed.respond(OK);
    await asked;
    await rig.until('it is idle', () => connection?.isIdle === true);
    expect(connection?.bytesRead).toBeGreaterThan(24);
    expect(connection?.bytesWritten).toBeGreaterThan(9);
    await rig.pass(500);
    const activeMs = connection?.activeMs ?? 0;
    expect(activeMs).toBeGreaterThan(0);
    await rig.pass(1000);
    expect(connection?.activeMs).toBe(activeMs);
  });
});

describe('the preface', () => {
  test.each<[string, boolean | 'more']>([
    ['', 'more'],
    ['P', 'more'],
    ['PRI * HTTP/2.0\r\n\r\nSM\r\n\r', 'more'],
    ['PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', true],
    ['PRI * HTTP/2.0\r\n\r\nSM\r\n\r\nmore', true],
    ['PUT / HTTP/1.1', false],
    ['PRI * HTTP/1.1\r\n', false],
    ['GET', false],
    ['\x16\x03\x01', false],
  ])('of %j: %j', (text, expected) => {
    expect(isHttp2Preface(Buffer.from(text, 'latin1'))).toBe(expected);
  });

  test('that was read and put back begins a connection', async () => {
    const second = await Http2Rig.open({
      before: (socket, serve) => {
        let read = Buffer.alloc(0);
        socket.on('data', function take(piece: Buffer) {
          read = Buffer.concat([read, piece]);
          if (isHttp2Preface(read) !== true) return;
          socket.off('data', take);
          socket.pause();
          socket.unshift(read);
          serve();
        });
      },
    });
    const split = await RawClient.connect(second.port, false);
    split.send(PREFACE.subarray(0, 10));
    split.send(PREFACE.subarray(10), frame(TYPE.SETTINGS, 0, 0), headers(1, GET));
    const first = await second.forwarder.next();
    first.respond(OK);
    await second.until('it is answered', () => split.outcome(1) === 'status 200');
    split.send(headers(3, GET));
    (await second.forwarder.next()).respond(OK);
    await second.until('so is what follows', () => split.outcome(3) === 'status 200');
    split.socket.destroy();
    await second.close();
  });
});
