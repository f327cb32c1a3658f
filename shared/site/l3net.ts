// A prefix that is cut into /30 networks, one a VM, on one host: what `l3addnet` stores. Id: the
// prefix. All answers follow from the address, so there is one record and no leases.
import { formatIpv4, type Ipv4 } from '../net/ipv4.ts';
import { formatPrefix, type Ipv4Prefix } from '../net/prefix.ts';
import type { ObjectRecord } from '../store/types.ts';
import { storedValue } from './dhcp-settings.ts';
import { type Refusal, refusal } from './refusal.ts';
import { parseSubnetPrefix } from './subnet.ts';
import { parseHost, ValueReader } from './value.ts';

/** `host`: the node that the VMs run on. */
export type L3Net = { cidr: Ipv4Prefix; host: string; dns: Ipv4[]; mtu?: number };

/** One VM's network: nothing smaller can be cut. */
export const MOST_L3_BITS = 30;
/** RFC 791 §3.2. */
export const LEAST_MTU = 68;
export const MOST_MTU = 65535;

/** From a stored object. */
export function parseL3Net(id: string, value: string): L3Net | Refusal {
  const reader = new ValueReader(`l3net ${id}`, value, ['dns', 'host', 'mtu']);
  const cidr = parseL3Prefix(id);
  if (cidr === undefined) reader.refuse('the id is not an IPv4 prefix of /8 to /30');
  const host = reader.name('host');
  if (host === undefined && reader.reasons.length === 0) reader.refuse('there is no host');
  const dns = reader.list('dns', 'IPv4 addresses of hosts', parseHost);
  const mtu = reader.integer('mtu', LEAST_MTU, MOST_MTU);
  if (cidr === undefined || host === undefined || reader.reasons.length > 0) {
    return refusal(...reader.reasons);
  }
  return mtu === undefined ? { cidr, host, dns } : { cidr, host, dns, mtu };
}

export function parseL3Prefix(text: string): Ipv4Prefix | undefined {
  const cidr = parseSubnetPrefix(text);
  return cidr !== undefined && cidr.bits <= MOST_L3_BITS ? cidr : undefined;
}

export function formatL3Net({ cidr, host, dns, mtu }: L3Net): ObjectRecord {
  const servers = dns.length === 0 ? undefined : dns.map(formatIpv4);
  const value = storedValue({ dns: servers, host, mtu });
  return { kind: 'l3net', id: formatPrefix(cidr), value };
}
