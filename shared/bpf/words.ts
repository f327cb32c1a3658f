// Keys and cells of the kernel's maps that are no structs: addresses, numbers, counts. Pure.

const littleEndian = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;

/** An address as a key: __be32. */
export function writeAddress(address: number, into: Uint8Array, at = 0): void {
  into[at] = address >>> 24;
  into[at + 1] = address >>> 16;
  into[at + 2] = address >>> 8;
  into[at + 3] = address;
}

export function readAddress(from: Uint8Array, at = 0): number {
  const [a = 0, b = 0, c = 0, d = 0] = [from[at], from[at + 1], from[at + 2], from[at + 3]];
  return ((a << 24) | (b << 16) | (c << 8) | d) >>> 0;
}

/** A slot, a bucket or a reason as a key: __u32 of the host. */
export function writeNumber(number: number, into: Uint8Array, at = 0): void {
  const [low, middle, high, top] = [number, number >>> 8, number >>> 16, number >>> 24];
  into.set(littleEndian ? [low, middle, high, top] : [top, high, middle, low], at);
}

export function numberKey(number: number): Uint8Array {
  const key = new Uint8Array(4);
  writeNumber(number, key);
  return key;
}

export function readNumber(from: Uint8Array, at = 0): number {
  const word = readAddress(from, at);
  if (!littleEndian) return word;
  const swapped = (word << 24) | ((word & 0xff00) << 8) | ((word >>> 8) & 0xff00) | (word >>> 24);
  return swapped >>> 0;
}

/** Where a number lies in eight bytes: for 64-bit cells of shared memory read without a copy. */
export function readCount(from: Uint8Array, at: number): number {
  const [first, second] = [readNumber(from, at), readNumber(from, at + 4)];
  return littleEndian ? second * 2 ** 32 + first : first * 2 ** 32 + second;
}
