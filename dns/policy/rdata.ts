// Data of records by policy in wire form: addresses, and names for CNAME and ALIAS. Pure; what
// edgectl let through does not fail here.
import { parseName } from '../../shared/dns/names.ts';
import { parseIpv4 } from '../../shared/net/ipv4.ts';
import { parseIpv6 } from '../../shared/net/ipv6.ts';

export function rdataOf(type: string, text: string): Uint8Array {
  if (type === 'A' || type === 'AAAA') return addressRdata(text);
  const name = parseName(text);
  if (name === undefined) throw new Error(`${text} is no name`);
  return name;
}

export function addressRdata(text: string): Uint8Array {
  const bytes = ofIpv4(text) ?? ofIpv6(text);
  if (bytes === undefined) throw new Error(`${text} is no address`);
  return bytes;
}

function ofIpv4(text: string): Uint8Array | undefined {
  const address = parseIpv4(text);
  if (address === undefined) return undefined;
  return Uint8Array.of(address >>> 24, address >>> 16, address >>> 8, address);
}

function ofIpv6(text: string): Uint8Array | undefined {
  const address = parseIpv6(text);
  if (address === undefined) return undefined;
  const hex = address.toString(16).padStart(32, '0');
  return Uint8Array.from({ length: 16 }, (_, at) =>
    Number.parseInt(hex.slice(2 * at, 2 * at + 2), 16),
  );
}
