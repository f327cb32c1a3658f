// What a server does when too much comes, comes too late, or something fails: bounded, counted, and
// never a promise that is stale.
import { describe, expect, test } from 'vitest';
import { decline, discover, relayInfo, request } from '../../support/dhcp/request.ts';
import { bind } from '../../support/dhcp/server-case.ts';
import { LAN, Rig, routed, SERVER, unicast } from '../../support/dhcp/server-rig.ts';

const x = '10.0.0.10';
const macAt = (at: number): string => {
  const hex = at.toString(16).padStart(6, '0');
  return `02:00:00:${hex.slice(0, 2)}:${hex.slice(2, 4)}:${hex.slice(4)}`;
};
const times = (rig: Rig, reason: string): number =>
  rig.counted.filter((one) => one === reason).length;

/** What changes waits until it is called. */
function closeGate(rig: Rig): () => void {
  let open = (): void => {};
  rig.book.gate = new Promise((resolve) => {
    open = resolve;
  });
  return open;
}

describe('the queue', () => {
  const settings = { maxPending: 2 };

  test('is bounded, and a REQUEST goes before a DISCOVER', async () => {
    const rig = new Rig({ plan: LAN, settings });
    const open = closeGate(rig);
    for (let at = 1; at <= 6; at += 1) rig.send(discover({ mac: macAt(at) }));
    expect(rig.server.pending).toEqual({ underWay: 2, waiting: 2 });
    expect(times(rig, 'queue-full')).toBe(2);
    rig.send(request({ mac: macAt(7), requested: x, serverId: SERVER }));
    expect(rig.server.pending).toEqual({ underWay: 2, waiting: 2 });
    expect(times(rig, 'displaced')).toBe(1);
    open();
    await rig.server.idle();
    expect(rig.counted.slice(3)).toContain('nak-not-offered');
    expect(rig.server.pending).toEqual({ underWay: 0, waiting: 0 });
  });

  test('drops what waited too long: no storm when the store is back', async () => {
    const rig = new Rig({ plan: LAN, settings });
    const open = closeGate(rig);
    for (let at = 1; at <= 4; at += 1) rig.send(discover({ mac: macAt(at) }));
    await rig.clock.advance(10_000);
    open();
    await rig.server.idle();
    expect(rig.sent).toEqual([]);
    expect([times(rig, 'late'), times(rig, 'stale')]).toEqual([2, 2]);
  });

  test('takes the same question once', async () => {
    const rig = new Rig({ plan: LAN });
    const open = closeGate(rig);
    rig.send(discover());
    rig.send(discover());
    open();
    await rig.server.idle();
    expect([rig.sent.length, rig.counted]).toEqual([1, ['duplicate', 'offered']]);
  });

  test('a message that lay somewhere for long is not looked at', async () => {
    const rig = new Rig({ plan: LAN });
    await rig.clock.advance(10_000);
    const answer = await rig.ask(discover(), { ...unicast(x), receivedMs: 5000 });
    expect([answer, rig.reason]).toEqual([undefined, 'stale']);
  });
});

describe('R5', () => {
  test('an ACK that is ready too late does not leave', async () => {
    const rig = new Rig({ plan: LAN, settings: { staleAfterMs: 60_000 } });
    await rig.ask(discover());
    const { bind: bound } = rig.book;
    rig.book.bind = async (want) => {
      const result = await bound.call(rig.book, want);
      await rig.clock.advance(6000);
      return result;
    };
    expect(await rig.ask(request({ requested: x, serverId: SERVER }))).toBeUndefined();
    expect(rig.reason).toBe('late');
  });
});

describe('floods', () => {
  test('random MACs of one port leave the others what they need', async () => {
    const limits = { perRelay: 0, perPort: 5, perClient: 0, declinesPerRelay: 0 };
    const rig = new Rig({ plan: LAN, settings: { limits } });
    const from = routed('10.0.0.254');
    const fields = { giaddr: '10.0.0.254', relay: relayInfo({ circuitId: 'bad' }) };
    for (let at = 0; at < 500; at += 1) rig.send(discover({ ...fields, mac: macAt(at) }), from);
    await rig.server.idle();
    expect(times(rig, 'limit-port')).toBe(490);
    const good = relayInfo({ circuitId: 'good' });
    expect(await rig.ask(discover({ ...fields, relay: good }), from)).toBeDefined();
    await rig.clock.advance(1000);
    expect(await rig.ask(discover({ ...fields, mac: macAt(1) }), from)).toBeDefined();
  });

  test('one client that asks without end', async () => {
    const limits = { perRelay: 0, perClient: 5, declinesPerRelay: 0 };
    const rig = new Rig({ plan: LAN, settings: { limits } });
    for (let xid = 1; xid <= 100; xid += 1) await rig.ask(discover({ xid }));
    expect(times(rig, 'limit-client')).toBe(90);
  });

  test('DECLINEs of a client that takes one address after the other', async () => {
    const limits = { perRelay: 0, perClient: 0, declinesPerRelay: 2 };
    const rig = new Rig({ plan: LAN, settings: { limits } });
    for (let at = 0; at < 6; at += 1) {
      const fields = { mac: macAt(at) };
      const requested = await bind(rig, fields);
      await rig.ask(decline({ ...fields, requested, serverId: SERVER }));
    }
    expect([times(rig, 'declined'), times(rig, 'limit-declines')]).toEqual([4, 2]);
  });

  test('DECLINEs of made-up clients take a quarter of the addresses, no more', async () => {
    const rig = new Rig({ plan: LAN });
    for (let at = 0; at < 9; at += 1) {
      const fields = { mac: macAt(at) };
      const requested = await bind(rig, fields);
      await rig.ask(decline({ ...fields, requested, serverId: SERVER }));
    }
    expect(times(rig, 'declined')).toBe(9);
    await rig.clock.advance(61_000);
    for (let at = 0; at < 8; at += 1) await bind(rig, { mac: macAt(100 + at) });
    expect(await rig.ask(discover({ mac: macAt(200) }))).toBeUndefined(); // three of eleven
  });

  test('who forges the MAC of a client elsewhere does not silence it', async () => {
    const limits = { perRelay: 0, perClient: 5, declinesPerRelay: 0 };
    const rig = new Rig({ plan: LAN, settings: { limits } });
    for (let xid = 1; xid <= 100; xid += 1) {
      await rig.ask(discover({ xid, giaddr: '10.0.0.254' }), routed('10.0.0.254'));
    }
    expect(times(rig, 'limit-client')).toBe(90);
    expect(await rig.ask(discover())).toBeDefined();
  });

  test('a link as a whole', async () => {
    const limits = { perRelay: 10, perClient: 0, declinesPerRelay: 0 };
    const rig = new Rig({ plan: LAN, settings: { limits } });
    for (let at = 0; at < 100; at += 1) await rig.ask(discover({ mac: macAt(at) }));
    expect(times(rig, 'limit-relay')).toBe(80);
  });

  test('noise is counted and nothing else', async () => {
    const rig = new Rig({ plan: LAN });
    const whole = discover();
    for (let length = 0; length < 240; length += 1) rig.send(whole.subarray(0, length));
    await rig.server.idle();
    expect(rig.sent).toEqual([]);
    expect(new Set(rig.counted)).toEqual(new Set(['short', 'bootp']));
  });
});

describe('ends', () => {
  test('draining: holders are answered, new clients are not', async () => {
    const rig = new Rig({ plan: LAN });
    await bind(rig);
    rig.server.drain();
    expect(await rig.ask(discover({ mac: macAt(9) }))).toBeUndefined();
    expect((await rig.ask(request({ ciaddr: x }), unicast(x)))?.type).toBe(5);
    rig.server.undrain();
    expect(await rig.ask(discover({ mac: macAt(9) }))).toBeDefined();
  });

  test('stopped: what was under way ends, what waits does not begin', async () => {
    const rig = new Rig({ plan: LAN, settings: { maxPending: 1 } });
    const open = closeGate(rig);
    rig.send(discover({ mac: macAt(1) }));
    rig.send(discover({ mac: macAt(2) }));
    const stopped = rig.server.stop();
    rig.send(discover({ mac: macAt(3) }));
    open();
    await stopped;
    expect(rig.counted).toEqual(['stopped', 'stopped', 'offered']);
  });

  test('an error inside is one message’s, not the service’s', async () => {
    const rig = new Rig({ plan: LAN });
    const { offer } = rig.book;
    rig.book.offer = () => Promise.reject(new Error('a bug'));
    expect(await rig.ask(discover())).toBeUndefined();
    expect([rig.reason, rig.notices]).toEqual(['failed', ['request-failed']]);
    rig.book.offer = offer;
    expect(await rig.ask(discover())).toBeDefined();
  });
});
