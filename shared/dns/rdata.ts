// The table of record types, and what is asked of it: rows by code, data in canonical form, data of
// messages without compression. Pure.
import { copyOf, join } from '../bytes.ts';
import { formatGeneric, parseGeneric, RdataError, type Row } from './fields.ts';
import { LOWER, nameFrom, nameLength } from './names.ts';
import { aplTypes } from './rdata-apl.ts';
import { basicTypes } from './rdata-basic.ts';
import { dnssecTypes } from './rdata-dnssec.ts';
import { laterTypes } from './rdata-later.ts';
import { locTypes } from './rdata-loc.ts';
import { svcbTypes } from './rdata-svcb.ts';
import { typeName } from './type-names.ts';
import type { RecordType } from './types.ts';

export { RdataError } from './fields.ts';
export { isDataType, typeCode, typeName } from './type-names.ts';

/** All that have a form of their own. */
const rows: readonly Row[] = [
  ...basicTypes,
  ...dnssecTypes,
  ...laterTypes,
  ...svcbTypes,
  ...locTypes,
  ...aplTypes,
].toSorted((one, other) => one.code - other.code);
export const recordTypes: readonly RecordType[] = rows;

const byCode = new Map<number, Row>(rows.map((each) => [each.code, each]));
const generic = new Map<number, RecordType>();

/** The row of any type, 0 to 65535; one that is not in the table has RFC 3597's form alone. */
export function typeOf(code: number): RecordType {
  const known = byCode.get(code) ?? generic.get(code);
  if (known !== undefined) return known;
  const made = genericType(code);
  generic.set(code, made);
  return made;
}

function genericType(code: number): RecordType {
  const mnemonic = typeName(code);
  return {
    code,
    mnemonic,
    rfc: 'RFC 3597',
    parse(tokens, origin) {
      const rdata = parseGeneric(tokens, origin);
      if (rdata !== undefined) return rdata;
      throw new RdataError(`${mnemonic} is not known here: write its data as \\# length hex`);
    },
    format: formatGeneric,
    names: () => [],
  };
}

/**
 * The types whose names have no case when records are compared (RFC 4034 §6.2, RFC 6840 §5.1), as
 * far as they are in the table: NXT and A6 are not.
 */
const CANONICAL = new Set([
  2, 3, 4, 5, 6, 7, 8, 9, 12, 14, 15, 17, 18, 21, 24, 26, 33, 35, 36, 39, 46,
]);

/** What records are compared by: a copy with those names in lower case, or `rdata` itself. */
export function canonicalRdata(type: number, rdata: Uint8Array): Uint8Array {
  if (!CANONICAL.has(type)) return rdata;
  const names = typeOf(type).names(rdata);
  if (names.length === 0) return rdata;
  const lower = copyOf(rdata, 0, rdata.length);
  for (const [offset] of names) {
    const end = offset + nameLength(rdata, offset);
    for (let at = offset; at < end; at++) lower[at] = LOWER[rdata[at] ?? 0] ?? 0;
  }
  return lower;
}

/** The rows whose names others may have sent compressed (RFC 3597 §4). */
const compressed = new Set(
  [...byCode.values()]
    .filter(({ fields }) => fields.some(({ isName }) => isName !== undefined && isName !== 'plain'))
    .map(({ code }) => code),
);

/**
 * Data of a message at [at, end), its names uncompressed: a copy. Undefined when it is not of the
 * type's form, as far as its names need that to be known.
 */
export function rdataFrom(
  type: number,
  message: Uint8Array,
  at: number,
  end: number,
): Uint8Array | undefined {
  // UPDATE says with empty data that it means all of a type, or none (RFC 2136 §2.4).
  if (at === end || !compressed.has(type)) return copyOf(message, at, end);
  const parts: Uint8Array[] = [];
  const data = message.subarray(0, end);
  let next = at;
  for (const field of byCode.get(type)?.fields ?? []) {
    const from = next;
    const read = field.isName === undefined ? undefined : nameFrom(data, from);
    if (field.isName !== undefined && read === undefined) return undefined;
    next = read?.next ?? from + field.length(data, from);
    if (next > end) return undefined;
    parts.push(read?.name ?? data.subarray(from, next));
  }
  return next === end ? join(parts) : undefined;
}
