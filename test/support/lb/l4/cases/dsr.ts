// dsr. docs/balancing.md K6.
import { filler, type Ipv4Fields, icmpError, ipv4, tcp, udp } from '../../../packet.ts';
import { arriving, CLIENT, leaving, vip, vm } from '../site.ts';
import { alone, flow, type Given, type LbCase, portTo, row, serverAt } from './case.ts';

/** The frame as it came but for MACs and TTL. */
function direct(
  what: string,
  packet: (ttl: number) => Uint8Array,
  hop: string,
  given: Given,
): LbCase {
  const frame = arriving('uplink', packet(64));
  return row(what, 'lb_uplink', frame, 'DSR_REDIRECTED', leaving(hop, packet(63)), given);
}

const asked =
  (host: number, port: number, fields: Ipv4Fields = {}, data = 0) =>
  (ttl: number) =>
    ipv4(CLIENT, vip(host), tcp(4000, port, filler(data)), { ...fields, ttl });
const server = (host: number, port: number) => serverAt(vip(host), 'tcp', port);

const picked: LbCase[] = [9, 10].map((slot) => {
  const port = portTo(slot, 'tcp', vip(7), 80);
  const packet = (ttl: number) => ipv4(CLIENT, vip(7), tcp(port, 80), { ttl });
  const given = { server: server(7, 80), target: slot, opens: 1 };
  return direct(`target ${slot}`, packet, vm(slot + 2), given);
});
const dns: LbCase = (() => {
  const slot = [9, 10].find((one) => works(() => portTo(one, 'udp', vip(7), 53))) ?? 0;
  const packet = (ttl: number) => ipv4(CLIENT, vip(7), udp(4000, 53), { ttl });
  return direct('by the source alone', packet, vm(slot + 2), {
    server: serverAt(vip(7), 'udp', 53),
    target: slot,
    opens: 1,
    flows: { [flow('udp', 4000, vip(7), 53)]: slot },
  });
})();

function works(probe: () => unknown): boolean {
  try {
    probe();
    return true;
  } catch {
    return false;
  }
}

const ended = (port: number, target: number): Given => ({
  server: server(9, port),
  target,
  opens: 1,
});

const ways: LbCase[] = [
  row(
    'a target whose MAC is not known',
    'lb_uplink',
    arriving('uplink', asked(9, 80)(64)),
    'DSR_TO_NEIGHBOUR',
    arriving('uplink', asked(9, 80)(63)),
    ended(80, 11),
  ),
  alone('a target behind a router', 'lb_uplink', asked(9, 81)(64), 'DROP_NO_ROUTE'),
  alone('a target in a blackhole', 'lb_uplink', asked(9, 84)(64), 'DROP_NO_ROUTE'),
  alone('a pool with nobody', 'lb_uplink', asked(9, 83)(64), 'DROP_NO_TARGET'),
  alone('too long for the link', 'lb_uplink', asked(9, 82, {}, 700)(64), 'DROP_TOO_LONG'),
  direct('it fits the narrow link', asked(9, 82, {}, 600), '10.0.9.5', ended(82, 13)),
  direct('IP options', asked(9, 82, { options: [1, 1, 1, 1] }), '10.0.9.5', ended(82, 13)),
  alone('TTL 1', 'lb_uplink', asked(9, 82)(1), 'DROP_TTL_EXPIRED', { steps: ['TTL_EXPIRES'] }),
  alone('TTL 0', 'lb_uplink', asked(9, 82)(0), 'DROP_TTL_EXPIRED'),
  direct('TTL 2', (ttl) => asked(9, 82)(ttl - 62), '10.0.9.5', ended(82, 13)),
  alone(
    'what the target answers',
    'lb_inside',
    ipv4(vip(7), CLIENT, tcp(80, 4000)),
    'PASS_NOT_SERVER',
  ),
];

const reply = ipv4(vip(9), CLIENT, tcp(82, 4000));
const error: LbCase = direct(
  'an error about a reply, as it came',
  (ttl) => ipv4('203.0.113.1', vip(9), icmpError(3, 4, reply, { bytes: 8 }), { ttl }),
  '10.0.9.5',
  { server: server(9, 82), target: 13, steps: ['ICMP_ERROR'] },
);

export const dsrCases: LbCase[] = [...picked, dns, ...ways, error];
