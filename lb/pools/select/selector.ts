// What the selection algorithms of a pool have in common: each in a file of its own. Pure.
import type { Member } from '../member.ts';

export interface Selector {
  /**
   * Who serves has changed, or a weight. `members` may be picked; `tier` are all of their tier,
   * what tables are made of.
   */
  update(members: readonly Member[], tier: readonly Member[]): void;
  /** One of the members that are free; undefined: none is. `hash`: 32 bits. */
  select(hash: number, isFree: (member: Member) => boolean, nowMs: number): Member | undefined;
  /** Of bounded load: the member has more than its part now. */
  isOverBound?(member: Member): boolean;
}
