// Smooth weighted round robin: who has waited most for its weight is next, so that a heavy target's
// turns are spread (after nginx's). Pure.
import type { Member } from '../member.ts';
import type { Selector } from './selector.ts';

export class RoundRobin implements Selector {
  #members: readonly Member[] = [];

  update(members: readonly Member[]): void {
    this.#members = members;
  }

  select(_hash: number, isFree: (member: Member) => boolean): Member | undefined {
    return nextInTurn(this.#members, isFree);
  }
}

/** Turns are counted among those that are free, in Member.credit. */
export function nextInTurn(
  members: readonly Member[],
  isFree: (member: Member) => boolean,
): Member | undefined {
  let total = 0;
  let best: Member | undefined;
  for (const member of members) {
    if (!isFree(member)) continue;
    total += member.weight;
    member.credit += member.weight;
    if (best === undefined || member.credit > best.credit) best = member;
  }
  if (best !== undefined) best.credit -= total;
  return best;
}
