// REQUEST in RENEWING and REBINDING, and NAKs, by case: notes/dhcp.md §6, 57 to 73.
import { describe, expect, test } from 'vitest';
import { request } from '../../support/dhcp/request.ts';
import {
  becomes,
  lan,
  reboot,
  renew,
  reserve,
  small,
  strict,
  two,
  x,
  y,
} from '../../support/dhcp/request-cases.ts';
import {
  bind,
  codesOf,
  expire,
  MAC,
  macOf,
  runCase,
  type ServerCase,
} from '../../support/dhcp/server-case.ts';
import {
  addressOf,
  ip,
  Rig,
  routed,
  SERVER,
  secondsOf,
  unicast,
} from '../../support/dhcp/server-rig.ts';
import { utf8 } from '../../support/dhcp/simple-plan.ts';

const old = (rig: Rig) => bind(rig).then(() => rig.clock.advance(1_800_000));
const viaRelay = { giaddr: '10.0.0.254' };

const renewing: ServerCase[] = [
  {
    what: '57 the owner, by unicast',
    before: old,
    ask: renew(),
    from: unicast(x),
    reason: 'acked-renewal',
    type: 5,
    yiaddr: x,
    after: ({ message, packet }, rig) => {
      expect(message.ciaddr).toBe(ip(x));
      expect(packet).toMatchObject({ by: 'link', address: ip(x), port: 68 });
      expect(rig.book.calls.at(-1)).toBe('renew');
    },
  },
  {
    what: '57 through a router, by a socket',
    before: old,
    ask: renew(),
    from: routed(x),
    reason: 'acked-renewal',
    type: 5,
    yiaddr: x,
    after: ({ packet }) => expect(packet).toMatchObject({ by: 'udp', address: ip(x), port: 68 }),
  },
  {
    what: '59 expired, and free',
    before: (rig) => bind(rig).then(() => expire(rig)),
    ask: renew(),
    from: unicast(x),
    reason: 'acked-renewal',
    type: 5,
    yiaddr: x,
  },
  {
    what: '59 expired, and taken',
    before: async (rig) => {
      await bind(rig);
      await expire(rig);
      await bind(rig, { ...two, requested: x });
    },
    ask: renew(),
    from: unicast(x),
    reason: 'nak-taken',
    type: 6,
  },
  {
    what: '60 unknown, by unicast',
    ask: renew(),
    from: unicast(x),
    reason: 'not-known',
  },
  {
    what: '60 unknown, by unicast, authoritative',
    plan: strict,
    ask: renew(),
    from: unicast(x),
    reason: 'nak-unknown',
    type: 6,
  },
  {
    what: '62 the plan has moved it to an address that is free',
    before: (rig) => becomes(rig, reserve('10.0.0.50')),
    ask: renew(),
    from: unicast(x),
    reason: 'nak-moved',
    type: 6,
  },
  {
    what: '62 to one that is not: a short lease',
    before: async (rig) => {
      await bind(rig, { mac: MAC.three, requested: y });
      await bind(rig);
      rig.plan = new Rig({ plan: reserve(y) }).plan;
    },
    ask: renew(),
    from: unicast(x),
    reason: 'acked-short',
    type: 5,
    yiaddr: x,
    after: (ack) => expect(secondsOf(ack, 51)).toBe(600),
  },
  {
    what: '62 it holds what is reserved for another now, and the pools have more',
    before: (rig) => becomes(rig, reserve(x, { by: 'mac', mac: macOf(MAC.three) })),
    ask: renew(),
    from: unicast(x),
    reason: 'nak-moved',
    type: 6,
  },
  {
    what: 'a reservation for the address that it has by client identifier',
    before: async (rig) => {
      await bind(rig, { clientId: utf8('guest') });
      rig.plan = new Rig({ plan: reserve(x) }).plan;
    },
    ask: renew({ clientId: utf8('guest') }),
    from: unicast(x),
    reason: 'acked-cached',
    type: 5,
    yiaddr: x,
  },
  {
    what: '63 rebinding, known',
    before: old,
    ask: renew(),
    reason: 'acked-renewal',
    type: 5,
    yiaddr: x,
  },
  { what: '63 rebinding, unknown', plan: strict, ask: renew(), reason: 'not-known' },
  {
    what: '64 rebinding by a relay, of another network',
    ask: request({ ciaddr: '192.0.2.9', ...viaRelay }),
    from: routed('10.0.0.254'),
    reason: 'nak-wrong-network',
    type: 6,
  },
  {
    what: '67 T1 < T2 < the lease',
    before: old,
    ask: renew({ leaseSeconds: 1000 }),
    from: unicast(x),
    reason: 'acked-renewal',
    type: 5,
    after: (ack) => expect([58, 59, 51].map((c) => secondsOf(ack, c))).toEqual([500, 875, 1000]),
  },
  {
    what: '68 early: the rest of the lease, and no write',
    before: (rig) => bind(rig).then(() => rig.clock.advance(600_000)),
    ask: renew(),
    from: unicast(x),
    reason: 'acked-cached',
    type: 5,
    after: (ack, rig) => {
      expect(secondsOf(ack, 51)).toBe(3000);
      expect(rig.book.calls).toEqual(['bind']);
    },
  },
  {
    what: '73 isolated: up to what was written ahead, less the guard',
    before: async (rig) => {
      await old(rig);
      rig.book.condition = 'isolated';
    },
    ask: renew({ leaseSeconds: 86_400 }),
    from: unicast(x),
    reason: 'acked-renewal',
    type: 5,
    after: (ack) => expect(secondsOf(ack, 51)).toBe(3600),
  },
  {
    what: '73 isolated and unknown: silence',
    plan: strict,
    before: (rig) => {
      rig.book.condition = 'isolated';
    },
    ask: renew(),
    from: unicast(x),
    reason: 'not-fresh',
  },
  {
    what: 'an address of no subnet, by unicast',
    ask: request({ ciaddr: '198.51.100.9' }),
    from: unicast('198.51.100.9'),
    reason: 'unknown-network',
  },
];

describe('RENEWING and REBINDING', () => {
  test.each(renewing)('$what', (one) => runCase(one, small));
});

describe('NAK', () => {
  const options = new Map([[6, Uint8Array.of(10, 0, 0, 53)]]);
  const plan = { subnets: [{ ...lan, options, nextServer: ip('10.0.0.66'), bootFile: 'x' }] };

  test('70 nothing but who, why, and whom', async () => {
    const rig = new Rig({ plan });
    const nak = await rig.ask(reboot('192.0.2.1', { clientId: utf8('guest'), ask: [6, 67] }));
    if (nak === undefined) throw new Error('no NAK');
    expect(codesOf(nak)).toEqual([53, 54, 56, 61]);
    const { ciaddr, yiaddr, siaddr, bootFile } = nak.message;
    expect({ ciaddr, yiaddr, siaddr, bootFile }).toEqual({
      ciaddr: 0,
      yiaddr: 0,
      siaddr: 0,
      bootFile: '',
    });
    expect(addressOf(nak, 54)).toBe(SERVER);
  });

  test('71 to everybody on the link', async () => {
    const rig = new Rig({ plan: strict });
    const nak = await rig.ask(renew(), unicast(x));
    expect(nak?.packet).toMatchObject({ by: 'link', address: 0xffffffff, port: 68 });
    expect(nak?.packet).toMatchObject({ mac: Uint8Array.of(255, 255, 255, 255, 255, 255) });
  });

  test('by a relay: to it, and it is to broadcast', async () => {
    const rig = new Rig({ plan });
    const nak = await rig.ask(reboot('192.0.2.1', viaRelay), routed('10.0.0.254'));
    expect(nak?.packet).toMatchObject({ by: 'udp', address: ip('10.0.0.254'), port: 67 });
    expect(nak?.message.flags).toBe(0x8000);
  });
});
