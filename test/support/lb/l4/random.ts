// Random packets in lb's packet-table world, with what is known before them: fast-check makes them
// from a seed and shrinks what fails.
import fc from 'fast-check';
import { flowKey, fragmentKey, type Program, type State } from '../../../../lb/l4/model/types.ts';
import { icmpKind, portsOf, viewPacket } from '../../../../shared/net/packet-view.ts';
import {
  address,
  concat,
  filler,
  type Ipv4Fields,
  icmp,
  icmpError,
  ipv4,
  type Layer,
  raw,
  TCP,
  tcp,
  UDP,
  udp,
} from '../../packet.ts';
import { arriving, CLIENT, LINK_OF, NEAR_CLIENT, siteTable, vip, vm } from './site.ts';

export const PROGRAMS: readonly Program[] = ['lb_uplink', 'lb_inside', 'lb_onearm', 'lb_egress'];

const clients = [CLIENT, NEAR_CLIENT, '203.0.113.254', '192.0.2.77', '198.18.0.1', vm(50), vm(1)];
const vips = [5, 6, 7, 8, 9, 40, 77].map(vip);
const targets = [
  ...[1, 5, 6, 7, 9, 30, 31, 32, 34, 50].map(vm),
  '10.0.9.5',
  '10.0.7.5',
  '10.0.7.6',
];
const client = fc.constantFrom(...clients);
const anyAddress = fc.constantFrom(...clients, ...vips, ...targets, '127.0.0.1', '224.0.0.1');

const vipPort = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(80, 53, 443, 5000, 5042, 5099, 8000, 8064, 8100) },
  { weight: 4, arbitrary: fc.constantFrom(80, 81, 82, 83, 84, 85, 1000, 1003) },
  { weight: 1, arbitrary: fc.constantFrom(0, 1, 4999, 5100, 7999, 8101, 999, 1004, 65535) },
);
const targetPort = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom(8080, 443, 5353, 53, 9000, 9042, 9099, 80, 8083, 1000) },
  { weight: 1, arbitrary: fc.constantFrom(0, 1, 8999, 9100, 8081, 65535) },
);
const clientPort = fc.integer({ min: 0, max: 65535 });

/** Who says it to whom: a client to a VIP, a target to a client, or anybody to anybody. */
type Ends = { source: string; destination: string; sourcePort: number; destinationPort: number };
const toVip: fc.Arbitrary<Ends> = fc.record({
  source: client,
  destination: fc.constantFrom(...vips),
  sourcePort: clientPort,
  destinationPort: vipPort,
});
const fromTarget: fc.Arbitrary<Ends> = fc.record({
  source: fc.constantFrom(...targets),
  destination: client,
  sourcePort: targetPort,
  destinationPort: clientPort,
});
const anyEnds: fc.Arbitrary<Ends> = fc.record({
  source: anyAddress,
  destination: anyAddress,
  sourcePort: fc.oneof(vipPort, targetPort, clientPort),
  destinationPort: fc.oneof(vipPort, targetPort, clientPort),
});
const ends = fc.oneof(
  { weight: 6, arbitrary: toVip },
  { weight: 4, arbitrary: fromTarget },
  { weight: 1, arbitrary: anyEnds },
);

const turned = (of: Ends): Ends => ({
  source: of.destination,
  destination: of.source,
  sourcePort: of.destinationPort,
  destinationPort: of.sourcePort,
});

const data = fc.nat(120).map(filler);
const checksum = fc.option(fc.constantFrom(0, 0xffff, 0x1234), { nil: undefined, freq: 6 });
const tcpFlags = fc.constantFrom(0x02, 0x10, 0x18, 0x11, 0x04, 0x14, 0x12, 0x06);

type ToLayer = (of: Ends) => Layer;
const transport: fc.Arbitrary<ToLayer> = fc
  .record({ isTcp: fc.boolean(), data, checksum, flags: tcpFlags, wide: fc.boolean() })
  .map(({ isTcp, data: body, checksum: sum, flags, wide }) => ({ sourcePort, destinationPort }) => {
    const given = sum === undefined ? {} : { checksum: sum };
    if (!isTcp) return udp(sourcePort, destinationPort, body, given);
    const options = wide ? [1, 1, 1, 1] : [];
    return tcp(sourcePort, destinationPort, body, { ...given, flags, options });
  });
const oddLayer: fc.Arbitrary<ToLayer> = fc
  .record({
    protocol: fc.constantFrom(0, 1, TCP, UDP, 33, 47, 132, 253),
    data: fc.uint8Array({ maxLength: 30 }),
  })
  .map(
    ({ protocol, data: body }) =>
      () =>
        raw(protocol, body),
  );
const echo: fc.Arbitrary<ToLayer> = fc
  .constantFrom(0, 8)
  .map((type) => () => icmp(type, 0, [1, 2, 3, 4], filler(20)));

const noOptions: number[] = [];
const fields: fc.Arbitrary<Ipv4Fields> = fc.record({
  ttl: fc.constantFrom(0, 1, 2, 64, 64, 64, 255),
  id: fc.constantFrom(1, 0x1d1d),
  df: fc.boolean(),
  moreFragments: fc.boolean(),
  offsetBytes: fc.oneof({ weight: 2, arbitrary: fc.constant(0) }, fc.constantFrom(8, 48, 65528)),
  options: fc.oneof(
    { weight: 6, arbitrary: fc.constant(noOptions) },
    fc.constantFrom([1, 1, 1, 1], [7, 7, 4, 0, 0, 0, 0, 0]).map((options) => [...options]),
  ),
});
const plain: fc.Arbitrary<Ipv4Fields> = fc.constant({});
const anyFields = fc.oneof({ weight: 2, arbitrary: plain }, fields);
const anyLayer = fc.oneof(
  { weight: 10, arbitrary: transport },
  { weight: 1, arbitrary: oddLayer },
  { weight: 1, arbitrary: echo },
);

const plainPacket = fc
  .record({ ends, layer: anyLayer, fields: anyFields })
  .map(({ ends: of, layer, fields: given }) => ipv4(of.source, of.destination, layer(of), given));

/** About a reply that a client got as the VIP's, or about what a target was sent as translated. */
const errorPacket = fc
  .record({
    quoted: fc.oneof(
      { weight: 4, arbitrary: toVip.map(turned) },
      { weight: 4, arbitrary: fromTarget.map(turned) },
      { weight: 1, arbitrary: anyEnds },
    ),
    by: fc.option(anyAddress, { nil: undefined }), // else the receiver of the quoted packet
    to: fc.option(anyAddress, { nil: undefined, freq: 8 }), // else its sender
    layer: anyLayer,
    type: fc.constantFrom(3, 3, 3, 4, 5, 11, 12),
    bytes: fc.constantFrom(0, 3, 4, 7, 8, 8, 17, 18, 28, 1000),
    fields: anyFields,
    quotedFields: anyFields,
  })
  .map(({ quoted: of, by, to, layer, type, bytes, fields: given, quotedFields }) => {
    const quoted = ipv4(of.source, of.destination, layer(of), quotedFields);
    const error = icmpError(type, 1, quoted, { bytes });
    return ipv4(by ?? of.destination, to ?? of.source, error, given);
  });

const packet = fc.oneof(
  { weight: 3, arbitrary: plainPacket },
  { weight: 2, arbitrary: errorPacket },
);

/** What the program knows of the packet's flow and datagram before it comes. */
const knowledge = fc.record({
  targetSlot: fc.integer({ min: 1, max: 20 }),
  isOther: fc.boolean(), // of another generation
  ageSeconds: fc.constantFrom(0.3, 1.6, 50, 62, 7190, 7210),
  isKnown: fc.boolean(),
  fragment: fc.constantFrom('none', 'known', 'expired', 'not ours', 'direct'),
  isFull: fc.integer({ min: 0, max: 5 }).map((dice) => dice === 0), // the flood gate
});
export type Knowledge = typeof knowledge extends fc.Arbitrary<infer T> ? T : never;

export type RandomFrame = { program: Program; frame: Uint8Array; known: Knowledge };

export const randomFrame: fc.Arbitrary<RandomFrame> = fc
  .record({
    program: fc.constantFrom(...PROGRAMS),
    packet,
    padding: fc.nat(9),
    known: knowledge,
  })
  .map(({ program, packet: bytes, padding, known }) => ({
    program,
    frame: arriving(LINK_OF[program], bytes, padding > 6 ? padding : 0),
    known,
  }));

/** A random frame with some bytes behind its link addresses spoilt, cut off or added. */
export const mutatedFrame: fc.Arbitrary<RandomFrame> = fc
  .record({
    random: randomFrame,
    spoilt: fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { maxLength: 6 }),
    cut: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, fc.nat(60)),
    tail: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, fc.nat(20)),
  })
  .map(({ random: { program, frame, known }, spoilt, cut, tail }) => {
    const mutated = concat(frame.slice(0, Math.max(15, frame.length - cut)), filler(tail));
    for (const [at, byte] of spoilt) mutated[12 + (at % (mutated.length - 12))] = byte;
    return { program, frame: mutated, known };
  });

/** The state that a random frame finds. */
export function stateFor({ frame, known }: RandomFrame, nowNs: number): State {
  const connections: [string, { seenNs: number; targetSlot: number; generation: number }][] = [];
  const fragments: State['fragments'] = fragmentsFor(frame, known, nowNs);
  const flow = flowOf(frame);
  if (flow !== undefined && known.isKnown) {
    const generation = siteTable.targets.get(known.targetSlot)?.generation ?? 0;
    const connection = {
      seenNs: nowNs - known.ageSeconds * 1e9,
      targetSlot: known.targetSlot,
      generation: generation + (known.isOther ? 1 : 0),
    };
    connections.push([flow, connection]);
  }
  const count = known.isFull ? 125_000 : 0;
  return { connections: new Map(connections), fragments, gate: { sinceNs: nowNs, count } };
}

/** The flow of the packet, or that which an ICMP error is about. */
function flowOf(frame: Uint8Array): string | undefined {
  const seen = viewPacket(frame);
  if (seen === undefined) return undefined;
  const kind = icmpKind(seen);
  const quoted = kind.kind === 'error' ? kind.quoted : undefined;
  const of = quoted ?? seen;
  const ports = portsOf(of);
  if (ports === undefined) return undefined;
  const { source, destination, protocol } = of;
  const [sourcePort, destinationPort] = [ports.source, ports.destination];
  return quoted === undefined
    ? flowKey({ source, destination, sourcePort, destinationPort, protocol })
    : flowKey({
        source: destination,
        destination: source,
        sourcePort: destinationPort,
        destinationPort: sourcePort,
        protocol,
      });
}

function fragmentsFor(frame: Uint8Array, known: Knowledge, nowNs: number): State['fragments'] {
  const seen = viewPacket(frame);
  if (seen === undefined || known.fragment === 'none') return new Map();
  const { source, destination, id, protocol } = seen;
  const record = {
    expiresNs: nowNs + (known.fragment === 'expired' ? -1e9 : 10e9),
    address: known.fragment === 'not ours' ? 0 : address(vm(6)),
    serverSlot: 3,
    targetSlot: 2,
  };
  return new Map(
    [false, true].map((outbound) => [
      fragmentKey({ source, destination, id, protocol, outbound }),
      { ...record, isDsr: !outbound && known.fragment === 'direct' },
    ]),
  );
}
