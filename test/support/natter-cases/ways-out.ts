// What happens after the translation is found: TTL, IP options, routes, the stack, limits, the
// one-armed natter. docs/translation.md §2 "way out", §3.2, §3.3, §4.4, §5, §6.
import { filler, type Ipv4Fields, icmpError, ipv4, raw, tcp, udp } from '../packet.ts';
import {
  alone,
  atEgress,
  hairpin,
  inbound,
  inboundToStack,
  meterOf,
  type NatterCase,
  outbound,
  row,
} from './case.ts';
import { arriving, CLIENT, eip, leaving, NEAR_CLIENT, vm } from './site.ts';

const NOP = [1, 1, 1, 1];
const RECORD_ROUTE = [7, 11, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0];
const SOURCE_ROUTE = [131, 7, 4, 10, 0, 0, 77, 0];
const FULL = new Array<number>(40).fill(1);

const stackFields: [what: string, Ipv4Fields][] = [
  ['TTL 1', { ttl: 1 }],
  ['TTL 0', { ttl: 0 }],
  ['no-operation options', { options: NOP }],
  ['record route', { options: RECORD_ROUTE }],
  ['source route', { options: SOURCE_ROUTE }],
  ['as many options as there can be', { options: FULL }],
];

const toStack: NatterCase[] = stackFields.flatMap(([what, fields]) => {
  const packet = (source: string, destination: string, port = 2) =>
    ipv4(source, destination, tcp(1, port, filler(9)), fields);
  const pairs = { from: 5, to: 6 };
  const hairpinFrame = arriving('inside', packet(vm(5), eip(6)));
  const hairpinOut = arriving('inside', packet(eip(5), vm(6)));
  const both = { packets: 1, bytes: hairpinFrame.length };
  const metered = [
    { slot: pairs.from, direction: 'out' as const, ...both },
    { slot: pairs.to, direction: 'in' as const, ...both },
  ];
  return [
    inboundToStack(what, 5, packet(CLIENT, eip(5)), packet(CLIENT, vm(5))),
    inboundToStack(`${what}, forward`, 8, packet(CLIENT, eip(8), 443), packet(CLIENT, vm(7), 8443)),
    alone(`${what}, out`, 'natter_inside', packet(vm(5), CLIENT), 'PASS_TO_STACK_OUT'),
    alone(`${what}, to the next VM`, 'natter_inside', packet(vm(5), vm(6)), 'PASS_TO_STACK_OUT'),
    row(`${what}, hairpin`, 'natter_inside', hairpinFrame, 'HAIRPIN_TO_STACK', hairpinOut, {
      metered,
    }),
    atEgress(`${what}, egress`, 5, packet(vm(5), CLIENT), packet(eip(5), CLIENT)),
  ];
});

const optionsBeforePorts: NatterCase[] = [
  inboundToStack(
    'an ICMP error with options',
    5,
    ipv4(CLIENT, eip(5), icmpError(3, 1, ipv4(eip(5), CLIENT, udp(1, 2))), { options: NOP }),
    ipv4(CLIENT, vm(5), icmpError(3, 1, ipv4(vm(5), CLIENT, udp(1, 2))), { options: NOP }),
  ),
  alone(
    'options, then too little UDP',
    'natter_uplink',
    ipv4(CLIENT, eip(5), raw(17, filler(7)), { options: NOP }),
    'DROP_MALFORMED',
  ),
];

const routesIn: NatterCase[] = (
  [
    ['no neighbour', 20, vm(99)],
    ['a blackhole', 22, '10.98.0.1'],
    ['the natter itself', 24, vm(1)],
  ] as const
).map(([what, host, private_]) =>
  inboundToStack(what, host, ipv4(CLIENT, eip(host), udp(1, 2)), ipv4(CLIENT, private_, udp(1, 2))),
);

const sized = (source: string, destination: string, bytes: number, ttl = 64) =>
  ipv4(source, destination, udp(1, 2, filler(bytes - 28)), { df: true, ttl });

const sizes: NatterCase[] = [
  inbound(
    'as long as the narrow link takes',
    21,
    sized(CLIENT, eip(21), 700),
    sized(CLIENT, '10.0.9.5', 700, 63),
    '10.0.9.5',
  ),
  inboundToStack(
    'a byte too long for the narrow link',
    21,
    sized(CLIENT, eip(21), 701),
    sized(CLIENT, '10.0.9.5', 701),
  ),
  outbound(
    'as long as the uplink takes',
    5,
    sized(vm(5), CLIENT, 1500),
    sized(eip(5), CLIENT, 1500, 63),
  ),
  alone(
    'a byte too long for the uplink',
    'natter_inside',
    sized(vm(5), CLIENT, 1501),
    'PASS_TO_STACK_OUT',
  ),
  alone(
    'too long for the narrow link, from a VM',
    'natter_inside',
    sized(vm(5), '10.0.9.5', 701),
    'PASS_TO_STACK_OUT',
  ),
];

const routesOut: NatterCase[] = (
  [
    ['a neighbour that is missing', '192.0.2.77'],
    ['a blackhole', '198.18.0.1'],
    ['unreachable', '198.18.1.1'],
  ] as const
).map(([what, to]) =>
  alone(`out to ${what}`, 'natter_inside', ipv4(vm(5), to, udp(1, 2)), 'PASS_TO_STACK_OUT'),
);

function hairpins(): NatterCase[] {
  const noNeighbour = arriving('inside', ipv4(vm(5), eip(20), udp(1, 2)));
  const both = { packets: 1, bytes: noNeighbour.length };
  return [
    hairpin(
      'a VM by its own EIP',
      { from: 5, to: 5 },
      ipv4(vm(5), eip(5), udp(1, 2)),
      ipv4(eip(5), vm(5), udp(1, 2), { ttl: 63 }),
      vm(5),
    ),
    row(
      'hairpin without neighbour',
      'natter_inside',
      noNeighbour,
      'HAIRPIN_TO_STACK',
      arriving('inside', ipv4(eip(5), vm(99), udp(1, 2))),
      {
        metered: [
          { slot: 5, direction: 'out', ...both },
          { slot: 20, direction: 'in', ...both },
        ],
      },
    ),
  ];
}

const limits: NatterCase[] = [
  alone('limited', 'natter_uplink', ipv4(CLIENT, eip(30), udp(1, 2)), 'DROP_LIMIT_IN'),
  alone('limited out', 'natter_inside', ipv4(vm(30), CLIENT, udp(1, 2)), 'DROP_LIMIT_OUT'),
  alone('limited at egress', 'natter_egress', ipv4(vm(30), CLIENT, udp(1, 2)), 'DROP_LIMIT_OUT'),
  alone(
    'limited by group',
    'natter_uplink',
    ipv4(CLIENT, eip(31), udp(1, 2)),
    'DROP_GROUP_LIMIT_IN',
  ),
  alone('by group, out', 'natter_inside', ipv4(vm(31), CLIENT, udp(1, 2)), 'DROP_GROUP_LIMIT_OUT'),
  alone('limited forward', 'natter_uplink', ipv4(CLIENT, eip(34), tcp(1, 80)), 'DROP_LIMIT_IN'),
  alone('limited forward out', 'natter_inside', ipv4(vm(34), CLIENT, tcp(80, 1)), 'DROP_LIMIT_OUT'),
  alone(
    'hairpin, source limited',
    'natter_inside',
    ipv4(vm(30), eip(6), udp(1, 2)),
    'DROP_LIMIT_OUT',
  ),
  alone(
    'limited with TTL 1',
    'natter_uplink',
    ipv4(CLIENT, eip(30), udp(1, 2), { ttl: 1 }),
    'DROP_LIMIT_IN',
  ),
  alone(
    'TTL 1 before limits',
    'natter_inside',
    ipv4(vm(30), CLIENT, udp(1, 2), { ttl: 1 }),
    'PASS_TO_STACK_OUT',
  ),
  inbound(
    'granted',
    32,
    ipv4(CLIENT, eip(32), udp(1, 2)),
    ipv4(CLIENT, vm(32), udp(1, 2), { ttl: 63 }),
    vm(32),
    { steps: ['LIMIT_CHECKED'] },
  ),
  outbound(
    'granted out',
    32,
    ipv4(vm(32), CLIENT, udp(1, 2)),
    ipv4(eip(32), CLIENT, udp(1, 2), { ttl: 63 }),
    { steps: ['LIMIT_CHECKED'] },
  ),
];

/**
 * The source pays for its half, as it does on the way out, whatever the target's limit says then.
 */
function targetLimited(): NatterCase {
  const frame = arriving('inside', ipv4(vm(5), eip(30), udp(1, 2)));
  return row('hairpin, target limited', 'natter_inside', frame, 'DROP_LIMIT_IN');
}

const oneArm = (source: string, destination: string, ttl = 64) =>
  ipv4(source, destination, tcp(80, 4242), { ttl });

function oneArmed(): NatterCase[] {
  const out = arriving('onearm', oneArm('10.0.7.5', NEAR_CLIENT));
  const hair = arriving('onearm', oneArm('10.0.7.5', eip(41)));
  const forwarded = arriving('onearm', oneArm('10.0.7.7', NEAR_CLIENT));
  return [
    row(
      'one arm, out',
      'natter_onearm',
      out,
      'OUT_REDIRECTED',
      leaving('10.0.7.254', oneArm(eip(40), NEAR_CLIENT, 63)),
      { metered: [meterOf(40, 'out', out)] },
    ),
    row(
      'one arm, a forward, out',
      'natter_onearm',
      forwarded,
      'OUT_REDIRECTED',
      leaving('10.0.7.254', oneArm(eip(42), NEAR_CLIENT, 63)),
      { metered: [meterOf(42, 'out', forwarded)] },
    ),
    row(
      'one arm, hairpin',
      'natter_onearm',
      hair,
      'HAIRPIN_REDIRECTED',
      leaving('10.0.7.6', oneArm(eip(40), '10.0.7.6', 63)),
      { metered: [meterOf(40, 'out', hair), meterOf(41, 'in', hair)] },
    ),
    row(
      'one arm, egress',
      'natter_egress',
      arriving('onearm', oneArm('10.0.7.5', NEAR_CLIENT)),
      'OUT_AT_EGRESS',
      arriving('onearm', oneArm(eip(40), NEAR_CLIENT)),
      { link: 'onearm', metered: [meterOf(40, 'out', out)] },
    ),
  ];
}

const oneArmedLeft: NatterCase[] = [
  alone(
    'one arm, to the next VM',
    'natter_onearm',
    oneArm('10.0.7.5', '10.0.7.6'),
    'PASS_NOT_OUTBOUND',
  ),
  alone(
    'one arm, internal',
    'natter_onearm',
    oneArm('10.0.7.5', '10.0.7.200'),
    'PASS_NOT_OUTBOUND',
  ),
  alone(
    'one arm, elsewhere mapped',
    'natter_onearm',
    oneArm('10.0.7.5', vm(5)),
    'PASS_NOT_OUTBOUND',
  ),
  alone('one arm, unmapped', 'natter_onearm', oneArm('10.0.7.9', NEAR_CLIENT), 'PASS_NOT_EIP'),
  alone('one arm, no EIP', 'natter_onearm', oneArm(NEAR_CLIENT, eip(77)), 'PASS_NOT_EIP'),
  alone(
    'one arm, internal, TTL 1',
    'natter_onearm',
    oneArm('10.0.7.5', vm(5), 1),
    'PASS_NOT_OUTBOUND',
  ),
  alone(
    'one arm, TTL 1 out',
    'natter_onearm',
    oneArm('10.0.7.5', NEAR_CLIENT, 1),
    'PASS_TO_STACK_OUT',
  ),
  ...(['10.0.7.200', '10.0.7.6', vm(5)] as const).map((to) =>
    alone(`one arm, egress to ${to}`, 'natter_egress', oneArm('10.0.7.5', to), undefined, {
      link: 'onearm',
    }),
  ),
];

const egress: NatterCase[] = [
  atEgress(
    'by the uplink of two arms even to a private address',
    5,
    ipv4(vm(5), vm(6), udp(1, 2)),
    ipv4(eip(5), vm(6), udp(1, 2)),
  ),
  alone('translated before', 'natter_egress', ipv4(vm(5), CLIENT, udp(1, 2)), undefined, {
    translated: true,
  }),
  alone('the host speaks', 'natter_egress', ipv4('192.0.2.2', CLIENT, udp(1, 2)), undefined, {
    hostMade: true,
  }),
  alone('an EIP speaks', 'natter_egress', ipv4(eip(5), CLIENT, udp(1, 2)), undefined),
];

/**
 * Super-packets: each segment is counted with its headers, and measured against the MTU by
 * itself.
 */
function segments(): NatterCase[] {
  const packet = (source: string, destination: string, ttl: number) =>
    ipv4(source, destination, tcp(1, 2, filler(3000)), { ttl });
  const frame = arriving('uplink', packet(CLIENT, eip(5), 64));
  const given = { segments: { count: 3, payloadBytes: 1000 } };
  const metered = { slot: 5, packets: 3, bytes: frame.length + 2 * 54 };
  const outFrame = arriving('inside', packet(vm(5), CLIENT, 64));
  return [
    row('GSO', 'natter_uplink', frame, 'IN_REDIRECTED', leaving(vm(5), packet(CLIENT, vm(5), 63)), {
      ...given,
      metered: [{ ...metered, direction: 'in' }],
    }),
    row(
      'GSO out',
      'natter_inside',
      outFrame,
      'OUT_REDIRECTED',
      leaving('192.0.2.1', packet(eip(5), CLIENT, 63)),
      { ...given, metered: [{ ...metered, direction: 'out' }] },
    ),
    alone('GSO too long', 'natter_inside', packet(vm(5), CLIENT, 64), 'PASS_TO_STACK_OUT', {
      segments: { count: 3, payloadBytes: 1461 },
    }),
  ];
}

export const wayOutCases: NatterCase[] = [
  ...toStack,
  ...optionsBeforePorts,
  ...routesIn,
  ...sizes,
  ...routesOut,
  ...hairpins(),
  ...limits,
  targetLimited(),
  ...oneArmed(),
  ...oneArmedLeft,
  ...egress,
  ...segments(),
];
