// Port forwards: boundaries of ranges, both directions, next to a 1:1 mapping, fragments, hairpins.
// docs/translation.md §2.2, resolve_out 2 and 3, §4.
import {
  echoRequest,
  filler,
  fragments,
  ipv4,
  type Layer,
  raw,
  sctp,
  tcp,
  udp,
  udpLite,
  udpSummingToZero,
} from '../packet.ts';
import {
  alone,
  atEgress,
  hairpin,
  inbound,
  known,
  type NatterCase,
  outbound,
  row,
} from './case.ts';
import { arriving, CLIENT, eip, leaving, vm } from './site.ts';

type Ports = (client: number, server: number) => [request: Layer, reply: Layer];
const overTcp: Ports = (client, server) => [
  tcp(client, server, filler(9)),
  tcp(server, client, filler(9), { flags: 16 }),
];
const overUdp: Ports = (client, server) => [udp(client, server), udp(server, client)];
const overBareUdp: Ports = (client, server) => {
  const none = { checksum: 0 };
  return [udp(client, server, filler(5), none), udp(server, client, filler(5), none)];
};

type Way = [what: string, host: number, Ports, port: number, private_: string, privatePort: number];
const ways: Way[] = [
  ['one port', 8, overTcp, 443, vm(7), 8443],
  ['first of a range', 8, overUdp, 8000, vm(7), 9000],
  ['inside a range', 8, overUdp, 8063, vm(7), 9063],
  ['last of a range', 8, overUdp, 8099, vm(7), 9099],
  ['a range without checksum', 8, overBareUdp, 8064, vm(7), 9064],
  ['the same port, another VM', 8, overUdp, 53, vm(12), 53],
  ['a forward next to the 1:1 mapping', 9, overTcp, 80, vm(12), 8080],
  ['a forward to the VM of the 1:1 mapping', 9, overTcp, 2222, vm(9), 22],
  ['the 1:1 mapping below a forward', 9, overTcp, 79, vm(9), 79],
  ['the 1:1 mapping above a forward', 9, overTcp, 81, vm(9), 81],
  ['the 1:1 mapping in the other protocol', 9, overUdp, 80, vm(9), 80],
  ['port 0 of all ports', 10, overUdp, 0, vm(11), 0],
  ['port 65535 of all ports', 10, overUdp, 65535, vm(11), 65535],
  ['first of a range that wraps', 10, overTcp, 60000, vm(11), 80],
  ['last of a range that wraps', 10, overTcp, 60010, vm(11), 90],
  ['a second EIP of a VM', 10, overTcp, 8080, vm(7), 8080],
];

const bothWays: NatterCase[] = ways.flatMap(([what, host, ports, port, private_, inner]) => {
  const [request, reply] = ports(4242, port);
  const [innerRequest, innerReply] = ports(4242, inner);
  const e = eip(host);
  return [
    inbound(
      `${what}: in`,
      host,
      ipv4(CLIENT, e, request),
      ipv4(CLIENT, private_, innerRequest, { ttl: 63 }),
      private_,
    ),
    outbound(
      `${what}: out`,
      host,
      ipv4(private_, CLIENT, innerReply),
      ipv4(e, CLIENT, reply, { ttl: 63 }),
    ),
    hairpin(
      `${what}: from another VM`,
      { from: 5, to: host },
      ipv4(vm(5), e, request),
      ipv4(eip(5), private_, innerRequest, { ttl: 63 }),
      private_,
    ),
    hairpin(
      `${what}: back to the other VM`,
      { from: host, to: 5 },
      ipv4(private_, eip(5), innerReply),
      ipv4(e, vm(5), reply, { ttl: 63 }),
      vm(5),
    ),
    atEgress(`${what}: egress`, host, ipv4(private_, CLIENT, innerReply), ipv4(e, CLIENT, reply)),
  ];
});

const nobody: [what: string, Layer][] = [
  ['below a port', tcp(4242, 442)],
  ['above a port', tcp(4242, 444)],
  ['below a range', udp(4242, 7999)],
  ['above a range', udp(4242, 8100)],
  ['the other protocol', udp(4242, 443)],
  ['ICMP', echoRequest()],
  ['SCTP', sctp(4242, 443)],
  ['UDP-Lite', udpLite(4242, 8000)],
  ['an unknown protocol', raw(253, filler(9))],
];

const refused: NatterCase[] = [
  ...nobody.flatMap(([what, layer]) => [
    alone(`no forward: ${what}`, 'natter_uplink', ipv4(CLIENT, eip(8), layer), 'DROP_NO_FORWARD'),
    alone(
      `no forward, VM: ${what}`,
      'natter_inside',
      ipv4(vm(5), eip(8), layer),
      'DROP_NO_FORWARD',
    ),
  ]),
  alone(
    'no forward, and UDP-Lite cut short',
    'natter_uplink',
    ipv4(CLIENT, eip(8), raw(136, filler(3))),
    'DROP_NO_FORWARD',
  ),
  alone('a port not forwarded', 'natter_inside', ipv4(vm(7), CLIENT, tcp(1, 2)), 'PASS_NOT_EIP'),
  alone('no forward for ICMP', 'natter_inside', ipv4(vm(7), CLIENT, echoRequest()), 'PASS_NOT_EIP'),
  alone(
    'a port not forwarded, to an EIP',
    'natter_inside',
    ipv4(vm(7), eip(5), tcp(1, 2)),
    'PASS_HAIRPIN_UNMAPPED',
  ),
  alone('not forwarded, egress', 'natter_egress', ipv4(vm(7), CLIENT, tcp(1, 2)), undefined),
  alone(
    'a port of another VM',
    'natter_inside',
    ipv4(vm(9), CLIENT, tcp(80, 4242)),
    'DROP_PORT_TAKEN',
  ),
  alone(
    'a port that leads elsewhere in the same VM',
    'natter_inside',
    ipv4(vm(9), CLIENT, tcp(2222, 4242)),
    'DROP_PORT_TAKEN',
  ),
  alone(
    'a port of another VM, egress',
    'natter_egress',
    ipv4(vm(9), CLIENT, udp(500, 4242)),
    'DROP_PORT_TAKEN',
  ),
  alone(
    'a port of another VM, hairpin',
    'natter_inside',
    ipv4(vm(9), eip(5), tcp(80, 4242)),
    'DROP_PORT_TAKEN',
  ),
];

const big = udp(4242, 8010, filler(90));
const bigInside = udp(4242, 9010, filler(90));
const back = udp(9010, 4242, filler(90));
const backOutside = udp(8010, 4242, filler(90));

const piece = (source: string, destination: string, layer: Layer, index: number, ttl: number) =>
  fragments(source, destination, layer, [48, 80], { ttl })[index] ?? filler(0);

const inFragment = known(CLIENT, eip(8), 17, false, vm(7), 8);
const outFragment = known(vm(7), CLIENT, 17, true, eip(8), 8);

const inPieces: NatterCase[] = [
  inbound(
    'first fragment of a forward is remembered',
    8,
    piece(CLIENT, eip(8), big, 0, 64),
    piece(CLIENT, vm(7), bigInside, 0, 63),
    vm(7),
    { recorded: [inFragment] },
  ),
  ...[1, 2].map((index) =>
    inbound(
      `later fragment ${index} of a forward`,
      8,
      piece(CLIENT, eip(8), big, index, 64),
      piece(CLIENT, vm(7), bigInside, index, 63),
      vm(7),
      { fragments: [inFragment], steps: ['FRAGMENT_FOUND'] },
    ),
  ),
  inbound(
    'first fragment for the 1:1 mapping next to forwards is remembered',
    9,
    piece(CLIENT, eip(9), big, 0, 64),
    piece(CLIENT, vm(9), big, 0, 63),
    vm(9),
    { recorded: [known(CLIENT, eip(9), 17, false, vm(9), 9)] },
  ),
  inbound(
    'later ICMP fragment needs no memory',
    9,
    piece(CLIENT, eip(9), raw(1, filler(90)), 1, 64),
    piece(CLIENT, vm(9), raw(1, filler(90)), 1, 63),
    vm(9),
  ),
];

const outPieces: NatterCase[] = [
  outbound(
    'first fragment out of a forward is remembered',
    8,
    piece(vm(7), CLIENT, back, 0, 64),
    piece(eip(8), CLIENT, backOutside, 0, 63),
    { recorded: [outFragment] },
  ),
  outbound(
    'later fragment out of a forward',
    8,
    piece(vm(7), CLIENT, back, 1, 64),
    piece(eip(8), CLIENT, backOutside, 1, 63),
    { fragments: [outFragment], steps: ['FRAGMENT_FOUND'] },
  ),
  outbound(
    'first fragment out of the 1:1 mapping next to forwards is remembered',
    9,
    piece(vm(9), CLIENT, udp(77, 4242, filler(90)), 0, 64),
    piece(eip(9), CLIENT, udp(77, 4242, filler(90)), 0, 63),
    { recorded: [known(vm(9), CLIENT, 17, true, eip(9), 9)] },
  ),
  atEgress(
    'later fragment at egress',
    8,
    piece(vm(7), CLIENT, back, 2, 64),
    piece(eip(8), CLIENT, backOutside, 2, 64),
    { fragments: [outFragment] },
  ),
];

const lost: NatterCase[] = [
  alone(
    'later fragment before the first',
    'natter_uplink',
    piece(CLIENT, eip(8), big, 1, 64),
    'DROP_FRAGMENT_UNKNOWN',
  ),
  alone(
    'later fragment too late',
    'natter_uplink',
    piece(CLIENT, eip(8), big, 1, 64),
    'DROP_FRAGMENT_UNKNOWN',
    { fragments: [known(CLIENT, eip(8), 17, false, vm(7), 8, -1)] },
  ),
  alone(
    'later fragment of another protocol',
    'natter_uplink',
    piece(CLIENT, eip(8), big, 1, 64),
    'DROP_FRAGMENT_UNKNOWN',
    { fragments: [known(CLIENT, eip(8), 6, false, vm(7), 8)] },
  ),
  alone(
    'later fragment that is known for the other direction',
    'natter_uplink',
    piece(CLIENT, eip(8), big, 1, 64),
    'DROP_FRAGMENT_UNKNOWN',
    { fragments: [known(CLIENT, eip(8), 17, true, vm(7), 8)] },
  ),
  alone(
    'later fragment out before the first',
    'natter_inside',
    piece(vm(7), CLIENT, back, 1, 64),
    'DROP_FRAGMENT_UNKNOWN',
  ),
];

function hairpinPieces(): NatterCase[] {
  const hosts = { from: 9, to: 8 };
  const layer = udp(77, 8010, filler(90));
  const inner = udp(77, 9010, filler(90));
  const records = [
    known(vm(9), eip(8), 17, true, eip(9), 9),
    known(eip(9), eip(8), 17, false, vm(7), 8),
  ];
  return [0, 1].map((index) =>
    hairpin(
      `fragment ${index} between two VMs with forwards`,
      hosts,
      piece(vm(9), eip(8), layer, index, 64),
      piece(eip(9), vm(7), inner, index, 63),
      vm(7),
      index === 0 ? { recorded: records } : { fragments: records },
    ),
  );
}

/** Address and port together give 0: still sent as 0xffff. */
function computedZero(): NatterCase[] {
  const inner = udpSummingToZero(CLIENT, vm(7), 1000, 9000);
  const data = inner.bytes(0, 0).slice(8);
  const frame = arriving('uplink', ipv4(CLIENT, eip(8), udp(1000, 8000, data)));
  const out = leaving(vm(7), ipv4(CLIENT, vm(7), inner, { ttl: 63 }));
  const metered = [{ slot: 8, direction: 'in' as const, packets: 1, bytes: frame.length }];
  const what = 'a forward whose UDP checksum becomes 0';
  return [row(what, 'natter_uplink', frame, 'IN_REDIRECTED', out, { metered })];
}

export const forwardCases: NatterCase[] = [
  ...bothWays,
  ...refused,
  ...inPieces,
  ...outPieces,
  ...lost,
  ...hairpinPieces(),
  ...computedZero(),
];
