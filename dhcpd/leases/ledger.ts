// Keeps counts, the order of expiry and what is freed equal to the replica: told of every changed
// record, and of the time. Pools may overlap; each keeps its own. Pure.
import { Expiry } from './expiry.ts';
import type { Pool } from './pool.ts';
import { FIELD, NO_END } from './record.ts';
import type { Block, Replica } from './replica.ts';
import { STATE } from './types.ts';

const KIND = { unused: 0, bound: 1, declined: 2, held: 3, lapsed: 4 } as const;

export class Ledger {
  readonly #replica: Replica;
  readonly #expiry: Expiry;
  readonly #earliestNow: () => number;
  #pools: readonly Pool[] = [];
  /** All ranges of all pools, cut so that each piece has one list of pools. */
  #pieces: { first: number; pools: Pool[] }[] = [];

  constructor(replica: Replica, earliestNow: () => number) {
    this.#replica = replica;
    this.#earliestNow = earliestNow;
    this.#expiry = new Expiry({
      dueAt: (address) => replica.block(address)?.dueAt[address & 255] ?? 0,
      setDueAt: (address, second) => {
        const block = replica.block(address);
        if (block !== undefined) block.dueAt[address & 255] = second;
      },
    });
    replica.onChange((address, block) => this.#changed(address, block));
  }

  get pools(): readonly Pool[] {
    return this.#pools;
  }

  poolsAt(address: number): readonly Pool[] {
    let low = 0;
    let high = this.#pieces.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#pieces[middle]?.first ?? 0) <= address) low = middle + 1;
      else high = middle;
    }
    return this.#pieces[low - 1]?.pools ?? [];
  }

  /** New pools start with what the replica has of them. */
  setPools(pools: readonly Pool[]): void {
    const added = pools.filter((pool) => !this.#pools.includes(pool));
    this.#pools = pools;
    this.#pieces = pieces(pools);
    for (const pool of added) this.#fill(pool);
  }

  /** Moves what is over by now; at most `budget` addresses. What it did. */
  advance(budget: number): number {
    return this.#expiry.due(this.#earliestNow(), budget, (address) => this.#due(address));
  }

  #changed(address: number, block: Block): void {
    const octet = address & 255;
    const kind = this.#kindOf(address, block);
    const before = block.kind[octet] ?? KIND.unused;
    if (kind !== before) this.#recount(address, block, before, kind);
    if (kind === KIND.unused) {
      if (before !== KIND.unused)
        for (const pool of this.poolsAt(address)) pool.unusedAgain(address);
      return;
    }
    const holdUntil = this.#replica.field(block, address, FIELD.holdUntil);
    if (holdUntil !== NO_END) this.#expiry.add(address, holdUntil);
  }

  #due(address: number): void {
    const block = this.#replica.block(address);
    if (block === undefined || this.#replica.state(block, address) === STATE.unused) return;
    const holdUntil = this.#replica.field(block, address, FIELD.holdUntil);
    const kind = this.#kindOf(address, block);
    const before = block.kind[address & 255] ?? KIND.unused;
    if (kind !== before) this.#recount(address, block, before, kind);
    if (kind !== KIND.lapsed) {
      if (holdUntil !== NO_END) this.#expiry.add(address, holdUntil);
      return;
    }
    for (const pool of this.poolsAt(address)) this.#free(pool, address, block, holdUntil);
  }

  #free(pool: Pool, address: number, block: Block, holdUntil: number): void {
    // A reserve that lapsed without ever having had a client.
    if (this.#isReserved(block, address) && this.#generationOf(block, address) === 0) {
      pool.unusedAgain(address);
      return;
    }
    pool.freed.push(address, holdUntil);
    const { bound, total } = pool.counts;
    if (pool.freed.length <= 1024 + 2 * (total - bound)) return;
    pool.freed.compact((each, hold) => this.isFreed(each, hold));
  }

  /** Whether this is still the news of its freeing. */
  isFreed(address: number, holdUntil: number): boolean {
    const block = this.#replica.block(address);
    if (block === undefined || this.#replica.state(block, address) === STATE.unused) return false;
    return this.#replica.field(block, address, FIELD.holdUntil) === holdUntil;
  }

  #isReserved(block: Block, address: number): boolean {
    return this.#replica.state(block, address) === STATE.reserved;
  }

  #generationOf(block: Block, address: number): number {
    return this.#replica.field(block, address, FIELD.generation);
  }

  #kindOf(address: number, block: Block): number {
    const state = this.#replica.state(block, address);
    if (state === STATE.unused) return KIND.unused;
    const holdUntil = this.#replica.field(block, address, FIELD.holdUntil);
    if (holdUntil !== NO_END && this.#earliestNow() > holdUntil) return KIND.lapsed;
    if (state === STATE.bound) return KIND.bound;
    return state === STATE.declined ? KIND.declined : KIND.held;
  }

  #recount(address: number, block: Block, before: number, kind: number): void {
    block.kind[address & 255] = kind;
    const bound = Number(kind === KIND.bound) - Number(before === KIND.bound);
    const declined = Number(kind === KIND.declined) - Number(before === KIND.declined);
    if (bound === 0 && declined === 0) return;
    for (const pool of this.poolsAt(address)) {
      pool.countBound(bound);
      pool.countDeclined(declined);
    }
  }

  /** A pool of a new plan: about 1 ms for 100 blocks that are in use. */
  #fill(pool: Pool): void {
    for (const block of blocksOf(pool, this.#replica)) {
      for (let octet = 0; octet < 256; octet++) {
        const kind = block.kind[octet];
        const address = block.number * 256 + octet;
        if (kind === KIND.unused || !pool.has(address)) continue;
        if (kind === KIND.bound) pool.countBound(1);
        if (kind === KIND.declined) pool.countDeclined(1);
        // What is lapsed already has left the wheel: in again, so that it comes in its order.
        if (kind === KIND.lapsed) this.#expiry.add(address, this.#holdOf(block, address));
      }
    }
  }

  #holdOf(block: Block, address: number): number {
    return this.#replica.field(block, address, FIELD.holdUntil);
  }
}

function* blocksOf(pool: Pool, replica: Replica): Generator<Block> {
  let last = -1;
  for (const range of pool.ranges) {
    const from = Math.max(last + 1, range.first >>> 8);
    last = range.last >>> 8;
    // Whichever are fewer: the blocks of the range, or those that there are.
    if (last - from > replica.blocks.size) {
      for (const block of replica.blocks.values()) {
        if (block.number >= from && block.number <= last) yield block;
      }
    } else {
      for (let number = from; number <= last; number++) {
        const block = replica.blocks.get(number);
        if (block !== undefined) yield block;
      }
    }
  }
}

function pieces(pools: readonly Pool[]): { first: number; pools: Pool[] }[] {
  const ranges = pools.flatMap((pool) =>
    pool.ranges.map(({ first, last }) => ({ first, last, pool })),
  );
  const edges = new Map<number, { opens: Pool[]; closes: Pool[] }>();
  const edge = (at: number) => {
    const known = edges.get(at) ?? { opens: [], closes: [] };
    edges.set(at, known);
    return known;
  };
  for (const { first, last, pool } of ranges) {
    edge(first).opens.push(pool);
    edge(last + 1).closes.push(pool);
  }
  const open = new Set<Pool>();
  return [...edges.keys()]
    .sort((a, b) => a - b)
    .map((first) => {
      for (const pool of edges.get(first)?.closes ?? []) open.delete(pool);
      for (const pool of edges.get(first)?.opens ?? []) open.add(pool);
      return { first, pools: [...open] };
    });
}
