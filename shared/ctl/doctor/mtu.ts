// Doctor: room for whole packets: uplinks and inside links of one size, tunnels and VLANs within
// what carries them, and path MTU discovery left on. From `ip -json -details link show`.
import { type Finding, fail, ok, warn } from './finding.ts';
import type { Host } from './host.ts';

const CHECK = 'net.mtu';
const LEAST_MTU = 576; // RFC 791: what every host takes
const ETHERNET_MTU = 1500;

/** Bytes that a tunnel puts around a packet, over IPv4; a VLAN's tag has room beyond the MTU. */
const OVERHEAD: Readonly<Record<string, number>> = {
  vlan: 0,
  macvlan: 0,
  vxlan: 50,
  geneve: 50,
  gretap: 38,
  gre: 24,
  ipip: 20,
  sit: 20,
  wireguard: 60,
};

export type Roles = { uplink: readonly string[]; inside: readonly string[] };

/** As iproute2 writes it. */
type Row = {
  ifname: string;
  mtu: number;
  link?: string;
  linkinfo?: { info_kind?: string; info_data?: { link?: string } };
};

export async function mtu(host: Host, { uplink, inside }: Roles): Promise<Finding[]> {
  const text = await host.run('ip', ['-json', '-details', 'link', 'show']);
  if (text === undefined) return [warn(CHECK, 'cannot list the links', 'apt install iproute2')];
  const rows = new Map((JSON.parse(text) as Row[]).map((row) => [row.ifname, row]));
  const of = (names: readonly string[]) => names.flatMap((name) => rows.get(name) ?? []);
  const findings = [
    ...[...new Set([...of(uplink), ...of(inside)])].flatMap((row) => headroom(row, rows)),
    ...apart(of(uplink), of(inside)),
    ...(await discovery(host)),
  ];
  return findings.length > 0 ? findings : [ok(CHECK, 'whole packets have room on every link')];
}

function headroom({ ifname, mtu: own, link, linkinfo }: Row, rows: Map<string, Row>): Finding[] {
  if (own < LEAST_MTU) {
    const remedy = `ip link set ${ifname} mtu ${ETHERNET_MTU}`;
    return [fail(CHECK, `the MTU of ${ifname} is ${own}: less than every host takes`, remedy)];
  }
  const overhead = OVERHEAD[linkinfo?.info_kind ?? ''];
  const lower = rows.get(linkinfo?.info_data?.link ?? link ?? '');
  if (overhead === undefined || lower === undefined) return [];
  const room = lower.mtu - overhead;
  if (own <= room) return [];
  const what = `the MTU of ${ifname} is ${own}, but ${lower.ifname} has room for ${room}`;
  const raise = `ip link set ${lower.ifname} mtu ${own + overhead}`;
  const remedy = `ip link set ${ifname} mtu ${room}, or ${raise}`;
  return [fail(CHECK, `${what}: whole packets are lost`, remedy)];
}

/** What comes by the larger is too large for the smaller: ICMP has to tell the sender. */
function apart(uplinks: readonly Row[], insides: readonly Row[]): Finding[] {
  const all = [...uplinks, ...insides].sort((a, b) => a.mtu - b.mtu);
  const [least, most] = [all[0], all.at(-1)];
  if (least === undefined || most === undefined || least.mtu === most.mtu) return [];
  const what =
    `${least.ifname} has an MTU of ${least.mtu}, ${most.ifname} of ${most.mtu}: ` +
    'connections hang wherever ICMP is dropped on the way';
  const remedy =
    `ip link set ${least.ifname} mtu ${most.mtu}; where that cannot be, give the VMs ` +
    `interface-mtu ${least.mtu} (option 26 of dhcpd)`;
  return [warn(CHECK, what, remedy)];
}

async function discovery(host: Host): Promise<Finding[]> {
  const value = (await host.read('/proc/sys/net/ipv4/ip_no_pmtu_disc'))?.trim() ?? '0';
  if (value === '0') return [];
  const what = `path MTU discovery is off (net.ipv4.ip_no_pmtu_disc is ${value})`;
  return [warn(CHECK, what, 'sysctl -w net.ipv4.ip_no_pmtu_disc=0')];
}
