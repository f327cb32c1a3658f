// A zone as a master file (RFC 1035 §5): the SOA first, then canonical order, a record a line, as
// parse.ts and other servers' tools read it. Pure.
import { formatGeneric, RdataError } from '../fields.ts';
import { formatName } from '../names.ts';
import { typeName, typeOf } from '../rdata.ts';
import type { Name } from '../types.ts';
import { canonicalOrder } from './order.ts';
import type { RecordList } from './record-list.ts';
import type { Zone } from './types.ts';

const CHUNK_CHARACTERS = 64 * 1024;

export type PrintOptions = {
  /** `relative`: a $ORIGIN line, and owners below it without it. Names in data stay absolute. */
  owners: 'absolute' | 'relative';
};

/** In pieces of some 64 KiB, of ASCII only, lines ended by LF; letters in the case they have. */
export function* printZone(
  { origin, records }: Pick<Zone, 'origin' | 'records'>,
  { owners }: PrintOptions = { owners: 'absolute' },
): Generator<string> {
  const suffix = owners === 'relative' ? formatName(origin) : undefined;
  let chunk = suffix === undefined ? '' : `$ORIGIN ${suffix}\n`;
  for (const index of canonicalOrder(records, origin)) {
    const owner = ownerText(records.owner(index), origin, owners);
    chunk += `${owner}\t${recordText(records, index)}\n`;
    if (chunk.length < CHUNK_CHARACTERS) continue;
    yield chunk;
    chunk = '';
  }
  if (chunk !== '') yield chunk;
}

function ownerText(owner: Name, origin: Name, owners: PrintOptions['owners']): string {
  if (owners === 'absolute') return formatName(owner);
  if (owner.length === origin.length) return '@';
  const below = new Uint8Array(owner.length - origin.length + 1);
  below.set(owner.subarray(0, owner.length - origin.length));
  return formatName(below).slice(0, -1);
}

/** TTL, class, type and data of a record, tabs between them. */
export function recordText(records: RecordList, index: number): string {
  const type = records.type(index);
  const data = dataText(type, records.rdata(index));
  return `${records.ttlSeconds(index)}\tIN\t${typeName(type)}\t${data}`;
}

/** Data that is none of its type is said in RFC 3597's form, to be seen as it is. */
export function dataText(type: number, rdata: Uint8Array): string {
  try {
    return typeOf(type).format(rdata);
  } catch (error) {
    if (!(error instanceof RdataError)) throw error;
    return formatGeneric(rdata);
  }
}
