// Growing memory that an image is written into, as words and bytes, before it has its size. Pure.

const FIRST_WORDS = 256;

export class BlockSink {
  words: Int32Array = new Int32Array(FIRST_WORDS);
  bytes = new Uint8Array(this.words.buffer);
  /** The next place, in words. */
  at: number;

  constructor(at: number) {
    this.at = at;
  }

  /** Room for so many words, zeroed; their place. */
  take(words: number): number {
    const place = this.at;
    this.at += words;
    if (this.at <= this.words.length) return place;
    const grown = new Int32Array(Math.max(this.at, this.words.length * 2));
    grown.set(this.words);
    this.words = grown;
    this.bytes = new Uint8Array(grown.buffer);
    return place;
  }

  set(place: number, value: number): void {
    this.words[place] = value;
  }

  get(place: number): number {
    return this.words[place] as number;
  }

  /** All of it, in memory of its own that threads can share. */
  shared(): SharedArrayBuffer {
    const memory = new SharedArrayBuffer(4 * this.at);
    new Int32Array(memory).set(this.words.subarray(0, this.at));
    return memory;
  }
}

/** Words that so many bytes take. */
export function wordsFor(bytes: number): number {
  return (bytes + 3) >>> 2;
}
