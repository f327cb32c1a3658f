// Bytes as hex: { hex: "0102" } or "hex:01:02", for every option, known or not. Pure.
import { type Codec, isRecord, type Parsed, quote, refuse } from './codec.ts';

const PREFIX = /^hex:/i;

/** Looked up: some of it runs with every binding of a client. */
const DIGITS = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

/** Lower-case digits; `between` the bytes, as ":" in a MAC. */
export function toHex(bytes: Uint8Array, between = ''): string {
  let text = '';
  for (let at = 0; at < bytes.length; at++) {
    text += (at === 0 ? '' : between) + DIGITS[bytes[at] ?? 0];
  }
  return text;
}

/** Pairs of digits, of either case, with or without ":" between them. */
export function fromHex(text: string): Uint8Array | undefined {
  if (!/^(?:[0-9a-f]{2}(?::?[0-9a-f]{2})*)?$/i.test(text)) return undefined;
  const digits = text.replaceAll(':', '');
  return Uint8Array.from({ length: digits.length / 2 }, (_, at) =>
    Number.parseInt(digits.slice(at * 2, at * 2 + 2), 16),
  );
}

/** Undefined: the value does not claim to be hex. */
export function parseHexValue(value: unknown): Parsed | undefined {
  const text =
    typeof value === 'string' && PREFIX.test(value)
      ? value.replace(PREFIX, '')
      : isRecord(value) && Object.keys(value).join() === 'hex'
        ? value.hex
        : undefined;
  if (text === undefined) return undefined;
  const bytes = typeof text === 'string' ? fromHex(text) : undefined;
  if (bytes !== undefined) return { bytes };
  const hint = typeof text === 'number' ? ': put it in quotes' : '';
  return refuse(`${quote(text)} is not hex${hint}`);
}

/** A text that would be read as hex is written as hex. */
export function isLikeHex(value: unknown): boolean {
  return typeof value === 'string' && PREFIX.test(value);
}

export const hexValue = (bytes: Uint8Array): { hex: string } => ({ hex: toHex(bytes) });

/** For what has no codec of its own, and for what is opaque by its RFC. */
export const hex: Codec = {
  what: 'hex',
  parse: (value) => parseHexValue(value) ?? refuse(`${quote(value)} is not { hex: "…" }`),
  format: hexValue,
};
