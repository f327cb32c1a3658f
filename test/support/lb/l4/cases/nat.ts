// nat, both ways. docs/balancing.md K3, K5, K9.
import {
  corrupt16,
  filler,
  type Ipv4Fields,
  ipv4,
  type Layer,
  TCP,
  tcp,
  udp,
  udpSummingToZero,
} from '../../../packet.ts';
import { arriving, CLIENT, leaving, vip, vm } from '../site.ts';
import {
  alone,
  atEgress,
  flow,
  type Given,
  into,
  known,
  type LbCase,
  outOf,
  portTo,
  row,
  serverAt,
  toStack,
} from './case.ts';

const ACK = { flags: 0x10 };

/** One packet to the server and one back, by every program that translates it. */
type Service = {
  protocol: 'tcp' | 'udp';
  vip: string;
  port: number;
  target: string;
  targetPort: number;
  slot: number;
};
const web: Service = {
  protocol: 'tcp',
  vip: vip(5),
  port: 443,
  target: vm(7),
  targetPort: 443,
  slot: 3,
};
const voice: Service = {
  protocol: 'udp',
  vip: vip(6),
  port: 5042,
  target: vm(32),
  targetPort: 9042,
  slot: 17,
};

function bothWays(
  what: string,
  of: Service,
  layer: (source: number, destination: number) => Layer,
  opens: number,
  fields: Ipv4Fields = {},
): LbCase[] {
  const { protocol, target, targetPort, slot } = of;
  const server = serverAt(of.vip, protocol, of.port);
  const asked = (to: string, port: number, ttl: number, from = CLIENT) =>
    ipv4(from, to, layer(4000, port), { ...fields, ttl });
  const said = (by: string, port: number, ttl: number, to = CLIENT) =>
    ipv4(by, to, layer(port, 4000), { ...fields, ttl });
  const metered = { server, target: slot };
  const opened = (from?: string): Given => ({
    ...metered,
    opens,
    ...(layer === syn ? {} : { flows: { [flow(protocol, 4000, of.vip, of.port, from)]: slot } }),
  });
  const inside = arriving('inside', asked(of.vip, of.port, 64, vm(50)));
  return [
    into(
      `${what}: in`,
      asked(of.vip, of.port, 64),
      asked(target, targetPort, 63),
      target,
      opened(),
    ),
    outOf(`${what}: out`, said(target, targetPort, 64), said(of.vip, of.port, 63), metered),
    row(
      `${what}: in, from inside`,
      'lb_inside',
      inside,
      'IN_REDIRECTED',
      leaving(target, asked(target, targetPort, 63, vm(50))),
      opened(vm(50)),
    ),
    outOf(
      `${what}: out, to inside`,
      said(target, targetPort, 64, vm(50)),
      said(of.vip, of.port, 63, vm(50)),
      metered,
      vm(50),
    ),
    atEgress(`${what}: egress`, said(target, targetPort, 9), said(of.vip, of.port, 9), metered),
  ];
}

/** It stays as wrong as it was. */
const wrong = (a: number, b: number): Layer => {
  const right = tcp(a, b, filler(5), ACK);
  return { protocol: TCP, bytes: (from, to) => corrupt16(right.bytes(from, to), 16, 7) };
};
const syn = (a: number, b: number): Layer => tcp(a, b);

const layers: LbCase[] = [
  ...bothWays('a SYN', web, syn, 1),
  ...bothWays('an ACK', web, (a, b) => tcp(a, b, filler(9), ACK), 0),
  ...bothWays('a SYN with options', web, syn, 1, { df: true, tos: 0x2e }),
  ...bothWays('a wrong checksum', web, wrong, 0),
  ...bothWays('UDP, a range', voice, (a, b) => udp(a, b), 1),
  ...bothWays('UDP without a checksum', voice, (a, b) => udp(a, b, filler(7), { checksum: 0 }), 1),
];

/** RFC 768: what the new addresses make 0 is sent as 0xffff. */
const toZero: LbCase = (() => {
  const after = udpSummingToZero(CLIENT, vm(32), 4000, 9042);
  const data = after.bytes(0, 0).slice(8);
  const opened = { [flow('udp', 4000, vip(6), 5042)]: 17 };
  return into(
    'a UDP checksum that becomes 0',
    ipv4(CLIENT, vip(6), udp(4000, 5042, data)),
    ipv4(CLIENT, vm(32), after, { ttl: 63 }),
    vm(32),
    { server: serverAt(vip(6), 'udp', 5042), target: 17, opens: 1, flows: opened },
  );
})();

const [server80, server443] = [serverAt(vip(5), 'tcp', 80), serverAt(vip(5), 'tcp', 443)];
const ended = { server: server443, target: 3, opens: 1 };

const byHash: LbCase[] = [1, 2].map((slot) => {
  const port = portTo(slot, 'tcp', vip(5), 80);
  const target = vm(slot + 4);
  return into(
    `the table picks target ${slot}`,
    ipv4(CLIENT, vip(5), tcp(port, 80)),
    ipv4(CLIENT, target, tcp(port, 8080), { ttl: 63 }),
    target,
    { server: server80, target: slot, opens: 1, steps: ['SERVER_FOUND', 'BY_TABLE', 'FIB_ASKED'] },
  );
});

const asked = (ttl: number, fields: Ipv4Fields = {}) =>
  ipv4(CLIENT, vip(5), tcp(4000, 443), { ...fields, ttl });
const translated = (ttl: number, fields: Ipv4Fields = {}) =>
  ipv4(CLIENT, vm(7), tcp(4000, 443), { ...fields, ttl });
const options = { options: [7, 7, 4, 0, 0, 0, 0, 0] };
const stack: LbCase[] = [
  ...[0, 1].map((ttl) =>
    toStack(`TTL ${ttl}`, asked(ttl), translated(ttl), { ...ended, steps: ['TTL_EXPIRES'] }),
  ),
  into('TTL 2', asked(2), translated(1), vm(7), ended),
  into('TTL 255', asked(255), translated(254), vm(7), ended),
  toStack('IP options', asked(64, options), translated(64, options), {
    ...ended,
    steps: ['IP_OPTIONS'],
  }),
];

/** The other pools of VIP 8. */
const far = (port: number, to: string, toPort: number, slot: number, data = 0): LbCase =>
  toStack(
    `what the FIB cannot say: ${to}`,
    ipv4(CLIENT, vip(8), tcp(4000, port, filler(data), ACK)),
    ipv4(CLIENT, to, tcp(4000, toPort, filler(data), ACK)),
    {
      server: serverAt(vip(8), 'tcp', port),
      target: slot,
      flows: { [flow('tcp', 4000, vip(8), port)]: slot },
      steps: ['FIB_ASKED'],
    },
  );
const ways: LbCase[] = [
  far(80, vm(99), 8080, 4), // no neighbour
  far(81, '10.0.9.5', 8080, 5, 700), // too long for the link
  far(82, '10.98.0.1', 8080, 6), // a blackhole
  far(83, vm(1), 8083, 7), // this host
  into(
    'it fits the narrow link',
    ipv4(CLIENT, vip(8), tcp(4000, 81)),
    ipv4(CLIENT, '10.0.9.5', tcp(4000, 8080), { ttl: 63 }),
    '10.0.9.5',
    { server: serverAt(vip(8), 'tcp', 81), target: 5, opens: 1 },
  ),
  alone('a pool with nobody', 'lb_uplink', ipv4(CLIENT, vip(8), tcp(4000, 84)), 'DROP_NO_TARGET'),
  alone(
    'a pool without a table',
    'lb_uplink',
    ipv4(CLIENT, vip(8), tcp(4000, 85)),
    'DROP_NO_TARGET',
  ),
];

/** Of 3 segments with 400 bytes each. */
const gso: LbCase[] = (() => {
  const data = filler(1200);
  const segments = { count: 3, payloadBytes: 400 };
  const opened = { [flow('tcp', 4000, vip(8), 81)]: 5 };
  const meters = { server: serverAt(vip(8), 'tcp', 81), target: 5, segments };
  return [
    into(
      'a GSO packet whose segments fit the link',
      ipv4(CLIENT, vip(8), tcp(4000, 81, data, ACK)),
      ipv4(CLIENT, '10.0.9.5', tcp(4000, 8080, data, ACK), { ttl: 63 }),
      '10.0.9.5',
      { ...meters, flows: opened },
    ),
    outOf(
      'a GSO packet out',
      ipv4('10.0.9.5', CLIENT, tcp(8080, 4000, data, ACK)),
      ipv4(vip(8), CLIENT, tcp(81, 4000, data, ACK), { ttl: 63 }),
      meters,
    ),
    alone(
      'a GSO packet of nobody',
      'lb_uplink',
      ipv4(CLIENT, vip(77), tcp(4000, 81, data)),
      'PASS_NOT_SERVER',
      {
        segments,
      },
    ),
  ];
})();

const reply = (ttl: number, to = CLIENT, fields: Ipv4Fields = {}) =>
  ipv4(vm(7), to, tcp(443, 4000, filler(9), ACK), { ...fields, ttl });
const out: LbCase[] = [
  alone('a reply with TTL 1', 'lb_inside', reply(1), 'OUT_TO_STACK', { steps: ['TTL_EXPIRES'] }),
  alone('a reply with options', 'lb_inside', reply(64, CLIENT, options), 'OUT_TO_STACK'),
  alone(
    'a reply to a client that does not answer ARP',
    'lb_inside',
    reply(64, vm(98)),
    'OUT_TO_STACK',
  ),
  alone('a reply into a blackhole', 'lb_inside', reply(64, '198.18.0.1'), 'OUT_TO_STACK'),
  alone(
    'a reply in one arm to this host',
    'lb_onearm',
    ipv4('10.0.7.5', '10.0.7.1', tcp(8080, 9)),
    'PASS_NOT_SERVER',
  ),
];

const NEAR = '203.0.114.5';
const arm: LbCase[] = [
  row(
    'one arm, in',
    'lb_onearm',
    arriving('onearm', ipv4(NEAR, vip(40), tcp(4000, 80))),
    'IN_REDIRECTED',
    leaving('10.0.7.5', ipv4(NEAR, '10.0.7.5', tcp(4000, 8080), { ttl: 63 })),
    { server: serverAt(vip(40), 'tcp', 80), target: 14, opens: 1 },
  ),
  row(
    'one arm, out',
    'lb_onearm',
    arriving('onearm', ipv4('10.0.7.5', NEAR, tcp(8080, 4000))),
    'OUT_REDIRECTED',
    leaving('10.0.7.254', ipv4(vip(40), NEAR, tcp(80, 4000), { ttl: 63 })),
    { server: serverAt(vip(40), 'tcp', 80), target: 14 },
  ),
  row(
    'a target asks another server from its own service’s port',
    'lb_inside',
    arriving('inside', ipv4(vm(32), vip(5), tcp(9042, 443))),
    'IN_REDIRECTED',
    leaving(vm(7), ipv4(vm(32), vm(7), tcp(9042, 443), { ttl: 63 })),
    ended,
  ),
];

const padded = (packet: Uint8Array, padding: number) => arriving('uplink', packet, padding);
const padding: LbCase = row(
  'Ethernet padding is neither read nor written',
  'lb_uplink',
  padded(asked(64), 6),
  'IN_REDIRECTED',
  leaving(vm(7), translated(63), 6),
  ended,
);

const flooded: LbCase = into(
  'the flood gate: picked, and not remembered',
  ipv4(CLIENT, vip(6), udp(4000, 5042)),
  ipv4(CLIENT, vm(32), udp(4000, 9042), { ttl: 63 }),
  vm(32),
  {
    server: serverAt(vip(6), 'udp', 5042),
    target: 17,
    gateCount: 125_000,
    flows: {},
    steps: ['FLOOD_GATE'],
  },
);
const notQuite: LbCase = into(
  'the flood gate: the last one of a second',
  ipv4(CLIENT, vip(6), udp(4000, 5042)),
  ipv4(CLIENT, vm(32), udp(4000, 9042), { ttl: 63 }),
  vm(32),
  {
    server: serverAt(vip(6), 'udp', 5042),
    target: 17,
    opens: 1,
    gateCount: 124_999,
    flows: { [flow('udp', 4000, vip(6), 5042)]: 17 },
    steps: ['CONNECTION_WRITTEN'],
  },
);
const floodKnown: LbCase = into(
  'the flood gate: a known flow stays known',
  ipv4(CLIENT, vip(5), tcp(4000, 80, filler(0), ACK)),
  ipv4(CLIENT, vm(6), tcp(4000, 8080, filler(0), ACK), { ttl: 63 }),
  vm(6),
  {
    server: server80,
    target: 2,
    gateCount: 125_000,
    connections: { [flow('tcp', 4000, vip(5), 80)]: known(2) },
    steps: ['CONNECTION_FOUND'],
  },
);

export const natCases: LbCase[] = [
  ...layers,
  toZero,
  ...byHash,
  ...stack,
  ...ways,
  ...gso,
  ...out,
  ...arm,
  padding,
  flooded,
  notQuite,
  floodKnown,
];
