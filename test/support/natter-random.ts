// Random packets in the packet table's world, and valid ones with bytes spoilt: fast-check makes
// them from a seed and shrinks what fails.
import fc from 'fast-check';
import type { Program } from '../../natter/mapping.ts';
import { arriving, CLIENT, eip, LINK_OF, NEAR_CLIENT, vm } from './natter-cases.ts';
import {
  concat,
  dccp,
  ESP,
  filler,
  GRE,
  type Ipv4Fields,
  icmp,
  icmpError,
  ipv4,
  type Layer,
  raw,
  sctp,
  tcp,
  udp,
  udpLite,
} from './packet.ts';

export const PROGRAMS: readonly Program[] = [
  'natter_uplink',
  'natter_inside',
  'natter_onearm',
  'natter_egress',
];

const outside = [CLIENT, NEAR_CLIENT, '203.0.113.254', '192.0.2.77', '198.18.0.1', '198.18.1.1'];
const eips = [5, 6, 8, 9, 10, 20, 21, 22, 24, 32, 40, 41, 42, 77].map(eip);
const privates = [
  ...[1, 5, 6, 7, 9, 11, 12, 32, 50, 99].map(vm),
  '10.0.9.5',
  '10.0.7.5',
  '10.0.7.6',
  '10.0.7.7',
  '10.0.7.200',
];
const anyAddress = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(...outside) },
  { weight: 4, arbitrary: fc.constantFrom(...eips) },
  { weight: 4, arbitrary: fc.constantFrom(...privates) },
);

/** Ports that forwards know, their neighbours, and any other. */
const port = fc.oneof(
  fc.constantFrom(0, 22, 53, 80, 443, 444, 500, 2222, 4500, 7999, 8000, 8042, 8080, 8099, 8100),
  fc.constantFrom(8443, 9000, 9063, 9099, 60000, 60010, 60011, 65535, 90, 91),
  fc.integer({ min: 0, max: 65535 }),
);
const data = fc.integer({ min: 0, max: 120 }).map(filler);
const checksum = fc.option(fc.constantFrom(0, 0xffff, 0x1234), { nil: undefined, freq: 6 });

const transport: fc.Arbitrary<Layer> = fc
  .record({ kind: fc.integer({ min: 0, max: 7 }), a: port, b: port, data, checksum })
  .map(({ kind, a, b, data, checksum }) => {
    const options = checksum === undefined ? {} : { checksum };
    if (kind <= 1) return tcp(a, b, data, { ...options, options: kind === 0 ? [] : [1, 1, 1, 1] });
    if (kind <= 3) return udp(a, b, data, options);
    if (kind === 4) return udpLite(a, b, data, { coverage: 8 });
    if (kind === 5) return dccp(a, b);
    if (kind === 6) return sctp(a, b);
    return icmp(a & 1 ? 8 : 0, 0, [1, 2, 3, 4], data);
  });

const oddLayer: fc.Arbitrary<Layer> = fc
  .record({
    protocol: fc.constantFrom(0, 1, 6, 17, 33, GRE, ESP, 51, 132, 136, 253),
    data: fc.uint8Array({ maxLength: 70 }),
  })
  .map(({ protocol, data }) => raw(protocol, data));

const noOptions: number[] = [];

const fields: fc.Arbitrary<Ipv4Fields> = fc.record({
  ttl: fc.constantFrom(0, 1, 2, 64, 64, 64, 255),
  id: fc.constantFrom(1, 0x1d1d),
  df: fc.boolean(),
  moreFragments: fc.oneof({ weight: 4, arbitrary: fc.constant(false) }, fc.constant(true)),
  offsetBytes: fc.oneof({ weight: 5, arbitrary: fc.constant(0) }, fc.constantFrom(8, 48, 65528)),
  options: fc.oneof(
    { weight: 6, arbitrary: fc.constant(noOptions) },
    fc.constantFrom([1, 1, 1, 1], [7, 7, 4, 0, 0, 0, 0, 0]).map((options) => [...options]),
  ),
});

const plainFields: fc.Arbitrary<Ipv4Fields> = fc.constant({});

const plainPacket = fc
  .record({
    source: anyAddress,
    destination: anyAddress,
    layer: fc.oneof({ weight: 6, arbitrary: transport }, oddLayer),
    fields: fc.oneof({ weight: 2, arbitrary: plainFields }, fields),
  })
  .map(({ source, destination, layer, fields }) => ipv4(source, destination, layer, fields));

/** An error to whom the quoted packet came from, by its receiver or by somebody else. */
const errorPacket = fc
  .record({
    ends: fc.tuple(anyAddress, anyAddress, anyAddress),
    byReceiver: fc.boolean(),
    layer: fc.oneof({ weight: 6, arbitrary: transport }, oddLayer),
    type: fc.constantFrom(3, 3, 3, 4, 5, 11, 12),
    bytes: fc.constantFrom(0, 3, 4, 7, 8, 17, 18, 28, 1000),
    fields: fc.oneof({ weight: 2, arbitrary: plainFields }, fields),
    quotedFields: fc.oneof({ weight: 3, arbitrary: plainFields }, fields),
  })
  .map(({ ends: [sender, receiver, other], ...rest }) => {
    const quoted = ipv4(sender, receiver, rest.layer, rest.quotedFields);
    const error = icmpError(rest.type, 3, quoted, { bytes: rest.bytes });
    return ipv4(rest.byReceiver ? receiver : other, sender, error, rest.fields);
  });

/** An IPv4 packet, right but for what its fields say. */
export const randomPacket: fc.Arbitrary<Uint8Array> = fc.oneof(
  { weight: 3, arbitrary: plainPacket },
  { weight: 2, arbitrary: errorPacket },
);

export interface RandomFrame {
  program: Program;
  frame: Uint8Array;
}

export const randomFrame: fc.Arbitrary<RandomFrame> = fc
  .record({ program: fc.constantFrom(...PROGRAMS), packet: randomPacket, padding: fc.nat(9) })
  .map(({ program, packet, padding }) => ({
    program,
    frame: arriving(LINK_OF[program], packet, padding > 6 ? padding : 0),
  }));

/** A random frame with some bytes behind its link addresses spoilt, cut off or added. */
export const mutatedFrame: fc.Arbitrary<RandomFrame> = fc
  .record({
    random: randomFrame,
    spoilt: fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { maxLength: 6 }),
    cut: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, fc.nat(60)),
    tail: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, fc.nat(20)),
  })
  .map(({ random: { program, frame }, spoilt, cut, tail }) => {
    const mutated = concat(frame.slice(0, Math.max(15, frame.length - cut)), filler(tail));
    for (const [at, byte] of spoilt) mutated[12 + (at % (mutated.length - 12))] = byte;
    return { program, frame: mutated };
  });
