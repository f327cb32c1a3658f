// Addresses of peers as bytes, and the prefix that counts as one client. Pure.

import type { AddressBytes } from '../../shared/dns/types.ts';
import { ipv4ToBytes, parseIpv4 } from '../../shared/net/ipv4.ts';
import { ipv6ToBytes, parseIpv6 } from '../../shared/net/ipv6.ts';

const MAPPED = '::ffff:';
const NOBODY = new Uint8Array(4);

/** 4 or 16 bytes; IPv4 that came by a socket of IPv6 as 4. What is no address is 0.0.0.0. */
export function addressBytes(text: string): AddressBytes {
  const plain = text.split('%')[0] ?? '';
  const v4 = parseIpv4(plain.startsWith(MAPPED) ? plain.slice(MAPPED.length) : plain);
  if (v4 !== undefined) return ipv4ToBytes(v4);
  const v6 = parseIpv6(plain);
  return v6 === undefined ? NOBODY : ipv6ToBytes(v6);
}

/** The /24 or /56 of an address: those in it count as one client. */
export function prefixKey(address: AddressBytes): string {
  return address.slice(0, address.length === 4 ? 3 : 7).join('.');
}
