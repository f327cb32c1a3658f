// SVCB and HTTPS: a priority, a target, and parameters by key (RFC 9460 §2; dohpath RFC 9461 §5).
// Pure.
import { join } from '../bytes.ts';
import { formatIpv4, ipv4FromBytes } from '../net/ipv4.ts';
import { formatIpv6, ipv6FromBytes } from '../net/ipv6.ts';
import { type Field, quote, RdataError, type Row, row, type Words } from './fields.ts';
import { fromBase64, toBase64 } from './fields-binary.ts';
import {
  formatText,
  ipv4Bytes,
  ipv6Bytes,
  name,
  numberBytes,
  numberOf,
  parseNumber,
  textBytes,
  u16,
} from './fields-scalar.ts';

const KEYS: readonly string[] = [
  'mandatory',
  'alpn',
  'no-default-alpn',
  'port',
  'ipv4hint',
  'ech',
  'ipv6hint',
  'dohpath',
  'ohttp',
];
const [MANDATORY, ALPN, NO_DEFAULT_ALPN, PORT, IPV4HINT, ECH, IPV6HINT, DOHPATH, OHTTP] = [
  0, 1, 2, 3, 4, 5, 6, 7, 8,
] as const;
/** Reserved: no key at all (§14.3.2). */
const INVALID_KEY = 65535;

function keyName(key: number): string {
  return KEYS[key] ?? `key${key}`;
}

/** Of "alpn" or "key65280". */
function keyOf(text: string): number {
  const known = KEYS.indexOf(text.toLowerCase());
  if (known >= 0) return known;
  const digits = /^key(0|[1-9]\d{0,4})$/i.exec(text)?.[1];
  const key = digits === undefined ? INVALID_KEY : Number(digits);
  if (key < INVALID_KEY) return key;
  throw new RdataError(`there is no parameter ${quote(text)}: ${KEYS.join(', ')}, or key12345`);
}

type Value = { parse(text: string): Uint8Array; format(bytes: Uint8Array): string | undefined };

/** Items at commas; in an item a backslash makes `,` and `\` mean themselves (§A.1). */
function commaList(text: string): Uint8Array[] {
  const items: number[][] = [[]];
  const bytes = textBytes(text);
  for (let at = 0; at < bytes.length; at++) {
    let byte = bytes[at] ?? 0;
    if (byte === 0x2c) {
      items.push([]);
      continue;
    }
    if (byte === 0x5c) {
      byte = bytes[++at] ?? 0;
      if (byte !== 0x2c && byte !== 0x5c) {
        throw new RdataError(
          `${quote(text)} has a backslash before neither a comma nor a backslash`,
        );
      }
    }
    items.at(-1)?.push(byte);
  }
  if (items.some((item) => item.length === 0)) throw new RdataError(`${quote(text)} lacks an item`);
  return items.map((item) => Uint8Array.from(item));
}

/** Character-strings one behind the other; undefined when cut off, or one is empty. */
function lengthPrefixed(bytes: Uint8Array): Uint8Array[] | undefined {
  const parts: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; ) {
    const end = at + 1 + (bytes[at] ?? 0);
    if (end > bytes.length || end === at + 1) return undefined;
    parts.push(bytes.subarray(at + 1, end));
    at = end;
  }
  return parts.length === 0 ? undefined : parts;
}

const alpn: Value = {
  parse: (text) =>
    join(
      commaList(text).map((item) => {
        if (item.length > 255) throw new RdataError('a protocol of alpn has at most 255 bytes');
        return join([numberBytes(item.length, 1), item]);
      }),
    ),
  format(bytes) {
    const escaped = lengthPrefixed(bytes)?.map((item) =>
      String.fromCharCode(...item).replace(/[\\,]/g, '\\$&'),
    );
    if (escaped === undefined) return undefined;
    return formatText(Uint8Array.from(escaped.join(','), (character) => character.charCodeAt(0)));
  },
};

const mandatory: Value = {
  parse: (text) => {
    const keys = text.split(',').map(keyOf);
    return join(keys.toSorted((a, b) => a - b).map((key) => numberBytes(key, 2)));
  },
  format: (bytes) =>
    chunks(bytes, 2)
      ?.map((each) => keyName(numberOf(each)))
      .join(','),
};

function chunks(bytes: Uint8Array, size: number): Uint8Array[] | undefined {
  if (bytes.length === 0 || bytes.length % size !== 0) return undefined;
  return Array.from({ length: bytes.length / size }, (_, at) =>
    bytes.subarray(at * size, (at + 1) * size),
  );
}

const addresses = (
  size: 4 | 16,
  parse: (text: string) => Uint8Array,
  format: (bytes: Uint8Array) => string,
): Value => ({
  parse: (text) => join(text.split(',').map(parse)),
  format: (bytes) => chunks(bytes, size)?.map(format).join(','),
});

const nothing: Value = {
  parse(text) {
    if (text === '') return new Uint8Array(0);
    throw new RdataError(`${quote(text)} is a value where there is none`);
  },
  format: (bytes) => (bytes.length === 0 ? '' : undefined),
};

const port: Value = {
  parse: (text) => numberBytes(parseNumber(text, 'port', 0xffff), 2),
  format: (bytes) => (bytes.length === 2 ? String(numberOf(bytes)) : undefined),
};

const ech: Value = {
  parse(text) {
    const bytes = fromBase64(text);
    if (bytes !== undefined && bytes.length > 0) return bytes;
    throw new RdataError(`ech ${quote(text)} is not base64`);
  },
  format: (bytes) => (bytes.length === 0 ? undefined : toBase64(bytes)),
};

const opaque: Value = {
  parse: textBytes,
  format: (bytes) => (bytes.length === 0 ? '' : formatText(bytes)),
};

/** A template of a path, in which the query is `{?dns}`. */
const dohpath: Value = {
  parse: textBytes,
  format(bytes) {
    const text = String.fromCharCode(...bytes);
    return /^\/.*\{[^}]*\bdns\b[^}]*\}/s.test(text) ? formatText(bytes) : undefined;
  },
};

const VALUES: Readonly<Record<number, Value>> = {
  [MANDATORY]: mandatory,
  [ALPN]: alpn,
  [NO_DEFAULT_ALPN]: nothing,
  [PORT]: port,
  [IPV4HINT]: addresses(4, ipv4Bytes, (bytes) => formatIpv4(ipv4FromBytes(bytes))),
  [ECH]: ech,
  [IPV6HINT]: addresses(16, ipv6Bytes, (bytes) => formatIpv6(ipv6FromBytes(bytes))),
  [DOHPATH]: dohpath,
  [OHTTP]: nothing,
};

type Parameter = { key: number; value: Uint8Array };

/** With quotation marks around its value or without; scanners of zone files end the word at one. */
function parameterWord(words: Words): string {
  const { text, quoted } = words.token('parameter');
  if (quoted) throw new RdataError(`${quote(text)} is a value without its parameter`);
  return text.endsWith('=') && words.ahead?.quoted ? text + words.next('value') : text;
}

/** `key`, `key=value` or `key="value"`; a known key that is written by number has wire form. */
function parameterOf(text: string): Parameter {
  const equals = text.indexOf('=');
  const name = equals < 0 ? text : text.slice(0, equals);
  const marked = equals < 0 ? '' : text.slice(equals + 1);
  const written = /^"(.*)"$/s.exec(marked)?.[1] ?? marked;
  const key = keyOf(name);
  const { parse } = /^key\d/i.test(name) ? opaque : (VALUES[key] ?? opaque);
  return { key, value: parse(written) };
}

function parametersOf(part: Uint8Array): Parameter[] {
  const parameters: Parameter[] = [];
  for (let at = 0; at < part.length; ) {
    const end = at + 4 + numberOf(part.subarray(at + 2, at + 4));
    if (at + 4 > part.length || end > part.length) throw new RdataError('a parameter is cut off');
    const key = numberOf(part.subarray(at, at + 2));
    if (key <= (parameters.at(-1)?.key ?? -1) || key === INVALID_KEY) {
      throw new RdataError(`parameter ${keyName(key)} is there twice, or not in its order`);
    }
    parameters.push({ key, value: part.subarray(at + 4, end) });
    at = end;
  }
  return parameters;
}

/** What the parameters have to say of each other (§7.1.1, §8). */
function checkParameters(parameters: readonly Parameter[]): void {
  const has = new Set(parameters.map(({ key }) => key));
  if (has.has(NO_DEFAULT_ALPN) && !has.has(ALPN)) {
    throw new RdataError('no-default-alpn needs alpn beside it');
  }
  const list = parameters.find(({ key }) => key === MANDATORY);
  let last = MANDATORY as number;
  for (const each of list === undefined ? [] : (chunks(list.value, 2) ?? [])) {
    const key = numberOf(each);
    if (key <= last) {
      throw new RdataError(`mandatory names ${keyName(key)}, which is itself, twice, or unsorted`);
    }
    if (!has.has(key)) throw new RdataError(`mandatory names ${keyName(key)}, which is not there`);
    last = key;
  }
}

function formatParameter({ key, value }: Parameter): string {
  const text = (VALUES[key] ?? opaque).format(value);
  if (text === undefined) throw new RdataError(`the value of ${keyName(key)} is none`);
  return text === '' ? keyName(key) : `${keyName(key)}=${text}`;
}

const parameters: Field = {
  parse(words) {
    const found: Parameter[] = [];
    while (words.left > 0) found.push(parameterOf(parameterWord(words)));
    const sorted = found.toSorted((a, b) => a.key - b.key);
    const parts = sorted.map(({ key, value }) =>
      join([numberBytes(key, 2), numberBytes(value.length, 2), value]),
    );
    const bytes = join(parts);
    this.format(bytes); // what is written by number is checked, too
    return bytes;
  },
  length: (rdata, at) => rdata.length - at,
  format(part) {
    const found = parametersOf(part);
    const text = found.map(formatParameter).join(' ');
    checkParameters(found);
    return text;
  },
};

const fields: Field[] = [u16('priority'), name('target'), parameters];

export const svcbTypes: readonly Row[] = [row('SVCB', 9460, fields), row('HTTPS', 9460, fields)];
