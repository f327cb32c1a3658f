// Random by weight. Pure.
import type { Random } from '../../../shared/random.ts';
import type { Member } from '../member.ts';
import type { Selector } from './selector.ts';

export class RandomWeighted implements Selector {
  readonly #random: Random;
  #members: readonly Member[] = [];

  constructor(random: Random) {
    this.#random = random;
  }

  update(members: readonly Member[]): void {
    this.#members = members;
  }

  select(_hash: number, isFree: (member: Member) => boolean): Member | undefined {
    return draw(this.#members, isFree, this.#random);
  }
}

/** One of those that are free, by weight. */
export function draw(
  members: readonly Member[],
  isFree: (member: Member) => boolean,
  random: Random,
  but?: Member,
): Member | undefined {
  let total = 0;
  for (const member of members) {
    if (member !== but && isFree(member)) total += member.weight;
  }
  let left = random.next() * total;
  let last: Member | undefined;
  for (const member of members) {
    if (member === but || !isFree(member)) continue;
    last = member;
    left -= member.weight;
    if (left < 0) break;
  }
  return last;
}
