// Which fields of a head are sent on: not those of one connection (RFC 9110, 7.6.1 and 11.7), of
// framing, which are written anew, those that an edit drops, and names with an underscore. Pure.
import { fieldNamed } from './fields.ts';
import { FIELD, type Head, type HeadEdits } from './types.ts';

/**
 * Proxy-Authenticate and Proxy-Authorization speak to the next proxy only: that is us, and we asked
 * nobody.
 */
const NEVER_SENT_ON = maskOf([
  FIELD.UNDERSCORE,
  FIELD.CONTENT_LENGTH,
  FIELD.TRANSFER_ENCODING,
  FIELD.CONNECTION,
  FIELD.KEEP_ALIVE,
  FIELD.PROXY_CONNECTION,
  FIELD.TE,
  FIELD.UPGRADE,
  FIELD.HTTP2_SETTINGS,
  FIELD.PROXY_AUTHENTICATE,
  FIELD.PROXY_AUTHORIZATION,
]);

export function maskOf(fields: readonly number[]): number {
  return fields.reduce((mask, field) => mask | (1 << field), 0);
}

/** What is left out of a head: bits of known names, and other names in lower case. */
export type Omission = { mask: number; others: readonly string[] };

/** A route's set comes again and again: the last one is looked at before the map is. */
let lastDrop: ReadonlySet<string> | undefined;
let lastOmission: Omission = { mask: NEVER_SENT_ON, others: [] };
const omissions = new WeakMap<ReadonlySet<string>, Omission>();
const NOTHING: ReadonlySet<string> = new Set();

/** A set is worked out once: policy makes one a route, not one a request. */
function omissionOf(drop: ReadonlySet<string>): Omission {
  if (drop === lastDrop) return lastOmission;
  let omission = omissions.get(drop);
  if (omission === undefined) {
    omission = withNames({ mask: NEVER_SENT_ON, others: [] }, drop);
    omissions.set(drop, omission);
  }
  lastDrop = drop;
  lastOmission = omission;
  return omission;
}

function withNames(omission: Omission, names: Iterable<string>): Omission {
  let { mask } = omission;
  const others = [...omission.others];
  for (const name of names) {
    const field = fieldNamed(name);
    if (field === FIELD.OTHER) others.push(name);
    else mask |= 1 << field;
  }
  return { mask, others };
}

/** Of this head: with what its Connection field lists. */
export function omissionFor(head: Head, edits: HeadEdits | undefined): Omission {
  const omission = omissionOf(edits?.drop ?? NOTHING);
  if (head.connectionOptions.length === 0) return omission;
  return withNames(omission, head.connectionOptions);
}

/** Is field `index` left out? */
export function isOmitted(head: Head, index: number, omission: Omission): boolean {
  const field = head.names[index] as number;
  if ((omission.mask & (1 << field)) !== 0) return true;
  if (field !== FIELD.OTHER || omission.others.length === 0) return false;
  const start = head.offsets[4 * index] as number;
  const length = (head.offsets[4 * index + 1] as number) - start;
  for (const name of omission.others) {
    if (name.length === length && isNameAt(head.bytes, start, name)) return true;
  }
  return false;
}

/** A name may have any token character: only letters differ in case. */
export function isNameAt(bytes: Uint8Array, start: number, name: string): boolean {
  for (let i = 0; i < name.length; i++) {
    const code = bytes[start + i] as number;
    const lower = code >= 0x41 && code <= 0x5a ? code | 0x20 : code;
    if (lower !== name.charCodeAt(i)) return false;
  }
  return true;
}
