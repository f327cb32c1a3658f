// Prefixes of both families in CIDR notation (RFC 4632 §3.1, RFC 4291 §2.3). Host bits that are set
// are an error and not silently cleared: they are nearly always a typing mistake.
import { formatIpv4, type Ipv4, ipv4, parseIpv4 } from './ipv4.ts';
import { formatIpv6, type Ipv6, ipv6, parseIpv6 } from './ipv6.ts';

export type Ipv4Prefix = { family: 4; address: Ipv4; bits: number };
export type Ipv6Prefix = { family: 6; address: Ipv6; bits: number };
export type Prefix = Ipv4Prefix | Ipv6Prefix;

export function parsePrefix(text: string): Prefix | undefined {
  const prefix = parseInterfaceAddress(text);
  return prefix !== undefined && strayBits(prefix) === 0n ? prefix : undefined;
}

/** `address/bits` as written on an interface: host bits are welcome. */
export function parseInterfaceAddress(text: string): Prefix | undefined {
  const slash = text.indexOf('/');
  const length = text.slice(slash + 1);
  if (slash < 0 || !/^(0|[1-9]\d{0,2})$/.test(length)) return undefined;
  const bits = Number(length);
  const v4 = parseIpv4(text.slice(0, slash));
  if (v4 !== undefined) return bits <= 32 ? { family: 4, address: v4, bits } : undefined;
  const v6 = parseIpv6(text.slice(0, slash));
  if (v6 !== undefined) return bits <= 128 ? { family: 6, address: v6, bits } : undefined;
  return undefined;
}

/** Why `parsePrefix` refuses the text, with the remedy; undefined when it does not. */
export function prefixProblem(text: string): string | undefined {
  const prefix = parseInterfaceAddress(text);
  if (prefix === undefined)
    return `"${text}" is not a prefix such as 192.0.2.0/24 or 2001:db8::/32`;
  if (strayBits(prefix) === 0n) return undefined;
  const meant = formatPrefix(networkOf(prefix));
  return `"${text}" has bits set beyond /${prefix.bits}: write ${meant}`;
}

export function formatPrefix(prefix: Prefix): string {
  const address = prefix.family === 4 ? formatIpv4(prefix.address) : formatIpv6(prefix.address);
  return `${address}/${prefix.bits}`;
}

/** The prefix with its host bits cleared. */
export function networkOf<P extends Prefix>(prefix: P): P {
  return { ...prefix, address: addressOf(prefix, BigInt(prefix.address) - strayBits(prefix)) };
}

export function firstAddress<P extends Prefix>(prefix: P): P['address'] {
  return networkOf(prefix).address;
}

export function lastAddress<P extends Prefix>(prefix: P): P['address'] {
  return addressOf(prefix, BigInt(networkOf(prefix).address) | hostMask(prefix));
}

/** Whether the address, which must be of the prefix' family, lies in it. */
export function prefixContains<P extends Prefix>(prefix: P, address: P['address']): boolean {
  return address >= firstAddress(prefix) && address <= lastAddress(prefix);
}

/** Whether any address lies in both. Prefixes of two families never overlap. */
export function prefixesOverlap(a: Prefix, b: Prefix): boolean {
  if (a.family !== b.family) return false;
  return firstAddress(a) <= lastAddress(b) && firstAddress(b) <= lastAddress(a);
}

function hostMask(prefix: Prefix): bigint {
  const width = prefix.family === 4 ? 32 : 128;
  return (1n << BigInt(width - prefix.bits)) - 1n;
}

function strayBits(prefix: Prefix): bigint {
  return BigInt(prefix.address) & hostMask(prefix);
}

function addressOf<P extends Prefix>(prefix: P, value: bigint): P['address'] {
  return prefix.family === 4 ? ipv4(Number(value)) : ipv6(value);
}
