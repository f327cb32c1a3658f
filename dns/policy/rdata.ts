// Data of records by policy in wire form: addresses, and names for CNAME and ALIAS. Pure; what
// edgectl let through does not fail here.
import { parseName } from '../../shared/dns/names.ts';
import { parseAddressBytes } from '../answer/address-bytes.ts';

export function rdataOf(type: string, text: string): Uint8Array {
  if (type === 'A' || type === 'AAAA') return addressRdata(text);
  const name = parseName(text);
  if (name === undefined) throw new Error(`${text} is no name`);
  return name;
}

export function addressRdata(text: string): Uint8Array {
  const bytes = parseAddressBytes(text);
  if (bytes === undefined) throw new Error(`${text} is no address`);
  return bytes;
}
