// 1:1 translation is transparent: whatever lies behind the IPv4 header arrives as it was sent, with
// every checksum right. docs/translation.md §2.3, §3.3, §7.
import {
  corrupt16,
  dccp,
  echoReply,
  echoRequest,
  esp,
  filler,
  fragments,
  gre,
  type Ipv4Fields,
  icmp,
  ipv4,
  type Layer,
  raw,
  sctp,
  tcp,
  u16,
  udp,
  udpLite,
  udpSummingToZero,
} from '../packet.ts';
import { type Build, everyWay, inbound, type NatterCase, outbound, row } from './case.ts';
import { arriving, CLIENT, eip, leaving, vm } from './site.ts';

const plain =
  (layer: Layer, fields: Ipv4Fields = {}): Build =>
  (source, destination, ttl) =>
    ipv4(source, destination, layer, { ...fields, ttl });

const timestamps = [1, 1, 8, 10, ...u16(0), ...u16(1), ...u16(0), ...u16(2)];

const protocols: [what: string, layer: Layer, fields?: Ipv4Fields][] = [
  ['TCP SYN', tcp(40000, 443)],
  ['TCP with options and an odd length', tcp(40000, 443, filler(777), { options: timestamps })],
  ['TCP RST', tcp(1, 65535, undefined, { flags: 4 })],
  ['UDP', udp(4242, 53)],
  ['UDP, odd length', udp(4242, 53, filler(1))],
  ['UDP, no data', udp(4242, 53, filler(0))],
  ['UDP without checksum', udp(4242, 53, filler(9), { checksum: 0 })],
  ['UDP, as long as a link takes', udp(4242, 53, filler(1472))],
  ['UDP-Lite', udpLite(4242, 53)],
  ['UDP-Lite, header covered only', udpLite(4242, 53, filler(31), { coverage: 8 })],
  ['DCCP', dccp(4242, 53)],
  ['SCTP', sctp(4242, 53)],
  ['GRE', gre()],
  ['ESP', esp()],
  ['AH, which then fails at its end', raw(51, filler(40))],
  ['IPv4 in IPv4', raw(4, ipv4('10.1.1.1', '10.2.2.2', udp(1, 2)))],
  ['an unknown protocol', raw(253, filler(3))],
  ['protocol 0', raw(0, filler(3))],
  ['no payload at all', raw(254, filler(0))],
  ['echo request', echoRequest()],
  ['echo reply', echoReply()],
  ['echo request, odd length', icmp(8, 0, [1, 1, 0, 1], filler(13))],
  ['ICMP timestamp', icmp(13, 0, [0, 1, 0, 1], filler(12))],
  ['ICMP of an unknown type', icmp(200, 7, [9, 9, 9, 9], filler(60))],
  ['just an ICMP header', icmp(8, 0, [0, 1, 0, 1], filler(0))],
  ['DF, DSCP and ECN', udp(4242, 53), { df: true, tos: 0xb9, id: 0 }],
];

/** A datagram in three pieces, in the wrong order: each is translated by itself. */
function pieces(what: string, layer: Layer): NatterCase[] {
  const cut = (source: string, destination: string, ttl: number) =>
    fragments(source, destination, layer, [24, 48], { ttl });
  return [2, 0, 1].flatMap((index) =>
    everyWay(`${what}, piece ${index}`, (source, destination, ttl) => {
      return cut(source, destination, ttl)[index] ?? filler(0);
    }),
  );
}

/** UDP and UDP-Lite never send a computed 0 (RFC 768, RFC 3828 §3.1): in, and out of it again. */
function computedZero(): NatterCase[] {
  const toVm = udpSummingToZero(CLIENT, vm(5), 1000, 2000);
  const fromEip = udpSummingToZero(eip(5), CLIENT, 1000, 2000);
  const toEip = udpSummingToZero(CLIENT, eip(5), 1000, 2000);
  const ttl = { ttl: 63 };
  return [
    inbound(
      'UDP whose checksum becomes 0 by the translation',
      5,
      ipv4(CLIENT, eip(5), toVm),
      ipv4(CLIENT, vm(5), toVm, ttl),
      vm(5),
    ),
    outbound(
      'UDP whose checksum becomes 0 by the translation out',
      5,
      ipv4(vm(5), CLIENT, fromEip),
      ipv4(eip(5), CLIENT, fromEip, ttl),
    ),
    inbound(
      'UDP whose checksum came as 0xffff',
      5,
      ipv4(CLIENT, eip(5), toEip),
      ipv4(CLIENT, vm(5), toEip, ttl),
      vm(5),
    ),
  ];
}

/** A wrong checksum stays wrong by as much, so that the receiver still finds it. */
function wrongChecksums(): NatterCase[] {
  const layers: [string, Layer, number][] = [
    ['IPv4', echoRequest(), 10],
    ['TCP', tcp(1, 2), 36],
    ['UDP', udp(1, 2), 26],
    ['ICMP', echoRequest(), 22],
  ];
  return layers.map(([name, layer, at]) =>
    inbound(
      `a wrong ${name} checksum stays wrong`,
      5,
      corrupt16(ipv4(CLIENT, eip(5), layer), at, 0x0101),
      corrupt16(ipv4(CLIENT, vm(5), layer, { ttl: 63 }), at, 0x0101),
      vm(5),
    ),
  );
}

function padding(): NatterCase[] {
  const frame = arriving('uplink', ipv4(CLIENT, eip(5), tcp(1, 2)), 6);
  const short = arriving('uplink', ipv4(CLIENT, eip(5), raw(17, filler(7))), 19);
  const metered = [{ slot: 5, direction: 'in' as const, packets: 1, bytes: frame.length }];
  const out = leaving(vm(5), ipv4(CLIENT, vm(5), tcp(1, 2), { ttl: 63 }), 6);
  return [
    row('Ethernet padding stays', 'natter_uplink', frame, 'IN_REDIRECTED', out, { metered }),
    row('padding is no UDP header', 'natter_uplink', short, 'DROP_MALFORMED'),
  ];
}

const ttls: NatterCase[] = [255, 2].flatMap((ttl) => {
  const given = (source: string, destination: string, now: number) =>
    ipv4(source, destination, udp(1, 2), { ttl: now });
  return [
    inbound(`TTL ${ttl}`, 5, given(CLIENT, eip(5), ttl), given(CLIENT, vm(5), ttl - 1), vm(5)),
    outbound(`TTL ${ttl}, out`, 5, given(vm(5), CLIENT, ttl), given(eip(5), CLIENT, ttl - 1)),
  ];
});

export const transparentCases: NatterCase[] = [
  ...protocols.flatMap(([what, layer, fields]) => everyWay(what, plain(layer, fields))),
  ...pieces('UDP fragments', udp(4242, 53, filler(90))),
  ...pieces('TCP fragments', tcp(4242, 53, filler(90))),
  ...pieces('echo fragments', icmp(8, 0, [0, 1, 0, 1], filler(90))),
  ...pieces('ESP fragments', esp(filler(90))),
  ...computedZero(),
  ...wrongChecksums(),
  ...padding(),
  ...ttls,
];
