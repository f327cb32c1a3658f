// Consistent hashing with bounded loads (Mirrokni, Thorup, Zadimoghaddam 2018): no target has more
// than its part of the open requests times a factor; what is beyond goes on to the next. Pure.
import type { Member } from '../member.ts';

export class Bound {
  readonly #factor: number;
  #members: readonly Member[] = [];
  #perWeight = 0;

  /** `percent` of the mean; 0: no bound. */
  constructor(percent: number) {
    this.#factor = percent / 100;
  }

  update(members: readonly Member[]): void {
    this.#members = members;
  }

  /** Counts what is open, before one more is placed. */
  measure(): void {
    if (this.#factor === 0) return;
    let open = 1;
    let weight = 0;
    for (const member of this.#members) {
      open += member.open;
      weight += member.weight;
    }
    this.#perWeight = (this.#factor * open) / weight;
  }

  /** Of the last measure; rounded up, so that there is always somebody who is not. */
  isOver(member: Member): boolean {
    return this.#factor > 0 && member.open >= Math.ceil(this.#perWeight * member.weight);
  }
}
