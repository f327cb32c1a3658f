// A request's body as far as it came before there was a connection, or may be sent again: bounded.

export const MAX_HELD_BYTES = 65_536;
/** A piece below this is joined to the one before: it costs far more than its bytes otherwise. */
const SMALL_BYTES = 1024;
const STORE_BYTES = 4096;

export class HeldBody {
  /** All of the body's bytes so far are here: it can be sent once more. */
  isWhole = true;
  /** Its end has come. */
  isEnded = false;
  trailers: Buffer | undefined;
  bytes = 0;
  #pieces: Buffer[] = [];
  /** The last piece is a view of it, from its begin. */
  #store: Buffer | undefined;

  get pieces(): readonly Buffer[] {
    return this.#pieces;
  }

  /** Before it is sent: false when no more should come. */
  hold(piece: Buffer): boolean {
    if (piece.length >= SMALL_BYTES || !this.#join(piece)) {
      this.#pieces.push(piece);
      this.#store = undefined;
    }
    this.bytes += piece.length;
    return this.bytes < MAX_HELD_BYTES;
  }

  /** Besides being sent: in case it has to be sent again. */
  keep(piece: Buffer): void {
    if (!this.isWhole) return;
    if (this.bytes + piece.length > MAX_HELD_BYTES) this.release();
    else this.hold(piece);
  }

  /** It will not be sent again. */
  release(): void {
    this.isWhole = false;
    this.#pieces = [];
    this.#store = undefined;
  }

  /** False: there is nothing to join it to. */
  #join(piece: Buffer): boolean {
    const last = this.#pieces.at(-1);
    if (last === undefined || last.length + piece.length > STORE_BYTES) return false;
    if (this.#store === undefined) {
      this.#store = Buffer.allocUnsafeSlow(STORE_BYTES);
      last.copy(this.#store);
    }
    piece.copy(this.#store, last.length);
    this.#pieces[this.#pieces.length - 1] = this.#store.subarray(0, last.length + piece.length);
    return true;
  }
}
