// DECLINE, RELEASE, INFORM and delivery by case: notes/dhcp.md §6, 74 to 89.
import { describe, expect, test } from 'vitest';
import {
  decline,
  discover,
  inform,
  relayInfo,
  release,
  request,
} from '../../support/dhcp/request.ts';
import {
  bind,
  codesOf,
  expire,
  MAC,
  macOf,
  runCase,
  type ServerCase,
} from '../../support/dhcp/server-case.ts';
import { addressOf, ip, Rig, routed, SERVER, unicast } from '../../support/dhcp/server-rig.ts';
import { utf8 } from '../../support/dhcp/simple-plan.ts';

const small = {
  subnets: [
    {
      prefix: '10.0.0.0/24',
      pools: ['10.0.0.10-10.0.0.11'],
      options: new Map([[6, Uint8Array.of(10, 0, 0, 53)]]),
      nextServer: ip('10.0.0.66'),
    },
  ],
};
const reserved = {
  ...small,
  reservations: [{ at: '10.0.0.50', by: 'mac', mac: macOf(MAC.one) } as const],
};
const x = '10.0.0.10';
const ours = { serverId: SERVER };
const lenient = { strict: false };
const toUs = unicast(x);
const stateOf = (state: number) => (rig: Rig) => expect(rig.record(x)?.state ?? 0).toBe(state);
const after = (rig: Rig) => bind(rig);
const declined = { reason: 'declined', lastly: stateOf(4) };
const ignored = { lastly: stateOf(1) };

const returned: ServerCase[] = [
  {
    what: '74 the owner found it in use: quarantined for a day, and an event',
    before: after,
    ask: decline({ requested: x, ...ours }),
    reason: 'declined',
    lastly: (rig) => {
      const hold = (rig.record(x)?.holdUntil ?? 0) - rig.book.nowSeconds();
      expect([rig.record(x)?.state, hold, rig.notices]).toEqual([4, 86_400, ['address-declined']]);
    },
  },
  {
    what: '74 before it was bound: it was offered to this client',
    before: (rig) => rig.ask(discover()),
    ask: decline({ requested: x, ...ours }),
    ...declined,
  },
  {
    what: 'a DECLINE that may have waited while the process stood still',
    before: after,
    ask: decline({ requested: x, ...ours }),
    from: { ...toUs, isOld: true },
    reason: 'stale',
    ...ignored,
  },
  {
    what: 'a RELEASE that may have waited while the process stood still',
    before: after,
    ask: release({ ciaddr: x, ...ours }),
    from: { ...toUs, isOld: true },
    reason: 'stale',
    ...ignored,
  },
  {
    what: '75 not the owner',
    before: after,
    ask: decline({ requested: x, mac: MAC.two, ...ours }),
    reason: 'not-owner',
    ...ignored,
  },
  {
    what: '75 expired',
    before: (rig) => bind(rig).then(() => expire(rig)),
    ask: decline({ requested: x, ...ours }),
    reason: 'not-owner',
    ...ignored,
  },
  { what: '76 no address', before: after, ask: decline(ours), reason: 'no-address-named' },
  {
    what: '76 no server, strict',
    before: after,
    ask: decline({ requested: x }),
    reason: 'no-server-named',
    ...ignored,
  },
  {
    what: '76 no server, lenient',
    settings: lenient,
    before: after,
    ask: decline({ requested: x }),
    ...declined,
  },
  {
    what: '76 another server',
    before: after,
    ask: decline({ requested: x, serverId: '10.0.0.99' }),
    reason: 'other-server',
    ...ignored,
  },
  {
    what: '77 a reservation: ten minutes, and an alarm',
    plan: reserved,
    before: after,
    ask: decline({ requested: '10.0.0.50', ...ours }),
    reason: 'declined',
    lastly: (rig) => {
      const hold = (rig.record('10.0.0.50')?.holdUntil ?? 0) - rig.book.nowSeconds();
      expect([hold, rig.notices]).toEqual([600, ['reservation-declined']]);
    },
  },
  {
    what: '79 the owner releases: free, and still its own when it comes back',
    before: after,
    ask: release({ ciaddr: x, ...ours }),
    from: toUs,
    reason: 'released',
    lastly: (rig) => expect(rig.record(x)?.key).toEqual(Uint8Array.of(0, 1, ...macOf(MAC.one))),
  },
  {
    what: '80 another client identifier',
    before: after,
    ask: release({ ciaddr: x, clientId: utf8('forged'), ...ours }),
    from: toUs,
    reason: 'not-owner',
    ...ignored,
  },
  {
    what: '80 the right client identifier from another chaddr',
    before: (rig) => bind(rig, { clientId: utf8('guest') }),
    ask: release({ ciaddr: x, clientId: utf8('guest'), mac: MAC.two, ...ours }),
    from: toUs,
    reason: 'not-owner',
    ...ignored,
  },
  {
    what: '81 another server',
    before: after,
    ask: release({ ciaddr: x, serverId: '10.0.0.99' }),
    from: toUs,
    reason: 'other-server',
    ...ignored,
  },
  {
    what: '81 no address',
    before: after,
    ask: release(ours),
    from: toUs,
    reason: 'no-address-named',
    ...ignored,
  },
  {
    what: '76 a release without a server, lenient',
    settings: lenient,
    before: after,
    ask: release({ ciaddr: x }),
    from: toUs,
    reason: 'released',
    lastly: stateOf(2),
  },
];

const informed: ServerCase[] = [
  {
    what: '83 options to ciaddr, no lease',
    ask: inform({ ciaddr: '10.0.0.200', ask: [6, 51, 58] }),
    from: unicast('10.0.0.200'),
    reason: 'acked-inform',
    type: 5,
    yiaddr: '0.0.0.0',
    after: (ack, rig) => {
      expect(codesOf(ack)).toEqual([53, 54, 1, 6]);
      expect(ack.packet).toMatchObject({ by: 'link', address: ip('10.0.0.200'), port: 68 });
      expect([ack.message.ciaddr, rig.book.calls]).toEqual([ip('10.0.0.200'), []]);
    },
  },
  {
    what: '83 by a relay: to the client itself all the same, without the relay’s option',
    ask: inform({
      ciaddr: '10.0.0.200',
      giaddr: '10.0.0.254',
      relay: relayInfo({ circuitId: 'a' }),
    }),
    from: routed('10.0.0.254'),
    reason: 'acked-inform',
    type: 5,
    after: (ack) => {
      expect(ack.packet).toMatchObject({ by: 'udp', address: ip('10.0.0.200'), port: 68 });
      expect(codesOf(ack)).not.toContain(82);
    },
  },
  {
    what: 'without ciaddr, known by the source',
    ask: inform(),
    from: unicast('10.0.0.200'),
    reason: 'acked-inform',
    type: 5,
    after: (ack) => expect(ack.message.ciaddr).toBe(ip('10.0.0.200')),
  },
  { what: 'without any address', ask: inform(), reason: 'no-address-named' },
  ...['198.51.100.7', '127.0.0.1', '224.0.0.1', '255.255.255.255', '10.0.0.255', '10.0.0.0'].map(
    (ciaddr) => ({
      what: `for ${ciaddr}: nobody who did not ask is sent anything`,
      ask: inform({ ciaddr, giaddr: '10.0.0.254' }),
      from: routed('10.0.0.254'),
      reason: 'inform-elsewhere',
    }),
  ),
];

const reboot = (fields = {}) => request({ requested: x, ...fields });
const everybody = Uint8Array.of(255, 255, 255, 255, 255, 255);
const delivered: ServerCase[] = [
  {
    what: '86 the broadcast flag',
    before: after,
    ask: reboot({ broadcast: true }),
    reason: 'acked-again',
    type: 5,
    after: ({ packet }) =>
      expect(packet).toMatchObject({ by: 'link', mac: everybody, address: 0xffffffff, port: 68 }),
  },
  {
    what: 'an OFFER goes to no address that the DISCOVER made up',
    ask: discover({ ciaddr: '198.51.100.7' }),
    reason: 'offered',
    type: 2,
    after: ({ packet }) => expect(packet).toMatchObject({ by: 'link', address: ip(x) }),
  },
  {
    what: 'nor does an ACK to who claims an address while it selects another',
    before: (rig) => rig.ask(discover()),
    ask: request({ requested: x, ciaddr: '198.51.100.7', ...ours }),
    reason: 'acked-new',
    type: 5,
    after: ({ packet, message }) => {
      expect([packet.address, message.ciaddr]).toEqual([ip(x), 0]);
    },
  },
  {
    what: '87 without it: a frame to the client, which has no address yet',
    before: after,
    ask: reboot(),
    reason: 'acked-again',
    type: 5,
    after: ({ packet }) =>
      expect(packet).toMatchObject({ by: 'link', mac: macOf(MAC.one), address: ip(x), port: 68 }),
  },
  {
    what: '11 a client without a hardware address hears a broadcast',
    ask: discover({ mac: '', htype: 32, clientId: [255, 1, 2, 3] }),
    reason: 'offered',
    type: 2,
    after: ({ packet }) => expect(packet).toMatchObject({ mac: everybody, address: 0xffffffff }),
  },
  {
    what: '11 and, where it has an address, a packet instead of a frame',
    ask: inform({ mac: '', htype: 32, clientId: [255, 1, 2, 3], ciaddr: '10.0.0.200' }),
    reason: 'acked-inform',
    type: 5,
    after: ({ packet }) => expect(packet).toMatchObject({ by: 'udp', address: ip('10.0.0.200') }),
  },
  {
    what: '88 xid, flags and chaddr are copied, secs and hops are not',
    before: after,
    ask: reboot({ xid: 0xdeadbeef, secs: 7, hops: 3, broadcast: true }),
    reason: 'acked-again',
    type: 5,
    after: ({ message, packet }) => {
      const { xid, flags, secs, siaddr, chaddr } = message;
      expect([xid, flags, secs, siaddr]).toEqual([0xdeadbeef, 0x8000, 0, ip('10.0.0.66')]);
      expect([chaddr, packet.bytes[3]]).toEqual([macOf(MAC.one), 0]);
    },
  },
  {
    what: '89 the reply comes from the address that option 54 says',
    before: after,
    ask: reboot(),
    reason: 'acked-again',
    type: 5,
    after: (ack) => expect([ack.packet.source, addressOf(ack, 54)]).toEqual([ip(SERVER), SERVER]),
  },
];

describe('DECLINE and RELEASE', () => test.each(returned)('$what', (one) => runCase(one, small)));
describe('INFORM', () => test.each(informed)('$what', (one) => runCase(one, small)));
describe('delivery', () => test.each(delivered)('$what', (one) => runCase(one, small)));

test('79 the address rests, then the client has it again', async () => {
  const rig = new Rig({ plan: small });
  await bind(rig);
  await rig.ask(release({ ciaddr: x, ...ours }), toUs);
  expect((await rig.ask(discover({ mac: MAC.two, requested: x })))?.yiaddr).toBe('10.0.0.11');
  expect((await rig.ask(discover()))?.yiaddr).toBe(x);
});
