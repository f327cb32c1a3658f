// VMs on their own /30, as case 99 of notes/dhcp.md §6 has it: by MAC, without the book.
import { describe, expect, test } from 'vitest';
import type { Link } from '../../../../dhcpd/io/types.ts';
import { formatMac } from '../../../../shared/net/mac.ts';
import { macOfVm, vmLinkOf } from '../../../../shared/net/vm-link.ts';
import { decline, discover, inform, release, request } from '../../../support/dhcp/request.ts';
import { codesOf, runCase, type ServerCase } from '../../../support/dhcp/server-case.ts';
import { addressOf, ip, ON_LINK, prefixOf } from '../../../support/dhcp/server-rig.ts';

const vm = ip('10.64.0.6');
const { gateway } = vmLinkOf(vm);
const plan = {
  subnets: [{ prefix: '10.0.0.0/24', pools: ['10.0.0.10'] }],
  l3nets: [
    { cidr: prefixOf('10.64.0.0/16'), host: 'dhcpd-1', dns: [ip('10.0.0.53')], mtu: 1450 },
    { cidr: prefixOf('10.65.0.0/16'), host: 'other', dns: [] },
  ],
};
const link: Link = {
  name: 'l3-0a400004',
  mac: Uint8Array.of(2, 0, 0, 0, 0, 1),
  addresses: [{ family: 4, address: gateway, bits: 30 }],
};
const from = { ...ON_LINK, link };
const mac = formatMac(macOfVm(vm));
const macAt = (address: string) => formatMac(macOfVm(ip(address)));
const isolated: Pick<ServerCase, 'before'> = {
  before: (rig) => {
    rig.book.condition = 'isolated';
    rig.book.failure = 'store';
  },
};

const cases: ServerCase[] = [
  {
    what: 'a DISCOVER',
    ...isolated,
    ask: discover({ mac }),
    from,
    reason: 'l3-offered',
    type: 2,
    yiaddr: '10.64.0.6',
    after: (offer, rig) => {
      expect([1, 3, 6, 54].map((code) => addressOf(offer, code))).toEqual([
        '255.255.255.252',
        '10.64.0.5',
        '10.0.0.53',
        '10.64.0.5',
      ]);
      expect(offer.message.options.get(26)).toEqual(Uint8Array.of(5, 170));
      expect(offer.packet).toMatchObject({ by: 'link', link: link.name, source: gateway });
      expect(rig.book.calls).toEqual([]);
    },
  },
  {
    what: 'a REQUEST for it',
    ...isolated,
    ask: request({ mac, requested: '10.64.0.6', serverId: '10.64.0.5', clientId: [9, 9] }),
    from,
    reason: 'l3-acked',
    type: 5,
    yiaddr: '10.64.0.6',
    after: (ack) => expect(codesOf(ack)).toContain(61),
  },
  {
    what: 'a renewal',
    ask: request({ mac, ciaddr: '10.64.0.6' }),
    from: { ...from, source: vm, destination: gateway },
    reason: 'l3-acked',
    type: 5,
    after: ({ packet }) => expect(packet).toMatchObject({ address: vm }),
  },
  {
    what: 'an address that is not its own',
    ask: request({ mac, requested: '10.64.0.10' }),
    from,
    reason: 'nak-l3',
    type: 6,
  },
  {
    what: 'another server',
    ask: request({ mac, requested: '10.64.0.6', serverId: '10.9.9.9' }),
    from,
    reason: 'other-server',
  },
  {
    what: 'an INFORM',
    ask: inform({ mac, ciaddr: '10.64.0.6' }),
    from,
    reason: 'acked-inform',
    type: 5,
    yiaddr: '0.0.0.0',
    after: (ack) => expect(codesOf(ack)).not.toContain(51),
  },
  {
    what: 'an INFORM for another address',
    ask: inform({ mac, ciaddr: '198.51.100.7' }),
    from,
    reason: 'inform-elsewhere',
  },
  { what: 'a RELEASE', ask: release({ mac, ciaddr: '10.64.0.6' }), from, reason: 'l3-ignored' },
  { what: 'a DECLINE', ask: decline({ mac, requested: '10.64.0.6' }), from, reason: 'l3-ignored' },
  {
    what: '99 another host',
    ask: discover({ mac: macAt('10.65.0.2') }),
    from,
    reason: 'l3-other-host',
  },
  {
    what: '99 the gateway’s MAC',
    ask: discover({ mac: macAt('10.64.0.5') }),
    from,
    reason: 'l3-not-a-vm',
  },
  {
    what: '99 the broadcast’s MAC',
    ask: discover({ mac: macAt('10.64.0.7') }),
    from,
    reason: 'l3-not-a-vm',
  },
  {
    what: '99 another VM’s bridge',
    ask: discover({ mac: macAt('10.64.0.10') }),
    from,
    reason: 'l3-other-link',
  },
  { what: '99 a stranger on the bridge', ask: discover(), from, reason: 'l3-not-a-vm' },
  {
    what: 'a MAC that only looks computed: an ordinary client',
    ask: discover({ mac: macAt('192.0.2.2') }),
    reason: 'offered',
    type: 2,
    yiaddr: '10.0.0.10',
  },
  {
    what: 'draining: answered, for nobody else can',
    before: (rig) => rig.server.drain(),
    ask: discover({ mac }),
    from,
    reason: 'l3-offered',
    type: 2,
  },
];

describe('a VM on its own /30', () => test.each(cases)('$what', (one) => runCase(one, plan)));
