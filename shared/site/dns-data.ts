// Types and data of records, as site objects have them: mnemonics, and the data of one record as in
// a zone file (RFC 1035 §5.1). What each type takes is said by its row in shared/dns. Pure.
import { ROOT } from '../dns/names.ts';
import {
  canonicalRdata,
  isDataType,
  RdataError,
  typeCode,
  typeName,
  typeOf,
} from '../dns/rdata.ts';
import { dataWords } from '../dns/zone/data-words.ts';
import type { ObjectProblem } from './problem.ts';

/** A name has one of them at most (RFC 1034 §3.6.2, RFC 6672 §2.4). */
const SINGLE: ReadonlySet<string> = new Set(['CNAME', 'DNAME', 'ALIAS']);

/** `mx` and `TYPE15` are `MX`. Undefined: no type that a zone's records may have. */
export function parseRecordType(text: string): string | undefined {
  const code = typeCode(text);
  return code === undefined || !isDataType(code) ? undefined : typeName(code);
}

/** Only the spelling that is stored. */
export function parseStoredType(text: string): string | undefined {
  return parseRecordType(text) === text ? text : undefined;
}

/** In wire form. Names without a final dot are whole all the same. Throws RdataError. */
export function parseData(type: string, text: string): Uint8Array {
  return typeOf(codeOf(type)).parse(dataWords(text, 'refuse'), ROOT);
}

/** As it is stored. Throws RdataError. */
export function canonicalData(type: string, text: string): string {
  return typeOf(codeOf(type)).format(parseData(type, text));
}

/** Why it is no data of the type; undefined when it is. */
export function dataProblem(type: string, text: string): string | undefined {
  try {
    parseData(type, text);
    return undefined;
  } catch (error) {
    if (error instanceof RdataError) return error.message;
    throw error;
  }
}

/** Of data that is answered together. */
export function setProblems(type: string, data: readonly string[]): ObjectProblem[] {
  if (data.length === 0) return [{ message: 'there is no data' }];
  if (SINGLE.has(type) && data.length > 1) {
    return [{ message: `a name has one ${type}, not ${data.length}`, at: [1] }];
  }
  return repeatedData(type, data).map((index) => ({
    message: `${data[index]} is there twice`,
    at: [index],
  }));
}

/** The places of what says the same as one before it: names in data have no case. */
function repeatedData(type: string, data: readonly string[]): number[] {
  if (data.length < 2) return [];
  const code = codeOf(type);
  const seen = new Set<string>();
  return [...data.keys()].filter((index) => {
    const key = canonicalRdata(code, parseData(type, data[index] ?? '')).join();
    const isRepeated = seen.has(key);
    seen.add(key);
    return isRepeated;
  });
}

function codeOf(type: string): number {
  const code = typeCode(type);
  if (code === undefined) throw new RangeError(`${type} is no type of record`);
  return code;
}
