// Relays, by case: notes/dhcp.md §6, 36 to 45; RFC 3046, 3011, 3527, 5107, 8357.
import { describe, expect, test } from 'vitest';
import { discover, relayInfo, request } from '../../support/dhcp/request.ts';
import { bind, MAC, runCase, type ServerCase } from '../../support/dhcp/server-case.ts';
import { addressOf, ip, ON_LINK, routed, SERVER } from '../../support/dhcp/server-rig.ts';
import { utf8 } from '../../support/dhcp/simple-plan.ts';

const site = {
  subnets: [
    { prefix: '10.0.0.0/24', pools: ['10.0.0.10-10.0.0.11'] },
    { prefix: '10.1.0.0/24', pools: ['10.1.0.10'], relays: ['192.0.2.1'], shared: 'campus' },
    { prefix: '10.2.0.0/24', pools: ['10.2.0.10'], shared: 'campus' },
  ],
  reservations: [{ at: '10.1.0.50', by: 'circuit-id', circuitId: utf8('port 7') } as const],
};
const relay = '10.1.0.1';
const by = { giaddr: relay };
const from = routed(relay);

const cases: ServerCase[] = [
  {
    what: '36 the reply goes to giaddr, port 67, not to where it came from',
    ask: discover(by),
    from: routed('203.0.113.9', 40_000),
    reason: 'offered',
    type: 2,
    yiaddr: '10.1.0.10',
    after: ({ packet }) => {
      expect(packet).toMatchObject({ by: 'udp', address: ip(relay), port: 67, source: ip(SERVER) });
    },
  },
  {
    what: '36 RAI-19: the port that it came from',
    ask: discover({ ...by, relay: relayInfo({ sub: [[19, []]] }) }),
    from: routed(relay, 40_000),
    reason: 'offered',
    type: 2,
    after: ({ packet }) => expect(packet).toMatchObject({ address: ip(relay), port: 40_000 }),
  },
  {
    what: '37 option 82 comes back whole, and last',
    ask: discover({ ...by, clientId: [1, 2], relay: relayInfo({ circuitId: 'a', remoteId: 'b' }) }),
    from,
    reason: 'offered',
    type: 2,
    after: ({ message }) => {
      expect(message.options.get(82)).toEqual(relayInfo({ circuitId: 'a', remoteId: 'b' }));
      expect([...message.options.keys()].at(-1)).toBe(82);
    },
  },
  {
    what: '38 from a client on the link: dropped',
    ask: discover({ relay: relayInfo({ circuitId: 'a' }) }),
    reason: 'agent-untrusted',
  },
  {
    what: '38 unless the link is trusted',
    settings: { trustedLinks: ['lan0'] },
    ask: discover({ relay: relayInfo({ circuitId: 'a' }) }),
    reason: 'offered',
    type: 2,
    yiaddr: '10.0.0.10',
  },
  {
    what: '40 option 118 before giaddr, echoed',
    ask: discover({ ...by, subnetSelection: '10.0.0.0' }),
    from,
    reason: 'offered',
    type: 2,
    yiaddr: '10.0.0.10',
    after: (offer) => expect(addressOf(offer, 118)).toBe('10.0.0.0'),
  },
  {
    what: '40 option 118 of a client on the link: it is answered there',
    ask: discover({ subnetSelection: '10.1.0.0' }),
    reason: 'offered',
    type: 2,
    yiaddr: '10.1.0.10',
    after: ({ packet }) => expect(packet).toMatchObject({ by: 'link', address: ip('10.1.0.10') }),
  },
  {
    what: '40 RAI-5 before 118',
    ask: discover({
      giaddr: '10.0.0.1',
      subnetSelection: '10.0.0.0',
      relay: relayInfo({ linkSelection: '10.1.0.0' }),
    }),
    from,
    reason: 'offered',
    type: 2,
    yiaddr: '10.1.0.10',
  },
  {
    what: '40 a selection of no subnet: not the one of giaddr instead',
    ask: discover({ ...by, relay: relayInfo({ linkSelection: '198.51.100.0' }) }),
    from,
    reason: 'unknown-network',
  },
  {
    what: '41 RAI-11: option 54 says what the relay wants, the packet comes from us',
    ask: discover({ ...by, relay: relayInfo({ serverOverride: relay }) }),
    from,
    reason: 'offered',
    type: 2,
    after: (offer) => {
      expect(addressOf(offer, 54)).toBe(relay);
      expect(offer.packet.source).toBe(ip(SERVER));
    },
  },
  {
    what: '41 a REQUEST that names it is ours',
    before: (rig) => rig.ask(discover(by), from),
    ask: request({
      ...by,
      requested: '10.1.0.10',
      serverId: relay,
      relay: relayInfo({ serverOverride: relay }),
    }),
    from,
    reason: 'acked-new',
    type: 5,
    yiaddr: '10.1.0.10',
  },
  {
    what: '43 an unknown relay',
    ask: discover({ giaddr: '198.51.100.1' }),
    from,
    reason: 'unknown-network',
  },
  {
    what: 'a relay whose address lies elsewhere, but is listed',
    ask: discover({ giaddr: '192.0.2.1' }),
    from,
    reason: 'offered',
    type: 2,
    yiaddr: '10.1.0.10',
  },
  {
    what: '45 a shared network: the pool of the other member when the first is full',
    before: (rig) => bind(rig, { ...by, mac: MAC.two }, from),
    ask: discover(by),
    from,
    reason: 'offered',
    type: 2,
    yiaddr: '10.2.0.10',
  },
  {
    what: '45 an address in the other member is fine in INIT-REBOOT',
    before: (rig) => bind(rig, { ...by, requested: '10.2.0.10' }, from),
    ask: request({ ...by, requested: '10.2.0.10' }),
    from,
    reason: 'acked-again',
    type: 5,
    yiaddr: '10.2.0.10',
  },
  {
    what: '45 and one of another network is not',
    ask: request({ ...by, requested: '10.0.0.10' }),
    from,
    reason: 'nak-wrong-network',
    type: 6,
  },
  {
    what: '27 a reservation by circuit',
    ask: discover({ ...by, relay: relayInfo({ circuitId: 'port 7' }) }),
    from,
    reason: 'offered-reservation',
    type: 2,
    yiaddr: '10.1.0.50',
  },
  {
    what: 'by a relay, but captured on a link',
    ask: discover(by),
    from: { ...ON_LINK, source: ip(relay), sourcePort: 67, destination: ip(SERVER) },
    reason: 'offered',
    type: 2,
    yiaddr: '10.1.0.10',
    after: ({ packet }) =>
      expect(packet).toMatchObject({ by: 'udp', address: ip(relay), port: 67 }),
  },
  {
    what: 'the circuit is kept with the lease',
    before: (rig) =>
      bind(rig, { ...by, hostName: 'Desk-7.example', relay: relayInfo({ circuitId: 'a' }) }, from),
    ask: request({ ...by, ciaddr: '10.1.0.10' }),
    from,
    reason: 'acked-cached',
    type: 5,
    lastly: ({ book }) => {
      const details = book.leases.details.get(ip('10.1.0.10'));
      expect(details).toEqual({ hostname: 'desk-7', circuitId: '61' });
    },
  },
];

describe('by a relay', () => test.each(cases)('$what', (one) => runCase(one, site)));

describe('a relay that is no host', () => {
  const nobody = [
    '0.0.0.9',
    '127.0.0.1',
    '224.0.0.1',
    '240.0.0.1',
    '255.255.255.255',
    '10.1.0.0',
    '10.1.0.255',
  ];
  test.each(nobody)('%s is answered nothing, whatever subnet it selects', (giaddr) => {
    const ask = discover({ giaddr, subnetSelection: '10.0.0.0' });
    return runCase({ what: giaddr, ask, from, reason: 'relay-unanswerable' }, site);
  });

  test('by loopback a relay of this machine is one', () => {
    const ask = discover({ giaddr: '127.0.0.1', subnetSelection: '10.0.0.0' });
    const own = { what: '', ask, from: routed('127.0.0.1'), reason: 'offered', type: 2 };
    return runCase(own, site);
  });
});

const nameless: ServerCase[] = [
  {
    what: 'without a configured one: the address that it was sent to',
    ask: discover(by),
    from: { ...from, destination: ip('10.9.9.9') },
    reason: 'offered',
    type: 2,
    after: (offer) => expect(addressOf(offer, 54)).toBe('10.9.9.9'),
  },
  {
    what: 'on a link: its address there',
    ask: discover(),
    reason: 'offered',
    type: 2,
    after: (offer) => expect(addressOf(offer, 54)).toBe(SERVER),
  },
  {
    what: 'nothing that could be told: silence',
    ask: discover(by),
    from: { source: ip(relay), sourcePort: 67 },
    reason: 'no-server-id',
  },
];

describe('the server identifier', () => {
  const settings = { serverId: undefined };
  test.each(nameless)('$what', (one) => runCase({ ...one, settings }, site));
});
