// What is looked at before any table, and what is cut short behind it. docs/translation.md §1,
// §2.4, §3.
import {
  dccp,
  echoRequest,
  ethernet,
  filler,
  type Ipv4Fields,
  icmpError,
  ipv4,
  type Layer,
  raw,
  tcp,
  udp,
  udpLite,
} from '../packet.ts';
import { alone, type NatterCase, row } from './case.ts';
import { arriving, CLIENT, eip, LINKS, vm } from './site.ts';

const ours = ipv4(CLIENT, eip(5), udp(1, 2));
const fromVm = ipv4(vm(5), CLIENT, udp(1, 2));
const PROGRAMS = [
  ['natter_uplink', 'uplink', ours],
  ['natter_inside', 'inside', fromVm],
  ['natter_onearm', 'onearm', ours],
] as const;

const notIpv4: NatterCase[] = PROGRAMS.flatMap(([program, link, packet]) => {
  const { mac } = LINKS[link];
  const ethertypes: [string, number][] = [
    ['ARP', 0x0806],
    ['IPv6', 0x86dd],
    ['802.3', 0x0026],
    ['PPPoE', 0x8864],
    ['MPLS', 0x8847],
  ];
  const other = '02:00:00:00:77:77';
  const elsewhere: [string, string][] = [
    ["another host's MAC", other],
    ['broadcast', 'ff:ff:ff:ff:ff:ff'],
    ['multicast', '01:00:5e:00:00:05'],
  ];
  return [
    ...ethertypes.map(([what, type]) =>
      row(`${what} on ${link}`, program, ethernet(mac, other, packet, { type }), 'PASS_NOT_IPV4'),
    ),
    row(
      `a VLAN tag on ${link}`,
      program,
      ethernet(mac, other, packet, { vlan: 100 }),
      'PASS_NOT_IPV4',
    ),
    ...elsewhere.map(([what, to]) =>
      row(
        `${what} on ${link}`,
        program,
        ethernet(to, other, packet),
        'PASS_NOT_FOR_US',
        undefined,
        {
          isHost: false,
        },
      ),
    ),
  ];
});

const headers: [what: string, Ipv4Fields][] = [
  ['version 5', { version: 5 }],
  ['version 6 with the EtherType of 4', { version: 6 }],
  ['IHL 4', { ihl: 4 }],
  ['IHL 0', { ihl: 0 }],
  ['a header longer than the packet', { ihl: 15 }],
  ['total length 0', { totalLength: 0 }],
  ['total length below the header', { totalLength: 19 }],
  ['total length above what is there', { totalLength: 41 }],
  ['total length 65535', { totalLength: 65535 }],
];

const badHeaders: NatterCase[] = headers.flatMap(([what, fields]) => [
  alone(what, 'natter_uplink', ipv4(CLIENT, eip(5), udp(1, 2), fields), 'PASS_BAD_HEADER'),
  alone(
    `${what}, inside`,
    'natter_inside',
    ipv4(vm(5), CLIENT, udp(1, 2), fields),
    'PASS_BAD_HEADER',
  ),
  alone(`${what}, egress`, 'natter_egress', ipv4(vm(5), CLIENT, udp(1, 2), fields), undefined),
]);

const impossible = ['0.1.2.3', '127.0.0.1', '224.0.0.5', '240.0.0.1', '255.255.255.255'];

const martians: NatterCase[] = impossible.flatMap((address) => [
  alone(`from ${address}`, 'natter_uplink', ipv4(address, eip(5), udp(1, 2)), 'PASS_MARTIAN'),
  alone(`a VM to ${address}`, 'natter_inside', ipv4(vm(5), address, udp(1, 2)), 'PASS_MARTIAN'),
]);

/**
 * The frame ends early, the header says otherwise. One byte of IPv4 is the least that a frame
 * has.
 */
const truncated: NatterCase[] = Array.from({ length: 39 }, (_, index) => {
  const frame = arriving('uplink', ours.slice(0, index + 1));
  return row(`only ${index + 1} of 40 bytes`, 'natter_uplink', frame, 'PASS_BAD_HEADER');
});

/** The datagram ends early, and the header says so. */
function cutShort(): NatterCase[] {
  const layers: [string, Layer, number][] = [
    ['TCP', tcp(1, 2), 20],
    ['UDP', udp(1, 2), 8],
    ['UDP-Lite', udpLite(1, 2), 8],
    ['DCCP', dccp(1, 2), 12],
  ];
  return layers.flatMap(([name, layer, needed]) =>
    [0, 3, 4, needed - 2, needed - 1].flatMap((bytes) => {
      const cut = raw(layer.protocol, layer.bytes(0, 0).slice(0, bytes));
      const what = `${bytes} bytes of ${name}`;
      return [
        alone(what, 'natter_uplink', ipv4(CLIENT, eip(5), cut), 'DROP_MALFORMED'),
        alone(`${what} out`, 'natter_inside', ipv4(vm(5), CLIENT, cut), 'DROP_MALFORMED'),
        alone(`${what} hairpin`, 'natter_inside', ipv4(vm(5), eip(6), cut), 'DROP_MALFORMED'),
        alone(`${what} egress`, 'natter_egress', ipv4(vm(5), CLIENT, cut), 'DROP_MALFORMED'),
        alone(
          `${what}, first fragment`,
          'natter_uplink',
          ipv4(CLIENT, eip(5), cut, { moreFragments: true }),
          'DROP_MALFORMED',
        ),
      ];
    }),
  );
}

const cutForwards: NatterCase[] = [tcp(1, 443), udp(1, 8000)].flatMap((layer) => {
  const what = `7 bytes of protocol ${layer.protocol}`;
  const cut = raw(layer.protocol, layer.bytes(0, 0).slice(0, 7));
  return [
    alone(`${what}, forwards`, 'natter_uplink', ipv4(CLIENT, eip(8), cut), 'DROP_MALFORMED'),
    alone(
      `${what}, forwards and 1:1`,
      'natter_uplink',
      ipv4(CLIENT, eip(9), cut),
      'DROP_MALFORMED',
    ),
    alone(
      `${what}, from a VM with forwards`,
      'natter_inside',
      ipv4(vm(7), CLIENT, cut),
      'DROP_MALFORMED',
    ),
    alone(
      `${what}, from a VM with both`,
      'natter_inside',
      ipv4(vm(9), CLIENT, cut),
      'DROP_MALFORMED',
    ),
  ];
});

const aboutVm = icmpError(11, 0, ipv4(CLIENT, vm(5), tcp(7, 8)));

const notMapped: NatterCase[] = [
  alone('not an EIP', 'natter_uplink', ipv4(CLIENT, eip(77), udp(1, 2)), 'PASS_NOT_EIP'),
  alone('the uplink itself', 'natter_uplink', ipv4(CLIENT, '192.0.2.2', udp(1, 2)), 'PASS_NOT_EIP'),
  alone('a private address', 'natter_uplink', ipv4(CLIENT, vm(5), udp(1, 2)), 'PASS_NOT_EIP'),
  alone('an unmapped VM', 'natter_inside', ipv4(vm(50), CLIENT, udp(1, 2)), 'PASS_NOT_EIP'),
  alone('an unmapped VM, egress', 'natter_egress', ipv4(vm(50), CLIENT, udp(1, 2)), undefined),
  alone(
    'an unmapped VM, TTL 1',
    'natter_inside',
    ipv4(vm(50), CLIENT, udp(1, 2), { ttl: 1 }),
    'PASS_NOT_EIP',
  ),
  alone(
    'an unmapped VM asks an EIP',
    'natter_inside',
    ipv4(vm(50), eip(5), udp(1, 2)),
    'PASS_HAIRPIN_UNMAPPED',
  ),
  alone('to the next VM', 'natter_inside', ipv4(vm(5), vm(6), udp(1, 2)), 'PASS_NOT_OUTBOUND'),
  alone('to a missing VM', 'natter_inside', ipv4(vm(5), vm(98), udp(1, 2)), 'PASS_NOT_OUTBOUND'),
  alone('to the host', 'natter_inside', ipv4(vm(5), vm(1), echoRequest()), 'PASS_NOT_OUTBOUND'),
  alone(
    "to the host's outside",
    'natter_inside',
    ipv4(vm(5), '192.0.2.2', echoRequest()),
    'PASS_NOT_OUTBOUND',
  ),
  alone(
    'an error to the next VM',
    'natter_inside',
    ipv4(vm(6), vm(9), aboutVm),
    'PASS_NOT_OUTBOUND',
  ),
  alone(
    'bad luck: an empty packet',
    'natter_inside',
    ipv4(vm(50), CLIENT, raw(17, filler(0))),
    'PASS_NOT_EIP',
  ),
];

export const entryCases: NatterCase[] = [
  ...notIpv4,
  ...badHeaders,
  ...martians,
  ...truncated,
  ...cutShort(),
  ...cutForwards,
  ...notMapped,
];
