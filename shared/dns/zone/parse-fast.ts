// The commonest record data straight from the characters of a zone file: what is a million times in
// a zone is not worth an array of words each. Whatever is not plain is left to the table of types,
// which also finds the words for what is wrong. Pure.
import { TYPES } from '../constants.ts';
import { parseName } from '../names.ts';
import type { Name } from '../types.ts';

const [DOT, ZERO, NINE, COLON, AT] = [0x2e, 0x30, 0x39, 0x3a, 0x40];

const quad = new Uint8Array(4);
const groups = new Uint8Array(16);

/**
 * Data that is one word, text[start, end). Undefined: not by this way. What is returned may be
 * overwritten by the next call.
 */
export function fastRdata(
  type: number,
  text: string,
  start: number,
  end: number,
  origin: Name,
): Uint8Array | undefined {
  if (type === TYPES.A) return parseQuad(text, start, end);
  if (type === TYPES.AAAA) return parseGroups(text, start, end);
  if (type === TYPES.NS || type === TYPES.CNAME || type === TYPES.PTR) {
    if (text.charCodeAt(start) === AT && end === start + 1) return origin;
    return parseName(text.slice(start, end), origin);
  }
  return undefined;
}

/** A strict dotted quad. */
function parseQuad(text: string, start: number, end: number): Uint8Array | undefined {
  let [at, octet] = [start, 0];
  for (; octet < 4; octet++) {
    const first = at;
    let value = 0;
    for (; at < end; at++) {
      const code = text.charCodeAt(at);
      if (code < ZERO || code > NINE) break;
      value = value * 10 + code - ZERO;
      if (value > 255) return undefined;
    }
    if (at === first || (at > first + 1 && text.charCodeAt(first) === ZERO)) return undefined;
    quad[octet] = value;
    if (octet < 3 && (at >= end || text.charCodeAt(at++) !== DOT)) return undefined;
  }
  return at === end ? quad : undefined;
}

/** Groups of hex digits, with one `::` or none, and without a dotted quad at the end. */
function parseGroups(text: string, start: number, end: number): Uint8Array | undefined {
  let [at, used, gap] = [start, 0, -1];
  if (isGap(text, start, end)) {
    gap = 0;
    at += 2;
  }
  while (at < end) {
    let [value, digits] = [0, 0];
    for (; at < end; at++, digits++) {
      const digit = hexDigit(text.charCodeAt(at));
      if (digit < 0) break;
      value = value * 16 + digit;
    }
    if (digits === 0 || digits > 4 || used === 16) return undefined;
    groups[used++] = value >> 8;
    groups[used++] = value & 255;
    if (at === end) break;
    if (isGap(text, at, end)) {
      if (gap >= 0) return undefined;
      gap = used;
      at += 2;
    } else if (text.charCodeAt(at++) !== COLON || at === end) return undefined;
  }
  if (gap < 0) return used === 16 ? groups : undefined;
  if (used === 16) return undefined;
  groups.copyWithin(16 - (used - gap), gap, used);
  groups.fill(0, gap, 16 - (used - gap));
  return groups;
}

function isGap(text: string, at: number, end: number): boolean {
  return at + 1 < end && text.charCodeAt(at) === COLON && text.charCodeAt(at + 1) === COLON;
}

function hexDigit(code: number): number {
  if (code >= ZERO && code <= NINE) return code - ZERO;
  const letter = code | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1;
}
