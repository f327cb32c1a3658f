// Chunked bodies (RFC 9112, 7.1), byte by byte where there is grammar, in pieces where there is
// content. Extensions are checked, bounded and thrown away. Pure.
import { BAD } from './bad.ts';
import { CR, EQUALS, HEX, LF, SEMICOLON, SPACE, TAB, TEXT, TOKEN } from './octets.ts';
import { TrailerReader } from './trailer-reader.ts';
import type { Bad } from './types.ts';

const MAX_SIZE_DIGITS = 16;
/** Of one chunk; and of all, beyond the bytes of content that they came with. */
const MAX_EXTENSION_BYTES = 4096;
const MAX_EXCESS_BYTES = 16_384;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;

const STATE = {
  SIZE_START: 0,
  SIZE: 1,
  EXTENSION_NAME_START: 2,
  EXTENSION_NAME: 3,
  EXTENSION_VALUE_START: 4,
  EXTENSION_VALUE: 5,
  EXTENSION_QUOTED: 6,
  EXTENSION_ESCAPE: 7,
  EXTENSION_END: 8,
  SIZE_LF: 9,
  DATA: 10,
  DATA_CR: 11,
  DATA_LF: 12,
  TRAILERS: 13,
  DONE: 14,
} as const;

export class ChunkReader {
  bad: Bad | undefined;
  #state: number = STATE.SIZE_START;
  #digits = 0;
  /** Of the size so far; then of the data that is still to come. */
  #size = 0;
  #extensionBytes = 0;
  #excessBytes = 0;
  readonly #trailers = new TrailerReader();

  reset(): void {
    this.bad = undefined;
    this.#beginChunk();
    this.#excessBytes = 0;
    this.#trailers.reset();
  }

  get isDone(): boolean {
    return this.#state === STATE.DONE;
  }

  get trailers(): Buffer | undefined {
    return this.#trailers.kept;
  }

  /** How many of the bytes from `from` belong to the body; with `bad` that means nothing. */
  take(bytes: Buffer, from: number, sink: (piece: Buffer) => void): number {
    let p = from;
    while (p < bytes.length && this.bad === undefined && this.#state !== STATE.DONE) {
      if (this.#state === STATE.DATA) {
        const end = Math.min(bytes.length, p + this.#size);
        sink(bytes.subarray(p, end));
        this.#size -= end - p;
        p = end;
        if (this.#size === 0) this.#state = STATE.DATA_CR;
      } else {
        this.bad = this.#takeByte(bytes[p++] as number);
      }
    }
    return p - from;
  }

  #beginChunk(): void {
    this.#state = STATE.SIZE_START;
    this.#digits = 0;
    this.#size = 0;
    this.#extensionBytes = 0;
  }

  #takeByte(code: number): Bad | undefined {
    switch (this.#state) {
      case STATE.SIZE_START:
      case STATE.SIZE:
        return this.#takeSize(code);
      case STATE.SIZE_LF:
        return code === LF ? this.#endSizeLine() : BAD.bareCarriageReturn;
      case STATE.DATA_CR:
        this.#state = STATE.DATA_LF;
        return code === CR ? undefined : BAD.chunkEnd;
      case STATE.DATA_LF:
        this.#beginChunk();
        return code === LF ? undefined : BAD.chunkEnd;
      case STATE.TRAILERS:
        return this.#takeTrailer(code);
      default:
        if (++this.#extensionBytes > MAX_EXTENSION_BYTES) return BAD.chunkExtensionTooBig;
        return this.#takeExtension(code) ? undefined : badInExtension(code);
    }
  }

  #takeSize(code: number): Bad | undefined {
    const digit = HEX[code] as number;
    if (digit < 16) {
      this.#state = STATE.SIZE;
      this.#size = this.#size * 16 + digit;
      const isTooBig = ++this.#digits > MAX_SIZE_DIGITS || this.#size > Number.MAX_SAFE_INTEGER;
      return isTooBig ? BAD.chunkSize : undefined;
    }
    if (this.#state === STATE.SIZE_START) return BAD.chunkSize;
    if (code === CR) this.#state = STATE.SIZE_LF;
    else if (code === SEMICOLON) this.#state = STATE.EXTENSION_NAME_START;
    else return code === LF ? BAD.bareLineFeed : BAD.chunkSize;
    return undefined;
  }

  /** `;name`, `;name=value`, `;name="quoted"`; blanks only inside of quotes. */
  #takeExtension(code: number): boolean {
    const isToken = TOKEN[code] !== 0;
    switch (this.#state) {
      case STATE.EXTENSION_NAME_START:
        this.#state = STATE.EXTENSION_NAME;
        return isToken;
      case STATE.EXTENSION_NAME:
        if (isToken) return true;
        if (code !== EQUALS) return this.#endExtension(code);
        this.#state = STATE.EXTENSION_VALUE_START;
        return true;
      case STATE.EXTENSION_VALUE_START:
        this.#state = code === QUOTE ? STATE.EXTENSION_QUOTED : STATE.EXTENSION_VALUE;
        return isToken || code === QUOTE;
      case STATE.EXTENSION_VALUE:
        return isToken || this.#endExtension(code);
      case STATE.EXTENSION_QUOTED:
        if (code === QUOTE) this.#state = STATE.EXTENSION_END;
        else if (code === BACKSLASH) this.#state = STATE.EXTENSION_ESCAPE;
        return TEXT[code] === 1;
      case STATE.EXTENSION_ESCAPE:
        this.#state = STATE.EXTENSION_QUOTED;
        return TEXT[code] === 1;
      default:
        return this.#endExtension(code);
    }
  }

  #endExtension(code: number): boolean {
    if (code === CR) this.#state = STATE.SIZE_LF;
    else if (code === SEMICOLON) this.#state = STATE.EXTENSION_NAME_START;
    else return false;
    return true;
  }

  #endSizeLine(): Bad | undefined {
    if (this.#size === 0) {
      this.#state = STATE.TRAILERS;
      return undefined;
    }
    this.#state = STATE.DATA;
    this.#excessBytes = Math.max(0, this.#excessBytes + this.#extensionBytes - this.#size);
    return this.#excessBytes > MAX_EXCESS_BYTES ? BAD.chunkExtensionTooBig : undefined;
  }

  #takeTrailer(code: number): Bad | undefined {
    const bad = this.#trailers.takeByte(code);
    if (this.#trailers.isDone) this.#state = STATE.DONE;
    return bad;
  }
}

function badInExtension(code: number): Bad {
  if (code === LF) return BAD.bareLineFeed;
  return code === SPACE || code === TAB ? BAD.chunkSize : BAD.chunkExtension;
}
