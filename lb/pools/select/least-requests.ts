// Least requests: who has the fewest open ones for its weight; equals take turns by weight. A
// target that fails at once has always few: how well it is counts with it. Pure.
import type { Member } from '../member.ts';
import { nextInTurn } from './round-robin.ts';
import type { Selector } from './selector.ts';

export class LeastRequests implements Selector {
  #members: readonly Member[] = [];

  update(members: readonly Member[]): void {
    this.#members = members;
  }

  select(_hash: number, isFree: (member: Member) => boolean, nowMs: number): Member | undefined {
    let least = Number.POSITIVE_INFINITY;
    let equals: Member[] = [];
    for (const member of this.#members) {
      if (!isFree(member)) continue;
      const load = loadOf(member, nowMs);
      if (load > least) continue;
      if (load < least) equals = [];
      least = load;
      equals.push(member);
    }
    return equals.length > 1 ? nextInTurn(equals, () => true) : equals[0];
  }
}

/**
 * Half a request more than are open divides most evenly by weight (Webster's method); where nothing
 * is open, all are alike. Failures of late count as if they were open still.
 */
function loadOf(member: Member, nowMs: number): number {
  const well = member.wellAt(nowMs);
  if (member.open === 0 && well === 1) return 0;
  return (member.open + 0.5) / (member.weight * well * well);
}
