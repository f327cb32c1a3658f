// Work that is done in pieces, so that the main thread does others in between.
import { setImmediate as turn } from 'node:timers/promises';

/** What `work` returns; each of its yields lets a turn of the event loop pass. */
export async function inPieces<Result>(work: Generator<void, Result>): Promise<Result> {
  for (;;) {
    const piece = work.next();
    if (piece.done === true) return piece.value;
    await turn();
  }
}
