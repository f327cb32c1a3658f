// The lease book: docs/leases.md from an instance's side. Decides from its replica, asks Redis for
// every change, and answers only what the rules R1 to R8 let it promise. This file builds the parts
// and runs them; the rules are in the parts.
import { describeError } from '../../shared/errors.ts';
import type { Ipv4 } from '../../shared/net/ipv4.ts';
import { jitter } from '../../shared/random.ts';
import { Commits } from './commits.ts';
import { Feed } from './feed.ts';
import { Ground } from './ground.ts';
import { Isolated } from './isolated.ts';
import { Journal } from './journal.ts';
import { Link } from './link.ts';
import { Offering } from './offering.ts';
import { clientName } from './offers.ts';
import type { BookStatus, LeaseBookOptions, RunningLeaseBook } from './options.ts';
import { Promises } from './promises.ts';
import { packedKeyOf, packKey, samePackedKey } from './record.ts';
import { Recovery } from './recovery.ts';
import { Reserve } from './reserve.ts';
import { readSnapshot, writeSnapshot } from './snapshot.ts';
import type * as types from './types.ts';
import { type Lease, STATE } from './types.ts';

export type { LeaseBookOptions, RunningLeaseBook } from './options.ts';

const TICK_MS = 100;
const TICKS_A_SECOND = 10;
/** The long reserve is looked after this often. */
const KEEP_SECONDS = 5;
/** What quarantine or a comparison kept back is looked for again. */
const LOOK_AGAIN_SECONDS = 15;
/** How long a start waits for Redis before it goes on without. */
const START_WITHOUT_MS = 2000;
/** Addresses that come due and are looked at in one go: about a millisecond. */
const DUE_BUDGET = 4096;
const STOP_WITHIN_MS = 2000;

export function createLeaseBook(options: LeaseBookOptions): RunningLeaseBook {
  return new Book(options);
}

class Book implements RunningLeaseBook {
  readonly #options: LeaseBookOptions;
  readonly #ground: Ground;
  readonly #commits: Commits;
  readonly #recovery: Recovery;
  readonly #feed: Feed;
  readonly #link: Link;
  readonly #reserve: Reserve;
  readonly #isolated: Isolated;
  readonly #offering: Offering;
  readonly #promises: Promises;
  readonly #journal: Journal | undefined;
  #ticks = 0;
  #isStopped = false;
  #lastSnapshotMs: number;
  #snapshotting: Promise<void> | undefined;
  #snapshotEpoch = 0;

  constructor(options: LeaseBookOptions) {
    this.#options = options;
    const ground = new Ground(options);
    this.#ground = ground;
    this.#recovery = new Recovery(ground, () => this.#commits);
    this.#commits = new Commits(ground, (blocks) => this.#recovery.unfence(blocks));
    this.#feed = new Feed(ground, this.#recovery);
    this.#reserve = new Reserve(ground, this.#commits);
    this.#journal = options.disk === undefined ? undefined : new Journal(options.disk);
    this.#isolated = new Isolated({
      ground,
      commits: this.#commits,
      reserve: this.#reserve,
      recovery: this.#recovery,
      journal: this.#journal,
    });
    this.#link = new Link(ground, {
      isolated: () => this.#commits.close(),
      returning: () => this.#returning(),
      up: () => this.#commits.open(),
    });
    const parts = {
      ground,
      commits: this.#commits,
      reserve: this.#reserve,
      isolated: this.#isolated,
      link: this.#link,
    };
    this.#offering = new Offering(parts);
    this.#promises = new Promises({ ...parts, offering: this.#offering });
    this.#lastSnapshotMs = ground.clock.monotonicMs();
  }

  async start(signal: AbortSignal): Promise<void> {
    const { clock } = this.#ground;
    await this.#recall();
    this.#reserve.replan(this.#options.pools());
    this.#link.isolate();
    const startMs = clock.monotonicMs();
    this.#tick(signal);
    void this.#feed.run(signal);
    while (!this.#feed.wasLoaded || this.#link.mode !== 'up') {
      signal.throwIfAborted();
      const isGone = clock.monotonicMs() - this.#ground.lastAnswerMs > START_WITHOUT_MS;
      if (isGone && clock.monotonicMs() - startMs > START_WITHOUT_MS && this.#isUseful) return;
      await clock.sleep(TICK_MS / 2, signal);
    }
  }

  /** Snapshot and journal of an earlier process. */
  async #recall(): Promise<void> {
    const { disk, uptime } = this.#options;
    if (disk === undefined) return;
    try {
      await readSnapshot(disk, this.#ground, uptime?.());
    } catch (error) {
      this.#ground.notice('book-snapshot-refused', describeError(error));
    }
    await this.#journal?.open();
    this.#isolated.recall();
  }

  /** What a start without Redis can serve: reservations and /30s need no replica. */
  get #isUseful(): boolean {
    return this.#options.disk !== undefined;
  }

  /** Redis answers (again): what was promised meanwhile first, then all else. */
  async #returning(): Promise<void> {
    const { backend } = this.#ground;
    this.#ground.noticeLineage(await backend.lineage());
    await this.#isolated.replay();
  }

  #tick(signal: AbortSignal): void {
    if (signal.aborted || this.#isStopped) return;
    this.#ticks++;
    this.#link.tick();
    if (this.#ground.time.isKnown) this.#ground.ledger.advance(DUE_BUDGET);
    if (this.#ticks % TICKS_A_SECOND === 0) this.#everySecond(this.#ticks / TICKS_A_SECOND);
    this.#ground.clock.after(TICK_MS, () => this.#tick(signal), signal);
  }

  #everySecond(second: number): void {
    this.#offering.offers.expire();
    this.#reserve.replan(this.#options.pools());
    if (this.#link.mode === 'up') {
      void this.#ground.prove();
      this.#reserve.tick();
      if (second % KEEP_SECONDS === 0 && this.#feed.isFresh) this.#keep();
    }
    if (second % LOOK_AGAIN_SECONDS === 0) this.#reserve.lookAgain();
    const { snapshotSeconds } = this.#options.settings;
    if (snapshotSeconds === 0) return;
    const sinceMs = this.#ground.clock.monotonicMs() - this.#lastSnapshotMs;
    const isDue = sinceMs >= jitter(this.#ground.random, snapshotSeconds * 1000);
    if (isDue || this.#isDiskOfBefore()) void this.#snapshot();
  }

  /**
   * The disk knows another history of Redis: after a crash, what was given back since would look
   * like lost. Not before all blocks are compared: the others are its memory of what was lost.
   */
  #isDiskOfBefore(): boolean {
    const { epoch, replica } = this.#ground;
    if (epoch === this.#snapshotEpoch || !this.#feed.isFresh) return false;
    return [...replica.blocks.values()].every((block) => block.epoch === epoch);
  }

  #keep(): void {
    void this.#isolated.keep(this.#reserve.pools).catch((error: unknown) => {
      this.#ground.failed(describeError(error));
    });
    // A journal whose promises were told, but not durably.
    if (this.#isolated.journalStatus.records > 0)
      void this.#isolated.replay().catch((error: unknown) => {
        this.#ground.failed(describeError(error));
      });
  }

  #snapshot(): Promise<void> {
    const { disk, uptime } = this.#options;
    if (disk === undefined || !this.#feed.wasLoaded) return Promise.resolve();
    if (this.#snapshotting !== undefined) return this.#snapshotting; // perhaps of an earlier epoch
    this.#lastSnapshotMs = this.#ground.clock.monotonicMs();
    this.#snapshotEpoch = this.#ground.epoch;
    this.#snapshotting = writeSnapshot(disk, this.#ground, uptime)
      .catch((error: unknown) => this.#ground.failed(describeError(error)))
      .finally(() => {
        this.#snapshotting = undefined;
      });
    return this.#snapshotting;
  }

  async stop(): Promise<void> {
    const { clock } = this.#ground;
    if (this.#link.mode === 'up') {
      this.#offering.offers.clear();
      this.#reserve.returnAll();
      this.#isolated.returnAll();
    }
    const untilMs = clock.monotonicMs() + STOP_WITHIN_MS;
    const isBusy = () => this.#commits.counters.pending + this.#commits.counters.inFlight > 0;
    while (isBusy() && clock.monotonicMs() < untilMs) await clock.sleep(5);
    if (this.#link.mode === 'up') await Promise.race([this.#ground.prove(), clock.sleep(1000)]);
    this.#isStopped = true;
    this.#commits.close();
    await this.#snapshotting;
    await this.#snapshot();
  }

  get(address: Ipv4): Lease | undefined {
    const lease = this.#ground.replica.get(address);
    if (lease === undefined || !this.#promises.isUnproven(address)) return lease;
    // Not to be told again before it is durable.
    return { ...lease, toldUntil: 0 };
  }

  ofClient(key: Uint8Array, accept: (address: Ipv4) => boolean): Lease | undefined {
    let best: Lease | undefined;
    for (const address of this.#ground.replica.ofClient(key)) {
      if (!accept(address)) continue;
      const lease = this.get(address);
      if (lease !== undefined && (best === undefined || this.#isBetter(lease, best))) best = lease;
    }
    return best;
  }

  /** Held before bound before the rest; among equals, the later hold. */
  #isBetter(lease: Lease, than: Lease): boolean {
    const rank = (each: Lease) =>
      this.isHeld(each) ? 3 : each.state === STATE.bound ? 2 : each.state === STATE.free ? 1 : 0;
    return (
      rank(lease) - rank(than) > 0 ||
      (rank(lease) === rank(than) && lease.holdUntil > than.holdUntil)
    );
  }

  isOwner(lease: Lease, key: Uint8Array): boolean {
    return samePackedKey(packedKeyOf(lease), packKey(key));
  }

  isHeld({ state, holdUntil }: Lease): boolean {
    return state === STATE.bound && this.#ground.time.earliest <= holdUntil;
  }

  lostLately(address: Ipv4): boolean {
    const { replica, time } = this.#ground;
    const until = replica.block(address)?.quarantineUntil ?? 0;
    return until > 0 && time.isKnown && until >= time.earliest;
  }

  nowSeconds(): number {
    return this.#ground.time.isKnown ? this.#ground.time.latest : 0;
  }

  get condition(): types.LeaseBook['condition'] {
    const { mode } = this.#link;
    // Without a time estimate nothing that has an end can be told (R8).
    if (mode === 'isolated')
      return this.#feed.wasLoaded || this.#isRecalled ? 'isolated' : 'starting';
    if (!this.#feed.wasLoaded) return 'starting';
    return mode === 'up' && this.#feed.isFresh ? 'fresh' : 'stale';
  }

  get #isRecalled(): boolean {
    return this.#ground.lastAnswerMs === Number.NEGATIVE_INFINITY && this.#isUseful;
  }

  offer(want: types.OfferWant): types.Later<types.Offer | undefined> {
    return this.#offering.offer(want);
  }

  wasOffered(client: types.Client, address: Ipv4): types.Later<types.Offered> {
    return this.#offering.wasOffered(client, address);
  }

  dropOffer(client: types.Client): void {
    this.#offering.offers.drop(clientName(client.key));
  }

  bind(want: types.BindWant): Promise<types.BindResult> {
    return this.#promises.bind(want);
  }

  renew(want: types.BindWant): Promise<types.BindResult> {
    return this.#promises.renew(want);
  }

  release(client: types.Client, address: Ipv4): Promise<boolean> {
    return this.#promises.release(client, address);
  }

  decline(client: types.Client, address: Ipv4, quarantineSeconds: number): Promise<boolean> {
    return this.#promises.decline(client, address, quarantineSeconds);
  }

  quarantine(address: Ipv4, quarantineSeconds: number): Promise<boolean> {
    return this.#promises.quarantine(address, quarantineSeconds);
  }

  counts(pools: types.Pools): types.LeaseCounts {
    return this.#reserve.pool(pools).counts;
  }

  status(): BookStatus {
    const { replica, time, lineage, losses, lastError, clock, lastAnswerMs } = this.#ground;
    let quarantinedBlocks = 0;
    let uncompared = 0;
    const earliest = time.isKnown ? time.earliest : 0;
    for (const { quarantineUntil, epoch } of replica.blocks.values()) {
      if (quarantineUntil >= earliest && quarantineUntil > 0) quarantinedBlocks++;
      if (epoch !== this.#ground.epoch) uncompared++;
    }
    const answerAgeMs = clock.monotonicMs() - lastAnswerMs;
    return {
      condition: this.condition,
      lineage,
      blocks: replica.blocks.size,
      records: replica.records,
      replicaBytes: replica.bytes,
      quarantinedBlocks,
      recovering: uncompared,
      reserve: {
        short: this.#reserve.ready,
        long: this.#isolated.size,
        offers: this.#offering.offers.count,
      },
      logLagMs: Number.isFinite(this.#feed.lagMs) ? this.#feed.lagMs : undefined,
      answerAgeMs: Number.isFinite(answerAgeMs) ? answerAgeMs : undefined,
      timeUncertaintySeconds: time.isKnown ? time.uncertaintySeconds : undefined,
      commits: this.#commits.counters,
      offers: { ...this.#offering.counters },
      renewals: { ...this.#promises.counters },
      journal: this.#isolated.journalStatus,
      losses,
      lastError,
    };
  }
}
