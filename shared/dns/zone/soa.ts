// The start of authority of a zone (RFC 1035 §3.3.13): where it is, and its numbers. Pure.
import { TYPES } from '../constants.ts';
import type { Name } from '../types.ts';
import type { RecordList } from './record-list.ts';

/** Two names of a byte each, and five numbers. */
export const MIN_SOA_BYTES = 22;

/** The serial in a SOA's data: the first number behind its two names. */
export const serialOf = (soa: Uint8Array): number => numberAt(soa, soa.length - 20);

/** The last number: TTL of what is not there (RFC 2308 §4). */
export const minimumOf = (soa: Uint8Array): number => numberAt(soa, soa.length - 4);

function numberAt(bytes: Uint8Array, at: number): number {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(at);
}

/** The SOA's index in a list of the zone's records; −1 when there is none at the apex. */
export function soaIndex(records: RecordList, origin: Name): number {
  for (let index = 0; index < records.count; index++) {
    if (records.type(index) === TYPES.SOA && records.owner(index).length === origin.length) {
      return index;
    }
  }
  return -1;
}
