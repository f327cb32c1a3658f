// SHA-1 (RFC 3174) on bytes that come in pieces: NSEC3's hash of names, and the digest of a zone's
// content. Neither has to keep a secret. Without node:crypto, whose calls cost more than a name's
// hash, and so that images stay pure. Pure.

const BLOCK = 64;

export class Sha1 {
  /** The digest after finish(): 5 words, the most significant first. */
  readonly words = new Int32Array(5);
  readonly #schedule = new Int32Array(80);
  readonly #block = new Uint8Array(BLOCK);
  #filled = 0;
  #length = 0;

  start(): void {
    this.words[0] = 0x67452301;
    this.words[1] = 0xefcdab89;
    this.words[2] = 0x98badcfe;
    this.words[3] = 0x10325476;
    this.words[4] = 0xc3d2e1f0;
    this.#filled = 0;
    this.#length = 0;
  }

  put(byte: number): void {
    this.#block[this.#filled++] = byte;
    this.#length++;
    if (this.#filled === BLOCK) this.#compress();
  }

  putAll(bytes: Uint8Array, from = 0, end = bytes.length): void {
    for (let at = from; at < end; at++) this.put(bytes[at] as number);
  }

  /** A word in network order. */
  putWord(word: number): void {
    this.put((word >>> 24) & 255);
    this.put((word >>> 16) & 255);
    this.put((word >>> 8) & 255);
    this.put(word & 255);
  }

  finish(): void {
    const bits = this.#length * 8;
    this.put(0x80);
    while (this.#filled !== BLOCK - 8) this.put(0);
    this.putWord(Math.floor(bits / 2 ** 32));
    this.putWord(bits | 0);
  }

  #compress(): void {
    const [w, block, h] = [this.#schedule, this.#block, this.words];
    for (let i = 0; i < 16; i++) {
      const at = 4 * i;
      const high = ((block[at] as number) << 24) | ((block[at + 1] as number) << 16);
      w[i] = high | ((block[at + 2] as number) << 8) | (block[at + 3] as number);
    }
    for (let i = 16; i < 80; i++) {
      const mix = (w[i - 3] as number) ^ (w[i - 8] as number);
      w[i] = rotated(mix ^ (w[i - 14] as number) ^ (w[i - 16] as number), 1);
    }
    let a = h[0] as number;
    let b = h[1] as number;
    let c = h[2] as number;
    let d = h[3] as number;
    let e = h[4] as number;
    for (let i = 0; i < 80; i++) {
      const next = (rotated(a, 5) + roundOf(i, b, c, d) + e + (w[i] as number)) | 0;
      e = d;
      d = c;
      c = rotated(b, 30);
      b = a;
      a = next;
    }
    h[0] = (h[0] as number) + a;
    h[1] = (h[1] as number) + b;
    h[2] = (h[2] as number) + c;
    h[3] = (h[3] as number) + d;
    h[4] = (h[4] as number) + e;
    this.#filled = 0;
  }
}

function rotated(word: number, bits: number): number {
  return (word << bits) | (word >>> (32 - bits));
}

function roundOf(i: number, b: number, c: number, d: number): number {
  if (i < 20) return ((b & c) | (~b & d)) + 0x5a827999;
  if (i < 40) return (b ^ c ^ d) + 0x6ed9eba1;
  if (i < 60) return ((b & c) | (b & d) | (c & d)) + 0x8f1bbcdc;
  return (b ^ c ^ d) + 0xca62c1d6;
}

const scratch = new Sha1();

/**
 * NSEC3's hash (RFC 5155 §5) of the name in wire form in bytes[at, at + length), in lower case
 * already, into `into`. `salt` lies in salted[saltAt, saltAt + saltLength).
 */
export function nsec3Hash(
  bytes: Uint8Array,
  at: number,
  length: number,
  salted: Uint8Array,
  saltAt: number,
  saltLength: number,
  iterations: number,
  into: Int32Array,
): void {
  scratch.start();
  scratch.putAll(bytes, at, at + length);
  scratch.putAll(salted, saltAt, saltAt + saltLength);
  scratch.finish();
  into.set(scratch.words);
  for (let round = 0; round < iterations; round++) {
    scratch.start();
    for (let index = 0; index < 5; index++) scratch.putWord(into[index] as number);
    scratch.putAll(salted, saltAt, saltAt + saltLength);
    scratch.finish();
    into.set(scratch.words);
  }
}
