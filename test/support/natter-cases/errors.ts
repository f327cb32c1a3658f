// ICMP errors: the packet that they quote is translated with them (RFC 792, RFC 5508 §4), so that
// the receiver finds its own packet in it. docs/translation.md §2.1, resolve_out 1.
import {
  concat,
  corrupt16,
  dccp,
  echoRequest,
  esp,
  filler,
  fragments,
  gre,
  type Ipv4Fields,
  icmpError,
  ipv4,
  type Layer,
  sctp,
  tcp,
  u16,
  udp,
  udpLite,
} from '../packet.ts';
import { type Build, everyWay, type NatterCase } from './case.ts';

const MTU_1400 = [0, 0, ...u16(1400)];

/** An error from `source` about a packet that went the other way. */
const about =
  (
    type: number,
    code: number,
    layer: Layer,
    options: Parameters<typeof icmpError>[3] = {},
  ): Build =>
  (source, destination, ttl) => {
    const quoted = ipv4(destination, source, layer, { ttl: 7 });
    return ipv4(source, destination, icmpError(type, code, quoted, options), { ttl });
  };

const quotedLayers: [string, Layer][] = [
  ['TCP', tcp(40000, 443, filler(50))],
  ['UDP', udp(4242, 53, filler(51))],
  ['UDP without checksum', udp(4242, 53, filler(51), { checksum: 0 })],
  ['UDP-Lite', udpLite(4242, 53, filler(20), { coverage: 8 })],
  ['DCCP', dccp(4242, 53)],
  ['SCTP', sctp(4242, 53)],
  ['GRE', gre()],
  ['ESP', esp()],
  ['an echo request', echoRequest()],
];

const types: [string, number, number, number[]][] = [
  ['net unreachable', 3, 0, [0, 0, 0, 0]],
  ['port unreachable', 3, 3, [0, 0, 0, 0]],
  ['frag needed', 3, 4, MTU_1400],
  ['source quench', 4, 0, [0, 0, 0, 0]],
  ['TTL exceeded', 11, 0, [0, 0, 0, 0]],
  ['reassembly time exceeded', 11, 1, [0, 0, 0, 0]],
  ['parameter problem', 12, 0, [20, 0, 0, 0]],
];

const byType = types.flatMap(([name, type, code, rest]) =>
  everyWay(`${name} quoting TCP`, about(type, code, tcp(40000, 443, filler(9)), { rest })),
);

const byProtocol = quotedLayers.flatMap(([name, layer]) => [
  ...everyWay(`unreachable quoting all of ${name}`, about(3, 3, layer)),
  ...everyWay(`unreachable quoting 8 bytes of ${name}`, about(3, 3, layer, { bytes: 8 })),
]);

/** Quotes cut where a checksum or a port just fits, or just does not. */
const cutQuotes = [0, 2, 3, 4, 6, 8, 9, 16, 18, 19].flatMap((bytes) => [
  ...everyWay(`quoting ${bytes} bytes of TCP`, about(11, 0, tcp(7, 8, filler(9)), { bytes })),
  ...everyWay(`quoting ${bytes} bytes of UDP`, about(11, 0, udp(7, 8, filler(12)), { bytes })),
]);

/** Half a checksum is left as it is. */
const halfChecksum = { checksum: 0x5aa5 };
const halfQuotes = [
  ...everyWay(
    'quoting 17 bytes of TCP',
    about(11, 0, tcp(7, 8, filler(9), halfChecksum), { bytes: 17 }),
  ),
  ...everyWay(
    'quoting 7 bytes of UDP',
    about(11, 0, udp(7, 8, filler(9), halfChecksum), { bytes: 7 }),
  ),
];

const withFields = (layer: Layer, outer: Ipv4Fields, inner: Ipv4Fields): Build => {
  return (source, destination, ttl) => {
    const quoted = ipv4(destination, source, layer, { ttl: 1, ...inner });
    return ipv4(source, destination, icmpError(3, 1, quoted), { ...outer, ttl });
  };
};

/** RFC 4884: the quote padded to 128 bytes, then an extension structure. */
const extended: Build = (source, destination, ttl) => {
  const quoted = concat(ipv4(destination, source, udp(7, 8, filler(30))), new Uint8Array(70));
  const layer = icmpError(11, 0, quoted, { rest: [0, 32, 0, 0], tail: filler(12) });
  return ipv4(source, destination, layer, { ttl });
};

const laterQuoted: Build = (source, destination, ttl) => {
  const piece = fragments(destination, source, udp(7, 8, filler(90)), [48])[1] ?? filler(0);
  return ipv4(source, destination, icmpError(11, 1, piece), { ttl });
};

const firstQuoted: Build = (source, destination, ttl) => {
  const piece = fragments(destination, source, udp(7, 8, filler(90)), [48])[0] ?? filler(0);
  return ipv4(source, destination, icmpError(11, 1, piece), { ttl });
};

/** It stays wrong by as much, and the outer checksum stays right. */
const wrongQuoted: Build = (source, destination, ttl) => {
  const quoted = corrupt16(ipv4(destination, source, udp(7, 8)), 10, 0x0101);
  return ipv4(source, destination, icmpError(3, 1, quoted), { ttl });
};

const firstPiece: Build = (source, destination, ttl) => {
  const quoted = ipv4(destination, source, tcp(7, 8, filler(90)));
  const layer = icmpError(3, 3, quoted);
  return fragments(source, destination, layer, [64], { ttl })[0] ?? filler(0);
};

const laterPiece: Build = (source, destination, ttl) => {
  const quoted = ipv4(destination, source, tcp(7, 8, filler(90)));
  return fragments(source, destination, icmpError(3, 3, quoted), [64], { ttl })[1] ?? filler(0);
};

const shapes = [
  ...everyWay(
    'quoting a packet with IP options',
    withFields(tcp(7, 8), {}, { options: [7, 7, 4, 0, 0, 0, 0, 0] }),
  ),
  ...everyWay('with RFC 4884 extensions', extended),
  ...everyWay('quoting a first fragment', firstQuoted),
  ...everyWay('quoting a later fragment', laterQuoted),
  ...everyWay('an error that is a first fragment', firstPiece),
  ...everyWay('an error that is a later fragment', laterPiece),
  ...everyWay('quoting a wrong IPv4 checksum', wrongQuoted),
];

export const errorCases: NatterCase[] = [
  ...byType,
  ...byProtocol,
  ...cutQuotes,
  ...halfQuotes,
  ...shapes,
];
