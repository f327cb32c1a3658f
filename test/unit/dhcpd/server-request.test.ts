// REQUEST in SELECTING and INIT-REBOOT by case: notes/dhcp.md §6, 46 to 56.
import { describe, expect, test } from 'vitest';
import { discover, request } from '../../support/dhcp/request.ts';
import {
  becomes,
  reboot,
  reserve,
  select,
  small,
  strict,
  two,
  x,
  y,
} from '../../support/dhcp/request-cases.ts';
import {
  bind,
  expire,
  MAC,
  macOf,
  runCase,
  type ServerCase,
} from '../../support/dhcp/server-case.ts';
import { ip, Rig, SERVER, secondsOf } from '../../support/dhcp/server-rig.ts';

const SIBLING = '10.0.0.2';
const FOREIGN = '10.0.0.99';

const selecting: ServerCase[] = [
  {
    what: '46 the offered address, named to us: bound, then acknowledged',
    before: (rig) => rig.ask(discover()),
    ask: select(x),
    reason: 'acked-new',
    type: 5,
    yiaddr: x,
    after: (_, rig) => expect(rig.record(x)).toMatchObject({ state: 1, leaseSeconds: 3600 }),
  },
  {
    what: '47 another server is named: silence, and our offer is free at once',
    before: (rig) => rig.ask(discover()),
    ask: select(x, FOREIGN),
    reason: 'offer-forgotten',
    lastly: (rig) => expect(rig.book.calls).toEqual(['dropOffer']),
  },
  {
    what: '48 a sibling is named: as if it were us',
    before: (rig) => rig.ask(discover()),
    ask: select(x, SIBLING),
    reason: 'acked-new',
    type: 5,
    yiaddr: x,
  },
  { what: '49 never offered', ask: select(y), reason: 'nak-not-offered', type: 6 },
  {
    what: '49 another was offered',
    before: (rig) => rig.ask(discover()),
    ask: select(y),
    reason: 'nak-not-offered',
    type: 6,
  },
  {
    what: '49 never offered by us, but maybe by a sibling: that one will answer',
    before: (rig) => {
      rig.book.siblings = 'unknown';
    },
    ask: select(y),
    reason: 'maybe-offered',
  },
  {
    what: '49 never offered, but its own as Redis has it',
    before: (rig) => {
      rig.book.siblings = 'own';
    },
    ask: select(y),
    reason: 'acked-new',
    type: 5,
    yiaddr: y,
  },
  {
    what: '50 the offer has expired, and a sibling has set the address aside',
    before: async (rig) => {
      await rig.ask(discover());
      await rig.clock.advance(60_000);
      await rig.ask(discover({ ...two, requested: x }));
    },
    ask: select(x),
    reason: 'maybe-offered',
  },
  {
    what: '50 the offer has expired, the address is free still',
    before: async (rig) => {
      await rig.ask(discover());
      await rig.clock.advance(60_000);
    },
    ask: select(x),
    reason: 'acked-new',
    type: 5,
    yiaddr: x,
  },
  {
    what: '50 the offer has expired, and another has the address',
    before: async (rig) => {
      await rig.ask(discover());
      await rig.clock.advance(60_000);
      await bind(rig, { ...two, requested: x });
    },
    ask: select(x),
    reason: 'nak-taken',
    type: 6,
  },
  {
    what: '52 a server but no address',
    ask: request({ serverId: SERVER }),
    reason: 'nak-no-address',
    type: 6,
  },
  {
    what: 'asked again, after the ACK was lost',
    before: (rig) => bind(rig),
    ask: select(x),
    reason: 'acked-again',
    type: 5,
    yiaddr: x,
  },
  { what: 'another network', ask: select('192.0.2.1'), reason: 'nak-wrong-network', type: 6 },
  {
    what: 'reserved for another',
    plan: reserve(y, { by: 'mac', mac: macOf(MAC.two) }),
    ask: select(y),
    reason: 'nak-reserved',
    type: 6,
  },
  { what: 'outside the pools', ask: select('10.0.0.77'), reason: 'nak-outside-pools', type: 6 },
  {
    what: 'its reservation, though never offered by this server',
    plan: reserve('10.0.0.50'),
    ask: select('10.0.0.50'),
    reason: 'acked-new',
    type: 5,
    yiaddr: '10.0.0.50',
  },
  {
    what: 'its reservation, which another had before records were lost: it would be offered again',
    before: async (rig) => {
      await bind(rig, { ...two, requested: x });
      await expire(rig);
      rig.book.leases.quarantined.add(ip(x) >>> 8);
      rig.plan = new Rig({ plan: reserve(x) }).plan;
    },
    ask: select(x),
    reason: 'bind-quarantine',
  },
  {
    what: 'an address of the pools, which another had before records were lost: it starts over',
    before: async (rig) => {
      await rig.ask(discover());
      await rig.clock.advance(60_000);
      await bind(rig, { ...two, requested: x });
      await expire(rig);
      await rig.ask(discover({ requested: x }));
      rig.book.leases.quarantined.add(ip(x) >>> 8);
    },
    ask: select(x),
    reason: 'nak-quarantine',
    type: 6,
  },
  {
    what: '73 never offered by us, and too little is known of the others',
    before: (rig) => {
      rig.book.condition = 'stale';
    },
    ask: select(y),
    reason: 'not-fresh',
  },
  {
    what: 'the write was not durable: silence',
    before: async (rig) => {
      await rig.ask(discover());
      rig.book.failure = 'durability';
    },
    ask: select(x),
    reason: 'bind-durability',
  },
];

const rebooting: ServerCase[] = [
  {
    what: '53 the owner, the right address',
    before: (rig) => bind(rig),
    ask: reboot(x),
    reason: 'acked-again',
    type: 5,
    yiaddr: x,
  },
  {
    what: '54 the owner of another address',
    before: (rig) => bind(rig),
    ask: reboot(y),
    reason: 'nak-other-address',
    type: 6,
  },
  {
    what: '55 another network, whoever asks',
    ask: reboot('192.0.2.1'),
    reason: 'nak-wrong-network',
    type: 6,
  },
  { what: '56 nothing is known', ask: reboot(x), reason: 'not-known' },
  {
    what: '56 nothing is known, authoritative',
    plan: strict,
    ask: reboot(x),
    reason: 'nak-unknown',
    type: 6,
  },
  {
    what: '56 records were lost: not refused, nor given',
    plan: strict,
    before: (rig) => rig.book.lost.add(ip(x)),
    ask: reboot(x),
    reason: 'lost-lately',
  },
  {
    what: 'another holds it',
    before: (rig) => bind(rig, two),
    ask: reboot(x),
    reason: 'nak-taken',
    type: 6,
  },
  {
    what: 'expired, and free',
    before: async (rig) => {
      await bind(rig);
      await expire(rig);
    },
    ask: reboot(x),
    reason: 'acked-again',
    type: 5,
    yiaddr: x,
  },
  {
    what: 'its address, of before a reservation that is free',
    before: (rig) => becomes(rig, reserve('10.0.0.50')),
    ask: reboot(x),
    reason: 'nak-moved',
    type: 6,
  },
  {
    what: '73 not fresh: silence, even to an owner',
    before: async (rig) => {
      await bind(rig);
      rig.book.condition = 'stale';
    },
    ask: reboot(x),
    reason: 'not-fresh',
  },
  {
    what: 'isolated: its reservation, from the plan, for a short time',
    plan: reserve('10.0.0.50'),
    before: (rig) => {
      rig.book.condition = 'isolated';
    },
    ask: reboot('10.0.0.50'),
    reason: 'acked-from-plan',
    type: 5,
    yiaddr: '10.0.0.50',
    after: (ack, rig) => {
      expect(secondsOf(ack, 51)).toBe(600);
      expect(rig.book.calls).toEqual([]);
    },
  },
  {
    what: 'neither address nor server',
    ask: request(),
    reason: 'no-address-named',
  },
];

describe('SELECTING', () => test.each(selecting)('$what', (one) => runCase(one, small)));
describe('INIT-REBOOT', () => test.each(rebooting)('$what', (one) => runCase(one, small)));
