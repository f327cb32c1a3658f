// A response's body through gzip, as a stream: what it gives comes later, in order.
import { constants, createGzip, type Gzip } from 'node:zlib';

/** Text shrinks to about a quarter; higher levels cost twice the time for some percent. */
const LEVEL = 4;

export interface GzipEvents {
  /** False: no more until `resume()`. */
  onCompressed(piece: Buffer): boolean;
  onCompressedEnd(): void;
  /** After write() said false. */
  onCompressorDrain(): void;
}

export class GzipBody {
  readonly #gzip: Gzip = createGzip({ level: LEVEL });
  #isDirty = false;

  constructor(events: GzipEvents) {
    this.#gzip.on('data', (piece: Buffer) => {
      if (!events.onCompressed(piece)) this.#gzip.pause();
    });
    this.#gzip.on('end', () => events.onCompressedEnd());
    this.#gzip.on('drain', () => events.onCompressorDrain());
  }

  write(piece: Buffer): boolean {
    this.#isDirty = true;
    return this.#gzip.write(piece);
  }

  end(): void {
    this.#gzip.end();
  }

  /** A response that pauses must not wait in the compressor: called a few times a second. */
  flush(): void {
    if (!this.#isDirty || this.#gzip.writableEnded) return;
    this.#isDirty = false;
    this.#gzip.flush(constants.Z_SYNC_FLUSH);
  }

  resume(): void {
    this.#gzip.resume();
  }

  /** No event follows. */
  destroy(): void {
    this.#gzip.removeAllListeners();
    this.#gzip.on('error', () => {});
    this.#gzip.destroy();
  }
}
