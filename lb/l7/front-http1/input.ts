// Bytes of a client that are not used up yet: the rest of the piece that came last, or of several,
// joined. Many small pieces cost no more than their bytes.

const LEAST_ROOM_BYTES = 4096;
const NOTHING = Buffer.alloc(0);

export class Input {
  /** What came; used up to `at`. */
  bytes: Buffer = NOTHING;
  at = 0;
  /** With room behind `bytes`, which is a view of it; undefined: `bytes` is a piece as it came. */
  #store: Buffer | undefined;

  get length(): number {
    return this.bytes.length - this.at;
  }

  append(piece: Buffer): void {
    const kept = this.bytes.length - this.at;
    if (kept === 0) {
      this.#store = undefined;
      this.bytes = piece;
      this.at = 0;
      return;
    }
    const end = this.bytes.length;
    if (this.#store === undefined || this.#store.length < end + piece.length) {
      const store = Buffer.allocUnsafeSlow(Math.max(LEAST_ROOM_BYTES, 2 * (kept + piece.length)));
      this.bytes.copy(store, 0, this.at);
      piece.copy(store, kept);
      this.#store = store;
      this.bytes = store.subarray(0, kept + piece.length);
      this.at = 0;
      return;
    }
    // Behind all that anybody has a view of.
    piece.copy(this.#store, end);
    this.bytes = this.#store.subarray(0, end + piece.length);
  }

  clear(): void {
    this.#store = undefined;
    this.bytes = NOTHING;
    this.at = 0;
  }
}
