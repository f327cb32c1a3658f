// Whose line decides: addresses of IPv6 that stand for one of IPv4 (L1), and addresses that are
// nobody's (L2). RFC 4291 §2.5.5.2, RFC 6052, RFC 3056, RFC 4380, RFC 6890. Pure.
import type { AddressBytes } from '../../shared/dns/types.ts';

/** Where the IPv4 address begins in each of the forms, bits. */
const MAPPED_AT = 96;
const NAT64_AT = 96;
const SIX_TO_FOUR_AT = 16;
const TEREDO_AT = 96;
/** Its prefix ends in zeros, which unknown bits are too. */
const TEREDO_BITS = 32;

/**
 * If the 16 bytes stand for an IPv4 address: writes that into `v4` and returns at which bit of them
 * it begins; else −1. Bits behind `known` count as unknown, and are zero in `v4`.
 */
export function foldIpv4(address: AddressBytes, known: number, v4: AddressBytes): number {
  const head = u32(address, 0);
  const second = u32(address, 4);
  const third = u32(address, 8);
  if (head === 0 && second === 0 && third === 0xffff) return fold(address, MAPPED_AT, known, 0, v4);
  if (head === 0x0064_ff9b && second === 0 && third === 0) {
    return fold(address, NAT64_AT, known, 0, v4);
  }
  if (head >>> 16 === 0x2002) return fold(address, SIX_TO_FOUR_AT, known, 0, v4);
  if (head === 0x2001_0000 && known >= TEREDO_BITS)
    return fold(address, TEREDO_AT, known, 0xff, v4);
  return -1;
}

function fold(
  address: AddressBytes,
  offset: number,
  known: number,
  turned: number,
  v4: AddressBytes,
): number {
  for (let index = 0; index < 4; index++) {
    const bits = Math.max(0, Math.min(8, known - offset - 8 * index));
    v4[index] = ((address[offset / 8 + index] ?? 0) ^ turned) & (0xff00 >>> bits);
  }
  return offset;
}

/** Address and length; RFC 6890, without documentation and benchmarks, from which only labs ask. */
// biome-ignore format: a range a line
const NOBODYS_V4 = Uint32Array.of(
  0x0000_0000, 8,
  0x0a00_0000, 8,
  0x6440_0000, 10,
  0x7f00_0000, 8,
  0xa9fe_0000, 16,
  0xac10_0000, 12,
  0xc000_0000, 24,
  0xc0a8_0000, 16,
  0xe000_0000, 3,
);

/** All outside of 2000::/3 is not given out to anybody. */
const GIVEN_OUT_BITS = 3;

/** Length of the range of nobody's addresses in which this one (4 or 16 bytes) is; 0 if in none. */
export function nobodysRange(address: AddressBytes): number {
  if (address.length === 16) return (address[0] ?? 0) >>> 5 === 1 ? 0 : GIVEN_OUT_BITS;
  const value = u32(address, 0);
  for (let at = 0; at < NOBODYS_V4.length; at += 2) {
    const bits = NOBODYS_V4[at + 1] ?? 0;
    if ((value ^ (NOBODYS_V4[at] ?? 0)) >>> (32 - bits) === 0) return bits;
  }
  return 0;
}

function u32(bytes: Uint8Array, at: number): number {
  return (
    (((bytes[at] ?? 0) << 24) |
      ((bytes[at + 1] ?? 0) << 16) |
      ((bytes[at + 2] ?? 0) << 8) |
      (bytes[at + 3] ?? 0)) >>>
    0
  );
}
