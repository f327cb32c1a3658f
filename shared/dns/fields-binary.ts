// Fields of record data that are written as hex or base64, and what DNSSEC's types share: type bit
// maps, algorithms, times (RFC 4034 §2 to §4, RFC 5155 §3.3, RFC 4648). Pure.
import { fromHex } from '../bytes.ts';
import { type Field, quote, RdataError, upperHex, type Words } from './fields.ts';
import { numberBytes, numberOf, u8 } from './fields-scalar.ts';
import { typeCode, typeName } from './type-names.ts';

const NO_BYTES = new Uint8Array(0);
const rest = (rdata: Uint8Array, at: number) => rdata.length - at;

type Encoding = { parse(text: string): Uint8Array | undefined; format(bytes: Uint8Array): string };

export function hexBytes(text: string, what: string): Uint8Array {
  const bytes = fromHex(text);
  if (bytes !== undefined) return bytes;
  throw new RdataError(`${what} ${quote(text)} is not pairs of hex digits`);
}

export function fromBase64(text: string): Uint8Array | undefined {
  if (text.length % 4 !== 0 || !/^[a-z0-9+/]*={0,2}$/i.test(text)) return undefined;
  const bytes = new Uint8Array(Buffer.from(text, 'base64'));
  return toBase64(bytes) === text ? bytes : undefined; // bits that no byte has
}

export function toBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
}

const HEX: Encoding = { parse: fromHex, format: upperHex };
const BASE64: Encoding = { parse: fromBase64, format: toBase64 };

/** All words that are left. `least`: bytes that there must be. */
function encoded(what: string, { parse, format }: Encoding, name: string, least: number): Field {
  return {
    parse(words) {
      if (least > 0 && words.left === 0) throw new RdataError(`the ${what} is missing`);
      const text = words.rest();
      const bytes = parse(text);
      if (bytes !== undefined && bytes.length >= least) return bytes;
      throw new RdataError(`${what} ${quote(text)} is not ${name}`);
    },
    length: rest,
    format(part) {
      if (part.length < least) throw new RdataError(`the ${what} is missing`);
      return format(part);
    },
  };
}

export const hex = (what: string, least = 1): Field =>
  encoded(what, HEX, 'pairs of hex digits', least);
export const base64 = (what: string, least = 1): Field => encoded(what, BASE64, 'base64', least);

/** A length byte and as many bytes, in hex as one word; `-` for none (RFC 5155 §3.3). */
export const salt: Field = {
  parse(words) {
    const text = words.next('salt');
    return counted(text === '-' ? NO_BYTES : hexBytes(text, 'salt'), 'salt');
  },
  length: (rdata, at) => 1 + (rdata[at] ?? 0),
  format: (part) => (part.length === 1 ? '-' : upperHex(part.subarray(1))),
};

function counted(bytes: Uint8Array, what: string): Uint8Array {
  if (bytes.length > 255) throw new RdataError(`${what} has ${bytes.length} bytes, more than 255`);
  const field = new Uint8Array(1 + bytes.length);
  field[0] = bytes.length;
  field.set(bytes, 1);
  return field;
}

const BASE32 = '0123456789ABCDEFGHIJKLMNOPQRSTUV';

/** A length byte and a hashed name in base32hex, as one word without padding (RFC 5155 §3.3). */
export const hashedName: Field = {
  parse(words) {
    const text = words.next('next hashed owner');
    const bytes = fromBase32(text.toUpperCase());
    if (bytes !== undefined && bytes.length > 0) return counted(bytes, 'next hashed owner');
    throw new RdataError(`next hashed owner ${quote(text)} is not base32hex`);
  },
  length: (rdata, at) => 1 + (rdata[at] ?? 0),
  format(part) {
    if (part.length === 1) throw new RdataError('the next hashed owner is empty');
    return toBase32(part.subarray(1));
  },
};

/** Base32hex in capitals, without padding (RFC 4648 §7); undefined when it is none. */
function fromBase32(text: string): Uint8Array | undefined {
  const bytes = new Uint8Array(Math.floor((text.length * 5) / 8));
  let [bits, buffer, used] = [0, 0, 0];
  for (const character of text) {
    const value = BASE32.indexOf(character);
    if (value < 0) return undefined;
    buffer = ((buffer << 5) | value) & 0xfff;
    bits += 5;
    if (bits < 8) continue;
    bits -= 8;
    bytes[used++] = buffer >>> bits;
  }
  return toBase32(bytes) === text ? bytes : undefined; // bits that no byte has
}

function toBase32(bytes: Uint8Array): string {
  let text = '';
  let [bits, buffer] = [0, 0];
  for (const byte of bytes) {
    buffer = ((buffer << 8) | byte) & 0xfff;
    for (bits += 8; bits >= 5; bits -= 5) text += BASE32[(buffer >>> (bits - 5)) & 31];
  }
  return bits === 0 ? text : text + BASE32[(buffer << (5 - bits)) & 31];
}

/** The type that a signature covers. */
export const coveredType: Field = {
  parse: (words) => numberBytes(typeWord(words.next('type covered')), 2),
  length: () => 2,
  format: (part) => typeName(numberOf(part)),
};

function typeWord(text: string): number {
  const code = typeCode(text);
  if (code === undefined) throw new RdataError(`there is no type ${quote(text)}`);
  return code;
}

/** Which types there are at a name (RFC 4034 §4.1.2). */
export const typeBitmap = (least: 0 | 1): Field => ({
  parse(words) {
    const codes: number[] = [];
    while (words.left > 0) codes.push(typeWord(words.next('type')));
    if (codes.length < least) throw new RdataError('the types are missing');
    return bitmapOf(codes);
  },
  length: rest,
  format(part) {
    const codes = bitmapTypes(part);
    if (codes.length < least) throw new RdataError('the types are missing');
    return codes.map(typeName).join(' ');
  },
});

function bitmapOf(codes: readonly number[]): Uint8Array {
  const bytes: number[] = [];
  for (const window of new Set(codes.map((code) => code >>> 8).toSorted((a, b) => a - b))) {
    const low = codes.filter((code) => code >>> 8 === window).map((code) => code & 0xff);
    const bits = new Uint8Array((Math.max(...low) >>> 3) + 1);
    for (const bit of low) bits[bit >>> 3] = (bits[bit >>> 3] ?? 0) | (0x80 >>> (bit & 7));
    bytes.push(window, bits.length, ...bits);
  }
  return Uint8Array.from(bytes);
}

/** The codes, ascending. Throws RdataError when it is no bit map. */
function bitmapTypes(part: Uint8Array): number[] {
  const codes: number[] = [];
  let last = -1;
  for (let at = 0; at < part.length; ) {
    const [window = 0, length = 0] = part.subarray(at, at + 2);
    const bits = part.subarray(at + 2, at + 2 + length);
    if (window <= last || length < 1 || length > 32 || bits.length < length || !bits[length - 1]) {
      throw new RdataError('the types are no type bit map');
    }
    for (let bit = 0; bit < 8 * length; bit++) {
      if ((bits[bit >>> 3] ?? 0) & (0x80 >>> (bit & 7))) codes.push(window * 256 + bit);
    }
    last = window;
    at += 2 + length;
  }
  return codes;
}

export const ALGORITHMS = {
  RSAMD5: 1,
  DH: 2,
  DSA: 3,
  RSASHA1: 5,
  'DSA-NSEC3-SHA1': 6,
  NSEC3DSA: 6,
  'RSASHA1-NSEC3-SHA1': 7,
  NSEC3RSASHA1: 7,
  RSASHA256: 8,
  RSASHA512: 10,
  'ECC-GOST': 12,
  ECCGOST: 12,
  ECDSAP256SHA256: 13,
  ECDSAP384SHA384: 14,
  ED25519: 15,
  ED448: 16,
  INDIRECT: 252,
  PRIVATEDNS: 253,
  PRIVATEOID: 254,
};

/** Mnemonics are taken, the number is written (RFC 4034 §2.2). */
export const algorithm: Field = u8('algorithm', ALGORITHMS);

/** 32 bits of seconds since 1970, as YYYYMMDDHHmmSS in UTC, or the number (RFC 4034 §3.2). */
export const time = (what: string): Field => ({
  parse: (words) => numberBytes(timeWord(words, what), 4),
  length: () => 4,
  format: (part) => formatTime(numberOf(part)),
});

function timeWord(words: Words, what: string): number {
  const text = words.next(what);
  const seconds = /^\d{14}$/.test(text) ? secondsOf(text) : Number(text);
  if (/^\d{1,10}$|^\d{14}$/.test(text) && seconds >= 0 && seconds <= 0xffffffff) return seconds;
  throw new RdataError(`${what} ${quote(text)} is not a time as YYYYMMDDHHmmSS, 1970 to 2106`);
}

/** Of 14 digits; NaN when there is no such day or time. */
function secondsOf(text: string): number {
  const part = (at: number, length: number) => Number(text.slice(at, at + length));
  const day = dayNumber(part(0, 4), part(4, 2), part(6, 2));
  const seconds = day * 86400 + part(8, 2) * 3600 + part(10, 2) * 60 + part(12, 2);
  return day >= 0 && seconds <= 0xffffffff && formatTime(seconds) === text ? seconds : Number.NaN;
}

/** Days since 1970-01-01, Gregorian; years that begin in March have leap days last. */
function dayNumber(year: number, month: number, day: number): number {
  const [y, m] = month > 2 ? [year, month - 3] : [year - 1, month + 9];
  const leaps = Math.floor(y / 4) - Math.floor(y / 100) + Math.floor(y / 400);
  return 365 * y + leaps + Math.floor((153 * m + 2) / 5) + day - 1 - 719468;
}

export function formatTime(seconds: number): string {
  const days = Math.floor(seconds / 86400);
  let year = 1970 + Math.floor(days / 366);
  while (dayNumber(year + 1, 1, 1) <= days) year++;
  let month = 1;
  while (month < 12 && dayNumber(year, month + 1, 1) <= days) month++;
  const inDay = seconds % 86400;
  const parts = [
    month,
    days - dayNumber(year, month, 1) + 1,
    Math.floor(inDay / 3600),
    Math.floor(inDay / 60) % 60,
    inDay % 60,
  ];
  return year + parts.map((part) => String(part).padStart(2, '0')).join('');
}
