// Group commit (docs/leases.md §6): what is asked while a pipeline is under way makes up the next
// one. Every reply of Redis passes here: it moves the time estimate, and its records go into the
// replica, the refused ones too.
import { describeError } from '../../shared/errors.ts';
import type { Ground } from './ground.ts';
import { blockOf } from './record.ts';
import { CODE, type Item } from './types.ts';

export const MAX_ITEMS = 128;
const MAX_IN_FLIGHT = 2;
/** More wait than any instance works off before its clients ask again. */
const MAX_PENDING = 8192;
/** After which a client has asked again, so that nobody waits for this any more (§7). */
const MAX_AGE_MS = 4000;
const MAX_TRIES = 4;

export type Outcome =
  | {
      ran: true;
      code: number;
      record: Uint8Array;
      nowSeconds: number;
      durable: boolean;
      /** Monotonic, when the pipeline was sent: the script ran later than that (R5). */
      startedMs: number;
    }
  | { ran: false; why: 'store' | 'fenced' | 'late' };

type Waiting = { item: Item; resolve: (outcome: Outcome) => void; sinceMs: number; tries: number };

const ignore = () => {};
const store: Outcome = { ran: false, why: 'store' };

export type CommitCounters = {
  pending: number;
  inFlight: number;
  batches: number;
  items: number;
  /** Refused because the queue was full, or too old when their turn came. */
  dropped: number;
  late: number;
  failed: number;
  notDurable: number;
  fenced: number;
  lastMs: number;
  totalMs: number;
};

/** Makes blocks ours again after a fenced call; resolves when it is worth trying again. */
export type Unfence = (blocks: readonly number[]) => Promise<void>;

export class Commits {
  readonly #ground: Ground;
  readonly #unfence: Unfence;
  #queue: Waiting[] = [];
  /** Of the queue, those already taken. */
  #taken = 0;
  readonly #running = new Set<readonly Waiting[]>();
  #scheduled = false;
  #isOpen = false;
  #counters = {
    batches: 0,
    items: 0,
    dropped: 0,
    late: 0,
    failed: 0,
    notDurable: 0,
    fenced: 0,
    lastMs: 0,
    totalMs: 0,
  };

  constructor(ground: Ground, unfence: Unfence) {
    this.#ground = ground;
    this.#unfence = unfence;
  }

  get counters(): CommitCounters {
    return { ...this.#counters, pending: this.#pending, inFlight: this.#running.size };
  }

  get #pending(): number {
    return this.#queue.length - this.#taken;
  }

  submit(item: Item): Promise<Outcome> {
    return new Promise((resolve) => this.#enqueue(item, resolve));
  }

  /** Each is told of by its index; resolves after the last. */
  submitAll(items: readonly Item[], told: (index: number, outcome: Outcome) => void) {
    const { promise, resolve } = Promise.withResolvers<void>();
    let left = items.length;
    if (left === 0) resolve();
    for (const [index, item] of items.entries()) {
      this.#enqueue(item, (outcome) => {
        told(index, outcome);
        left--;
        if (left === 0) resolve();
      });
    }
    return promise;
  }

  /** For what nobody waits for. */
  behind(item: Item): void {
    this.#enqueue(item, ignore);
  }

  open(): void {
    this.#isOpen = true;
    this.#schedule();
  }

  /** Redis is gone: who waits learns it now, and nothing more is sent. */
  close(): void {
    this.#isOpen = false;
    const waiting = [...this.#queue.slice(this.#taken), ...[...this.#running].flat()];
    this.#queue = [];
    this.#taken = 0;
    for (const { resolve } of waiting) resolve(store);
  }

  /** At once and past the queue: for recovery and the journal, at most MAX_ITEMS. */
  async runNow(items: readonly Item[]): Promise<Outcome[] | 'fenced' | 'store'> {
    const startedMs = this.#ground.clock.monotonicMs();
    const epoch = this.#ground.epoch;
    try {
      const reply = await this.#ground.backend.run(items);
      this.#ground.sample(reply.nowSeconds, startedMs);
      if ('fenced' in reply) {
        this.#counters.fenced++;
        return 'fenced';
      }
      const { nowSeconds, durable, results } = reply;
      if (!durable) this.#counters.notDurable++;
      return results.map(({ code, record }, i) => {
        const item = items[i];
        const isDurable = durable && code === CODE.done;
        if (item !== undefined) this.#ground.learn(item.address, record, epoch, isDurable);
        return { ran: true, code, record, nowSeconds, durable, startedMs };
      });
    } catch (error) {
      this.#counters.failed++;
      this.#ground.failed(describeError(error));
      return 'store';
    }
  }

  #enqueue(item: Item, resolve: (outcome: Outcome) => void): void {
    if (!this.#isOpen || this.#pending >= MAX_PENDING) {
      if (this.#isOpen) this.#counters.dropped++;
      resolve(store);
      return;
    }
    this.#queue.push({ item, resolve, sinceMs: this.#ground.clock.monotonicMs(), tries: 0 });
    this.#schedule();
  }

  /** What comes in with the same turn goes out together. */
  #schedule(): void {
    if (this.#scheduled || !this.#isOpen || this.#running.size >= MAX_IN_FLIGHT) return;
    this.#scheduled = true;
    queueMicrotask(() => {
      this.#scheduled = false;
      while (this.#isOpen && this.#running.size < MAX_IN_FLIGHT) {
        const batch = this.#take();
        if (batch.length === 0) return;
        this.#running.add(batch);
        void this.#run(batch).finally(() => {
          this.#running.delete(batch);
          this.#schedule();
        });
      }
    });
  }

  #take(): Waiting[] {
    const batch: Waiting[] = [];
    const oldest = this.#ground.clock.monotonicMs() - MAX_AGE_MS;
    while (batch.length < MAX_ITEMS && this.#taken < this.#queue.length) {
      const next = this.#queue[this.#taken++];
      if (next === undefined) break;
      if (next.sinceMs < oldest) {
        this.#counters.late++;
        next.resolve({ ran: false, why: 'late' });
      } else batch.push(next);
    }
    if (this.#taken === this.#queue.length) {
      this.#queue = [];
      this.#taken = 0;
    }
    return batch;
  }

  async #run(batch: readonly Waiting[]): Promise<void> {
    const startedMs = this.#ground.clock.monotonicMs();
    const outcomes = await this.runNow(batch.map(({ item }) => item));
    if (outcomes === 'fenced') return this.#again(batch);
    if (outcomes === 'store') {
      for (const { resolve } of batch) resolve(store);
      return;
    }
    this.#counters.batches++;
    this.#counters.items += batch.length;
    this.#counters.lastMs = this.#ground.clock.monotonicMs() - startedMs;
    this.#counters.totalMs += this.#counters.lastMs;
    for (const [i, { resolve }] of batch.entries()) resolve(outcomes[i] ?? store);
  }

  async #again(batch: readonly Waiting[]): Promise<void> {
    try {
      await this.#unfence([...new Set(batch.map(({ item }) => blockOf(item.address)))]);
    } catch (error) {
      this.#ground.failed(describeError(error));
    }
    const again = batch.filter((each) => {
      if (++each.tries < MAX_TRIES && this.#isOpen) return true;
      each.resolve({ ran: false, why: 'fenced' });
      return false;
    });
    this.#queue = [...again, ...this.#queue.slice(this.#taken)];
    this.#taken = 0;
  }
}
