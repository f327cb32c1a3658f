// Tells the board what this prober votes: what has changed since it last took something, at once
// when it changes, one write at a time. A write of which nothing is known is made again, with what
// came since (V2).
import { MAX_VOTES_PER_WRITE, type VoteBoard, type VoteChanges } from './board.ts';

export class Teller {
  /** Writes that the board took. */
  writes = 0;
  readonly #board: Pick<VoteBoard, 'vote'>;
  readonly #node: string;
  readonly #wanted = new Map<string, string>();
  readonly #untold = new Set<string>();
  /** What the last write had in it, as long as nobody knows whether it ran. */
  #doubtful: readonly string[] = [];
  #base = 0;
  #tried = 0;
  #isWhole = false;
  #flushing: Promise<void> | undefined;

  constructor(board: Pick<VoteBoard, 'vote'>, node: string) {
    this.#board = board;
    this.#node = node;
  }

  /** Whether the board is to hear something. */
  get isBehind(): boolean {
    return this.#isWhole || this.#untold.size > 0;
  }

  /**
   * What the board holds of this prober, before it has told anything itself. Generations begin at
   * the board's time, so that those of an earlier life, or of before a loss, are lower.
   */
  begin(generation: number, texts: ReadonlyMap<string, string>, boardMs: number): void {
    this.#base = generation;
    this.#tried = Math.max(this.#tried, generation, Math.floor(boardMs));
    for (const id of texts.keys()) if (!this.#wanted.has(id)) this.#untold.add(id);
    for (const [id, text] of this.#wanted) {
      if (texts.get(id) === text) this.#untold.delete(id);
      else this.#untold.add(id);
    }
  }

  /** Of what the board took last. */
  get generation(): number {
    return this.#base;
  }

  /**
   * The generation that the board was found to hold when ours was `own`. True: another, so what was
   * told has been lost, and all is told anew.
   */
  compare(generation: number, own: number): boolean {
    if (this.#flushing !== undefined || own !== this.#base || generation === own) return false;
    if (this.#doubtful.length > 0 && generation > own) return false;
    this.#loseAll(generation);
    return true;
  }

  /** Undefined: no vote any more. */
  set(id: string, text: string | undefined): void {
    if (this.#wanted.get(id) === text) return;
    if (text === undefined) this.#wanted.delete(id);
    else this.#wanted.set(id, text);
    this.#untold.add(id);
  }

  get(id: string): string | undefined {
    return this.#wanted.get(id);
  }

  ids(): string[] {
    return [...this.#wanted.keys()];
  }

  /** Until all is told; rejects when the board does not answer, and what was untold stays so. */
  flush(): Promise<void> {
    this.#flushing ??= this.#flush().finally(() => {
      this.#flushing = undefined;
    });
    return this.#flushing;
  }

  async #flush(): Promise<void> {
    while (this.isBehind) {
      const whole = this.#isWhole;
      const ids = whole ? [...this.#wanted.keys()] : this.#batch();
      const changes: VoteChanges = new Map(ids.map((id) => [id, this.#wanted.get(id) ?? null]));
      const generation = ++this.#tried;
      if (!whole) this.#doubtful = ids;
      const write = { base: this.#base, generation, changes, whole };
      const receipt = await this.#board.vote(this.#node, write);
      this.#doubtful = [];
      if (!receipt.accepted) this.#loseAll(receipt.generation);
      else this.#told(changes, generation, whole);
    }
  }

  /** Those in doubt are in the next write, too, and nothing more. */
  #batch(): readonly string[] {
    if (this.#doubtful.length > 0) return this.#doubtful;
    return [...this.#untold].slice(0, MAX_VOTES_PER_WRITE);
  }

  #told(changes: VoteChanges, generation: number, whole: boolean): void {
    this.writes++;
    this.#base = generation;
    if (whole) {
      this.#isWhole = false;
      for (const id of this.#untold) if (!this.#wanted.has(id)) this.#untold.delete(id);
    }
    for (const [id, text] of changes) {
      if ((this.#wanted.get(id) ?? null) === text) this.#untold.delete(id);
    }
  }

  #loseAll(generation: number): void {
    this.#isWhole = true;
    this.#tried = Math.max(this.#tried, generation);
  }
}
