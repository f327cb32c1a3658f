// DISCOVER by case: notes/dhcp.md §6, 17 to 34.
import { describe, expect, test } from 'vitest';
import { discover, request } from '../../support/dhcp/request.ts';
import {
  bind,
  codesOf,
  expire,
  MAC,
  macOf,
  runCase,
  type ServerCase,
  textOf,
} from '../../support/dhcp/server-case.ts';
import {
  addressOf,
  ip,
  LAN,
  Rig,
  SERVER,
  secondsOf,
  unicast,
} from '../../support/dhcp/server-rig.ts';
import { utf8 } from '../../support/dhcp/simple-plan.ts';

const ROUTES = Uint8Array.of(24, 192, 0, 2, 10, 0, 0, 1);
const OPTIONS = new Map([
  [3, Uint8Array.of(10, 0, 0, 1)],
  [6, Uint8Array.of(10, 0, 0, 53)],
  [15, utf8('example.org')],
  [121, ROUTES],
]);
const pool = ['10.0.0.10-10.0.0.11'];
const small = { subnets: [{ prefix: '10.0.0.0/24', pools: pool, options: OPTIONS }] };
const reserved = (identity: object) => ({
  ...small,
  reservations: [{ at: '10.0.0.50', hostname: 'printer', ...identity } as never],
});
const byMac = reserved({ by: 'mac', mac: macOf(MAC.one) });
const two = { mac: MAC.two };

const cases: ServerCase[] = [
  {
    what: '17 a new client is offered an address, with 53, 54, 51 and 1',
    ask: discover({ ask: [] }),
    reason: 'offered',
    type: 2,
    yiaddr: '10.0.0.10',
    after: (offer) => {
      expect(addressOf(offer, 54)).toBe(SERVER);
      expect(addressOf(offer, 1)).toBe('255.255.255.0');
      expect(codesOf(offer).slice(0, 3)).toEqual([53, 54, 51]);
    },
  },
  {
    what: '17 the address is set aside: another client gets another',
    before: (rig) => rig.ask(discover(two)),
    ask: discover(),
    reason: 'offered',
    type: 2,
    yiaddr: '10.0.0.11',
  },
  {
    what: '18 an active binding is offered again, whatever it asks for',
    before: (rig) => bind(rig),
    ask: discover({ requested: '10.0.0.11' }),
    reason: 'offered-own',
    type: 2,
    yiaddr: '10.0.0.10',
  },
  {
    what: '19 an expired binding that is still free comes back',
    before: async (rig) => {
      await bind(rig, two);
      await bind(rig);
      await expire(rig);
    },
    ask: discover(),
    reason: 'offered',
    type: 2,
    yiaddr: '10.0.0.11',
  },
  {
    what: '21 an address that is taken is not refused aloud',
    before: (rig) => bind(rig, two),
    ask: discover({ requested: '10.0.0.10' }),
    reason: 'offered',
    type: 2,
    yiaddr: '10.0.0.11',
  },
  {
    what: '21 nor one of another network',
    ask: discover({ requested: '192.0.2.7' }),
    reason: 'offered',
    type: 2,
    yiaddr: '10.0.0.10',
  },
  {
    what: '21 nor one that is reserved for somebody else',
    plan: reserved({ by: 'mac', mac: macOf(MAC.two), at: '10.0.0.11' }),
    ask: discover({ requested: '10.0.0.11' }),
    reason: 'offered',
    type: 2,
    yiaddr: '10.0.0.10',
  },
  {
    what: '21 nor one that was declined',
    before: (rig) => rig.book.quarantine(ip('10.0.0.10'), 3600),
    ask: discover({ requested: '10.0.0.10' }),
    reason: 'offered',
    type: 2,
    yiaddr: '10.0.0.11',
  },
  {
    what: '21 one that is free is given',
    ask: discover({ requested: '10.0.0.11' }),
    reason: 'offered',
    type: 2,
    yiaddr: '10.0.0.11',
  },
  {
    what: '22 a DISCOVER that names a server is ignored',
    ask: discover({ serverId: SERVER }),
    reason: 'discover-with-server-id',
  },
  {
    what: '25 no address left: silence and an event',
    before: async (rig) => {
      await bind(rig, two);
      await bind(rig, { mac: MAC.three });
    },
    ask: discover(),
    reason: 'pool-exhausted',
    lastly: (rig) => expect(rig.notices).toEqual(['pool-exhausted']),
  },
  {
    what: '26 a lease time that is asked for, up to the most',
    ask: discover({ leaseSeconds: 1_000_000 }),
    reason: 'offered',
    type: 2,
    after: (offer) => expect(secondsOf(offer, 51)).toBe(86_400),
  },
  {
    what: '26 and from the least',
    ask: discover({ leaseSeconds: 1 }),
    reason: 'offered',
    type: 2,
    after: (offer) => expect(secondsOf(offer, 51)).toBe(600),
  },
  {
    what: '27 a reservation by MAC, whatever option 61 says',
    plan: byMac,
    ask: discover({ clientId: utf8('guest'), ask: [12] }),
    reason: 'offered-reservation',
    type: 2,
    yiaddr: '10.0.0.50',
    after: (offer) => expect(textOf(offer, 12)).toBe('printer'),
  },
  {
    what: '27 a reservation by client identifier',
    plan: reserved({ by: 'client-id', clientId: utf8('guest') }),
    ask: discover({ clientId: utf8('guest') }),
    reason: 'offered-reservation',
    type: 2,
    yiaddr: '10.0.0.50',
  },
  {
    what: '27 a reserved address that somebody else holds: one of the pool, and an alarm',
    plan: byMac,
    before: (rig) =>
      rig.book.bind({
        client: { key: Uint8Array.of(0, 1, 9), htype: 1, chaddr: Uint8Array.of(9) },
        address: ip('10.0.0.50'),
        leaseSeconds: 3600,
        offered: false,
      }),
    ask: discover(),
    reason: 'offered',
    type: 2,
    yiaddr: '10.0.0.10',
    lastly: (rig) => expect(rig.notices).toEqual(['reservation-taken']),
  },
  {
    what: '28 what is asked for, each once, in that order',
    ask: discover({ ask: [15, 6, 15, 3, 51, 1, 200] }),
    reason: 'offered',
    type: 2,
    after: (offer) => expect(codesOf(offer)).toEqual([53, 54, 51, 58, 59, 1, 15, 6, 3]),
  },
  {
    what: '28 without a list all that there is',
    ask: discover({ ask: undefined as never }),
    reason: 'offered',
    type: 2,
    after: (offer) => expect(codesOf(offer)).toEqual([53, 54, 51, 58, 59, 1, 3, 6, 15, 121]),
  },
  {
    what: '29 classless routes when asked for',
    ask: discover({ ask: [121, 3] }),
    reason: 'offered',
    type: 2,
    after: (offer) => expect(offer.message.options.get(121)).toEqual(ROUTES),
  },
  {
    what: '33 rapid commit: bound and acknowledged at once',
    plan: { subnets: [{ prefix: '10.0.0.0/24', pools: pool, rapidCommit: true }] },
    ask: discover({ rapidCommit: true }),
    reason: 'acked-rapid',
    type: 5,
    yiaddr: '10.0.0.10',
    after: (ack, rig) => {
      expect(codesOf(ack)).toContain(80);
      expect(rig.record('10.0.0.10')?.state).toBe(1);
    },
  },
  {
    what: '33 where it is not wanted: an OFFER without 80',
    ask: discover({ rapidCommit: true }),
    reason: 'offered',
    type: 2,
    after: (offer) => expect(codesOf(offer)).not.toContain(80),
  },
  {
    what: '34 a client that can do without IPv4 gets no address',
    plan: { subnets: [{ prefix: '10.0.0.0/24', pools: pool, ipv6OnlySeconds: 1800 }] },
    ask: discover({ ask: [1, 108] }),
    reason: 'offered-none',
    type: 2,
    yiaddr: '0.0.0.0',
    after: (offer, rig) => {
      expect(secondsOf(offer, 108)).toBe(1800);
      expect(codesOf(offer)).not.toContain(51);
      expect(rig.book.calls).toEqual([]);
    },
  },
  {
    what: '34 who does not ask for 108 is not told',
    plan: { subnets: [{ prefix: '10.0.0.0/24', pools: pool, ipv6OnlySeconds: 1800 }] },
    ask: discover({ ask: [1] }),
    reason: 'offered',
    type: 2,
    yiaddr: '10.0.0.10',
    after: (offer) => expect(codesOf(offer)).not.toContain(108),
  },
  {
    what: 'RFC 6842: the client identifier comes back as it was',
    ask: discover({ clientId: [1, 2, 3] }),
    reason: 'offered',
    type: 2,
    after: (offer) => expect(offer.message.options.get(61)).toEqual(Uint8Array.of(1, 2, 3)),
  },
  {
    what: 'one of a single byte is none (14)',
    ask: discover({ clientId: [1] }),
    reason: 'offered',
    type: 2,
    after: (offer) => expect(codesOf(offer)).not.toContain(61),
  },
  {
    what: 'a gateway in the pool is nobody else’s',
    plan: {
      subnets: [
        {
          prefix: '10.0.0.0/24',
          pools: ['10.0.0.0-10.0.0.2'],
          options: new Map([[3, Uint8Array.of(10, 0, 0, 1)]]),
        },
      ],
    },
    settings: { serverId: ip('10.0.0.9'), siblingIds: [] },
    ask: discover({ requested: '10.0.0.1' }),
    reason: 'offered',
    type: 2,
    yiaddr: '10.0.0.2',
  },
  {
    what: 'an infinite lease has no renewal times',
    plan: {
      subnets: [
        {
          prefix: '10.0.0.0/24',
          pools: pool,
          lease: { default: 0xffffffff, min: 600, max: 0xffffffff },
        },
      ],
    },
    ask: discover(),
    reason: 'offered',
    type: 2,
    after: (offer) => {
      expect(secondsOf(offer, 51)).toBe(0xffffffff);
      expect(codesOf(offer)).not.toEqual(expect.arrayContaining([58]));
    },
  },
  {
    what: 'sent to us by one that has no address: by its link',
    ask: discover(),
    from: unicast('0.0.0.0'),
    reason: 'offered',
    type: 2,
    yiaddr: '10.0.0.10',
  },
  {
    what: 'a link that no subnet serves: silence',
    plan: { subnets: [{ prefix: '192.0.2.0/24', pools: ['192.0.2.5'] }] },
    ask: discover(),
    reason: 'unknown-network',
  },
  {
    what: 'draining: new clients are left to the others',
    before: (rig) => rig.server.drain(),
    ask: discover(),
    reason: 'draining',
  },
  {
    what: '73 starting: silence',
    before: (rig) => {
      rig.book.condition = 'starting';
    },
    ask: discover(),
    reason: 'starting',
  },
];

describe('DISCOVER', () => {
  test.each(cases)('$what', (one) => runCase(one, small));
});

describe('a recycled address', () => {
  const recycle = async (rig: Rig) => {
    for (const mac of [MAC.two, MAC.three]) await bind(rig, { mac });
    await expire(rig);
  };
  const prober = (inUse: readonly string[], probed: string[]) => ({
    probe: async (address: number, link: string | undefined) => {
      const text = [24, 16, 8, 0].map((shift) => (address >>> shift) & 255).join('.');
      probed.push(`${text} ${link}`);
      return inUse.includes(text) ? ('in-use' as const) : ('silent' as const);
    },
  });

  test('is offered once nobody answers there', async () => {
    const probed: string[] = [];
    const rig = new Rig({ plan: small, prober: prober(['10.0.0.10'], probed) });
    await recycle(rig);
    const offer = await rig.ask(discover());
    expect(offer?.yiaddr).toBe('10.0.0.11');
    expect(probed).toEqual(['10.0.0.10 lan0', '10.0.0.11 lan0']);
    expect(rig.notices).toEqual(['address-in-use']);
    expect(rig.record('10.0.0.10')?.state).toBe(4);
  });

  test('is not looked for more than three times', async () => {
    const all = ['10.0.0.10', '10.0.0.11', '10.0.0.12', '10.0.0.13'];
    const probed: string[] = [];
    const plan = { subnets: [{ prefix: '10.0.0.0/24', pools: ['10.0.0.10-10.0.0.13'] }] };
    const rig = new Rig({ plan, prober: prober(all, probed) });
    for (const at of [2, 3, 4, 5]) await bind(rig, { mac: `02:00:00:00:00:0${at}` });
    await expire(rig);
    expect(await rig.ask(discover())).toBeUndefined();
    expect([rig.reason, probed.length]).toEqual(['all-in-use', 3]);
  });
});

test('near exhaustion leases get shorter, down to the least', async () => {
  const lease = { default: 1600, min: 600, max: 86_400 };
  const rig = new Rig({
    plan: { subnets: [{ prefix: '10.0.0.0/24', pools: ['10.0.0.10-10.0.0.29'], lease }] },
  });
  const seconds: (number | undefined)[] = [];
  for (let at = 16; at < 36; at += 1) {
    const mac = `02:00:00:00:01:${at.toString(16)}`;
    await rig.clock.advance(1000);
    const offer = await rig.ask(discover({ mac }));
    const fields = { mac, serverId: SERVER, requested: offer?.yiaddr ?? '' };
    seconds.push(secondsOf(await rig.ask(request(fields)), 51));
  }
  expect(seconds.slice(0, 19)).toEqual(Array(19).fill(1600));
  expect(seconds[19]).toBe(1100);
});

test('the LAN of the rig is served', async () => {
  const rig = new Rig({ plan: LAN });
  expect(await bind(rig)).toBe('10.0.0.10');
});
