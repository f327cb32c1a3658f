// Domain names: text with its escapes (RFC 1035 §5.1, RFC 4343 §2.1) and wire form, comparison
// (RFC 4343) and canonical order (RFC 4034 §6.1). Labels are bytes; only A to Z have case. Pure.
import { MAX_LABEL_BYTES, MAX_NAME_BYTES } from './constants.ts';
import type { Name } from './types.ts';

export const ROOT: Name = Uint8Array.of(0);

const [BACKSLASH, DOT, ZERO, NINE] = [0x5c, 0x2e, 0x30, 0x39];

/** Every byte in lower case, by lookup: the loops that compare names are hot. */
export const LOWER = Uint8Array.from({ length: 256 }, (_, byte) =>
  byte >= 0x41 && byte <= 0x5a ? byte + 32 : byte,
);

/** Parsing has one place to write to; what is returned is a copy. */
const scratch = new Uint8Array(MAX_NAME_BYTES + MAX_LABEL_BYTES + 2);

/**
 * Wire form of a name as text, in the case in which it is written. Each character is a byte (above
 * U+00FF: refused); `\.` and `\DDD` are escapes; `@` is a label like others. Without a final dot it
 * is relative to `origin`, or to the root without one. Undefined: no name.
 */
export function parseName(text: string, origin: Name = ROOT): Name | undefined {
  if (text === '.') return ROOT.slice();
  let start = 0;
  let end = 1;
  let at = 0;
  while (at < text.length) {
    const code = text.charCodeAt(at++);
    if (code === DOT) {
      if (end === start + 1) return undefined; // an empty label
      scratch[start] = end - start - 1;
      start = end++;
      continue;
    }
    let byte = code;
    if (code === BACKSLASH) {
      byte = escapedByte(text, at);
      at += isDigit(text.charCodeAt(at)) ? 3 : 1;
    }
    if (byte > 255 || byte < 0 || end - start > MAX_LABEL_BYTES || end >= MAX_NAME_BYTES) {
      return undefined;
    }
    scratch[end++] = byte;
  }
  if (end === start + 1) {
    if (start === 0) return undefined; // no text at all
    return ending(start, ROOT);
  }
  scratch[start] = end - start - 1;
  return ending(end, origin);
}

function ending(length: number, origin: Name): Name | undefined {
  if (length + origin.length > MAX_NAME_BYTES) return undefined;
  const name = new Uint8Array(length + origin.length);
  name.set(scratch.subarray(0, length));
  name.set(origin, length);
  return name;
}

function isDigit(code: number): boolean {
  return code >= ZERO && code <= NINE;
}

/** Of what follows a backslash: three decimal digits, or any one character; −1: neither. */
export function escapedByte(text: string, at: number): number {
  if (at >= text.length) return -1;
  if (!isDigit(text.charCodeAt(at))) return text.charCodeAt(at);
  const digits = text.slice(at, at + 3);
  return /^\d{3}$/.test(digits) ? Number(digits) : -1;
}

/** How each byte of a label is written; what a zone file gives a meaning to has a backslash. */
const LABEL_TEXT = Array.from({ length: 256 }, (_, byte) => {
  if (byte <= 0x20 || byte >= 0x7f) return `\\${String(byte).padStart(3, '0')}`;
  const character = String.fromCharCode(byte);
  return '".();@$\\'.includes(character) ? `\\${character}` : character;
});

/** Absolute, with the final dot, in the case that it has; parseName takes it back to the same. */
export function formatName(name: Name): string {
  let text = '';
  for (let at = 0; (name[at] ?? 0) !== 0; ) {
    const end = at + 1 + (name[at] ?? 0);
    for (at++; at < end; at++) text += LABEL_TEXT[name[at] ?? 0];
    text += '.';
  }
  return text === '' ? '.' : text;
}

/** As site objects, tables and logs name it: lower case, without the final dot; the root is `.`. */
export function displayName(name: Name): string {
  const text = formatName(lowerName(name));
  return text === '.' ? text : text.slice(0, -1);
}

/** The form by which names are compared. `into` gets it (may be `name`); a new array without. */
export function lowerName(name: Name, into: Name = new Uint8Array(name.length)): Name {
  // Lengths of labels are below 64, so that no letter is among them.
  for (let at = 0; at < name.length; at++) into[at] = LOWER[name[at] ?? 0] ?? 0;
  return into;
}

/** Whether two names are the same, whatever the case. */
export function sameName(one: Name, other: Name): boolean {
  return one.length === other.length && endsWith(one, other);
}

/** Whether `name` is `ancestor` or below it. */
export function isSubdomain(name: Name, ancestor: Name): boolean {
  const from = name.length - ancestor.length;
  if (from < 0 || !endsWith(name, ancestor)) return false;
  let at = 0;
  while (at < from) at += 1 + (name[at] ?? 0);
  return at === from; // else the same bytes, but from amid a label
}

function endsWith(name: Name, end: Name): boolean {
  const from = name.length - end.length;
  for (let at = 0; at < end.length; at++) {
    if (LOWER[name[from + at] ?? 0] !== LOWER[end[at] ?? 0]) return false;
  }
  return true;
}

/** Without its first label: a view into `name`. Undefined for the root. */
export function parentOf(name: Name): Name | undefined {
  const first = name[0] ?? 0;
  return first === 0 ? undefined : name.subarray(1 + first);
}

/** Without the root's: 0 for the root. `*` counts (RFC 4034 §3.1.3 would not). */
export function labelCount(name: Name): number {
  let count = 0;
  for (let at = 0; (name[at] ?? 0) !== 0; at += 1 + (name[at] ?? 0)) count++;
  return count;
}

/** Whether its first label is `*` (RFC 4592 §2.1.1). */
export function isWildcard(name: Name): boolean {
  return name[0] === 1 && name[1] === 0x2a;
}

/** Canonical order (RFC 4034 §6.1): label by label from the root's side, without case. */
export function compareNames(one: Name, other: Name): number {
  const [mine, theirs] = [labelOffsets(one), labelOffsets(other)];
  const common = Math.min(mine.length, theirs.length);
  for (let back = 1; back <= common; back++) {
    const [at, against] = [mine[mine.length - back] ?? 0, theirs[theirs.length - back] ?? 0];
    const order = compareLabels(one, at, other, against);
    if (order !== 0) return order;
  }
  return mine.length - theirs.length;
}

function compareLabels(one: Name, at: number, other: Name, against: number): number {
  const [length, otherLength] = [one[at] ?? 0, other[against] ?? 0];
  const common = Math.min(length, otherLength);
  for (let index = 1; index <= common; index++) {
    const [byte, otherByte] = [one[at + index] ?? 0, other[against + index] ?? 0];
    const order = (LOWER[byte] ?? 0) - (LOWER[otherByte] ?? 0);
    if (order !== 0) return order;
  }
  return length - otherLength;
}

/** Where each label begins (its length byte), the root's left out. */
export function labelOffsets(name: Name): number[] {
  const offsets: number[] = [];
  for (let at = 0; (name[at] ?? 0) !== 0; at += 1 + (name[at] ?? 0)) offsets.push(at);
  return offsets;
}

/** FNV-1a of the name from `at` to its end, without case: an unsigned 32-bit number. */
export function hashName(name: Name, at = 0): number {
  let hash = 0x811c9dc5;
  for (; at < name.length; at++) hash = Math.imul(hash ^ (LOWER[name[at] ?? 0] ?? 0), 0x01000193);
  return hash >>> 0;
}

/**
 * Bytes that an uncompressed name at `offset` has, its root byte counted; −1 when it is cut off at
 * `end`, longer than 255, or has a pointer or an unknown kind of label.
 */
export function nameLength(bytes: Uint8Array, offset: number, end = bytes.length): number {
  for (let at = offset; at < end; ) {
    const length = bytes[at] ?? 0;
    if (length > MAX_LABEL_BYTES) return -1;
    at += 1 + length;
    if (at - offset > MAX_NAME_BYTES) return -1;
    if (length === 0) return at > end ? -1 : at - offset;
  }
  return -1;
}

/** A name of a message, uncompressed, and where the message goes on. */
export type ReadName = { name: Name; next: number };

/**
 * The name at `offset` of a message. Pointers are followed only backwards, each to before where the
 * last one led (RFC 1035 §4.1.4), so that it ends. Undefined: no name.
 */
export function nameFrom(message: Uint8Array, offset: number): ReadName | undefined {
  const bytes = new Uint8Array(MAX_NAME_BYTES);
  let [at, used, next, barrier] = [offset, 0, -1, offset];
  for (;;) {
    const length = message[at];
    if (length === undefined) return undefined;
    if (length >= 0xc0) {
      const low = message[at + 1];
      if (low === undefined) return undefined;
      if (next < 0) next = at + 2;
      at = ((length & 0x3f) << 8) | low;
      if (at >= barrier) return undefined;
      barrier = at;
      continue;
    }
    const after = at + 1 + length;
    if (length > MAX_LABEL_BYTES || after > message.length) return undefined;
    if (used + 1 + length > MAX_NAME_BYTES) return undefined;
    bytes.set(message.subarray(at, after), used);
    used += 1 + length;
    at = after;
    if (length === 0) return { name: bytes.slice(0, used), next: next < 0 ? at : next };
  }
}
