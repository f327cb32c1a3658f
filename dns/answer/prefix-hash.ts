// Which of 256 slots a client's prefix has (L4): the same for a resolver's and for everybody who
// explains or answers in its place, an XDP program too. 32-bit arithmetic, no tables. Pure.

/** By family, so that the two do not share their slots by chance. */
const SEED_V4 = 0x811c9dc5;
const SEED_V6 = 0x050c5d1f;
const PRIME = 0x01000193;

/**
 * 0 to 255. Hashes the first 3 bytes of an IPv4 address (a /24), the first 7 of an IPv6 address (a
 * /56): per byte, h = (h ^ byte) × 16777619 mod 2^32 (FNV-1a); then h ^= h >> 16,
 * h = h × 0x7feb352d mod 2^32, h ^= h >> 15 (unsigned shifts); the low 8 bits.
 */
export function prefixHash(address: Uint8Array): number {
  const isV4 = address.length === 4;
  const length = isV4 ? 3 : 7;
  let hash = isV4 ? SEED_V4 : SEED_V6;
  for (let at = 0; at < length; at++) hash = Math.imul(hash ^ (address[at] as number), PRIME);
  hash = Math.imul(hash ^ (hash >>> 16), 0x7feb352d);
  return (hash ^ (hash >>> 15)) & 255;
}

/** Bits of the prefix that is hashed: an answer by slots is for no shorter one. */
export function prefixBits(address: Uint8Array): number {
  return address.length === 4 ? 24 : 56;
}
