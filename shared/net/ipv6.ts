// IPv6 addresses as bigints; text as RFC 4291 §2.2 allows, written as RFC 5952 asks. Zones are
// refused.
import { formatIpv4, ipv4, parseIpv4 } from './ipv4.ts';

declare const brand: unique symbol;
export type Ipv6 = bigint & { readonly [brand]: 'Ipv6' };

const limit = 1n << 128n;
const mappedPrefix = 0xffffn << 32n;

/** Brands a bigint as an address; one that is none is a programmer's error. */
export function ipv6(value: bigint): Ipv6 {
  if (value < 0n || value >= limit) throw new RangeError(`${value} is not unsigned 128 bit`);
  return value as Ipv6; // the one place that makes the brand
}

export function parseIpv6(text: string): Ipv6 | undefined {
  if (text.length > 45) return undefined;
  const halves = text.split('::');
  if (halves.length > 2) return undefined;
  const head = parseGroups(halves[0] ?? '', halves.length === 1);
  const tail = halves.length === 2 ? parseGroups(halves[1] ?? '', true) : [];
  if (head === undefined || tail === undefined) return undefined;
  const missing = 8 - head.length - tail.length;
  if (halves.length === 1 ? missing !== 0 : missing < 1) return undefined;
  const groups = [...head, ...new Array<number>(missing).fill(0), ...tail];
  return ipv6(groups.reduce((value, group) => (value << 16n) | BigInt(group), 0n));
}

/** Groups between colons; a dotted quad may stand for the last two when `endsAddress`. */
function parseGroups(text: string, endsAddress: boolean): number[] | undefined {
  if (text === '') return [];
  const parts = text.split(':');
  const groups: number[] = [];
  for (const [index, part] of parts.entries()) {
    if (endsAddress && index === parts.length - 1 && part.includes('.')) {
      const quad = parseIpv4(part);
      if (quad === undefined) return undefined;
      groups.push(quad >>> 16, quad & 0xffff);
    } else if (/^[0-9a-fA-F]{1,4}$/.test(part)) {
      groups.push(Number.parseInt(part, 16));
    } else {
      return undefined;
    }
  }
  return groups;
}

export function formatIpv6(address: Ipv6): string {
  if (isMappedIpv4(address)) return `::ffff:${formatIpv4(ipv4(Number(address & 0xffffffffn)))}`;
  const groups = Array.from({ length: 8 }, (_, i) =>
    Number((address >> BigInt(112 - 16 * i)) & 0xffffn),
  );
  const run = longestZeroRun(groups);
  const hex = (part: number[]) => part.map((group) => group.toString(16)).join(':');
  if (run.length < 2) return hex(groups);
  return `${hex(groups.slice(0, run.start))}::${hex(groups.slice(run.start + run.length))}`;
}

/** The first of the longest runs of zero groups (RFC 5952 §4.2.3). */
function longestZeroRun(groups: number[]): { start: number; length: number } {
  let best = { start: 0, length: 0 };
  let start = 0;
  for (const [index, group] of groups.entries()) {
    if (group !== 0) start = index + 1;
    else if (index - start + 1 > best.length) best = { start, length: index - start + 1 };
  }
  return best;
}

/** Sixteen bytes in network order. */
export function ipv6ToBytes(address: Ipv6): Uint8Array {
  const bytes = new Uint8Array(16);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, address >> 64n);
  view.setBigUint64(8, address & 0xffffffffffffffffn);
  return bytes;
}

/** Reads sixteen bytes in network order; throws RangeError when they are not there. */
export function ipv6FromBytes(bytes: Uint8Array, offset = 0): Ipv6 {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return ipv6((view.getBigUint64(offset) << 64n) | view.getBigUint64(offset + 8));
}

/** ::ffff:0:0/96, an IPv4 address written as IPv6 (RFC 4291 §2.5.5.2). */
export function isMappedIpv4(address: Ipv6): boolean {
  return address >> 32n === mappedPrefix >> 32n;
}
