// Addresses of either family as bytes in network order, 4 or 16 of them. Pure.
import { ipv4ToBytes, parseIpv4 } from '../../shared/net/ipv4.ts';
import { ipv6ToBytes, parseIpv6 } from '../../shared/net/ipv6.ts';
import type { Prefix } from '../../shared/net/prefix.ts';

/** Undefined: it is no address. */
export function parseAddressBytes(text: string): Uint8Array | undefined {
  const v4 = parseIpv4(text);
  if (v4 !== undefined) return ipv4ToBytes(v4);
  const v6 = parseIpv6(text);
  return v6 === undefined ? undefined : ipv6ToBytes(v6);
}

/** Those of its address. */
export function prefixBytes({ family, address }: Prefix): Uint8Array {
  return family === 4 ? ipv4ToBytes(address) : ipv6ToBytes(address);
}
