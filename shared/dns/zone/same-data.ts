// Whether two records' data is the same in canonical form (RFC 4034 §6.2), without making that form
// unless it has to be: most data is compared with itself. Pure.
import { compareBytes } from '../../bytes.ts';
import { LOWER } from '../names.ts';
import { canonicalRdata } from '../rdata.ts';

/** FNV-1a of the data with all bytes in lower case, names or not: the same of what is the same. */
export function hashData(rdata: Uint8Array): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < rdata.length; at++) {
    hash = Math.imul(hash ^ (LOWER[rdata[at] ?? 0] ?? 0), 0x01000193);
  }
  return hash;
}

/** Of one type. */
export function isSameData(type: number, one: Uint8Array, other: Uint8Array): boolean {
  if (one.length !== other.length) return false;
  if (compareBytes(one, other) === 0) return true;
  return compareBytes(canonicalRdata(type, one), canonicalRdata(type, other)) === 0;
}
