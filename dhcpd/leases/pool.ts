// One pool in memory: how many of its addresses are what, and which one to reserve next, in O(1)
// at any size and fill: freed ones in their order, and a cursor over those that nobody ever had
// (docs/leases.md §5). Pure.
import { Freed } from './freed.ts';
import type { LeaseCounts, Pools, Range } from './types.ts';

/** How far the cursor may look in one call; the next call goes on from there. */
const MAX_STEPS = 8192;
/** So many in quarantine in a row, and the rest is not looked at now. */
const MAX_WAITING = 64;
/** Up to this size the addresses that the plan keeps for others are counted. */
const MAX_COUNTED = 65_536;

/** What a pool asks of the replica about an address. */
export interface Availability {
  /** Never used, and free to be reserved. */
  unused(address: number): Free;
  /** Records in use in the address's block, of 256. */
  usedIn(address: number): number;
  /** Freed with this hold, and free to be reserved. */
  freed(address: number, holdUntil: number): Free;
}

/** `later`: not now, as in quarantine; `no`: not any more. */
export type Free = 'yes' | 'later' | 'no';

export class Pool {
  readonly id: string;
  readonly ranges: readonly Range[];
  readonly freed = new Freed();
  /** Never used, again: their reserve lapsed or was given back. */
  readonly #again: number[] = [];
  readonly #size: number;
  #excludedCount: number;
  #pools: Pools;
  #bound = 0;
  #declined = 0;
  #cursor: number;
  /** Addresses that the cursor passed since it last found one. */
  #passed = 0;

  /** `start`: any whole number; each instance's own. */
  constructor(pools: Pools, start: number) {
    this.id = pools.id;
    this.#pools = pools;
    this.ranges = pools.ranges.toSorted((a, b) => a.first - b.first);
    this.#size = this.ranges.reduce((sum, { first, last }) => sum + last - first + 1, 0);
    const apart = this.#size > 16_384 ? 256 : 1;
    this.#cursor = (start % Math.max(1, Math.floor(this.#size / apart))) * apart;
    this.#excludedCount = this.#countExcluded();
  }

  get counts(): LeaseCounts {
    const total = this.#size - this.#excludedCount;
    const free = Math.max(0, total - this.#bound - this.#declined);
    return { bound: this.#bound, free, total, declined: this.#declined };
  }

  /** The same ranges by a newer plan, or by another word for the same one. */
  use(pools: Pools): void {
    this.#pools = pools;
  }

  /** What the plan keeps for others may have changed. */
  recount(): void {
    this.#passed = 0;
    this.#excludedCount = this.#countExcluded();
  }

  isOf(pools: Pools): boolean {
    return pools === this.#pools;
  }

  hasSameRanges(pools: Pools): boolean {
    const others = pools.ranges.toSorted((a, b) => a.first - b.first);
    return (
      others.length === this.ranges.length &&
      this.ranges.every(
        ({ first, last }, i) => others[i]?.first === first && others[i]?.last === last,
      )
    );
  }

  has(address: number): boolean {
    return this.ranges.some(({ first, last }) => address >= first && address <= last);
  }

  /** Whether it may be given to a client without a reservation. */
  allows(address: number): boolean {
    return this.has(address) && !this.#pools.excluded(address as Range['first']); // in a range
  }

  countBound(by: number): void {
    this.#bound += by;
  }

  countDeclined(by: number): void {
    this.#declined += by;
  }

  unusedAgain(address: number): void {
    if (this.#again.length < MAX_COUNTED) this.#again.push(address);
    else this.#passed = 0; // the cursor finds it
  }

  /** Some addresses to reserve, fewer when there are no more or the search took long. */
  pick(count: number, freedBefore: number, ground: Availability): number[] {
    const found = new Set<number>();
    this.#pickFreed(found, count, freedBefore, ground);
    this.#pickAgain(found, count, ground);
    this.#pickUnused(found, count, ground);
    this.#pickFreed(found, count, Number.POSITIVE_INFINITY, ground);
    return [...found];
  }

  /** Whether the cursor still has ground to cover. */
  get mayHaveUnused(): boolean {
    return this.#passed < this.#size;
  }

  /** Another instance works here as well: goes on elsewhere. */
  jump(random: number): void {
    if (this.#size <= 16_384) return;
    this.#cursor = Math.floor((random * this.#size) / 256) * 256;
  }

  /** What could not be had for a while may be had again. */
  lookAgain(): void {
    this.#passed = 0;
  }

  #pickFreed(found: Set<number>, count: number, before: number, ground: Availability): void {
    let waiting = 0;
    // What has to wait goes to the end, so one round is enough.
    for (let left = Math.min(this.freed.length, MAX_STEPS); left > 0; left--) {
      const address = this.freed.address;
      if (found.size >= count || address === undefined) return;
      const holdUntil = this.freed.holdUntil;
      const is = this.allows(address) ? ground.freed(address, holdUntil) : 'no';
      if (is === 'yes' && holdUntil >= before) return;
      this.freed.drop();
      if (is === 'yes') found.add(address);
      else if (is === 'later') {
        this.freed.push(address, holdUntil);
        if (++waiting > MAX_WAITING) return;
      }
    }
  }

  #pickAgain(found: Set<number>, count: number, ground: Availability): void {
    const waiting: number[] = [];
    while (found.size < count && waiting.length < MAX_WAITING) {
      const address = this.#again.pop();
      if (address === undefined) break;
      const is = this.allows(address) ? ground.unused(address) : 'no';
      if (is === 'yes') found.add(address);
      else if (is === 'later') waiting.push(address);
    }
    this.#again.push(...waiting);
  }

  #pickUnused(found: Set<number>, count: number, ground: Availability): void {
    for (let steps = 0; steps < MAX_STEPS && found.size < count; steps++) {
      if (!this.mayHaveUnused) return;
      const address = this.#addressAt(this.#cursor);
      const full = ground.usedIn(address) === 256;
      const rest = full ? Math.min(256 - (address & 255), this.#restOfRange(address)) : 1;
      if (!full && this.allows(address) && ground.unused(address) === 'yes') {
        found.add(address);
        this.#passed = 0;
      } else this.#passed += rest;
      this.#cursor = (this.#cursor + rest) % this.#size;
    }
  }

  #restOfRange(address: number): number {
    const range = this.ranges.find(({ first, last }) => address >= first && address <= last);
    return range === undefined ? 1 : range.last - address + 1;
  }

  /** The n-th address of all ranges. */
  #addressAt(index: number): number {
    let left = index;
    for (const { first, last } of this.ranges) {
      const size = last - first + 1;
      if (left < size) return first + left;
      left -= size;
    }
    return this.ranges[0]?.first ?? 0;
  }

  #countExcluded(): number {
    if (this.#size > MAX_COUNTED) return 0;
    let count = 0;
    for (const { first, last } of this.ranges) {
      for (let address: number = first; address <= last; address++)
        if (this.#pools.excluded(address as Range['first'])) count++; // within a range
    }
    return count;
  }
}
