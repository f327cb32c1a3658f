// What sockets read into. All of a worker share one buffer, since what comes is dealt with at once;
// a connection that large pieces come on gets buffers of its own, which go on without a copy.

const READ_BYTES = 65_536;
/** Smaller pieces are cheaper copied than a new buffer is. */
const LARGE_BYTES = 16_384;

const shared = Buffer.allocUnsafeSlow(READ_BYTES);

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
      this.#isGiven = false;
      this.#own = Buffer.allocUnsafeSlow(READ_BYTES);
      return this.#own;
    }
    if (this.#own === undefined) return undefined;
    this.#isGiven = false;
    this.#own = undefined;
    return shared;
  };

  /** No more is expected: an idle connection has no buffer. */
  rest(): void {
    this.#wantsOwn = false;
  }

  /** The piece itself, if it may be kept by whoever gets it; undefined: copy it. */
  giveAway(bytes: Buffer, start: number, end: number): Buffer | undefined {
    this.#wantsOwn = end - start >= LARGE_BYTES;
    if (!this.#wantsOwn || bytes !== this.#own) return undefined;
    this.#isGiven = true;
    return bytes.subarray(start, end);
  }
}
