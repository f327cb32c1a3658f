// Upgrades: no tunnel before a 101, and what a tunnel is. RFC 9110, 7.8; RFC 6455, 4.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ROUTE } from '../../../support/lb/http/fakes.ts';
import { FrontRig } from '../../../support/lb/http/front-rig.ts';
import { ScriptedTarget } from '../../../support/lb/http/target.ts';
import { Wire } from '../../../support/lb/http/wire.ts';

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
const ASK =
  'GET /ws HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n' +
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n';
const SWITCH =
  'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n' +
  'Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n';

let rig: FrontRig;
let target: ScriptedTarget;
beforeEach(async () => {
  rig = await FrontRig.open();
  target = await ScriptedTarget.open();
});
afterEach(async () => {
  await rig.close();
  target.close();
});

/** A tunnel; `early`: said behind the request, `rest`: behind the 101. */
async function tunnel(early = '', rest = '') {
  const client = await rig.client();
  client.send(ASK + early);
  const handed = await rig.forwarder.next();
  const upstream = await Wire.connect(target.port);
  const far = await target.next();
  upstream.socket.removeAllListeners();
  upstream.socket.pause();
  handed.upgrade(SWITCH + rest, upstream.socket);
  return { client, far, handed };
}

describe('a tunnel', () => {
  it('begins with 101, and with what was said meanwhile', async () => {
    const { client, far, handed } = await tunnel('early', 'rest');
    expect(handed.head).toMatch(/^Upgrade: websocket$/m);
    expect(handed.head).toMatch(/^Connection: upgrade$/im);
    const head = await client.head();
    expect(head).toMatch(/^HTTP\/1\.1 101 Switching Protocols\r\n/);
    expect(head).toMatch(/^Upgrade: websocket$/m);
    expect(head).toMatch(/^Connection: upgrade$/im);
    expect(head).toMatch(/^Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK\+xOo=$/m);
    expect(head).not.toMatch(/^(content-length|transfer-encoding):/im);
    expect(await client.to('rest')).toBe('rest');
    expect(await far.to('early')).toBe('early');
    client.send('GET / HTTP/1.1\r\n\r\n');
    expect(await far.to('\r\n\r\n')).toBe('GET / HTTP/1.1\r\n\r\n');
    expect(rig.forwarder.handed).toHaveLength(1);
    expect(rig.connections[0]).toMatchObject({ isTunnel: true, isIdle: false, routeName: 'all' });
    expect(rig.journal.entries).toHaveLength(0);
  });

  it.each(['client', 'target'])('is half closed by the %s first', async (first) => {
    const { client, far } = await tunnel();
    await client.head();
    const [one, other] = first === 'client' ? [client, far] : [far, client];
    one.send('last');
    one.end();
    expect(await other.ended()).toBe('last');
    other.send('still here');
    expect(await one.to('still here')).toBe('still here');
    other.end();
    expect(await one.ended()).toBe('');
    expect(await rig.journal.ends(1)).toMatchObject({
      status: 101,
      cause: 'ok',
      protocol: 'websocket',
      bytesIn: first === 'client' ? 4 : 10,
      bytesOut: first === 'client' ? 10 : 4,
    });
    await rig.until('it is closed', () => rig.closed === 1);
    expect(rig.journal.entries).toHaveLength(1);
  });

  it('is reset at one end when it is at the other', async () => {
    const { client, far } = await tunnel();
    await client.head();
    far.reset();
    expect((await client.gone()).how).toBe('reset');
    expect(await rig.journal.ends(1)).toMatchObject({ cause: 'upstream-reset' });
    const second = await tunnel();
    await second.client.head();
    second.client.reset();
    await second.far.gone();
    expect(await rig.journal.ends(2)).toMatchObject({ cause: 'client-gone' });
  });

  it('that says nothing ends after tunnelMs, not before', async () => {
    const { client, far } = await tunnel();
    await client.head();
    await rig.pass(3_500_000);
    client.send('x');
    await far.to('x');
    await rig.pass(3_500_000);
    expect(client.state).toBe('open');
    await rig.pass(150_000);
    await client.gone();
    await far.gone();
    expect(await rig.journal.ends(1)).toMatchObject({ cause: 'idle', bytesIn: 1 });
  });

  it('waits for who does not read', async () => {
    const { client, far } = await tunnel();
    await client.head();
    client.pause();
    far.send(Buffer.alloc(20_000_000, 't'));
    await rig.until('the target waits', () => far.socket.writableNeedDrain);
    client.resume();
    expect((await client.bytes(20_000_000)).length).toBe(20_000_000);
    far.pause();
    client.send(Buffer.alloc(20_000_000, 'c'));
    await rig.until('the client waits', () => client.socket.writableNeedDrain);
    far.resume();
    expect((await far.bytes(20_000_000)).length).toBe(20_000_000);
  });

  it('stays while the rest is drained, until it is taken away', async () => {
    const { client, far } = await tunnel();
    await client.head();
    rig.connections[0]?.closeWhenIdle();
    client.send('x');
    await far.to('x');
    rig.connections[0]?.destroy('drained');
    await client.gone();
    await far.gone();
    expect(await rig.journal.ends(1)).toMatchObject({ cause: 'drained', status: 101 });
    expect(rig.journal.entries).toHaveLength(1);
  });
});

describe('no tunnel', () => {
  it('when the target says 200: what follows is the next request', async () => {
    const client = await rig.client();
    client.send(`${ASK}GET /next HTTP/1.1\r\nHost: a\r\n\r\n`);
    const handed = await rig.forwarder.next();
    expect(handed.request.isUpgrade).toBe(true);
    handed.respond(OK);
    expect((await client.message()).body).toBe('ok');
    expect((await rig.forwarder.next()).target).toBe('/next');
  });

  const rows: [name: string, request: string, upgrade: boolean][] = [
    ['the route has none', ASK, false],
    ['it has a body', ASK.replace('\r\n\r\n', '\r\nContent-Length: 1\r\n\r\nx'), true],
    ['it is for h2c', ASK.replace('Upgrade: websocket', 'Upgrade: h2c'), true],
    ['HTTP/1.0', ASK.replace('HTTP/1.1', 'HTTP/1.0'), true],
    ['no Connection option', ASK.replace('keep-alive, Upgrade', 'keep-alive'), true],
  ];
  it.each(rows)('when %s: the target is not asked for one', async (_name, request, upgrade) => {
    rig.policy.route = { ...ROUTE, upgrade };
    const client = await rig.client();
    client.send(request);
    const handed = await rig.forwarder.next();
    expect(handed.request.isUpgrade).toBe(false);
    expect(handed.head).not.toMatch(/^upgrade:/im);
    expect(handed.head).not.toMatch(/^connection:/im);
    handed.respond(OK);
    expect((await client.message()).body).toBe('ok');
  });
});
