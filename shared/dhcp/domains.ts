// Codecs of domain names in the form of RFC 1035 §3.1: search lists with compression (RFC 3397),
// single names and plain lists (RFC 5223, RFC 5986, RFC 6011, RFC 4280). Pure.
import { join } from '../bytes.ts';
import { type Codec, isRefused, listOf, type Parsed, quote, refuse } from './codec.ts';

const NAME_BYTES_MAX = 255;
const LABEL_BYTES_MAX = 63;
const POINTER = 0xc0;
const POINTER_MAX = 0x3fff;
/** Letters, digits, hyphens, and the underscore of service names. */
const LABEL = /^[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?$/;

/** The labels of a name, or what is wrong with it. A dot at the end changes nothing. */
export function readName(value: unknown): string[] | string {
  if (typeof value !== 'string' || value === '') return `${quote(value)} is not a domain name`;
  const labels = value.replace(/\.$/, '').split('.');
  const wrong = labels.find((label) => !LABEL.test(label));
  if (wrong !== undefined) {
    const hint = /[^\0-\x7f]/.test(wrong) ? ': write it as xn--…' : '';
    return `${quote(value)} is not a domain name: ${quote(wrong)} is no label${hint}`;
  }
  const bytes = labels.reduce((sum, label) => sum + 1 + label.length, 1);
  return bytes > NAME_BYTES_MAX ? `${quote(value)} has more than 253 characters` : labels;
}

/** One name, without compression. */
export function encodeName(labels: readonly string[]): Uint8Array {
  const encoder = new TextEncoder();
  const parts = labels.flatMap((label) => [Uint8Array.of(label.length), encoder.encode(label)]);
  return join([...parts, Uint8Array.of(0)]);
}

/** RFC 1035 §4.1.4: what ends as an earlier name does points there. */
function encodeNames(names: readonly (readonly string[])[]): Uint8Array {
  const parts: Uint8Array[] = [];
  const seen = new Map<string, number>();
  let at = 0;
  const push = (part: Uint8Array) => {
    parts.push(part);
    at += part.length;
  };
  for (const labels of names) {
    let pointer: number | undefined;
    for (const [index, label] of labels.entries()) {
      const rest = labels.slice(index).join('.');
      pointer = seen.get(rest);
      if (pointer !== undefined) break;
      if (at <= POINTER_MAX) seen.set(rest, at);
      push(Uint8Array.of(label.length, ...new TextEncoder().encode(label)));
    }
    push(
      pointer === undefined ? Uint8Array.of(0) : Uint8Array.of(POINTER | (pointer >> 8), pointer),
    );
  }
  return join(parts);
}

/** All names there are; undefined when one is cut off, too long, or points anywhere but back. */
export function decodeNames(bytes: Uint8Array): string[] | undefined {
  const names: string[] = [];
  let at = 0;
  while (at < bytes.length) {
    const read = decodeName(bytes, at);
    if (read === undefined) return undefined;
    names.push(read.name);
    at = read.next;
  }
  return names.length === 0 ? undefined : names;
}

function decodeName(bytes: Uint8Array, start: number): { name: string; next: number } | undefined {
  const labels: string[] = [];
  let at = start;
  let lowest = start; // each pointer has to lead further back: so there is no loop
  let next: number | undefined;
  let nameBytes = 1;
  for (;;) {
    const length = bytes[at];
    if (length === undefined) return undefined;
    if (length >= POINTER) {
      const target = ((length & ~POINTER) << 8) | (bytes[at + 1] ?? 0);
      if (at + 1 >= bytes.length || target >= lowest) return undefined;
      next ??= at + 2;
      lowest = target;
      at = target;
      continue;
    }
    if (length > LABEL_BYTES_MAX || at + 1 + length > bytes.length) return undefined;
    if (length === 0) break;
    const label = String.fromCharCode(...bytes.subarray(at + 1, at + 1 + length));
    nameBytes += 1 + length;
    if (!LABEL.test(label) || nameBytes > NAME_BYTES_MAX) return undefined;
    labels.push(label);
    at += 1 + length;
  }
  if (labels.length === 0) return undefined; // the root is nobody's domain
  return { name: labels.join('.'), next: next ?? at + 1 };
}

type Encode = (names: readonly (readonly string[])[]) => Uint8Array;

function parseNames(value: unknown, encode: Encode): Parsed {
  const items = listOf(value);
  if (items.length === 0) return refuse('the list is empty');
  const read = items.map(readName);
  const reasons = read.filter((each) => typeof each === 'string');
  if (reasons.length > 0) return { reasons };
  return { bytes: encode(read.filter((each) => typeof each !== 'string')) };
}

const plain: Encode = (names) => join(names.map(encodeName));

/** Option 119: the one whose readers have to know compression. */
export const domainSearch: Codec = {
  what: 'a list of domain names',
  parse: (value) => parseNames(value, encodeNames),
  format: decodeNames,
};

/** Compressed lists are read, too. */
export const domainNames: Codec = {
  what: 'a list of domain names',
  parse: (value) => parseNames(value, plain),
  format: decodeNames,
};

export const domainName: Codec = {
  what: 'a domain name',
  parse: (value) =>
    Array.isArray(value) ? refuse('this option has one name only') : parseNames(value, plain),
  format(bytes) {
    const names = decodeNames(bytes);
    return names?.length === 1 ? names[0] : undefined;
  },
};

/** Behind a byte that says 0 for names, 1 for addresses: option 120 (RFC 3361). */
export function namesOrAddresses(addresses: Codec): Codec {
  return {
    what: 'a list of IPv4 addresses, or a list of domain names',
    parse(value) {
      const asAddresses = addresses.parse(value);
      const isAddresses = !isRefused(asAddresses);
      const parsed = isAddresses ? asAddresses : domainNames.parse(value);
      if (isRefused(parsed)) return parsed;
      const mixed = !isAddresses && listOf(value).some((each) => !isRefused(addresses.parse(each)));
      if (mixed) return refuse('addresses and names cannot be in one list');
      return { bytes: join([Uint8Array.of(isAddresses ? 1 : 0), parsed.bytes]) };
    },
    format(bytes) {
      const codec = [domainNames, addresses][bytes[0] ?? 2];
      return codec?.format(bytes.subarray(1));
    },
  };
}
