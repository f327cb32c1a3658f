// Addresses of list files as words, without an object or a bigint each: files have half a million.
// The texts are those that shared/net takes, and whole numbers besides (range CSV). Pure.

const [ZERO, NINE, DOT, COLON] = [0x30, 0x39, 0x2e, 0x3a];

/**
 * Reads `text` into `into` (4 words; IPv4 uses the first) and returns its family; undefined: no
 * address.
 */
export function readAddress(text: string, into: Uint32Array): 4 | 6 | undefined {
  if (text.includes(':')) return readIpv6(text, into) ? 6 : undefined;
  const value = readQuad(text, 0);
  if (value < 0) return undefined;
  into[0] = value;
  return 4;
}

/** `address/bits`, or an address alone for its one host. Bits are -1 where there is no prefix. */
export type ReadPrefix = { family: 4 | 6; bits: number };

export function readPrefix(text: string, into: Uint32Array, result: ReadPrefix): boolean {
  const slash = text.indexOf('/');
  const family = readAddress(slash < 0 ? text : text.slice(0, slash), into);
  if (family === undefined) return false;
  const width = family === 4 ? 32 : 128;
  const bits = slash < 0 ? width : readLength(text, slash + 1);
  result.family = family;
  result.bits = bits;
  return bits >= 0 && bits <= width;
}

/** A dotted quad from `at` to the end of the text; -1: none. */
function readQuad(text: string, at: number): number {
  let value = 0;
  let octet = 0;
  let digits = 0;
  let dots = 0;
  for (; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === DOT) {
      if (digits === 0 || ++dots > 3) return -1;
      value = value * 256 + octet;
      octet = 0;
      digits = 0;
    } else {
      if (code < ZERO || code > NINE || (digits > 0 && octet === 0)) return -1;
      octet = octet * 10 + code - ZERO;
      if (++digits > 3 || octet > 255) return -1;
    }
  }
  return dots === 3 && digits > 0 ? value * 256 + octet : -1;
}

const groups = new Uint16Array(8);

function readIpv6(text: string, into: Uint32Array): boolean {
  let count = 0;
  let gap = -1;
  let at = 0;
  if (text.startsWith('::')) {
    gap = 0;
    at = 2;
  }
  while (at < text.length) {
    if (count === 8) return false;
    const end = groupEnd(text, at);
    if (text.charCodeAt(end) === DOT) {
      const quad = count <= 6 ? readQuad(text, at) : -1;
      if (quad < 0) return false;
      groups[count++] = quad >>> 16;
      groups[count++] = quad & 0xffff;
      break;
    }
    if (end === at || end - at > 4) return false;
    groups[count++] = Number.parseInt(text.slice(at, end), 16);
    if (end === text.length) break;
    if (text.charCodeAt(end) !== COLON || end + 1 === text.length) return false;
    at = end + 1;
    if (text.charCodeAt(at) !== COLON) continue;
    if (gap >= 0) return false;
    gap = count;
    at++;
  }
  if (gap < 0 ? count !== 8 : count === 8) return false;
  spread(count, gap < 0 ? count : gap, into);
  return true;
}

/** Where the hex digits that start at `at` end. */
function groupEnd(text: string, at: number): number {
  while (at < text.length) {
    const code = text.charCodeAt(at) | 0x20;
    const isHex = (code >= ZERO && code <= NINE) || (code >= 0x61 && code <= 0x66);
    if (!isHex) break;
    at++;
  }
  return at;
}

/** `count` groups into words, zeros in the gap. */
function spread(count: number, gap: number, into: Uint32Array): void {
  for (let group = 0; group < 8; group += 2) {
    const high = groupAt(group, count, gap);
    into[group >> 1] = high * 0x1_0000 + groupAt(group + 1, count, gap);
  }
}

function groupAt(place: number, count: number, gap: number): number {
  if (place < gap) return groups[place] ?? 0;
  const from = place - (8 - count);
  return from >= gap ? (groups[from] ?? 0) : 0;
}

function readLength(text: string, at: number): number {
  const digits = text.length - at;
  if (digits < 1 || digits > 3) return -1;
  if (digits > 1 && text.charCodeAt(at) === ZERO) return -1;
  let value = 0;
  for (; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code < ZERO || code > NINE) return -1;
    value = value * 10 + code - ZERO;
  }
  return value;
}
