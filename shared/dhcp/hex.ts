// Bytes as hex: { hex: "0102" } or "hex:01:02", for every option, known or not. Pure.
import { fromHex, toHex } from '../bytes.ts';
import { type Codec, isRecord, type Parsed, quote, refuse } from './codec.ts';

const PREFIX = /^hex:/i;

/** Undefined: the value does not claim to be hex. */
export function parseHexValue(value: unknown): Parsed | undefined {
  const text =
    typeof value === 'string' && PREFIX.test(value)
      ? value.replace(PREFIX, '')
      : isRecord(value) && Object.keys(value).join() === 'hex'
        ? value.hex
        : undefined;
  if (text === undefined) return undefined;
  const bytes = typeof text === 'string' ? bytesOf(text) : undefined;
  if (bytes !== undefined) return { bytes };
  const hint = typeof text === 'number' ? ': put it in quotes' : '';
  return refuse(`${quote(text)} is not hex${hint}`);
}

/** With ":" between pairs, or without; undefined: anything else. */
function bytesOf(text: string): Uint8Array | undefined {
  const isPairs = /^(?:[0-9a-f]{2}(?::?[0-9a-f]{2})*)?$/i.test(text);
  return isPairs ? fromHex(text.replaceAll(':', '')) : undefined;
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
