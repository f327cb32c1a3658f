// A request's body as far as it came before there was a connection, or may be sent again: bounded.

export const MAX_HELD_BYTES = 65_536;

export class HeldBody {
  /** All of the body's bytes so far are here: it can be sent once more. */
  isWhole = true;
  /** Its end has come. */
  isEnded = false;
  trailers: Buffer | undefined;
  bytes = 0;
  #pieces: Buffer[] = [];

  get pieces(): readonly Buffer[] {
    return this.#pieces;
  }

  /** Before it is sent: false when no more should come. */
  hold(piece: Buffer): boolean {
    this.#pieces.push(piece);
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
  }
}
