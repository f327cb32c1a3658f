// Addresses of peers as bytes, and the prefix that counts as one client. Pure.

import type { AddressBytes } from '../../shared/dns/types.ts';
import { parseAddressBytes } from '../answer/address-bytes.ts';

const MAPPED = '::ffff:';
const NOBODY = new Uint8Array(4);

/** 4 or 16 bytes; IPv4 that came by a socket of IPv6 as 4. What is no address is 0.0.0.0. */
export function addressBytes(text: string): AddressBytes {
  const plain = text.split('%')[0] ?? '';
  const v4 = plain.startsWith(MAPPED) ? parseAddressBytes(plain.slice(MAPPED.length)) : undefined;
  return v4 ?? parseAddressBytes(plain) ?? NOBODY;
}

/** The /24 or /56 of an address: those in it count as one client. */
export function prefixKey(address: AddressBytes): string {
  return address.slice(0, address.length === 4 ? 3 : 7).join('.');
}
