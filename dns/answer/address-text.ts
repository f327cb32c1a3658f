// Addresses and prefixes in words. Pure.
import type { AddressBytes } from '../../shared/dns/types.ts';
import { formatIpv4, ipv4FromBytes } from '../../shared/net/ipv4.ts';
import { formatIpv6, ipv6FromBytes } from '../../shared/net/ipv6.ts';

export function addressText(bytes: AddressBytes): string {
  return bytes.length === 4 ? formatIpv4(ipv4FromBytes(bytes)) : formatIpv6(ipv6FromBytes(bytes));
}

/** The prefix of an address, host bits cleared. */
export function prefixText(address: AddressBytes, bits: number): string {
  const masked = address.map((byte, at) => {
    const left = Math.max(0, Math.min(8, bits - 8 * at));
    return byte & (0xff00 >>> left) & 0xff;
  });
  return `${addressText(masked)}/${bits}`;
}
