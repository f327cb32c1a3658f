// Data of records by policy in wire form: addresses, and names for CNAME and ALIAS. Pure; what
// edgectl let through does not fail here.
import { parseName } from '../../shared/dns/names.ts';
import { ipv4ToBytes, parseIpv4 } from '../../shared/net/ipv4.ts';
import { ipv6ToBytes, parseIpv6 } from '../../shared/net/ipv6.ts';

export function rdataOf(type: string, text: string): Uint8Array {
  if (type === 'A' || type === 'AAAA') return addressRdata(text);
  const name = parseName(text);
  if (name === undefined) throw new Error(`${text} is no name`);
  return name;
}

export function addressRdata(text: string): Uint8Array {
  const v4 = parseIpv4(text);
  if (v4 !== undefined) return ipv4ToBytes(v4);
  const v6 = parseIpv6(text);
  if (v6 === undefined) throw new Error(`${text} is no address`);
  return ipv6ToBytes(v6);
}
