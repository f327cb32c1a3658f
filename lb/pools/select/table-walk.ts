// What ring and maglev share: a table of owners is walked from the key's place on to the first
// owner that is free, so that who is away moves only its own keys. Tables are made when they are
// needed, and of all targets of the tier. Pure.
import type { Member } from '../member.ts';
import { Bound } from './bound.ts';
import type { Selector } from './selector.ts';

export interface OwnerTable {
  /** Where the walk begins: an index of `owners`. */
  startOf(hash: number): number;
  /** How far it goes each time; the walk meets all. */
  stepOf(hash: number): number;
  /** Each an index of the targets that the table was made of. */
  readonly owners: Uint16Array;
}

export class TableWalk implements Selector {
  readonly #bound: Bound;
  readonly #build: (tier: readonly Member[]) => OwnerTable;
  #tier: readonly Member[] = [];
  #wanted = '';
  #built: string | undefined;
  #table: OwnerTable = { startOf: () => 0, stepOf: () => 1, owners: new Uint16Array(0) };
  /** By owner: the walk that met it last. */
  #met = new Uint32Array(0);
  #walks = 0;

  constructor(boundPercent: number, build: (tier: readonly Member[]) => OwnerTable) {
    this.#bound = new Bound(boundPercent);
    this.#build = build;
  }

  update(members: readonly Member[], tier: readonly Member[]): void {
    this.#bound.update(members);
    this.#tier = tier;
    this.#wanted = tier.map(({ id, weight }) => `${id}*${weight}`).join();
  }

  select(hash: number, isFree: (member: Member) => boolean): Member | undefined {
    if (this.#wanted !== this.#built) {
      this.#table = this.#build(this.#tier);
      this.#met = new Uint32Array(this.#tier.length);
      this.#built = this.#wanted;
    }
    this.#bound.measure();
    return this.#walk(hash >>> 0, isFree, true) ?? this.#walk(hash >>> 0, isFree, false);
  }

  isOverBound(member: Member): boolean {
    this.#bound.measure();
    return this.#bound.isOver(member);
  }

  #walk(hash: number, isFree: (member: Member) => boolean, isBounded: boolean): Member | undefined {
    const { owners } = this.#table;
    const step = this.#table.stepOf(hash);
    let at = this.#table.startOf(hash) % owners.length;
    this.#walks = (this.#walks + 1) >>> 0 || 1;
    let left = this.#tier.length;
    for (let seen = 0; seen < owners.length && left > 0; seen++) {
      const owner = owners[at] ?? 0;
      at = (at + step) % owners.length;
      if (this.#met[owner] === this.#walks) continue;
      this.#met[owner] = this.#walks;
      left--;
      const member = this.#tier[owner];
      if (!member?.isServing || !isFree(member)) continue;
      if (!isBounded || !this.#bound.isOver(member)) return member;
    }
    return undefined;
  }
}
