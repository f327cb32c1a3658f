// For how long an answer may be kept by an HTTP cache (RFC 8484 §5.1): the least TTL in it. Pure.
import { HEADER_BYTES, TYPES } from '../../shared/dns/constants.ts';

const FIXED_BYTES = 10;

/** Of an answer that we made; 0 where it has no record, and of negative ones the SOA's. */
export function leastTtlSeconds(message: Uint8Array): number {
  const view = new DataView(message.buffer, message.byteOffset, message.byteLength);
  if (message.length < HEADER_BYTES) return 0;
  let at = HEADER_BYTES;
  for (let left = view.getUint16(4); left > 0; left--) at = skipName(message, at) + 4;
  const records = view.getUint16(6) + view.getUint16(8) + view.getUint16(10);
  let least = Number.POSITIVE_INFINITY;
  for (let left = records; left > 0; left--) {
    at = skipName(message, at);
    if (at + FIXED_BYTES > message.length) return 0;
    if (view.getUint16(at) !== TYPES.OPT) least = Math.min(least, view.getUint32(at + 4));
    at += FIXED_BYTES + view.getUint16(at + 8);
  }
  return Number.isFinite(least) ? least : 0;
}

/** A pointer ends a name. */
function skipName(message: Uint8Array, from: number): number {
  let at = from;
  for (;;) {
    const length = message[at] ?? 0;
    if (length >= 0xc0) return at + 2;
    at += 1 + length;
    if (length === 0 || at >= message.length) return at;
  }
}
