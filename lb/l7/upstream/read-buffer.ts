// What sockets read into. All of a worker share one buffer, since what comes is dealt with at once;
// a connection that large pieces come on gets buffers of its own, which go on without a copy.
import {
  copyToLarge,
  giveBack,
  LARGE_BUFFER_BYTES,
  pieceOfLarge,
  takeLarge,
} from '../http1/large-buffers.ts';

/** Smaller pieces are cheaper copied than a new buffer is. */
const LARGE_BYTES = 16_384;

const shared = Buffer.allocUnsafeSlow(LARGE_BUFFER_BYTES);

/** Of one connection. */
export class ReadBuffer {
  #isNew = true;
  #own: Buffer | undefined;
  #isGiven = false;
  #wantsOwn = false;

  /** What the socket reads into next; undefined: as before. Asked before and after each read. */
  readonly next = (): Buffer | undefined => {
    if (this.#isNew) {
      this.#isNew = false;
      return shared;
    }
    if (this.#wantsOwn) {
      if (this.#own !== undefined && !this.#isGiven) return undefined;
      this.#leave();
      this.#own = takeLarge();
      return this.#own;
    }
    if (this.#own === undefined) return undefined;
    this.#leave();
    return shared;
  };

  /** No more is expected: an idle connection has no buffer. */
  rest(): void {
    this.#wantsOwn = false;
  }

  /** The piece, or a copy, for whoever gets it to keep; undefined: it is small, copy it. */
  giveAway(bytes: Buffer, start: number, end: number): Buffer | undefined {
    this.#wantsOwn = end - start >= LARGE_BYTES;
    if (!this.#wantsOwn) return undefined;
    if (bytes !== this.#own) return copyToLarge(bytes, start, end);
    this.#isGiven = true;
    return pieceOfLarge(bytes, start, end);
  }

  #leave(): void {
    if (this.#own !== undefined) giveBack(this.#own);
    this.#own = undefined;
    this.#isGiven = false;
  }
}
