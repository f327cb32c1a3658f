// A subnet that dhcpd serves: its prefix, the pools of addresses in it, the link that it lies on,
// and what its clients are told. Id: the prefix.
import { formatIpv4, type Ipv4 } from '../net/ipv4.ts';
import { formatPrefix, type Ipv4Prefix, parsePrefix } from '../net/prefix.ts';
import type { ObjectRecord } from '../store/types.ts';
import {
  type DhcpSettings,
  readSettings,
  SETTINGS_KEYS,
  settingsProblems,
  storedSettings,
  storedValue,
} from './dhcp-settings.ts';
import { INFINITE_SECONDS, type LeaseSeconds, leaseOf } from './lease-times.ts';
import { formatPool, type Pool, parseStoredPool } from './pool.ts';
import type { ObjectProblem } from './problem.ts';
import { type Refusal, refusal } from './refusal.ts';
import { parseHost, ValueReader } from './value.ts';

export type Subnet = DhcpSettings & {
  prefix: Ipv4Prefix;
  pools: Pool[];
  /** Subnets of one name are one link, a shared network. */
  network?: string;
  /** Addresses of relays, outside of the prefix, that mean this link. */
  relays: Ipv4[];
  interface?: string;
  lease: LeaseSeconds;
  authoritative: boolean;
  rapidCommit: boolean;
  /** RFC 8925: what option 108 says; absent: it is not offered. */
  ipv6OnlySeconds?: number;
  ddnsZone?: string;
};

export const LEAST_PREFIX_BITS = 8;

const KEYS = [
  ...SETTINGS_KEYS,
  ...['authoritative', 'ddns', 'interface', 'ipv6Only', 'network', 'pools', 'rapidCommit'],
  'relays',
];

/** From a stored object. */
export function parseSubnet(id: string, value: string): Subnet | Refusal {
  const reader = new ValueReader(`subnet ${id}`, value, KEYS);
  const prefix = parseSubnetPrefix(id);
  if (prefix === undefined) {
    reader.refuse('the id is not an IPv4 prefix of /8 to /32');
    return refusal(...reader.reasons);
  }
  const settings = readSettings(reader);
  const subnet: Subnet = {
    ...settings,
    prefix,
    pools: reader.list('pools', 'ranges such as 10.1.0.10-10.1.0.200', parseStoredPool),
    relays: reader.list('relays', 'IPv4 addresses of hosts', parseHost),
    lease: settings.lease ?? leaseOf({}),
    authoritative: reader.flag('authoritative') ?? true,
    rapidCommit: reader.flag('rapidCommit') ?? false,
  };
  const network = reader.name('network');
  if (network !== undefined) subnet.network = network;
  const name = reader.parsed('interface', 'the name of an interface', parseInterfaceName);
  if (name !== undefined) subnet.interface = name;
  const ipv6Only = reader.integer('ipv6Only', 1, INFINITE_SECONDS);
  if (ipv6Only !== undefined) subnet.ipv6OnlySeconds = ipv6Only;
  const zone = reader.within('ddns', ['zone'], (ddns) =>
    ddns.parsed('zone', 'the name of a zone', parseZone),
  );
  if (zone !== undefined) subnet.ddnsZone = zone;
  for (const { message } of subnetProblems(subnet)) reader.refuse(message);
  return reader.reasons.length === 0 ? subnet : refusal(...reader.reasons);
}

/** What is wrong with a subnet in itself, apart from its pools: see check-dhcp.ts. */
export function subnetProblems(subnet: Subnet): ObjectProblem[] {
  const problems = settingsProblems(subnet);
  const seen = new Set<Ipv4>();
  for (const [index, relay] of subnet.relays.entries()) {
    const message = `relay ${formatIpv4(relay)} is there twice`;
    if (seen.has(relay)) problems.push({ message, at: ['relays', index] });
    seen.add(relay);
  }
  return problems;
}

export function formatSubnet(subnet: Subnet): ObjectRecord {
  const { pools, relays, ddnsZone } = subnet;
  const value = storedValue({
    ...storedSettings(subnet, false),
    authoritative: subnet.authoritative ? undefined : false,
    ddns: ddnsZone === undefined ? undefined : { zone: ddnsZone },
    interface: subnet.interface,
    ipv6Only: subnet.ipv6OnlySeconds,
    network: subnet.network,
    pools: pools.length === 0 ? undefined : pools.map(formatPool),
    rapidCommit: subnet.rapidCommit ? true : undefined,
    relays: relays.length === 0 ? undefined : relays.map(formatIpv4),
  });
  return { kind: 'subnet', id: subnetId(subnet), value };
}

export function subnetId({ prefix }: { prefix: Ipv4Prefix }): string {
  return formatPrefix(prefix);
}

/** The link's id: subnets without a network are one each. */
export function networkOf(subnet: Subnet): string {
  return subnet.network ?? subnetId(subnet);
}

/** Only the canonical spelling, since it is the object's id. */
export function parseSubnetPrefix(text: string): Ipv4Prefix | undefined {
  const prefix = parsePrefix(text);
  if (prefix?.family !== 4 || prefix.bits < LEAST_PREFIX_BITS) return undefined;
  return parseHost(formatIpv4(prefix.address)) === undefined ? undefined : prefix;
}

/** As the kernel takes it. */
export function parseInterfaceName(text: string): string | undefined {
  return /^(?!\.{1,2}$)[!-.0-9;-~]{1,15}$/.test(text) ? text : undefined;
}

/** A DNS name in lower case, without the last dot (RFC 1035 §2.3.1, RFC 2181 §11). */
export function parseZone(text: string): string | undefined {
  const label = /^[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?$/;
  const labels = text.split('.');
  return text.length <= 253 && labels.every((each) => label.test(each)) ? text : undefined;
}

/** What a client is to be called: like a zone, and upper case is as good. */
export function parseHostName(text: string): string | undefined {
  const isName = !text.includes('_') && parseZone(text.toLowerCase()) !== undefined;
  return isName ? text : undefined;
}
