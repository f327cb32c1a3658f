// What the fields of a head say of its message: how its body ends (RFC 9112, 6.3), and of its
// connection (RFC 9112, 9.3; RFC 9110, 7.6.1). Pure.
import { BAD } from './bad.ts';
import { indexOfField } from './fields.ts';
import { isDigit, isText, SPACE, TAB, TOKEN, ZERO } from './octets.ts';
import { type Bad, FIELD, type FieldName, type Head } from './types.ts';

const FRAMING_BITS = (1 << FIELD.CONTENT_LENGTH) | (1 << FIELD.TRANSFER_ENCODING);
const MAX_LENGTH_DIGITS = 16;
const MAX_OPTIONS = 32;
const COMMA = 0x2c;

/** Hop-by-hop by themselves, or ours to act by or to write anew: Connection takes none away. */
const NOT_LISTED = new Set([
  'keep-alive',
  'proxy-connection',
  'te',
  'connection',
  'http2-settings',
  'host',
  'expect',
  'max-forwards',
  'content-length',
  'transfer-encoding',
]);

const NONE: readonly string[] = [];

/** Sets `contentLength` (-1: no field) and `framing` by the fields alone; `none` without any. */
export function readFraming(head: Head): Bad | undefined {
  head.framing = 'none';
  head.contentLength = -1;
  const bits = head.present & FRAMING_BITS;
  if (bits === 0) return undefined;
  if (bits === FRAMING_BITS) return BAD.bothFramings;
  if (bits !== 1 << FIELD.CONTENT_LENGTH) return readTransferEncoding(head);
  const index = indexOfField(head, FIELD.CONTENT_LENGTH);
  if (isThereAgain(head, index)) return BAD.contentLengthTwice;
  const length = digits(head, index);
  if (length < 0) return BAD.contentLength;
  head.framing = 'length';
  head.contentLength = length;
  return undefined;
}

/** Is there another field of the name that field `index` has? */
export function isThereAgain(head: Head, index: number): boolean {
  const field = head.names[index];
  for (let i = index + 1; i < head.count; i++) if (head.names[i] === field) return true;
  return false;
}

/** The value of that field as a number of digits alone; -1: it is none, or above 2^53 - 1. */
export function digits(head: Head, index: number): number {
  const { bytes, offsets } = head;
  const start = offsets[4 * index + 2] as number;
  const end = offsets[4 * index + 3] as number;
  if (end === start || end - start > MAX_LENGTH_DIGITS) return -1;
  let value = 0;
  for (let p = start; p < end; p++) {
    const code = bytes[p] as number;
    if (!isDigit(code)) return -1;
    value = value * 10 + (code - ZERO);
  }
  return value <= Number.MAX_SAFE_INTEGER ? value : -1;
}

function readTransferEncoding(head: Head): Bad | undefined {
  const index = indexOfField(head, FIELD.TRANSFER_ENCODING);
  if (isThereAgain(head, index)) return BAD.transferEncodingTwice;
  if (head.minor === 0) return BAD.transferEncodingOld;
  const start = head.offsets[4 * index + 2] as number;
  const end = head.offsets[4 * index + 3] as number;
  if (!isText(head.bytes, start, end, 'chunked')) return refusedCoding(head, start, end);
  head.framing = 'chunked';
  return undefined;
}

/** Known codings under a last `chunked` are right, and not done here; anything else is wrong. */
function refusedCoding(head: Head, start: number, end: number): Bad {
  const codings = head.bytes
    .toString('latin1', start, end)
    .toLowerCase()
    .split(/[ \t]*,[ \t]*/);
  const isLastChunked = codings.pop() === 'chunked';
  const areKnown = codings.every((coding) => /^(x-)?(gzip|compress)$|^deflate$/.test(coding));
  return isLastChunked && areKnown ? BAD.transferCoding : BAD.transferEncoding;
}

const CLOSE = 1;
const KEEP_ALIVE = 2;
const UPGRADE = 4;

/** Sets `keepAlive`, `connectionOptions` and `upgrade`. A `close` beats any `keep-alive`. */
export function readConnection(head: Head): Bad | undefined {
  let said = 0;
  head.connectionOptions = NONE;
  if ((head.present & (1 << FIELD.CONNECTION)) !== 0) {
    for (let i = 0; i < head.count; i++) {
      if (head.names[i] !== FIELD.CONNECTION) continue;
      const more = readOptions(head, i);
      if (more < 0) return BAD.connection;
      said |= more;
    }
  }
  head.keepAlive = (said & CLOSE) === 0 && (head.minor === 1 || (said & KEEP_ALIVE) !== 0);
  // A server ignores Upgrade of HTTP/1.0 (RFC 9110, 7.8).
  head.upgrade =
    (said & UPGRADE) !== 0 && head.minor === 1 && (head.present & (1 << FIELD.UPGRADE)) !== 0;
  return undefined;
}

/** What one field says of the connection; the rest goes to `connectionOptions`. -1: no list. */
function readOptions(head: Head, index: number): number {
  const { bytes, offsets } = head;
  const end = offsets[4 * index + 3] as number;
  let said = 0;
  for (let p = offsets[4 * index + 2] as number; p < end; ) {
    p = skipBlanks(bytes, p, end);
    const start = p;
    while (p < end && TOKEN[bytes[p] as number] !== 0) p++;
    if (isText(bytes, start, p, 'keep-alive')) said |= KEEP_ALIVE;
    else if (isText(bytes, start, p, 'close')) said |= CLOSE;
    else if (isText(bytes, start, p, 'upgrade')) said |= UPGRADE;
    else if (p > start && !list(head, bytes.toString('latin1', start, p).toLowerCase())) return -1;
    p = skipBlanks(bytes, p, end);
    if (p < end && bytes[p++] !== COMMA) return -1;
  }
  return said;
}

/** False: there are more than anybody lists. */
function list(head: Head, option: string): boolean {
  if (NOT_LISTED.has(option) || head.connectionOptions.includes(option)) return true;
  head.connectionOptions = [...head.connectionOptions, option];
  return head.connectionOptions.length <= MAX_OPTIONS;
}

function skipBlanks(bytes: Uint8Array, from: number, end: number): number {
  let p = from;
  while (p < end && (bytes[p] === SPACE || bytes[p] === TAB)) p++;
  return p;
}

export function valueAt(head: Head, index: number): string {
  const at = 4 * index;
  return head.bytes.toString(
    'latin1',
    head.offsets[at + 2] as number,
    head.offsets[at + 3] as number,
  );
}

/** Values of all fields of that name joined by a comma; undefined: there is none. */
export function joinedValues(head: Head, field: FieldName): string | undefined {
  if ((head.present & (1 << field)) === 0) return undefined;
  let joined: string | undefined;
  const separator = field === FIELD.COOKIE ? '; ' : ', ';
  for (let i = 0; i < head.count; i++) {
    if (head.names[i] !== field) continue;
    joined = joined === undefined ? valueAt(head, i) : joined + separator + valueAt(head, i);
  }
  return joined;
}
