// ICMP errors, both ways. docs/balancing.md K7.
import { filler, icmp, icmpError, ipv4, type Layer, raw, tcp, udp } from '../../../packet.ts';
import { CLIENT, vip, vm } from '../site.ts';
import {
  alone,
  atEgress,
  flow,
  into,
  known,
  type LbCase,
  outOf,
  portTo,
  serverAt,
} from './case.ts';

const ROUTER = '203.0.113.1';
const INNER_ROUTER = '10.0.0.50';

/** How much of the quoted packet's payload an error has. */
const QUOTES = [8, 16, 20, 1000];
const TYPES: [number, number][] = [
  [3, 4],
  [3, 1],
  [11, 0],
  [12, 0],
  [4, 0],
];

type Service = { vip: string; target: string; layer: (isVip: boolean, isReply: boolean) => Layer };
const web: Service = {
  vip: vip(5),
  target: vm(7),
  layer: (_isVip, isReply) => (isReply ? tcp(443, 4000, filler(30)) : tcp(4000, 443, filler(30))),
};
const voice: Service = {
  vip: vip(6),
  target: vm(32),
  layer: (isVip, isReply) => {
    const port = isVip ? 5042 : 9042;
    return isReply ? udp(port, 4000, filler(30)) : udp(4000, port, filler(30));
  },
};
const silent: Service = {
  ...voice,
  layer: (isVip, isReply) => {
    const port = isVip ? 5042 : 9042;
    const [from, to] = isReply ? [port, 4000] : [4000, port];
    return udp(from, to, filler(30), { checksum: 0 });
  },
};
const SERVICES: [string, Service, { server: number; target: number }][] = [
  ['TCP', web, { server: serverAt(vip(5), 'tcp', 443), target: 3 }],
  ['UDP', voice, { server: serverAt(vip(6), 'udp', 5042), target: 17 }],
  ['UDP without a checksum', silent, { server: serverAt(vip(6), 'udp', 5042), target: 17 }],
];

const translated: LbCase[] = SERVICES.flatMap(([name, of, metered]) =>
  TYPES.flatMap(([type, code]) =>
    QUOTES.flatMap((bytes) => {
      const what = `type ${type}/${code} about ${name}, ${bytes} bytes quoted`;
      const about = (isVip: boolean, isReply: boolean) => {
        const ends = [CLIENT, isVip ? of.vip : of.target] as const;
        const [from, to] = isReply ? ([ends[1], ends[0]] as const) : ends;
        return icmpError(type, code, ipv4(from, to, of.layer(isVip, isReply)), { bytes });
      };
      const asked = (by: string, isVip: boolean, ttl: number) =>
        ipv4(by, CLIENT, about(isVip, false), { ttl });
      return [
        into(
          `${what}: in`,
          ipv4(ROUTER, of.vip, about(true, true), { ttl: 64 }),
          ipv4(ROUTER, of.target, about(false, true), { ttl: 63 }),
          of.target,
          { ...metered, steps: ['ICMP_ERROR', 'SERVER_FOUND'] },
        ),
        outOf(
          `${what}: by the target`,
          asked(of.target, false, 64),
          asked(of.vip, true, 63),
          metered,
        ),
        outOf(
          `${what}: by a router`,
          asked(INNER_ROUTER, false, 64),
          asked(INNER_ROUTER, true, 63),
          metered,
        ),
        atEgress(
          `${what}: by this host`,
          asked('192.0.2.2', false, 64),
          asked('192.0.2.2', true, 64),
          metered,
        ),
      ];
    }),
  ),
);

/** VIP 5, port 80: the table says target 1. */
const PORT = portTo(1, 'tcp', vip(5), 80);
const KEY = flow('tcp', PORT, vip(5), 80);
const aboutReply = (from: string, port: number, bytes = 1000) =>
  icmpError(11, 0, ipv4(from, CLIENT, tcp(port, PORT, filler(9), { flags: 0x10 })), { bytes });
const ofFlow = (what: string, slot: number, connection?: ReturnType<typeof known>): LbCase =>
  into(
    what,
    ipv4(ROUTER, vip(5), aboutReply(vip(5), 80)),
    ipv4(ROUTER, vm(slot + 4), aboutReply(vm(slot + 4), 8080), { ttl: 63 }),
    vm(slot + 4),
    {
      server: serverAt(vip(5), 'tcp', 80),
      target: slot,
      ...(connection && { connections: { [KEY]: connection } }),
    },
  );
const picked: LbCase[] = [
  ofFlow('to the target of the connection', 2, known(2)),
  ofFlow('to the target that the hash names', 1),
  ofFlow('the connection is lost', 1, known(2, 3, true)),
  ofFlow('the connection is idle', 1, known(2, 7201)),
];

const quoting = (packet: Uint8Array, bytes = 1000) => icmpError(3, 1, packet, { bytes });
const reply = ipv4(vip(5), CLIENT, tcp(443, 4000));
const request = ipv4(CLIENT, vm(7), tcp(4000, 443));
const later = (from: string, to: string, protocol: number) =>
  ipv4(from, to, raw(protocol, filler(24)), { offsetBytes: 24 });

const stub = (packet: Uint8Array, bytes: number) =>
  icmp(3, 1, [0, 0, 0, 0], packet.slice(0, bytes));

const refused: LbCase[] = [
  alone(
    'a cut quote to a VIP',
    'lb_uplink',
    ipv4(ROUTER, vip(5), stub(reply, 19)),
    'DROP_MALFORMED',
  ),
  alone(
    'a cut quote to another',
    'lb_uplink',
    ipv4(ROUTER, vip(77), stub(reply, 19)),
    'PASS_NOT_SERVER',
  ),
  alone(
    'a cut quote of a target',
    'lb_inside',
    ipv4(vm(7), CLIENT, stub(request, 19)),
    'DROP_MALFORMED',
  ),
  alone(
    'a cut quote of another',
    'lb_inside',
    ipv4(vm(98), CLIENT, stub(request, 19)),
    'PASS_NOT_SERVER',
  ),
  alone(
    'quoting what another than the VIP sent',
    'lb_uplink',
    ipv4(ROUTER, vip(5), quoting(ipv4(vip(77), CLIENT, tcp(443, 4000)))),
    'DROP_ERROR_MISMATCH',
  ),
  alone(
    'quoting what another than the receiver sent',
    'lb_inside',
    ipv4(vm(7), '203.0.113.99', quoting(request)),
    'DROP_ERROR_MISMATCH',
  ),
  alone(
    'no ports: of two servers',
    'lb_uplink',
    ipv4(ROUTER, vip(5), quoting(later(vip(5), CLIENT, 6))),
    'DROP_ERROR_MISMATCH',
  ),
  alone(
    '3 bytes of ports: of two servers',
    'lb_uplink',
    ipv4(ROUTER, vip(5), quoting(reply, 3)),
    'DROP_ERROR_MISMATCH',
  ),
  alone(
    'a pool with nobody',
    'lb_uplink',
    ipv4(ROUTER, vip(8), quoting(ipv4(vip(8), CLIENT, tcp(84, 9)))),
    'DROP_NO_TARGET',
  ),
  alone(
    'a redirect to a VIP',
    'lb_uplink',
    ipv4(ROUTER, vip(5), icmp(5, 1, [10, 0, 0, 9], reply)),
    'DROP_ICMP_REDIRECT',
  ),
  alone(
    'a redirect of a target',
    'lb_inside',
    ipv4(vm(7), CLIENT, icmp(5, 1, [10, 0, 0, 9], request)),
    'DROP_ICMP_REDIRECT',
  ),
  alone(
    'a redirect of a target to this host',
    'lb_inside',
    ipv4(vm(7), vm(1), icmp(5, 1, [10, 0, 0, 9], request)),
    'PASS_NOT_SERVER',
  ),
  alone(
    'about a probe of this host',
    'lb_inside',
    ipv4(vm(7), vm(1), quoting(ipv4(vm(1), vm(7), tcp(9, 443)))),
    'PASS_NOT_SERVER',
  ),
  alone(
    'by this host, to a target',
    'lb_egress',
    ipv4('10.0.0.1', vm(7), quoting(ipv4(vm(7), CLIENT, tcp(443, 9)))),
    undefined,
  ),
];

const without: LbCase[] = [
  into(
    'no ports: of the only server',
    ipv4(ROUTER, vip(6), quoting(later(vip(6), CLIENT, 17))),
    ipv4(ROUTER, vm(32), quoting(later(vm(32), CLIENT, 17)), { ttl: 63 }),
    vm(32),
    { server: serverAt(vip(6), 'udp', 5000), target: 17 },
  ),
  outOf(
    'no ports: of the only VIP',
    ipv4(vm(32), CLIENT, quoting(later(CLIENT, vm(32), 17))),
    ipv4(vip(6), CLIENT, quoting(later(CLIENT, vip(6), 17)), { ttl: 63 }),
    { server: serverAt(vip(6), 'udp', 5000), target: 17 },
  ),
];

export const errorCases: LbCase[] = [...translated, ...picked, ...refused, ...without];
