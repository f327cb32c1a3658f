// Appends text and copied fields to a buffer: what request and response heads are written with.
// Pure.
import { isOmitted, type Omission } from './hop-by-hop.ts';
import { COLON, CR, LF, SPACE, TEXT } from './octets.ts';
import type { Head } from './types.ts';

const REPLACEMENT = 0x3f;
/** Below this, a loop is faster than a call into native code. */
const NATIVE_BYTES = 48;

/** The byte that is written for each UTF-16 unit. */
const WRITTEN = new Uint8Array(0x10000).fill(REPLACEMENT);
for (let code = 0; code < 256; code++) if (TEXT[code] === 1) WRITTEN[code] = code;

/** Bytes as latin1; a character that no field may have (a line end above all) becomes `?`. */
export function putText(out: Buffer, at: number, text: string): number {
  const length = text.length;
  for (let i = 0; i < length; i++) out[at + i] = WRITTEN[text.charCodeAt(i)] as number;
  return at + length;
}

export function putBytes(
  out: Buffer,
  at: number,
  bytes: Buffer,
  from: number,
  end: number,
): number {
  if (end - from > NATIVE_BYTES) bytes.copy(out, at, from, end);
  else for (let p = from, q = at; p < end; p++, q++) out[q] = bytes[p] as number;
  return at + end - from;
}

export function putLineEnd(out: Buffer, at: number): number {
  out[at] = CR;
  out[at + 1] = LF;
  return at + 2;
}

export function putField(out: Buffer, at: number, name: string, value: string): number {
  let p = putText(out, at, name);
  out[p++] = COLON;
  out[p++] = SPACE;
  return putLineEnd(out, putText(out, p, value));
}

export type Fields = readonly (readonly [name: string, value: string])[];

export function putFields(out: Buffer, at: number, fields: Fields): number {
  let p = at;
  for (const [name, value] of fields) p = putField(out, p, name, value);
  return p;
}

/** Bytes that `fields` take at most. */
export function sizeOf(fields: Fields): number {
  let size = 0;
  for (const [name, value] of fields) size += name.length + value.length + 4;
  return size;
}

/**
 * Copies the fields that are not left out, neighbours in one piece. `from`: where the first piece
 * begins when field 0 is kept (the line before it may be kept, too), -1: at that field.
 */
export function copyFields(
  out: Buffer,
  at: number,
  head: Head,
  omission: Omission,
  from: number,
): number {
  const { bytes, offsets, count } = head;
  let p = at;
  let start = from;
  let end = from < 0 ? -1 : (offsets[0] as number);
  if (count === 0 && from >= 0) end = head.end - 2;
  for (let i = 0; i < count; i++) {
    const slot = i << 2;
    if (isOmitted(head, i, omission)) continue;
    const lineStart = offsets[slot] as number;
    const next = i + 1 < count ? (offsets[slot + 4] as number) : head.end - 2;
    const isCanonical =
      (offsets[slot + 2] as number) === (offsets[slot + 1] as number) + 2 &&
      next === (offsets[slot + 3] as number) + 2 &&
      bytes[(offsets[slot + 1] as number) + 1] === SPACE;
    if (lineStart !== end || !isCanonical) {
      if (start >= 0) p = putBytes(out, p, bytes, start, end);
      start = lineStart;
    }
    end = next;
    if (isCanonical) continue;
    p = putLoose(out, p, head, slot);
    start = -1;
    end = -1;
  }
  return start >= 0 ? putBytes(out, p, bytes, start, end) : p;
}

/** A field whose blanks are not just the one behind the colon. */
function putLoose(out: Buffer, at: number, head: Head, slot: number): number {
  const { bytes, offsets } = head;
  let p = putBytes(out, at, bytes, offsets[slot] as number, offsets[slot + 1] as number);
  out[p++] = COLON;
  out[p++] = SPACE;
  p = putBytes(out, p, bytes, offsets[slot + 2] as number, offsets[slot + 3] as number);
  return putLineEnd(out, p);
}
