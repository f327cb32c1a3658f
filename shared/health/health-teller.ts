// Tells the board what this instance votes: what differs from what the board has, at once, one write
// at a time (docs/health.md, V2). A write of which nothing is known is made again, with what came
// since.
import { MAX_VOTES_PER_WRITE, type Vote, type VoteBoard } from './types.ts';

export class Teller {
  readonly #board: Pick<VoteBoard, 'vote'>;
  readonly #self: string;
  readonly #wanted = new Map<string, Vote>();
  /** In the order of change: what was in a doubtful write comes first again. */
  readonly #untold = new Set<string>();
  #sequence = 0;
  #told = 0;
  #flushing: Promise<void> | undefined;

  constructor(board: Pick<VoteBoard, 'vote'>, self: string) {
    this.#board = board;
    this.#self = self;
  }

  get isBehind(): boolean {
    return this.#untold.size > 0;
  }

  /** Of the last write that the board is known to have done. */
  get toldSequence(): number {
    return this.#told;
  }

  get isBusy(): boolean {
    return this.#flushing !== undefined;
  }

  vote(id: string): Vote | undefined {
    return this.#wanted.get(id);
  }

  /** Undefined: nothing any more. */
  set(id: string, vote: Vote | undefined): void {
    const before = this.#wanted.get(id);
    if (before === vote || (before && vote && isSame(before, vote))) return;
    if (vote === undefined) this.#wanted.delete(id);
    else this.#wanted.set(id, vote);
    this.#untold.add(id);
  }

  /**
   * What the board has of this instance. Sequences begin at the board's time, so that those of an
   * earlier life, or of before a loss, are lower.
   */
  compare(onBoard: ReadonlyMap<string, Vote>, sequence: number, boardMs: number): void {
    this.#sequence = Math.max(this.#sequence, sequence, Math.floor(boardMs));
    this.#told = sequence;
    for (const id of onBoard.keys()) if (!this.#wanted.has(id)) this.#untold.add(id);
    for (const [id, vote] of this.#wanted) {
      const there = onBoard.get(id);
      if (there === undefined || !isSame(there, vote)) this.#untold.add(id);
    }
  }

  /** Until all is told; rejects when the board does not answer, and what was untold stays so. */
  flush(): Promise<void> {
    this.#flushing ??= this.#flush().finally(() => {
      this.#flushing = undefined;
    });
    return this.#flushing;
  }

  async #flush(): Promise<void> {
    while (this.#untold.size > 0) {
      const ids = [...this.#untold].slice(0, MAX_VOTES_PER_WRITE);
      const votes = new Map(ids.map((id) => [id, this.#wanted.get(id) ?? null]));
      const sequence = ++this.#sequence;
      const inForce = await this.#board.vote(this.#self, sequence, votes);
      // Above ours: another process bears this name. It is told again, above that.
      this.#sequence = Math.max(this.#sequence, inForce);
      if (inForce !== sequence) continue;
      this.#told = sequence;
      for (const [id, vote] of votes) {
        if ((this.#wanted.get(id) ?? null) === vote) this.#untold.delete(id);
      }
    }
  }
}

function isSame(a: Vote, b: Vote): boolean {
  const isSameWord = a.state === b.state && a.held === b.held && a.reason === b.reason;
  return isSameWord && a.checksToFlip === b.checksToFlip;
}
