// The short reserve (docs/leases.md §1, §5): addresses set aside in Redis so that an offer needs no
// round trip. Filled ahead of need, as large as the demand, and never more than a share of what is
// free. Also who knows which addresses this process has in hand, in whatever way.
import type { Commits, Outcome } from './commits.ts';
import type { Ground } from './ground.ts';
import { type Free, Pool } from './pool.ts';
import { encodeRecord, FIELD, FLAG, HEADER_BYTES, RECORD_BYTES } from './record.ts';
import { CODE, type Item, type Pools, STATE } from './types.ts';

const TERM_SECONDS = 60;
const MAX_REFILL = 1024;
const MIN_REFILL = 8;
/** An offer has to be bound while its reserve lasts. */
const SPARE_SECONDS = 3;
const IDLE_MS = 5000;
/** After a search that found nothing. */
const EMPTY_MS = 100;
/** Blocks whose quarantine Redis told without its end are tried again after this. */
const UNKNOWN_QUARANTINE_SECONDS = 5;

type Stock = {
  pool: Pool;
  /** Used from #head on: the one that lapses first. */
  ready: number[];
  head: number;
  refilling: Promise<void> | undefined;
  takes: number;
  rate: number;
  lastTakeMs: number;
  emptyUntilMs: number;
};

export class Reserve {
  readonly #ground: Ground;
  readonly #commits: Commits;
  readonly #stocks = new Map<string, Stock>();
  /** Ready, offered, on its way, or a long reserve. */
  readonly #inHand = new Set<number>();
  #plan: readonly Pools[] | undefined;

  constructor(ground: Ground, commits: Commits) {
    this.#ground = ground;
    this.#commits = commits;
  }

  get ready(): number {
    let count = 0;
    for (const { ready, head } of this.#stocks.values()) count += ready.length - head;
    return count;
  }

  /** The pool of a plan; one that is not in the plan in force gets its place here, too. */
  pool(pools: Pools): Pool {
    return this.#stock(pools).pool;
  }

  get pools(): Pool[] {
    return [...this.#stocks.values()].map(({ pool }) => pool);
  }

  /** A new plan: what is no longer in it gives its reserve back. */
  replan(plan: readonly Pools[]): void {
    if (plan === this.#plan) return;
    this.#plan = plan;
    const ids = new Set(plan.map(({ id }) => id));
    for (const [id, stock] of this.#stocks) {
      if (ids.has(id)) continue;
      this.#stocks.delete(id);
      this.#returnAll(stock);
    }
    for (const pools of plan) this.#stock(pools, false).pool.recount();
    this.#ground.ledger.setPools(this.pools);
  }

  /** One from memory, and more fetched when few are left. */
  take(pools: Pools): number | undefined {
    const stock = this.#stock(pools);
    stock.takes++;
    stock.lastTakeMs = this.#ground.clock.monotonicMs();
    const address = this.#next(stock);
    // Who finds nothing waits: a burst is met by twice as much each time, not at its end.
    if (address === undefined && stock.refilling === undefined)
      stock.rate = Math.min(2 * MAX_REFILL, Math.max(2 * stock.rate, 16 * MIN_REFILL));
    if (stock.ready.length - stock.head < this.#target(stock) / 2) void this.#refill(stock);
    return address;
  }

  async takeWaiting(pools: Pools): Promise<number | undefined> {
    // A search may end before it has seen all, so it is asked for more than once.
    for (let round = 0; round < 3; round++) {
      const stock = this.#stock(pools);
      await this.#refill(stock);
      const address = this.#next(stock);
      if (address !== undefined) return address;
    }
    return undefined;
  }

  /** Whether the address is in hand and free to be offered now; then it is the caller's. */
  claim(pools: Pools, address: number): boolean {
    const stock = this.#stock(pools);
    const at = stock.ready.indexOf(address, stock.head);
    if (at < 0) return false;
    stock.ready.splice(at, 1);
    if (this.isUsable(address)) return true;
    this.#inHand.delete(address);
    return false;
  }

  /** This very address: a round trip, together with others. */
  async special(address: number): Promise<boolean> {
    if (this.#inHand.has(address)) return false;
    this.#inHand.add(address);
    const outcome = await this.#commits.submit(this.item('reserve', address, TERM_SECONDS));
    if (outcome.ran && outcome.code === CODE.done) return true;
    this.#inHand.delete(address);
    return false;
  }

  /** An offer that came to nothing. */
  giveBack(address: number): void {
    if (!this.#inHand.has(address)) return;
    const stock = [...this.#stocks.values()].find(({ pool }) => pool.allows(address));
    if (stock !== undefined && this.isUsable(address)) stock.ready.push(address);
    else this.#inHand.delete(address);
  }

  /** Bound, or lost: nobody's in this process any more. */
  forget(address: number): void {
    this.#inHand.delete(address);
  }

  isInHand(address: number): boolean {
    return this.#inHand.has(address);
  }

  /** Ours in Redis for as long as an offer lasts, as far as we know. */
  isUsable(address: number): boolean {
    const { replica, time, instance, settings } = this.#ground;
    const block = replica.block(address);
    if (block === undefined || block.epoch !== this.#ground.epoch) return false;
    if (replica.state(block, address) !== STATE.reserved) return false;
    const at = HEADER_BYTES + RECORD_BYTES * (address & 255);
    if (((block.bytes[at + FIELD.flags] ?? 0) & FLAG.longReserve) !== 0) return false;
    if (replica.field(block, address, FIELD.instance) !== instance) return false;
    if (replica.isSuspect(block, address, time.earliest)) return false;
    const left = replica.field(block, address, FIELD.holdUntil) - time.latest;
    return left >= Math.min(settings.offerSeconds, TERM_SECONDS / 2) + SPARE_SECONDS;
  }

  item(op: 'reserve' | 'unreserve', address: number, seconds: number, isLongReserve = false): Item {
    const { instance } = this.#ground;
    const record = encodeRecord({ state: STATE.reserved, instance, isLongReserve });
    return { op, address: address as Item['address'], record, seconds }; // from a pool's range
  }

  /** Addresses to reserve; they are in hand from now on. */
  pick(pool: Pool, count: number): number[] {
    const before = this.#ground.time.earliest - this.#ground.settings.affinitySeconds;
    const picked = pool.pick(count, before, this);
    for (const address of picked) this.#inHand.add(address);
    return picked;
  }

  /** What a reserve came to; what was not had goes back to where it came from. */
  settle(pool: Pool, address: number, outcome: Outcome): boolean {
    if (outcome.ran && outcome.code === CODE.done) return true;
    this.#inHand.delete(address);
    const { replica, ledger, time } = this.#ground;
    const block = replica.block(address);
    if (outcome.ran && outcome.code === CODE.quarantine && block !== undefined) {
      const until = time.latest + UNKNOWN_QUARANTINE_SECONDS;
      block.quarantineUntil = Math.max(block.quarantineUntil, until);
    }
    if (block === undefined || this.unused(address) !== 'no') {
      pool.unusedAgain(address);
    } else {
      const holdUntil = replica.field(block, address, FIELD.holdUntil);
      if (ledger.isFreed(address, holdUntil)) pool.freed.push(address, holdUntil);
    }
    return false;
  }

  // Availability, for Pool.pick.

  unused(address: number): Free {
    if (this.#inHand.has(address)) return 'no';
    const { replica, time } = this.#ground;
    const block = replica.block(address);
    if (block === undefined) return 'yes';
    if (block.epoch !== this.#ground.epoch) return 'later';
    const state = replica.state(block, address);
    if (state === STATE.unused)
      return (address & 255) < block.skipBelow && this.#isQuarantined(block) ? 'later' : 'yes';
    // A reserve that lapsed, of an address that never had a client.
    if (state !== STATE.reserved || replica.field(block, address, FIELD.generation) > 0)
      return 'no';
    if (time.earliest <= replica.field(block, address, FIELD.holdUntil)) return 'no';
    return this.#isQuarantined(block) ? 'later' : 'yes';
  }

  usedIn(address: number): number {
    return this.#ground.replica.block(address)?.used ?? 0;
  }

  freed(address: number, holdUntil: number): Free {
    const block = this.#ground.replica.block(address);
    if (block === undefined || !this.#ground.ledger.isFreed(address, holdUntil)) return 'no';
    if (this.#inHand.has(address)) return 'no';
    if (block.epoch !== this.#ground.epoch || this.#isQuarantined(block)) return 'later';
    return this.#ground.time.earliest > holdUntil ? 'yes' : 'later';
  }

  #isQuarantined(block: { quarantineUntil: number }): boolean {
    return block.quarantineUntil >= this.#ground.time.earliest;
  }

  /** Once a second: how much is asked for, and what lies idle near exhaustion. */
  tick(): void {
    const nowMs = this.#ground.clock.monotonicMs();
    for (const stock of this.#stocks.values()) {
      stock.rate = Math.max(stock.takes, stock.rate * 0.7);
      stock.takes = 0;
      const isIdle = nowMs - stock.lastTakeMs > IDLE_MS;
      if (isIdle && this.#share(stock) < MIN_REFILL) this.#returnAll(stock);
      else if (!isIdle) void this.#refill(stock);
    }
  }

  /** Some addresses may be had again, after a comparison or a quarantine. */
  lookAgain(): void {
    for (const { pool } of this.#stocks.values()) pool.lookAgain();
  }

  /** At the stop: the others may have them at once. */
  returnAll(): void {
    for (const stock of this.#stocks.values()) this.#returnAll(stock);
  }

  #stock(pools: Pools, register = true): Stock {
    const known = this.#stocks.get(pools.id);
    if (known !== undefined && (known.pool.isOf(pools) || known.pool.hasSameRanges(pools))) {
      known.pool.use(pools);
      return known;
    }
    if (known !== undefined) this.#returnAll(known);
    const pool = new Pool(pools, startOf(pools.id, this.#ground.instance));
    const made: Stock = {
      pool,
      ready: [],
      head: 0,
      refilling: undefined,
      takes: 0,
      rate: 0,
      lastTakeMs: Number.NEGATIVE_INFINITY,
      emptyUntilMs: Number.NEGATIVE_INFINITY,
    };
    this.#stocks.set(pools.id, made);
    if (register) this.#ground.ledger.setPools(this.pools);
    return made;
  }

  #next(stock: Stock): number | undefined {
    while (stock.head < stock.ready.length) {
      const address = stock.ready[stock.head++];
      if (address === undefined) break;
      if (stock.head > MAX_REFILL) {
        stock.ready = stock.ready.slice(stock.head);
        stock.head = 0;
      }
      if (stock.pool.allows(address) && this.isUsable(address)) return address;
      this.#inHand.delete(address); // it lapses
    }
    stock.ready = [];
    stock.head = 0;
    return undefined;
  }

  /** §5: what one instance may set aside. */
  #share(stock: Stock): number {
    const share = Math.floor(stock.pool.counts.free / (8 * this.#ground.members()));
    return Math.min(MAX_REFILL, Math.max(1, share));
  }

  #target(stock: Stock): number {
    const demand = Math.ceil(Math.max(stock.rate, stock.takes) / 2);
    return Math.min(this.#share(stock), Math.max(MIN_REFILL, demand));
  }

  #refill(stock: Stock): Promise<void> {
    if (stock.refilling !== undefined) return stock.refilling;
    const count = this.#target(stock) - (stock.ready.length - stock.head);
    if (count <= 0 || this.#ground.clock.monotonicMs() < stock.emptyUntilMs)
      return Promise.resolve();
    stock.refilling = this.#fetch(stock, count).finally(() => {
      stock.refilling = undefined;
    });
    return stock.refilling;
  }

  async #fetch(stock: Stock, count: number): Promise<void> {
    this.#ground.ledger.advance(1024);
    const { pool } = stock;
    const picked = this.pick(pool, count);
    if (picked.length === 0 && !pool.mayHaveUnused)
      stock.emptyUntilMs = this.#ground.clock.monotonicMs() + EMPTY_MS;
    let refused = 0;
    // The very same record: addresses in a row are one change to Redis.
    const { record } = this.item('reserve', 0, TERM_SECONDS);
    const items = picked.map((address) => ({
      op: 'reserve' as const,
      address: address as Item['address'], // from a pool's range
      record,
      seconds: TERM_SECONDS,
    }));
    await this.#commits.submitAll(items, (index, outcome) => {
      const address = picked[index] ?? 0;
      if (this.settle(pool, address, outcome)) stock.ready.push(address);
      else if (outcome.ran) refused++;
    });
    // Another instance's cursor has come here.
    if (refused > picked.length / 2) pool.jump(this.#ground.random.next());
    // The pool's plan may have gone meanwhile.
    if (this.#stocks.get(pool.id) !== stock) this.#returnAll(stock);
  }

  #returnAll(stock: Stock): void {
    for (const address of stock.ready.slice(stock.head)) {
      this.#inHand.delete(address);
      this.#commits.behind(this.item('unreserve', address, 0));
    }
    stock.ready = [];
    stock.head = 0;
  }
}

/** Each instance's own place in each pool, the same after a restart. */
function startOf(id: string, instance: number): number {
  let hash = instance;
  for (let i = 0; i < id.length; i++) hash = Math.imul(hash ^ id.charCodeAt(i), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
  return (hash ^ (hash >>> 13)) >>> 0;
}
