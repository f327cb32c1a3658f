// What sockets read into. All of a worker share one buffer, since what comes is dealt with at once;
// a connection that large pieces come on gets buffers of its own, which go on without a copy. Who
// has written such a piece gives it back: V8 collects all its heap for every few hundred of them
// that are new.

const READ_BYTES = 65_536;
/** Smaller pieces are cheaper copied than a new buffer is. */
const LARGE_BYTES = 16_384;
/** What is kept for the next readers, of all connections. */
const MAX_FREE = 64;

const shared = Buffer.allocUnsafeSlow(READ_BYTES);
const free: Buffer[] = [];
/** How many hold a buffer: its reader, and its pieces that were not given back. */
const holders = new WeakMap<ArrayBufferLike, { count: number; whole: Buffer }>();

function takeFree(): Buffer {
  const whole = free.pop() ?? Buffer.allocUnsafeSlow(READ_BYTES);
  const held = holders.get(whole.buffer);
  if (held === undefined) holders.set(whole.buffer, { count: 1, whole });
  else held.count = 1;
  return whole;
}

/** Its only holder is the piece. */
function copyOf(bytes: Buffer, start: number, end: number): Buffer {
  const whole = takeFree();
  return whole.subarray(0, bytes.copy(whole, 0, start, end));
}

/** Once, of a piece that nobody looks at any more; of any other buffer it does nothing. */
export function giveBack({ buffer }: Buffer): void {
  const held = holders.get(buffer);
  if (held === undefined || held.count === 0 || --held.count > 0) return;
  if (free.length < MAX_FREE) free.push(held.whole);
}

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
      this.#own = takeFree();
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
    if (bytes !== this.#own) return copyOf(bytes, start, end);
    this.#isGiven = true;
    const held = holders.get(bytes.buffer);
    if (held !== undefined) held.count++;
    return bytes.subarray(start, end);
  }

  #leave(): void {
    if (this.#own !== undefined) giveBack(this.#own);
    this.#own = undefined;
    this.#isGiven = false;
  }
}
