// ICMP errors out of the ordinary: from routers, about forwarded ports, from the host itself, cut
// short or forged. docs/translation.md §2.1, resolve_out 1, §4.
import {
  concat,
  echoRequest,
  filler,
  fragments,
  icmp,
  icmpError,
  ipv4,
  type Layer,
  raw,
  tcp,
  udp,
  udpSummingToZero,
} from '../packet.ts';
import { alone, atEgress, hairpin, inbound, type NatterCase, outbound, row } from './case.ts';
import { arriving, CLIENT, eip, leaving, vm } from './site.ts';

const ROUTER = '203.0.113.254'; // on the path, not the quoted packet's destination
const INSIDE_ROUTER = vm(50); // has no EIP
const HOST = '192.0.2.2';

type Quote = [source: string, destination: string, layer: Layer];
type Cut = { bytes?: number };

const error = (
  source: string,
  destination: string,
  [from, to, layer]: Quote,
  ttl = 64,
  cut: Cut = {},
): Uint8Array => {
  const quoted = ipv4(from, to, layer);
  return ipv4(source, destination, icmpError(11, 0, quoted, cut), { ttl });
};

const routers: NatterCase[] = [
  inbound(
    'a router on the path',
    5,
    error(ROUTER, eip(5), [eip(5), CLIENT, udp(33434, 33435)]),
    error(ROUTER, vm(5), [vm(5), CLIENT, udp(33434, 33435)], 63),
    vm(5),
  ),
  outbound(
    'an inside router without an EIP speaks as the EIP',
    5,
    error(INSIDE_ROUTER, CLIENT, [CLIENT, vm(5), tcp(7, 8)]),
    error(eip(5), CLIENT, [CLIENT, eip(5), tcp(7, 8)], 63),
  ),
  outbound(
    'a router with an EIP of its own speaks as itself, at the expense of the other',
    5,
    error(vm(6), CLIENT, [CLIENT, vm(5), tcp(7, 8)]),
    error(eip(6), CLIENT, [CLIENT, eip(5), tcp(7, 8)], 63),
  ),
  outbound(
    'a mapped router about an address without an EIP',
    5,
    error(vm(5), CLIENT, [CLIENT, INSIDE_ROUTER, tcp(7, 8)]),
    error(eip(5), CLIENT, [CLIENT, INSIDE_ROUTER, tcp(7, 8)], 63),
  ),
  outbound(
    'a quote that is not changed keeps a checksum of 0xffff',
    5,
    error(vm(5), CLIENT, [CLIENT, INSIDE_ROUTER, tcp(7, 8, filler(0), { checksum: 0xffff })]),
    error(eip(5), CLIENT, [CLIENT, INSIDE_ROUTER, tcp(7, 8, filler(0), { checksum: 0xffff })], 63),
  ),
  alone(
    'an unmapped router about an unmapped address',
    'natter_inside',
    error(INSIDE_ROUTER, CLIENT, [CLIENT, vm(51), tcp(7, 8)]),
    'PASS_NOT_EIP',
  ),
  alone(
    'an unmapped router that asks an EIP about an unmapped address',
    'natter_inside',
    error(INSIDE_ROUTER, eip(5), [eip(5), vm(51), tcp(7, 8)]),
    'PASS_HAIRPIN_UNMAPPED',
  ),
  hairpin(
    'an unmapped router between two VMs that talk by EIP',
    { from: 6, to: 5 },
    error(INSIDE_ROUTER, eip(5), [eip(5), vm(6), tcp(7, 8)]),
    error(eip(6), vm(5), [vm(5), eip(6), tcp(7, 8)], 63),
    vm(5),
  ),
];

const atTheUplink: NatterCase[] = [
  atEgress(
    "the host's own error keeps its address",
    5,
    error(HOST, CLIENT, [CLIENT, vm(5), tcp(7, 8)]),
    error(HOST, CLIENT, [CLIENT, eip(5), tcp(7, 8)]),
    { hostMade: true },
  ),
  atEgress(
    "the host's own error about a forwarded port",
    8,
    error(HOST, CLIENT, [CLIENT, vm(7), tcp(7, 8443)]),
    error(HOST, CLIENT, [CLIENT, eip(8), tcp(7, 443)]),
    { hostMade: true },
  ),
  atEgress(
    'an error that the stack forwards speaks as the EIP',
    5,
    error(INSIDE_ROUTER, CLIENT, [CLIENT, vm(5), tcp(7, 8)]),
    error(eip(5), CLIENT, [CLIENT, eip(5), tcp(7, 8)]),
  ),
  alone(
    "the host's own error about nobody's packet",
    'natter_egress',
    error(HOST, CLIENT, [CLIENT, HOST, udp(7, 8)]),
    undefined,
    { hostMade: true },
  ),
];

type Ported = [what: string, host: number, outside: Layer, private_: string, inside: Layer, Cut?];
const answered: Ported[] = [
  ['one TCP port', 8, tcp(443, 7, filler(9)), vm(7), tcp(8443, 7, filler(9))],
  ['one TCP port, 8 bytes', 8, tcp(443, 7), vm(7), tcp(8443, 7), { bytes: 8 }],
  ['one TCP port, 4 bytes', 8, tcp(443, 7), vm(7), tcp(8443, 7), { bytes: 4 }],
  ['a UDP range', 8, udp(8042, 7, filler(9)), vm(7), udp(9042, 7, filler(9))],
  ['a UDP range, 8 bytes', 8, udp(8042, 7), vm(7), udp(9042, 7), { bytes: 8 }],
  [
    'a UDP port without checksum',
    8,
    udp(8000, 7, filler(3), { checksum: 0 }),
    vm(7),
    udp(9000, 7, filler(3), { checksum: 0 }),
  ],
  ['a forward next to the 1:1 mapping', 9, tcp(80, 7), vm(12), tcp(8080, 7)],
  ['a forward to the same VM', 9, tcp(2222, 7), vm(9), tcp(22, 7)],
  ['no forward but 1:1', 9, tcp(81, 7), vm(9), tcp(81, 7)],
  ['the other protocol, 1:1', 9, udp(80, 7), vm(9), udp(80, 7)],
  ['too few bytes for a port, 1:1', 9, tcp(80, 7), vm(9), tcp(80, 7), { bytes: 3 }],
  ['a forward whose offset wraps', 10, tcp(60004, 7), vm(11), tcp(84, 7)],
  ['every port', 10, udp(65535, 7), vm(11), udp(65535, 7)],
];

const forwarded: NatterCase[] = answered.flatMap(([what, host, outside, private_, inside, cut]) => [
  inbound(
    `error about ${what}`,
    host,
    error(ROUTER, eip(host), [eip(host), CLIENT, outside], 64, cut),
    error(ROUTER, private_, [private_, CLIENT, inside], 63, cut),
    private_,
    { steps: ['ICMP_ERROR'] },
  ),
]);

/** The ports the other way round: what the VM refuses was sent to it. */
const refusedByVm: NatterCase[] = (
  [
    ['one TCP port', 8, tcp(7, 443, filler(9)), vm(7), tcp(7, 8443, filler(9))],
    ['one TCP port, 8 bytes', 8, tcp(7, 443), vm(7), tcp(7, 8443), { bytes: 8 }],
    ['a UDP range', 8, udp(7, 8099, filler(9)), vm(7), udp(7, 9099, filler(9))],
    ['a second EIP of the VM', 10, tcp(7, 8080), vm(7), tcp(7, 8080)],
    ['a forward of another EIP', 9, tcp(7, 80), vm(12), tcp(7, 8080)],
    ['a forward next to its 1:1', 9, tcp(7, 2222), vm(9), tcp(7, 22)],
    ['its 1:1', 9, tcp(7, 99), vm(9), tcp(7, 99)],
    ['every port', 10, udp(7, 1), vm(11), udp(7, 1)],
  ] satisfies Ported[]
).flatMap(([what, host, outside, private_, inside, cut]: Ported) => [
  outbound(
    `error from the VM about ${what}`,
    host,
    error(private_, CLIENT, [CLIENT, private_, inside], 64, cut),
    error(eip(host), CLIENT, [CLIENT, eip(host), outside], 63, cut),
    { steps: ['ICMP_ERROR'] },
  ),
  outbound(
    `error from an inside router about ${what}`,
    host,
    error(INSIDE_ROUTER, CLIENT, [CLIENT, private_, inside], 64, cut),
    error(eip(host), CLIENT, [CLIENT, eip(host), outside], 63, cut),
  ),
]);

function laterQuotedBy(host: number): Uint8Array {
  const piece = fragments(eip(host), CLIENT, udp(80, 7, filler(90)), [48])[1] ?? filler(0);
  return ipv4(ROUTER, eip(host), icmpError(11, 1, piece));
}

const unanswered: NatterCase[] = [
  alone(
    'error about a port without forward',
    'natter_uplink',
    error(ROUTER, eip(8), [eip(8), CLIENT, tcp(444, 7)]),
    'DROP_NO_FORWARD',
  ),
  alone(
    'error about a forwarded port, which is not quoted',
    'natter_uplink',
    error(ROUTER, eip(8), [eip(8), CLIENT, tcp(443, 7)], 64, { bytes: 3 }),
    'DROP_NO_FORWARD',
  ),
  alone(
    'error about an echo of an EIP without 1:1',
    'natter_uplink',
    error(ROUTER, eip(8), [eip(8), CLIENT, echoRequest()]),
    'DROP_NO_FORWARD',
  ),
  alone(
    'error quoting a later fragment of an EIP without 1:1',
    'natter_uplink',
    laterQuotedBy(8),
    'DROP_NO_FORWARD',
  ),
  alone(
    'error of a VM about a port that nobody forwards',
    'natter_inside',
    error(vm(7), CLIENT, [CLIENT, vm(7), tcp(7, 8444)]),
    'PASS_NOT_EIP',
  ),
  alone(
    'error quoting what the EIP never sent',
    'natter_uplink',
    error(ROUTER, eip(5), [eip(6), CLIENT, tcp(7, 8)]),
    'DROP_ERROR_MISMATCH',
  ),
  alone(
    'error quoting the private address',
    'natter_uplink',
    error(ROUTER, eip(5), [vm(5), CLIENT, tcp(7, 8)]),
    'DROP_ERROR_MISMATCH',
  ),
];

const redirect = (source: string, destination: string): Uint8Array => {
  const quoted = ipv4(destination, '203.0.113.9', tcp(7, 8));
  return ipv4(source, destination, icmpError(5, 1, quoted, { rest: [10, 0, 0, 66] }));
};

const redirects: NatterCase[] = [
  alone('redirect', 'natter_uplink', redirect(ROUTER, eip(5)), 'DROP_ICMP_REDIRECT'),
  alone('redirect out', 'natter_inside', redirect(vm(5), CLIENT), 'DROP_ICMP_REDIRECT'),
  alone('redirect out, unmapped', 'natter_inside', redirect(vm(50), CLIENT), 'PASS_NOT_EIP'),
  alone('redirect to an EIP', 'natter_inside', redirect(vm(5), eip(6)), 'DROP_ICMP_REDIRECT'),
  alone('redirect at egress', 'natter_egress', redirect(vm(5), CLIENT), 'DROP_ICMP_REDIRECT'),
];

const quoteOf = (source: string, destination: string) => ipv4(destination, source, tcp(7, 8));

/** Quotes whose header is not whole or not IPv4. */
const badQuotes: [what: string, (source: string, destination: string) => Layer][] = [
  ...[0, 1, 12, 19].map((bytes): (typeof badQuotes)[0] => [
    `quoting ${bytes} bytes of IPv4`,
    (s, d) => icmp(3, 1, [0, 0, 0, 0], quoteOf(s, d).slice(0, bytes)),
  ]),
  ['quoting version 6', (s, d) => icmpError(3, 1, concat([0x65], quoteOf(s, d).slice(1)))],
  ['quoting IHL 4', (s, d) => icmp(3, 1, [0, 0, 0, 0], concat([0x44], quoteOf(s, d).slice(1)))],
  [
    'quoting a longer header than there is',
    (s, d) => icmp(3, 1, [0, 0, 0, 0], concat([0x4f], quoteOf(s, d).slice(1, 28))),
  ],
  ...[0, 1, 4, 7].map((bytes): (typeof badQuotes)[0] => [
    `${bytes} bytes of ICMP`,
    () => raw(1, echoRequest().bytes(0, 0).slice(0, bytes)),
  ]),
  ['1 byte of ICMP redirect', () => raw(1, Uint8Array.of(5))],
];

const malformed: NatterCase[] = badQuotes.flatMap(([what, layer]) => {
  const packet = (source: string, destination: string) =>
    ipv4(source, destination, layer(source, destination));
  const [p, e] = [vm(5), eip(5)];
  return [
    alone(`${what}: in`, 'natter_uplink', packet(CLIENT, e), 'DROP_MALFORMED'),
    alone(`${what}: out`, 'natter_inside', packet(p, CLIENT), 'DROP_MALFORMED'),
    alone(`${what}: out, unmapped`, 'natter_inside', packet(vm(50), CLIENT), 'PASS_NOT_EIP'),
    alone(`${what}: hairpin`, 'natter_inside', packet(p, eip(6)), 'DROP_MALFORMED'),
    alone(`${what}: unmapped`, 'natter_inside', packet(vm(50), e), 'PASS_HAIRPIN_UNMAPPED'),
    alone(`${what}: egress`, 'natter_egress', packet(p, CLIENT), 'DROP_MALFORMED'),
    alone(`${what}: egress, unmapped`, 'natter_egress', packet(vm(50), CLIENT), undefined),
  ];
});

function hairpinned(): NatterCase[] {
  const frame = arriving('inside', error(vm(7), eip(5), [eip(5), vm(7), tcp(7, 8443)]));
  const after = error(eip(8), vm(5), [vm(5), eip(8), tcp(7, 443)], 63);
  const out = leaving(vm(5), after);
  const both = { packets: 1, bytes: frame.length };
  const metered = [
    { slot: 8, direction: 'out' as const, ...both },
    { slot: 5, direction: 'in' as const, ...both },
  ];
  const what = 'error about a forwarded port between two VMs';
  return [row(what, 'natter_inside', frame, 'HAIRPIN_REDIRECTED', out, { metered })];
}

/** A quoted UDP checksum that becomes 0 is written as 0xffff, as its sender would have. */
function quotedComputedZero(): NatterCase {
  const layer = udpSummingToZero(vm(5), CLIENT, 7, 8);
  return inbound(
    'a quoted UDP checksum becomes 0',
    5,
    error(ROUTER, eip(5), [eip(5), CLIENT, layer]),
    error(ROUTER, vm(5), [vm(5), CLIENT, layer], 63),
    vm(5),
  );
}

export const oddErrorCases: NatterCase[] = [
  ...routers,
  ...atTheUplink,
  ...forwarded,
  ...refusedByVm,
  ...unanswered,
  ...redirects,
  ...malformed,
  ...hairpinned(),
  quotedComputedZero(),
];
