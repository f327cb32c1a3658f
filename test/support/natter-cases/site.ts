// The little world that the packet table plays in: four links of a natter, their routes and
// neighbours, and one table with every kind of EIP. The system test builds the same world in the
// kernel.
import type {
  Environment,
  FibResult,
  Forward,
  Link,
  Mapping,
  Program,
  Table,
} from '../../../natter/mapping.ts';
import { address, ethernet } from '../packet.ts';

export type LinkName = 'uplink' | 'inside' | 'narrow' | 'onearm';

interface SiteLink {
  address: string; // with the prefix length 24
  mac: string;
  mtu: number;
  role: Link;
}

export const LINKS: Record<LinkName, SiteLink> = {
  uplink: {
    address: '192.0.2.2',
    mac: '02:00:00:00:01:01',
    mtu: 1500,
    role: { uplink: true, inside: false },
  },
  inside: {
    address: '10.0.0.1',
    mac: '02:00:00:00:02:01',
    mtu: 1500,
    role: { uplink: false, inside: true },
  },
  narrow: {
    address: '10.0.9.1',
    mac: '02:00:00:00:03:01',
    mtu: 700,
    role: { uplink: false, inside: true },
  },
  onearm: {
    address: '10.0.7.1',
    mac: '02:00:00:00:04:01',
    mtu: 1500,
    role: { uplink: true, inside: true },
  },
};
export const LINK_NAMES: readonly LinkName[] = ['uplink', 'inside', 'narrow', 'onearm'];

/** Neighbours that answer; every other address of the links' prefixes has none. */
export const NEIGHBOURS: Record<string, { link: LinkName; mac: string }> = {
  '192.0.2.1': { link: 'uplink', mac: '02:00:00:00:01:fe' },
  '10.0.7.254': { link: 'onearm', mac: '02:00:00:00:04:fe' },
  '10.0.9.5': { link: 'narrow', mac: '02:00:00:00:03:05' },
  ...onLink('inside', '10.0.0', [5, 6, 7, 9, 11, 12, 30, 31, 32, 34, 50]),
  ...onLink('onearm', '10.0.7', [5, 6, 7]),
};

function onLink(link: LinkName, prefix: string, hosts: number[]) {
  const mac = (host: number) =>
    `${LINKS[link].mac.slice(0, -2)}${(host | 0x80).toString(16).padStart(2, '0')}`;
  return Object.fromEntries(hosts.map((host) => [`${prefix}.${host}`, { link, mac: mac(host) }]));
}

/** Besides the links' own prefixes. */
export const ROUTES: { prefix: string; gateway?: string; type?: 'blackhole' | 'unreachable' }[] = [
  { prefix: '0.0.0.0/0', gateway: '192.0.2.1' },
  { prefix: '203.0.114.0/24', gateway: '10.0.7.254' },
  { prefix: '198.18.0.0/24', type: 'blackhole' },
  { prefix: '198.18.1.0/24', type: 'unreachable' },
  { prefix: '10.98.0.0/16', type: 'blackhole' },
];

export const CLIENT = '203.0.113.5'; // behind the uplink's router
export const NEAR_CLIENT = '203.0.114.5'; // behind the one-armed link's router
export const eip = (host: number): string => `198.51.100.${host}`;
export const vm = (host: number): string => `10.0.0.${host}`;

// ---- The table. An EIP's slot is its last octet.

interface Flags {
  limitIn?: boolean;
  limitOut?: boolean;
  eipForwards?: boolean;
  privateForwarded?: boolean;
}

const pairs: [host: number, private_: string, flags?: Flags][] = [
  [5, vm(5)],
  [6, vm(6)],
  [9, vm(9), { eipForwards: true, privateForwarded: true }],
  [20, vm(99)], // no neighbour
  [21, '10.0.9.5'], // behind the narrow link
  [22, '10.98.0.1'], // a blackhole
  [24, vm(1)], // the natter itself
  [30, vm(30), { limitIn: true, limitOut: true }], // its own limit refuses
  [31, vm(31), { limitIn: true, limitOut: true }], // its group's limit refuses
  [32, vm(32), { limitIn: true, limitOut: true }], // granted
  [40, '10.0.7.5'],
  [41, '10.0.7.6'],
];

/** EIPs with port forwards only, and addresses that only port forwards lead to. */
const forwardsOnly: [host: number, flags?: Flags][] = [
  [8],
  [10],
  [34, { limitIn: true, limitOut: true }],
  [42],
];
const forwardedOnly = [vm(7), vm(11), vm(12), vm(34), '10.0.7.7'];

type ForwardRow = [
  host: number,
  protocol: number,
  first: number,
  last: number,
  to: string,
  port: number,
  flags?: Flags,
];
const forwardRows: ForwardRow[] = [
  [8, 6, 443, 443, vm(7), 8443],
  [8, 17, 8000, 8099, vm(7), 9000],
  [8, 17, 53, 53, vm(12), 53],
  [9, 6, 80, 80, vm(12), 8080],
  [9, 6, 2222, 2222, vm(9), 22],
  [9, 17, 500, 500, vm(12), 4500],
  [10, 17, 0, 65535, vm(11), 0], // every port
  [10, 6, 60000, 60010, vm(11), 80], // the offset wraps around
  [10, 6, 8080, 8080, vm(7), 8080], // a second EIP for the same VM
  [34, 6, 80, 80, vm(34), 80, { limitIn: true, limitOut: true }],
  [42, 6, 80, 80, '10.0.7.7', 80],
];

export const LIMITED: Record<number, 'own' | 'group'> = { 30: 'own', 31: 'group', 34: 'own' };

/** The table for these interface numbers, without fragments. */
export function siteTable(ifindex: Record<LinkName, number>): Table {
  const eipToPrivate = new Map<number, Mapping>();
  const privateToEip = new Map<number, Mapping>();
  for (const [host, private_, { privateForwarded, ...flags } = {}] of pairs) {
    eipToPrivate.set(address(eip(host)), { address: address(private_), slot: host, ...flags });
    const back = privateForwarded ? { privateForwarded } : {};
    privateToEip.set(address(private_), {
      address: address(eip(host)),
      slot: host,
      ...flags,
      ...back,
    });
  }
  for (const [host, flags] of forwardsOnly) {
    eipToPrivate.set(address(eip(host)), { address: 0, slot: host, eipForwards: true, ...flags });
  }
  for (const private_ of forwardedOnly) {
    privateToEip.set(address(private_), { address: 0, slot: 0, privateForwarded: true });
  }
  return {
    eipToPrivate,
    privateToEip,
    forwardsIn: forwardRows.map((row) => forwardOf(row, 'in')),
    forwardsOut: forwardRows.map((row) => forwardOf(row, 'out')),
    fragments: [],
    links: new Map(LINK_NAMES.map((name) => [ifindex[name], LINKS[name].role])),
    internalPrefixes: [{ address: address('10.0.7.0'), bits: 24 }],
  };
}

function forwardOf(row: ForwardRow, direction: 'in' | 'out'): Forward {
  const [host, protocol, first, last, to, port, flags] = row;
  const outside = { address: address(eip(host)), first, last };
  const inside = { address: address(to), first: port, last: port + last - first };
  const [from, target] = direction === 'in' ? [outside, inside] : [inside, outside];
  const portOffset = (target.first - from.first) & 0xffff;
  return { ...from, protocol, target: target.address, portOffset, slot: host, ...flags };
}

// ---- Frames and routes

export function macOf(hop: string): string {
  const neighbour = NEIGHBOURS[hop];
  if (neighbour === undefined) throw new Error(`${hop} is no neighbour`);
  return neighbour.mac;
}

/** The packet as it comes in by a link, from its router or a VM. */
export function arriving(link: LinkName, packet: Uint8Array, padding = 0): Uint8Array {
  return ethernet(LINKS[link].mac, '02:00:00:00:99:99', packet, { padding });
}

/** The packet as it leaves for a neighbour. */
export function leaving(hop: string, packet: Uint8Array, padding = 0): Uint8Array {
  const link = NEIGHBOURS[hop]?.link ?? 'uplink';
  return ethernet(macOf(hop), LINKS[link].mac, packet, { padding });
}

/** The site's routing table as `Environment.fib` asks it. */
export function siteFib(ifindex: Record<LinkName, number>): Environment['fib'] {
  return (_source, destination, lengthBytes): FibResult => {
    if (isOwn(destination)) return { result: 'not-forwarded' };
    const link = LINK_NAMES.find((name) => inPrefix(destination, `${LINKS[name].address}/24`));
    if (link !== undefined) return hop(ifindex, link, destination, lengthBytes);
    const route = ROUTES.filter(({ prefix }) => inPrefix(destination, prefix)).sort(
      (a, b) => Number(b.prefix.split('/')[1]) - Number(a.prefix.split('/')[1]),
    )[0];
    if (route?.gateway === undefined) return { result: 'refused' };
    const via = NEIGHBOURS[route.gateway]?.link ?? 'uplink';
    return hop(ifindex, via, address(route.gateway), lengthBytes);
  };
}

/** The links' own addresses, their broadcasts, and loopback. */
function isOwn(destination: number): boolean {
  if (destination >>> 24 === 127) return true;
  return LINK_NAMES.some((name) => {
    const own = address(LINKS[name].address);
    return destination === own || destination === (own | 255) >>> 0;
  });
}

function hop(
  ifindex: Record<LinkName, number>,
  link: LinkName,
  next: number,
  lengthBytes: number,
): FibResult {
  const { mtu, mac } = LINKS[link];
  if (lengthBytes > mtu) return { result: 'frag-needed', mtu };
  const known = Object.entries(NEIGHBOURS).find(([text]) => address(text) === next)?.[1];
  if (known === undefined) return { result: 'no-neighbour', ifindex: ifindex[link] };
  const toNumber = (text: string) => Number.parseInt(text.replaceAll(':', ''), 16);
  return {
    result: 'success',
    ifindex: ifindex[link],
    sourceMac: toNumber(mac),
    destinationMac: toNumber(known.mac),
  };
}

function inPrefix(destination: number, prefix: string): boolean {
  const [base = '', bits = ''] = prefix.split('/');
  const shift = 2 ** (32 - Number(bits));
  return Math.floor(destination / shift) === Math.floor(address(base) / shift);
}

/** The link that a program is tried on unless a case says otherwise. */
export const LINK_OF: Record<Program, LinkName> = {
  natter_uplink: 'uplink',
  natter_inside: 'inside',
  natter_onearm: 'onearm',
  natter_egress: 'uplink',
};
