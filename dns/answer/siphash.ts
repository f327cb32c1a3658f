// SipHash-2-4 (Aumasson, Bernstein 2012), for cookies: a keyed hash of short messages, 64 bits.
// Each 64-bit word is two halves, so that nothing is allocated. Pure.

/** A key's four 32-bit words, each little-endian: k0 low, k0 high, k1 low, k1 high. */
export type SipKey = Int32Array;

/** Of 16 bytes; any other number is a programmer's error. */
export function sipKey(bytes: Uint8Array): SipKey {
  if (bytes.length !== 16) throw new RangeError(`a SipHash key of ${bytes.length} bytes`);
  return Int32Array.from({ length: 4 }, (_, index) => wordAt(bytes, 4 * index));
}

/** Hashes data[0, length) into out[at, at + 8), little-endian as the reference code does. */
export function sipHash24(
  key: SipKey,
  data: Uint8Array,
  length: number,
  out: Uint8Array,
  at: number,
): void {
  const [k0l = 0, k0h = 0, k1l = 0, k1h = 0] = [key[0], key[1], key[2], key[3]];
  let [v0l, v0h] = [k0l ^ 0x70736575, k0h ^ 0x736f6d65];
  let [v1l, v1h] = [k1l ^ 0x6e646f6d, k1h ^ 0x646f7261];
  let [v2l, v2h] = [k0l ^ 0x6e657261, k0h ^ 0x6c796765];
  let [v3l, v3h] = [k1l ^ 0x79746573, k1h ^ 0x74656462];
  const words = length >>> 3;
  for (let index = 0; index <= words + 1; index++) {
    const isEnd = index > words;
    const low = isEnd ? 0 : tailWord(data, 8 * index, length);
    let high = isEnd ? 0 : tailWord(data, 8 * index + 4, length);
    if (index === words) high |= length << 24;
    if (isEnd) v2l ^= 0xff;
    v3l ^= low;
    v3h ^= high;
    for (let round = isEnd ? 4 : 2; round > 0; round--) {
      let sum = (v0l + v1l) | 0;
      v0h = (v0h + v1h + carry(sum, v0l)) | 0;
      v0l = sum;
      let turned = (v1l << 13) | (v1h >>> 19);
      v1h = ((v1h << 13) | (v1l >>> 19)) ^ v0h;
      v1l = turned ^ v0l;
      turned = v0l;
      v0l = v0h;
      v0h = turned;
      sum = (v2l + v3l) | 0;
      v2h = (v2h + v3h + carry(sum, v2l)) | 0;
      v2l = sum;
      turned = (v3l << 16) | (v3h >>> 16);
      v3h = ((v3h << 16) | (v3l >>> 16)) ^ v2h;
      v3l = turned ^ v2l;
      sum = (v0l + v3l) | 0;
      v0h = (v0h + v3h + carry(sum, v0l)) | 0;
      v0l = sum;
      turned = (v3l << 21) | (v3h >>> 11);
      v3h = ((v3h << 21) | (v3l >>> 11)) ^ v0h;
      v3l = turned ^ v0l;
      sum = (v2l + v1l) | 0;
      v2h = (v2h + v1h + carry(sum, v2l)) | 0;
      v2l = sum;
      turned = (v1l << 17) | (v1h >>> 15);
      v1h = ((v1h << 17) | (v1l >>> 15)) ^ v2h;
      v1l = turned ^ v2l;
      turned = v2l;
      v2l = v2h;
      v2h = turned;
    }
    v0l ^= low;
    v0h ^= high;
  }
  putWord(out, at, v0l ^ v1l ^ v2l ^ v3l);
  putWord(out, at + 4, v0h ^ v1h ^ v2h ^ v3h);
}

function carry(sum: number, summand: number): number {
  return sum >>> 0 < summand >>> 0 ? 1 : 0;
}

function wordAt(bytes: Uint8Array, at: number): number {
  return (
    (bytes[at] ?? 0) |
    ((bytes[at + 1] ?? 0) << 8) |
    ((bytes[at + 2] ?? 0) << 16) |
    ((bytes[at + 3] ?? 0) << 24)
  );
}

/** Bytes from `end` on count as zero, whatever the array holds there. */
function tailWord(bytes: Uint8Array, at: number, end: number): number {
  if (at + 4 <= end) return wordAt(bytes, at);
  let word = 0;
  for (let index = end - 1; index >= at; index--) word = (word << 8) | (bytes[index] ?? 0);
  return word;
}

function putWord(bytes: Uint8Array, at: number, word: number): void {
  bytes[at] = word;
  bytes[at + 1] = word >>> 8;
  bytes[at + 2] = word >>> 16;
  bytes[at + 3] = word >>> 24;
}
