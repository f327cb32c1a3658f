// Lease books on a modelled Redis, with a clock that a test moves: what the book's tests start
// from.
import { createLeaseBook, type RunningLeaseBook } from '../../../dhcpd/leases/book.ts';
import type { BookDisk, BookSettings, LeaseBookOptions } from '../../../dhcpd/leases/options.ts';
import type { Client, LeaseBackend, Offer, Pools } from '../../../dhcpd/leases/types.ts';
import { ManualClock } from '../../../shared/clock.ts';
import { type Ipv4, ipv4, parseIpv4 } from '../../../shared/net/ipv4.ts';
import { type Random, seededRandom } from '../../../shared/random.ts';
import { type ModelSettings, RedisModel } from './redis-model.ts';

export const bookSettings: BookSettings = {
  offerSeconds: 10,
  affinitySeconds: 86_400,
  reuseSeconds: 60,
  maxLeaseSeconds: 3600,
  snapshotSeconds: 0,
};

export function at(text: string): Ipv4 {
  const address = parseIpv4(text);
  if (address === undefined) throw new Error(`${text} is no address`);
  return address;
}

export function poolOf(first: string, last: string, excluded: readonly string[] = []): Pools {
  const taken = new Set(excluded.map(at));
  return {
    id: `${first}-${last}`,
    ranges: [{ first: at(first), last: at(last) }],
    excluded: (address) => taken.has(address),
  };
}

export function clientOf(number: number): Client {
  const chaddr = Uint8Array.of(2, 0, number >>> 24, number >>> 16, number >>> 8, number);
  return { key: Uint8Array.of(0, 1, ...chaddr), htype: 1, chaddr };
}

/** A disk in memory; what was not synced is lost by crash(). */
export class MemoryDisk implements BookDisk {
  journal: Uint8Array[] = [];
  snapshot: Uint8Array[] | undefined;
  #pending = new Set<() => void>();
  syncs: 'at once' | 'never' = 'at once';

  appendJournal(bytes: Uint8Array): Promise<void> {
    if (this.syncs === 'never') return new Promise((resolve) => this.#pending.add(resolve));
    this.journal.push(bytes);
    return Promise.resolve();
  }

  async readJournal(): Promise<Uint8Array> {
    return Buffer.concat(this.journal);
  }

  async clearJournal(): Promise<void> {
    this.journal = [];
  }

  async writeSnapshot(chunks: AsyncIterable<Uint8Array>): Promise<void> {
    const written: Uint8Array[] = [];
    for await (const chunk of chunks) written.push(Uint8Array.from(chunk));
    this.snapshot = written;
  }

  async readSnapshot(): Promise<AsyncIterable<Uint8Array> | undefined> {
    const { snapshot } = this;
    if (snapshot === undefined) return undefined;
    return (async function* () {
      yield* snapshot;
    })();
  }
}

export type RiggedBook = {
  book: RunningLeaseBook;
  backend: ReturnType<RedisModel['connect']>;
  disk: MemoryDisk;
  events: string[];
  crash: () => void;
};

export class BookRig {
  readonly clock = new ManualClock();
  readonly random: Random;
  readonly model: RedisModel;
  readonly pools: Pools[];
  readonly settings: BookSettings;
  members = 1;

  constructor(options: {
    seed?: number;
    pools: Pools[];
    settings?: Partial<BookSettings>;
    model?: Partial<ModelSettings>;
  }) {
    this.random = seededRandom(options.seed ?? 1);
    const { clock, random } = this;
    this.model = new RedisModel({ clock, random, settings: options.model ?? {} });
    this.pools = options.pools;
    this.settings = { ...bookSettings, ...options.settings };
  }

  /** Not started yet. */
  book(instance: number, more: More = {}): RiggedBook {
    const backend = this.model.connect();
    const disk = more.disk ?? new MemoryDisk();
    const events: string[] = [];
    const controller = new AbortController();
    const options: LeaseBookOptions = {
      backend: more.wrap?.(backend) ?? backend,
      clock: this.clock,
      random: this.random,
      instance,
      members: () => more.members ?? this.members,
      pools: () => this.pools,
      settings: this.settings,
      disk,
      uptime: () => ({ boot: 'one', ms: this.clock.monotonicMs() }),
      notice: (event) => events.push(event),
    };
    const book = createLeaseBook(options);
    const start = book.start.bind(book);
    book.start = () => start(controller.signal);
    return { book, backend, disk, events, crash: () => controller.abort(new Error('crash')) };
  }

  async started(instance: number, more: More = {}) {
    const rigged = this.book(instance, more);
    await this.run(rigged.book.start(new AbortController().signal));
    return rigged;
  }

  /** Moves time until the promise settles. */
  async run<T>(work: T | Promise<T>, withinMs = 30_000): Promise<T> {
    let isDone = false;
    const watched = Promise.resolve(work).finally(() => {
      isDone = true;
    });
    watched.catch(() => {}); // the caller awaits `watched` itself
    for (let ms = 0; !isDone && ms < withinMs; ms += 10) await this.clock.advance(10);
    if (!isDone) throw new Error(`not settled within ${withinMs} ms of model time`);
    return watched;
  }

  async offer(book: RunningLeaseBook, number: number, preferred: Ipv4[] = []) {
    const [pools] = this.pools;
    if (pools === undefined) throw new Error('a rig needs pools');
    return this.run(book.offer({ client: clientOf(number), pools, preferred }));
  }

  async bind(book: RunningLeaseBook, number: number, address: Ipv4, leaseSeconds = 600) {
    const client = clientOf(number);
    return this.run(book.bind({ client, address, leaseSeconds, offered: true }));
  }

  async renew(book: RunningLeaseBook, number: number, address: Ipv4, leaseSeconds = 600) {
    const client = clientOf(number);
    return this.run(book.renew({ client, address, leaseSeconds, offered: false }));
  }

  /** DISCOVER to ACK. */
  async lease(book: RunningLeaseBook, number: number, leaseSeconds = 600): Promise<Ipv4> {
    const offer: Offer | undefined = await this.offer(book, number);
    if (offer === undefined) throw new Error(`client ${number} got no offer`);
    const bound = await this.bind(book, number, offer.address, leaseSeconds);
    if (bound.outcome !== 'bound') throw new Error(`client ${number}: ${bound.outcome}`);
    return offer.address;
  }
}

export type Wrap = (backend: LeaseBackend) => LeaseBackend;
/** `members`: as this book believes. */
export type More = { disk?: MemoryDisk; wrap?: Wrap; members?: number };

export { ipv4 };
