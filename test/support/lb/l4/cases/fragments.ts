// Fragments, in both orders. docs/balancing.md K8.
import { hashAddresses, hashSource, maglevSlot } from '../../../../../lb/l4/model/hash.ts';
import { address, filler, fragments, ipv4, tcp, udp } from '../../../packet.ts';
import { arriving, CLIENT, leaving, siteTable, vip, vm } from '../site.ts';
import {
  alone,
  atEgress,
  datagram,
  flow,
  into,
  known,
  type LbCase,
  outOf,
  portTo,
  row,
  serverAt,
  went,
} from './case.ts';

const DATA = filler(40);

/** [first, later] of one datagram. */
function pair(source: string, destination: string, layer: ReturnType<typeof udp>, ttl = 64) {
  const [first = DATA, later = DATA] = fragments(source, destination, layer, [24], { ttl });
  return { first, later };
}

/** The target that the addresses alone pick. */
function byAddresses(pool: number, to: string, source = false): number {
  const [a, b] = [address(CLIENT), address(to)];
  const hash = source ? hashSource(a) : hashAddresses(a, b);
  return siteTable.tables.get(pool)?.[maglevSlot(hash)] ?? 0;
}

const dnsServer = serverAt(vip(5), 'udp', 53);
const dnsSlot = byAddresses(13, vip(5));
const dnsTarget = vm(dnsSlot + 15);
const dnsPort = dnsSlot === 15 ? 5353 : 53;
const otherSlot = 31 - dnsSlot;
const asked = pair(CLIENT, vip(5), udp(4000, 53, DATA));
const answered = pair(CLIENT, dnsTarget, udp(4000, dnsPort, DATA), 63);
const metered = { server: dnsServer, target: dnsSlot };
const recorded = datagram(CLIENT, vip(5), 'udp');

const udpIn: LbCase[] = [
  into('the first of UDP, by the addresses', asked.first, answered.first, dnsTarget, {
    ...metered,
    datagrams: { [recorded]: address(dnsTarget) },
    steps: ['BY_TABLE'],
  }),
  into('a known flow of UDP does not count for fragments', asked.first, answered.first, dnsTarget, {
    ...metered,
    connections: { [flow('udp', 4000, vip(5), 53)]: known(otherSlot) },
    datagrams: { [recorded]: address(dnsTarget) },
  }),
  into('a later one whose first one came', asked.later, answered.later, dnsTarget, {
    ...metered,
    fragments: { [recorded]: went(dnsTarget, dnsServer, dnsSlot) },
    steps: ['FRAGMENT_FOUND'],
  }),
  into('a later one first: the only server', asked.later, answered.later, dnsTarget, metered),
  into('a later one too late: the only server', asked.later, answered.later, dnsTarget, {
    ...metered,
    fragments: { [recorded]: went(dnsTarget, dnsServer, dnsSlot, { seconds: -1 }) },
  }),
];

/** VIP 5 has two servers of TCP. */
const PORT = portTo(1, 'tcp', vip(5), 80);
const stream = (to: string, port: number, flags: number, ttl = 64) =>
  pair(CLIENT, to, tcp(PORT, port, DATA, { flags }), ttl);
const tcpKey = datagram(CLIENT, vip(5), 'tcp');
const server80 = serverAt(vip(5), 'tcp', 80);
const tcpIn: LbCase[] = [
  into(
    'the first of TCP, by its connection',
    stream(vip(5), 80, 0x10).first,
    stream(vm(6), 8080, 0x10, 63).first,
    vm(6),
    {
      server: server80,
      target: 2,
      connections: { [flow('tcp', PORT, vip(5), 80)]: known(2) },
      datagrams: { [tcpKey]: address(vm(6)) },
    },
  ),
  into(
    'the first of TCP, by its flow',
    stream(vip(5), 80, 0x10).first,
    stream(vm(5), 8080, 0x10, 63).first,
    vm(5),
    {
      server: server80,
      target: 1,
      flows: { [flow('tcp', PORT, vip(5), 80)]: 1 },
      datagrams: { [tcpKey]: address(vm(5)) },
    },
  ),
  into(
    'a later one of TCP',
    stream(vip(5), 80, 0x10).later,
    stream(vm(6), 8080, 0x10, 63).later,
    vm(6),
    {
      server: server80,
      target: 2,
      fragments: { [tcpKey]: went(vm(6), server80, 2) },
    },
  ),
  alone(
    'a later one of TCP first',
    'lb_uplink',
    stream(vip(5), 80, 0x10).later,
    'DROP_FRAGMENT_UNKNOWN',
  ),
  alone(
    'a later one to nobody',
    'lb_uplink',
    pair(CLIENT, vip(77), udp(1, 2, DATA)).later,
    'PASS_NOT_SERVER',
  ),
];

/** VIP 5, port 81 is the host's own, say. */
const own = pair(CLIENT, vip(5), tcp(4000, 81, DATA));
const leftAlone: LbCase[] = [
  alone('the first for another port of a VIP', 'lb_uplink', own.first, 'PASS_NOT_SERVER', {
    datagrams: { [tcpKey]: 0 },
  }),
  alone('and the later ones', 'lb_uplink', own.later, 'PASS_NOT_SERVER', {
    fragments: { [tcpKey]: went('0.0.0.0', 0, 0) },
    steps: ['FRAGMENT_FOUND'],
  }),
  alone(
    'a target’s first from another port',
    'lb_inside',
    pair(vm(7), CLIENT, tcp(22, 9, DATA)).first,
    'PASS_NOT_SERVER',
    {
      datagrams: { [datagram(vm(7), CLIENT, 'tcp', true)]: 0 },
    },
  ),
  alone(
    'and the later ones',
    'lb_inside',
    pair(vm(7), CLIENT, tcp(22, 9, DATA)).later,
    'PASS_NOT_SERVER',
    {
      fragments: { [datagram(vm(7), CLIENT, 'tcp', true)]: went('0.0.0.0', 0, 0) },
    },
  ),
];

const dsrSlot = byAddresses(8, vip(7), true);
const direct = (ttl: number) => pair(CLIENT, vip(7), udp(4000, 53, DATA), ttl);
const dsrServer = serverAt(vip(7), 'udp', 53);
const dsrKey = datagram(CLIENT, vip(7), 'udp');
const dsr: LbCase[] = (['first', 'later'] as const).map((which) =>
  row(
    `dsr: the ${which} one`,
    'lb_uplink',
    arriving('uplink', direct(64)[which]),
    'DSR_REDIRECTED',
    leaving(vm(dsrSlot + 2), direct(63)[which]),
    {
      server: dsrServer,
      target: dsrSlot,
      ...(which === 'first'
        ? { datagrams: { [dsrKey]: address(vm(dsrSlot + 2)) } }
        : { fragments: { [dsrKey]: went(vm(dsrSlot + 2), dsrServer, dsrSlot, { isDsr: true }) } }),
    },
  ),
);

/** Target 17 answers for one server of UDP only; so does vm(5) of TCP; vm(11) for none. */
const said = pair(vm(32), CLIENT, udp(9042, 4000, DATA));
const heard = pair(vip(6), CLIENT, udp(5042, 4000, DATA), 63);
const voice = { server: serverAt(vip(6), 'udp', 5042), target: 17 };
const outKey = datagram(vm(32), CLIENT, 'udp', true);
const out: LbCase[] = [
  outOf('the first of a reply', said.first, heard.first, {
    ...voice,
    datagrams: { [outKey]: address(vip(6)) },
  }),
  outOf('a later one of a reply', said.later, heard.later, {
    ...voice,
    fragments: { [outKey]: went(vip(6), voice.server, 17) },
    steps: ['FRAGMENT_FOUND'],
  }),
  outOf('a later one of a reply first: the only VIP', said.later, heard.later, voice),
  atEgress(
    'the first of a reply at egress',
    said.first,
    pair(vip(6), CLIENT, udp(5042, 4000, DATA)).first,
    { ...voice, datagrams: { [outKey]: address(vip(6)) } },
  ),
];

/** A reply that is left to the stack is remembered at egress, where it is translated. */
const later = ipv4(vm(32), CLIENT, udp(9042, 4000, DATA), { moreFragments: true, ttl: 1 });
const toStack: LbCase = alone(
  'the first of a reply with TTL 1',
  'lb_inside',
  later,
  'OUT_TO_STACK',
);

export const fragmentCases: LbCase[] = [...udpIn, ...tcpIn, ...leftAlone, ...dsr, ...out, toStack];
