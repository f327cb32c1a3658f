// Two and three servers on one book: cases 24, 48, 66 and 90 of notes/dhcp.md §6, and who answers
// first on a shared LAN.
import { describe, expect, test } from 'vitest';
import { ManualClock } from '../../../shared/clock.ts';
import { MemoryLeases } from '../../support/dhcp/memory-book.ts';
import { type ClientFields, discover, request } from '../../support/dhcp/request.ts';
import { bind, MAC } from '../../support/dhcp/server-case.ts';
import { Rig, type RigOptions, routed, SERVER, unicast } from '../../support/dhcp/server-rig.ts';

const small = { subnets: [{ prefix: '10.0.0.0/24', pools: ['10.0.0.10-10.0.0.12'] }] };
const one = { subnets: [{ prefix: '10.0.0.0/24', pools: ['10.0.0.10'] }] };
const names = ['dhcpd-1', 'dhcpd-2', 'dhcpd-3'];

function cluster(count: number, options: Partial<RigOptions> = {}): Rig[] {
  const clock = new ManualClock();
  const leases = new MemoryLeases();
  const all = names.slice(0, count);
  return all.map((own) => {
    const members = { names: all, own };
    return new Rig({ plan: small, clock, leases, members, ...options });
  });
}

const relay = { giaddr: '10.0.0.254' };
const byRelay = routed('10.0.0.254');
const askAll = (rigs: readonly Rig[], bytes: Uint8Array, from = byRelay) =>
  Promise.all(rigs.map((rig) => rig.ask(bytes, from)));

describe('several servers', () => {
  test('24 offer one client one address, and keep one record', async () => {
    const rigs = cluster(3);
    const offers = await askAll(rigs, discover(relay));
    expect(offers.map((offer) => offer?.yiaddr)).toEqual(Array(3).fill('10.0.0.10'));
    const bytes = request({ ...relay, requested: '10.0.0.10', serverId: SERVER });
    const acks = await askAll(rigs, bytes);
    expect(acks.map((ack) => ack?.type)).toEqual([5, 5, 5]);
    expect(rigs[0]?.book.leases.records.size).toBe(1);
  });

  test('48 66 bind what a sibling offered, with the same options', async () => {
    const [first, second] = cluster(2);
    if (first === undefined || second === undefined) throw new Error('two servers');
    const offer = await first.ask(discover(relay), byRelay);
    const named = request({ ...relay, requested: '10.0.0.10', serverId: SERVER });
    const ack = await second.ask(named, byRelay);
    expect([ack?.type, ack?.yiaddr]).toEqual([5, '10.0.0.10']);
    const told = (message: typeof ack) =>
      [...(message?.message.options ?? [])].filter(([code]) => code !== 53);
    expect(told(ack)).toEqual(told(offer));
  });

  test('90 give the one free address to one of two clients', async () => {
    const [first, second] = cluster(2, { plan: one });
    const two = { ...relay, mac: MAC.two };
    const offers = await Promise.all([
      first?.ask(discover(relay), byRelay),
      second?.ask(discover(two), byRelay),
    ]);
    expect(offers.filter((offer) => offer !== undefined)).toHaveLength(1);
    const taken = { requested: '10.0.0.10', serverId: SERVER };
    const [a, b] = await Promise.all([
      first?.ask(request({ ...relay, ...taken }), byRelay),
      second?.ask(request({ ...two, ...taken }), byRelay),
    ]);
    expect([a?.type, b?.type].sort()).toEqual([5, 6]);
  });
});

describe('a shared LAN', () => {
  const fields: ClientFields = { xid: 7 };
  const answering = async (rigs: readonly Rig[], bytes: Uint8Array) => {
    const answers = await Promise.all(rigs.map((rig) => rig.ask(bytes)));
    return names.filter((_, at) => answers[at] !== undefined);
  };

  test('one answers, and each client has its own', async () => {
    const rigs = cluster(3, {
      plan: { subnets: [{ prefix: '10.0.0.0/24', pools: ['10.0.0.10-10.0.0.99'] }] },
    });
    const seen = new Map<string, number>();
    for (let at = 16; at < 76; at += 1) {
      const mac = `02:00:00:00:02:${at.toString(16)}`;
      const who = await answering(rigs, discover({ mac }));
      expect(who).toHaveLength(1);
      seen.set(who[0] ?? '', (seen.get(who[0] ?? '') ?? 0) + 1);
    }
    expect([...seen.keys()].sort()).toEqual(names);
    expect(Math.min(...seen.values())).toBeGreaterThan(10);
  });

  test('the next steps in when the first does not answer', async () => {
    const rigs = cluster(3);
    const first = await answering(rigs, discover(fields));
    const rest = rigs.filter((_, at) => names[at] !== first[0]);
    const ask = async (bytes: Uint8Array) => {
      const answers = await Promise.all(rest.map((rig) => rig.ask(bytes)));
      return answers.filter((answer) => answer !== undefined).length;
    };
    // Both have seen the first one already.
    expect(await ask(discover(fields))).toBe(1);
    expect(await ask(discover(fields))).toBe(2);
    expect(await ask(discover({ xid: 8 }))).toBe(0);
    expect(await ask(discover({ xid: 9, secs: 4 }))).toBe(1);
    expect(await ask(discover({ xid: 10, secs: 8 }))).toBe(2);
  });

  test('a renewal by unicast is answered by whoever gets it', async () => {
    const rigs = cluster(3, { settings: { sharedLan: 'bucket' } });
    await bind(rigs[0] as Rig, relay, byRelay);
    const renewal = request({ ciaddr: '10.0.0.10' });
    const answers = await Promise.all(rigs.map((rig) => rig.ask(renewal, unicast('10.0.0.10'))));
    expect(answers.map((answer) => answer?.type)).toEqual([5, 5, 5]);
  });

  test('all answer where that is wanted', async () => {
    const rigs = cluster(2, { settings: { sharedLan: 'all' } });
    expect(await answering(rigs, discover())).toEqual(names.slice(0, 2));
  });

  test('a REQUEST for a foreign server is heard by each', async () => {
    const rigs = cluster(2);
    await answering(rigs, request({ requested: '10.0.0.10', serverId: '10.0.0.99' }));
    expect(rigs.map((rig) => rig.reason)).toEqual(['offer-forgotten', 'offer-forgotten']);
  });
});
