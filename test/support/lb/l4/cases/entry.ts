// What is looked at before any table, what is cut short behind it, and what is nobody's.
// docs/balancing.md K1.

import { LINKS } from '../../../natter-cases/site.ts';
import {
  echoRequest,
  ethernet,
  type Ipv4Fields,
  icmp,
  icmpError,
  ipv4,
  raw,
  tcp,
  udp,
} from '../../../packet.ts';
import { arriving, CLIENT, vip, vm } from '../site.ts';
import { alone, type LbCase, row } from './case.ts';

const ours = ipv4(CLIENT, vip(5), tcp(4000, 443));
const reply = ipv4(vm(7), CLIENT, tcp(443, 4000));
const PROGRAMS = [
  ['lb_uplink', 'uplink', ours],
  ['lb_inside', 'inside', reply],
  ['lb_onearm', 'onearm', ours],
] as const;
const other = '02:00:00:00:77:77';

const frames: LbCase[] = PROGRAMS.flatMap(([program, link, packet]) => {
  const { mac } = LINKS[link];
  const as = (options: { type?: number; vlan?: number }) => ethernet(mac, other, packet, options);
  return [
    row(`ARP on ${link}`, program, as({ type: 0x0806 }), 'PASS_NOT_IPV4'),
    row(`IPv6 on ${link}`, program, as({ type: 0x86dd }), 'PASS_NOT_IPV4'),
    row(`a VLAN tag on ${link}`, program, as({ vlan: 100 }), 'PASS_NOT_IPV4'),
    ...[other, 'ff:ff:ff:ff:ff:ff', '01:00:5e:00:00:05'].map((to) =>
      row(
        `to ${to} on ${link}`,
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
  ['version 6 with the EtherType of 4', { version: 6 }],
  ['IHL 4', { ihl: 4 }],
  ['a header longer than the packet', { ihl: 15 }],
  ['total length 0', { totalLength: 0 }],
  ['total length below the header', { totalLength: 19 }],
  ['total length above what is there', { totalLength: 41 }],
];
const badHeaders: LbCase[] = headers.flatMap(([what, fields]) => {
  const [asked, answered] = [
    ipv4(CLIENT, vip(5), raw(6, tcp(4000, 443).bytes(0, 0)), fields),
    ipv4(vm(7), CLIENT, raw(6, tcp(443, 4000).bytes(0, 0)), fields),
  ];
  return [
    alone(what, 'lb_uplink', asked, 'PASS_BAD_HEADER'),
    alone(what, 'lb_inside', answered, 'PASS_BAD_HEADER'),
    alone(what, 'lb_egress', answered, undefined),
  ];
});

const martians: LbCase[] = ['0.1.2.3', '127.0.0.1', '224.0.0.5', '255.255.255.255'].flatMap(
  (address) => [
    alone(`from ${address}`, 'lb_uplink', ipv4(address, vip(5), tcp(4000, 443)), 'PASS_MARTIAN'),
    alone(`to ${address}`, 'lb_inside', ipv4(vm(7), address, tcp(443, 4000)), 'PASS_MARTIAN'),
  ],
);

const truncated: LbCase[] = [1, 19, 20, 39].map((bytes) =>
  row(
    `only ${bytes} of 40 bytes`,
    'lb_uplink',
    arriving('uplink', ours.slice(0, bytes)),
    'PASS_BAD_HEADER',
  ),
);

const cutShort: LbCase[] = [
  { layer: tcp(443, 443), protocol: 6, needed: 20 },
  { layer: udp(53, 53), protocol: 17, needed: 8 },
].flatMap(({ layer, protocol, needed }) =>
  [0, 3, 4, needed - 1].flatMap((bytes) => {
    const cut = raw(protocol, layer.bytes(0, 0).slice(0, bytes));
    const target = protocol === 6 ? vm(7) : vm(31);
    const what = `${bytes} bytes of protocol ${protocol}`;
    return [
      alone(`${what} to a VIP`, 'lb_uplink', ipv4(CLIENT, vip(5), cut), 'DROP_MALFORMED'),
      alone(`${what} to another`, 'lb_uplink', ipv4(CLIENT, vip(77), cut), 'PASS_NOT_SERVER'),
      alone(`${what} of a target`, 'lb_inside', ipv4(target, CLIENT, cut), 'DROP_MALFORMED'),
      alone(`${what} of another`, 'lb_inside', ipv4(vm(98), CLIENT, cut), 'PASS_NOT_SERVER'),
      alone(`${what} of a target`, 'lb_egress', ipv4(target, CLIENT, cut), 'DROP_MALFORMED'),
      alone(`${what} of another`, 'lb_egress', ipv4(vm(98), CLIENT, cut), undefined),
    ];
  }),
);

const about = (source: string, destination: string) =>
  icmpError(3, 1, ipv4(source, destination, udp(9, 9)));
const nobodys: LbCase[] = [
  ['another address', ipv4(CLIENT, vip(77), tcp(4000, 80))],
  ['another port of a VIP', ipv4(CLIENT, vip(5), tcp(4000, 81))],
  ['another protocol of a port', ipv4(CLIENT, vip(5), udp(4000, 80))],
  ['below a range', ipv4(CLIENT, vip(6), udp(4000, 4999))],
  ['above a range', ipv4(CLIENT, vip(6), udp(4000, 5100))],
  ['port 0', ipv4(CLIENT, vip(6), udp(4000, 0))],
  ['port 0 of a VIP with all ports', ipv4(CLIENT, vip(9), udp(4000, 0))],
  ['a ping of a VIP', ipv4(CLIENT, vip(5), echoRequest())],
  ['a stub of ICMP', ipv4(CLIENT, vip(5), raw(1, Uint8Array.of(3, 1, 0)))],
  ['SCTP to a VIP', ipv4(CLIENT, vip(5), raw(132, new Uint8Array(20)))],
  ['an error about what is no server’s', ipv4(CLIENT, vip(5), about(vip(5), CLIENT))],
  ['a redirect to another', ipv4(CLIENT, vip(77), icmp(5, 1, [10, 0, 0, 9], new Uint8Array(28)))],
].map(([what, packet]) =>
  alone(what as string, 'lb_uplink', packet as Uint8Array, 'PASS_NOT_SERVER'),
);
const nobodysInside: LbCase[] = [
  alone('a target’s other port', 'lb_inside', ipv4(vm(7), CLIENT, tcp(22, 9)), 'PASS_NOT_SERVER'),
  alone('a target’s ping', 'lb_inside', ipv4(vm(7), CLIENT, echoRequest()), 'PASS_NOT_SERVER'),
  alone('of no target', 'lb_inside', ipv4(vm(98), CLIENT, tcp(443, 9)), 'PASS_NOT_SERVER'),
  alone('an answer to a probe', 'lb_inside', ipv4(vm(7), vm(1), tcp(443, 9)), 'PASS_NOT_SERVER'),
  alone(
    'an answer to the outer side',
    'lb_inside',
    ipv4(vm(7), '192.0.2.2', tcp(443, 9)),
    'PASS_NOT_SERVER',
  ),
  alone('of no target', 'lb_egress', ipv4(vm(98), CLIENT, tcp(443, 9)), undefined),
  alone('a VIP’s own', 'lb_egress', ipv4(vip(5), CLIENT, tcp(443, 9)), undefined),
  alone('to a target: not turned round', 'lb_egress', ipv4(CLIENT, vm(7), tcp(9, 443)), undefined),
];

export const entryCases: LbCase[] = [
  ...frames,
  ...badHeaders,
  ...martians,
  ...truncated,
  ...cutShort,
  ...nobodys,
  ...nobodysInside,
];
