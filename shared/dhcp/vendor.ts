// Codecs of options within options: vendor-specific information (RFC 2132 §8.4, RFC 3925) and user
// classes (RFC 3004). Inside, a value is text, or { hex }. Pure.
import { join } from '../bytes.ts';
import {
  type Codec,
  isRecord,
  isRefused,
  lengthPrefixed,
  listOf,
  oneLine,
  type Parsed,
  parseEach,
  quote,
  refuse,
  unknownFields,
  withLength,
} from './codec.ts';
import { hexValue, isLikeHex, parseHexValue } from './hex.ts';
import { text } from './scalars.ts';

/** Text where it is text, else { hex }: what parseInner() takes back to the same bytes. */
function formatInner(bytes: Uint8Array): unknown {
  const value = text.format(bytes);
  return value === undefined || isLikeHex(value) ? hexValue(bytes) : value;
}

function parseInner(value: unknown): Parsed {
  return parseHexValue(value) ?? text.parse(value);
}

const prefixed = (what: string, parsed: Parsed): Parsed =>
  isRefused(parsed) ? refuse(...parsed.reasons.map((each) => `${what}: ${each}`)) : parsed;

function measured(what: string, parsed: Parsed): Parsed {
  if (isRefused(parsed)) return prefixed(what, parsed);
  const bytes = withLength(parsed.bytes);
  return bytes === undefined ? refuse(`${what}: more than 255 bytes`) : { bytes };
}

function parseSubOptions(value: unknown): Parsed {
  if (!isRecord(value)) return refuse(`${quote(value)} is not { 1: value, … } nor { hex: "…" }`);
  if (Object.keys(value).length === 0) return refuse('there is nothing in it');
  return parseEach(Object.entries(value), (entry) => {
    const [key, inner] = entry as [string, unknown]; // they come from the line above
    if (!/^[1-9]\d{0,2}$/.test(key) || Number(key) > 254) {
      return refuse(`${quote(key)} is not the number of a sub-option: 1 to 254`);
    }
    const parsed = measured(`sub-option ${key}`, parseInner(inner));
    return isRefused(parsed) ? parsed : { bytes: join([Uint8Array.of(Number(key)), parsed.bytes]) };
  });
}

/** Undefined when one runs past the end, or there is none. 0 and 255 are as in a message. */
function readSubOptions(bytes: Uint8Array): [code: number, bytes: Uint8Array][] | undefined {
  const read: [number, Uint8Array][] = [];
  let at = 0;
  while (at < bytes.length) {
    const code = bytes[at] ?? 0;
    if (code === 255) break;
    if (code === 0) {
      at++;
      continue;
    }
    const end = at + 2 + (bytes[at + 1] ?? 0);
    if (at + 1 >= bytes.length || end > bytes.length) return undefined;
    read.push([code, bytes.subarray(at + 2, end)]);
    at = end;
  }
  return read.length === 0 ? undefined : read;
}

/** Undefined unless they are in order, each once: a YAML map could not give back anything else. */
function formatSubOptions(bytes: Uint8Array): Record<string, unknown> | undefined {
  const read = readSubOptions(bytes);
  if (read === undefined) return undefined;
  const isInOrder = read.every(([code], at) => at === 0 || code > (read[at - 1]?.[0] ?? 0));
  const isAll = read.reduce((sum, [, each]) => sum + 2 + each.length, 0) === bytes.length;
  if (!isInOrder || !isAll) return undefined;
  return Object.fromEntries(read.map(([code, each]) => [code, formatInner(each)]));
}

/** Option 43, and others that hold options of a vendor's own. */
export const subOptions: Codec = {
  what: 'a map of sub-options { 1: value, … }, or hex',
  parse: parseSubOptions,
  format: formatSubOptions,
  describe: (bytes) =>
    readSubOptions(bytes)
      ?.map(([code, each]) => `${code} ${oneLine(formatInner(each))}`)
      .join(', '),
};

/** Option 77. Several of the clients that send it leave out the lengths: that is told as text. */
export const userClasses: Codec = {
  what: 'a list of classes, each text or { hex }',
  parse(value) {
    const items = listOf(value);
    if (items.length === 0) return refuse('the list is empty');
    return parseEach(items, (item) => {
      const parsed = parseInner(item);
      const isEmpty = !isRefused(parsed) && parsed.bytes.length === 0;
      return isEmpty ? refuse('a class is empty') : measured('class', parsed);
    });
  },
  format: formatClasses,
  describe(bytes) {
    const classes = formatClasses(bytes);
    return classes === undefined ? text.describe?.(bytes) : oneLine(classes);
  },
};

function formatClasses(bytes: Uint8Array): unknown[] | undefined {
  const parts = lengthPrefixed(bytes);
  if (parts === undefined || parts.length === 0 || parts.some((each) => each.length === 0)) {
    return undefined;
  }
  return parts.map(formatInner);
}

type EnterpriseField = {
  key: string;
  parse(value: unknown): Parsed;
  format(bytes: Uint8Array): unknown;
};

/** `{ enterprise: number, …: … }`, each measured by a byte: options 124 and 125. */
function enterprises({ key, parse, format }: EnterpriseField): Codec {
  function parseItem(item: unknown): Parsed {
    if (!isRecord(item)) return refuse(`${quote(item)} is not { enterprise: …, ${key}: … }`);
    const unknown = unknownFields(item, ['enterprise', key]);
    if (unknown.length > 0) return refuse(...unknown);
    const number = item.enterprise;
    const isNumber = typeof number === 'number' && Number.isInteger(number);
    if (!isNumber || number < 0 || number > 0xffffffff) {
      return refuse(`enterprise: ${quote(number)} is not a number of the IANA's list`);
    }
    const parsed = measured(key, parse(item[key]));
    if (isRefused(parsed)) return parsed;
    const head = Uint8Array.of(number >>> 24, number >>> 16, number >>> 8, number);
    return { bytes: join([head, parsed.bytes]) };
  }
  return {
    what: `a list of { enterprise: …, ${key}: … }`,
    parse(value) {
      const items = listOf(value);
      return items.length === 0 ? refuse('the list is empty') : parseEach(items, parseItem);
    },
    format(bytes) {
      const items: unknown[] = [];
      let at = 0;
      while (at < bytes.length) {
        const end = at + 5 + (bytes[at + 4] ?? 0);
        if (at + 5 > bytes.length || end > bytes.length) return undefined;
        const enterprise = new DataView(bytes.buffer, bytes.byteOffset + at).getUint32(0);
        items.push({ enterprise, [key]: format(bytes.subarray(at + 5, end)) });
        at = end;
      }
      return items.length === 0 ? undefined : items;
    },
  };
}

/** Option 124: who made the client, in its maker's words. */
export const vendorClasses = enterprises({ key: 'class', parse: parseInner, format: formatInner });

/** Option 125. */
export const vendorOptions = enterprises({
  key: 'options',
  parse: (value) => parseHexValue(value) ?? parseSubOptions(value),
  format: (bytes) => formatSubOptions(bytes) ?? hexValue(bytes),
});
