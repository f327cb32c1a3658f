// WebSocket over HTTP/2: an extended CONNECT becomes an upgrade towards the target, and the stream
// a tunnel (RFC 8441).
import { createHash } from 'node:crypto';
import type { ClientHttp2Session, ClientHttp2Stream } from 'node:http2';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ROUTE } from '../../../support/lb/http/fakes.ts';
import { ScriptedTarget } from '../../../support/lb/http/target.ts';
import { Wire } from '../../../support/lb/http/wire.ts';
import { answerOf, ask, Http2Rig } from './rig.ts';

const CONNECT = {
  ':method': 'CONNECT',
  ':protocol': 'websocket',
  ':scheme': 'http',
  ':path': '/chat?x=1',
  ':authority': 'a.example',
  'sec-websocket-version': '13',
  'sec-websocket-protocol': 'chat',
  origin: 'http://a.example',
};

let rig: Http2Rig;
let client: ClientHttp2Session;
let target: ScriptedTarget;
beforeEach(async () => {
  rig = await Http2Rig.open();
  client = await rig.client();
  target = await ScriptedTarget.open();
});
afterEach(async () => {
  target.close();
  await rig.close();
});

type Handed = Awaited<ReturnType<typeof rig.forwarder.next>>;

const keyOf = (head: string) => /^sec-websocket-key: (.*)\r$/m.exec(head)?.[1] ?? '';
const acceptTo = (key: string) =>
  createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');

function upgradeHead(accept: string, upgrade = 'websocket'): string {
  const lines = ['HTTP/1.1 101 Switching Protocols', 'Connection: Upgrade', `Upgrade: ${upgrade}`];
  return [...lines, `Sec-WebSocket-Accept: ${accept}`, 'Sec-WebSocket-Protocol: chat', '', ''].join(
    '\r\n',
  );
}

function connect(more: Record<string, string> = {}): ClientHttp2Stream {
  const stream = client.request({ ...CONNECT, ...more });
  stream.on('error', () => {});
  return stream;
}

/** A tunnel that stands: the client's stream, and the target's end of the connection behind it. */
async function tunnel(
  rest = '',
): Promise<{ stream: ClientHttp2Stream; wire: Wire; handed: Handed }> {
  const stream = connect();
  const handed = await rig.forwarder.next();
  const upstream = await Wire.connect(target.port);
  upstream.socket.removeAllListeners();
  const wire = await target.next();
  const opened = new Promise((resolve) => stream.once('response', resolve));
  handed.upgrade(upgradeHead(acceptTo(keyOf(handed.head))) + rest, upstream.socket);
  await opened;
  return { stream, wire, handed };
}

describe('an extended CONNECT', () => {
  test('is an upgrade towards the target', async () => {
    connect();
    const { head, request } = await rig.forwarder.next();
    const lines = head.toLowerCase().split('\r\n');
    expect(lines[0]).toBe('get /chat?x=1 http/1.1');
    for (const line of [
      'host: a.example',
      'upgrade: websocket',
      'connection: upgrade',
      'sec-websocket-version: 13',
      'sec-websocket-protocol: chat',
      'origin: http://a.example',
    ]) {
      expect(lines).toContain(line);
    }
    expect(keyOf(head)).toMatch(/^[A-Za-z0-9+/]{22}==$/);
    expect(request).toMatchObject({ isUpgrade: true, hasBody: false });
  });

  test('is offered in SETTINGS', () => {
    expect(client.remoteSettings.enableConnectProtocol).toBe(true);
  });

  test('is not done where the route does not allow it', async () => {
    rig.policy.route = { ...ROUTE, upgrade: false };
    const { headers } = await answerOf(connect());
    expect(headers[':status']).toBe(501);
    expect(rig.forwarder.handed).toEqual([]);
  });

  test.each([403, 426, 503])('that the target refuses by %d is refused', async (status) => {
    const asked = answerOf(connect());
    (await rig.forwarder.next()).respond(`HTTP/1.1 ${status} No\r\nContent-Length: 2\r\n\r\nno`);
    const { headers, body } = await asked;
    expect([headers[':status'], `${body}`]).toEqual([status, 'no']);
  });

  test('that the target answers with 200 is no tunnel', async () => {
    const asked = answerOf(connect());
    const handed = await rig.forwarder.next();
    handed.respond('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n');
    expect((await asked).headers[':status']).toBe(502);
    expect(handed.aborted).toBe('bad-response');
  });

  test.each<[string, (key: string) => string]>([
    ['to another key', () => upgradeHead(acceptTo('another'))],
    ['to no key', () => upgradeHead('')],
    ['to another protocol', (key) => upgradeHead(acceptTo(key), 'h2c')],
  ])('is not accepted by an answer %s', async (_, head) => {
    const asked = answerOf(connect());
    const handed = await rig.forwarder.next();
    const upstream = await Wire.connect(target.port);
    handed.upgrade(head(keyOf(handed.head)), upstream.socket);
    expect((await asked).headers[':status']).toBe(502);
    expect(upstream.socket.destroyed).toBe(true);
    expect(await rig.journal.ends(1)).toMatchObject({ cause: 'bad-response' });
  });
});

describe('a tunnel', () => {
  test('is bytes both ways, from the first on', async () => {
    const { stream, wire } = await tunnel('early');
    let got = '';
    stream.on('data', (piece: Buffer) => {
      got += piece;
    });
    stream.write('from the client');
    expect(await wire.to('from the client')).toBe('from the client');
    wire.send(' and late');
    await rig.until('all is there', () => got === 'early and late');
    expect(stream.sentHeaders[':protocol']).toBe('websocket');
    expect(rig.connections[0]).toMatchObject({ streams: 1, tunnelRoutes: ['all'] });
  });

  test('has of the 101 what the client needs', async () => {
    const stream = connect();
    const heads: Record<string, unknown>[] = [];
    stream.on('response', (headers) => heads.push(headers));
    const handed = await rig.forwarder.next();
    const upstream = await Wire.connect(target.port);
    handed.upgrade(upgradeHead(acceptTo(keyOf(handed.head))), upstream.socket);
    await rig.until('it is answered', () => heads.length > 0);
    expect(Object.fromEntries(Object.entries(heads[0] ?? {}))).toEqual({
      ':status': 200,
      'sec-websocket-protocol': 'chat',
      via: '1.1 edge-lb-1',
      date: expect.any(String),
    });
  });

  test('moves much, each end at its own pace', async () => {
    const { stream, wire } = await tunnel();
    const much = Buffer.alloc(3_000_000, 'x');
    wire.pause();
    stream.write(much);
    wire.send(much);
    let got = 0;
    stream.on('data', (piece: Buffer) => {
      got += piece.length;
    });
    await rig.until('the client has it', () => got === much.length);
    wire.resume();
    await rig.until('the target has it', () => wire.receivedBytes === much.length);
  });

  test.each(['client', 'target'])('ends in order when the %s ends first', async (first) => {
    const { stream, wire } = await tunnel();
    const ended = new Promise((resolve) => stream.once('end', resolve));
    stream.resume();
    if (first === 'client') {
      stream.end('bye');
      expect(await wire.ended()).toBe('bye');
      wire.send('bye, too');
      wire.end();
    } else {
      wire.end();
      await ended;
      stream.end('bye');
      expect(await wire.ended()).toBe('bye');
    }
    await ended;
    expect(await rig.journal.ends(1)).toMatchObject({
      protocol: 'websocket',
      method: 'GET',
      status: 200,
      cause: 'ok',
      bytesIn: 3,
      bytesOut: first === 'client' ? 8 : 0,
    });
  });

  test('whose target resets is reset', async () => {
    const { stream, wire } = await tunnel();
    const closed = new Promise((resolve) => stream.once('close', resolve));
    wire.reset();
    await closed;
    expect(stream.rstCode).toBe(8);
    expect(await rig.journal.ends(1)).toMatchObject({ cause: 'upstream-reset' });
  });

  test('whose client resets leaves nothing at the target', async () => {
    const { stream, wire } = await tunnel();
    stream.close(8);
    await wire.gone();
    expect(await rig.journal.ends(1)).toMatchObject({ cause: 'client-gone' });
  });

  test('in which nothing is said ends after a while', async () => {
    const { wire } = await tunnel();
    await rig.pass(3_590_000);
    expect(rig.journal.entries).toEqual([]);
    await rig.pass(20_000);
    await wire.gone();
    expect(await rig.journal.ends(1)).toMatchObject({ cause: 'idle' });
  });

  test('of a route that is gone ends; requests go on', async () => {
    const { wire } = await tunnel();
    const asked = ask(client, {});
    const other = await rig.forwarder.next();
    rig.connections[0]?.endTunnels((name) => name === 'other', 'removed');
    expect(rig.connections[0]?.streams).toBe(2);
    rig.connections[0]?.endTunnels((name) => name === 'all', 'removed');
    await wire.gone();
    expect(await rig.journal.ends(1)).toMatchObject({ cause: 'removed', protocol: 'websocket' });
    other.respond('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n');
    expect((await asked).headers[':status']).toBe(200);
  });
});
