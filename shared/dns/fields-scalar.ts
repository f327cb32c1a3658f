// Fields of record data that are one thing: a number, a time, an address, a name, a text (RFC 1035
// §3.3, §5.1). `what` names the field in messages. Pure.
import { formatIpv4, ipv4FromBytes, ipv4ToBytes, parseIpv4 } from '../net/ipv4.ts';
import { formatIpv6, ipv6FromBytes, ipv6ToBytes, parseIpv6 } from '../net/ipv6.ts';
import { type Field, quote, RdataError, type Words } from './fields.ts';
import { escapedByte, formatName, nameLength, parseName } from './names.ts';
import type { Name } from './types.ts';

/** Big-endian, of 1 to 6 bytes. */
export function numberBytes(value: number, width: number): Uint8Array {
  const bytes = new Uint8Array(width);
  for (let at = width - 1, left = value; at >= 0; at--, left = Math.floor(left / 256)) {
    bytes[at] = left % 256;
  }
  return bytes;
}

export function numberOf(bytes: Uint8Array): number {
  let value = 0;
  for (const byte of bytes) value = value * 256 + byte;
  return value;
}

export function parseNumber(text: string, what: string, max: number): number {
  const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
  if (value <= max) return value;
  throw new RdataError(`${what} ${quote(text)} is not a whole number from 0 to ${max}`);
}

/** `names`: words that are taken for a number (in capitals). Numbers are written as numbers. */
function number(what: string, width: number, names: Readonly<Record<string, number>> = {}): Field {
  return {
    parse(words) {
      const text = words.next(what);
      const upper = text.toUpperCase();
      const named = Object.hasOwn(names, upper) ? names[upper] : undefined;
      return numberBytes(named ?? parseNumber(text, what, 256 ** width - 1), width);
    },
    length: () => width,
    format: (part) => String(numberOf(part)),
  };
}

type Names = Readonly<Record<string, number>>;
export const u8 = (what: string, names?: Names): Field => number(what, 1, names);
export const u16 = (what: string, names?: Names): Field => number(what, 2, names);
export const u32 = (what: string, names?: Names): Field => number(what, 4, names);

const UNIT_SECONDS: Readonly<Record<string, number>> = {
  w: 604800,
  d: 86400,
  h: 3600,
  m: 60,
  s: 1,
};

/** Seconds of "3600", "1h" or "1w2d"; undefined when it is none, or beyond 32 bits. */
export function parsePeriod(text: string): number | undefined {
  if (!/^(?:\d{1,10}|(?:\d{1,10}[wdhms])+)$/i.test(text)) return undefined;
  let seconds = 0;
  for (const [, digits, unit] of text.toLowerCase().matchAll(/(\d+)([wdhms]?)/g)) {
    seconds += Number(digits) * (UNIT_SECONDS[unit ?? ''] ?? 1);
  }
  return seconds > 0xffffffff ? undefined : seconds;
}

/** Seconds, 32 bits; units are taken, as in a TTL. */
export const period = (what: string): Field => ({
  parse(words) {
    const text = words.next(what);
    const seconds = parsePeriod(text);
    if (seconds !== undefined) return numberBytes(seconds, 4);
    throw new RdataError(`${what} ${quote(text)} is not seconds, nor as "1h30m" with units`);
  },
  length: () => 4,
  format: (part) => String(numberOf(part)),
});

export const ipv4 = (what: string): Field => ({
  parse: (words) => ipv4Bytes(words.next(what)),
  length: () => 4,
  format: (part) => formatIpv4(ipv4FromBytes(part)),
});

export const ipv6 = (what: string): Field => ({
  parse: (words) => ipv6Bytes(words.next(what)),
  length: () => 16,
  format: (part) => formatIpv6(ipv6FromBytes(part)),
});

export function ipv4Bytes(text: string): Uint8Array {
  const address = parseIpv4(text);
  if (address === undefined) throw new RdataError(`${quote(text)} is not an IPv4 address`);
  return ipv4ToBytes(address);
}

export function ipv6Bytes(text: string): Uint8Array {
  const address = parseIpv6(text);
  if (address === undefined) throw new RdataError(`${quote(text)} is not an IPv6 address`);
  return ipv6ToBytes(address);
}

/** `@` is the origin. Absent: any name, never compressed. */
export const name = (what: string, isName: Field['isName'] = 'plain'): Field => ({
  isName,
  parse: (words) => nameWord(words, what),
  length: (rdata, at) => nameLength(rdata, at),
  format: formatName,
});

export function nameWord(words: Words, what: string): Name {
  const { text, quoted } = words.token(what);
  if (text === '@' && !quoted) return words.origin;
  const parsed = parseName(text, words.origin);
  if (parsed !== undefined) return parsed;
  throw new RdataError(
    `${what} ${quote(text)} is not a name (labels have 1 to 63 bytes, names at most 255)`,
  );
}

/** The bytes that a word means, its escapes undone. */
export function textBytes(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length);
  let length = 0;
  for (let at = 0; at < text.length; ) {
    let byte = text.charCodeAt(at++);
    if (byte === 0x5c) {
      byte = escapedByte(text, at);
      at += /\d/.test(text.charAt(at)) ? 3 : 1;
    }
    if (byte < 0 || byte > 255) {
      throw new RdataError(`${quote(text)} has an escape or a character that is no byte`);
    }
    bytes[length++] = byte;
  }
  return bytes.subarray(0, length);
}

const QUOTED_TEXT = Array.from({ length: 256 }, (_, byte) => {
  if (byte < 0x20 || byte >= 0x7f) return `\\${String(byte).padStart(3, '0')}`;
  const character = String.fromCharCode(byte);
  return character === '"' || character === '\\' ? `\\${character}` : character;
});

/** In quotation marks. */
export function formatText(bytes: Uint8Array): string {
  let text = '"';
  for (const byte of bytes) text += QUOTED_TEXT[byte];
  return `${text}"`;
}

/** A length byte and as many bytes (RFC 1035 §3.3, <character-string>). */
export const text = (what: string): Field => ({
  parse: (words) => charString(words.next(what), what),
  length: (rdata, at) => 1 + (rdata[at] ?? 0),
  format: (part) => formatText(part.subarray(1)),
});

export function charString(word: string, what: string): Uint8Array {
  const bytes = textBytes(word);
  if (bytes.length > 255) {
    throw new RdataError(`${what} has ${bytes.length} bytes: split it into parts of up to 255`);
  }
  const field = new Uint8Array(1 + bytes.length);
  field[0] = bytes.length;
  field.set(bytes, 1);
  return field;
}

/** At the end of the data: a character-string, or nothing. */
export const optionalText = (what: string): Field => ({
  parse: (words) => (words.left === 0 ? new Uint8Array(0) : charString(words.next(what), what)),
  length: (rdata, at) => (at === rdata.length ? 0 : 1 + (rdata[at] ?? 0)),
  format: (part) => (part.length === 0 ? '' : formatText(part.subarray(1))),
});
