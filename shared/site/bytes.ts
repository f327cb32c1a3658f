// Bytes as hex: how they are stored, and how an operator writes them: as text where they are text,
// as "01:02" or { hex: "0102" } where they are not.

import { toHex } from '../bytes.ts';

/** Pairs of lower-case hex digits. */
export type Hex = string;

const PAIRS = /^[0-9a-f]{2}(:[0-9a-f]{2})+$/i;
const PRINTABLE = /^(?:[2-6][0-9a-f]|7[0-9a-e])+$/;

export function isHex(text: string): boolean {
  return /^([0-9a-f]{2})*$/.test(text);
}

export function bytesOf(hex: Hex): Uint8Array {
  const bytes = new Uint8Array(hex.length / 2);
  for (let at = 0; at < bytes.length; at++) {
    bytes[at] = Number.parseInt(hex.slice(at * 2, at * 2 + 2), 16);
  }
  return bytes;
}

export function hexOf(bytes: Uint8Array): Hex {
  return toHex(bytes);
}

export function hexOfText(text: string): Hex {
  return hexOf(new TextEncoder().encode(text));
}

/** Undefined: not all of it is printable ASCII. */
export function textOf(hex: Hex): string | undefined {
  return PRINTABLE.test(hex) ? String.fromCharCode(...bytesOf(hex)) : undefined;
}

/** `01:02:03` is bytes, all else is the text itself. */
export function parseBytes(text: string): Hex {
  return PAIRS.test(text) ? text.replaceAll(':', '').toLowerCase() : hexOfText(text);
}

/** What parseBytes() takes back; a byte that stands alone and is no text needs { hex }. */
export function writtenBytes(hex: Hex): string | { hex: string } {
  const text = textOf(hex);
  if (text !== undefined && !PAIRS.test(text)) return text;
  return hex.length > 2 ? hex.replace(/..(?=.)/g, '$&:') : { hex };
}
