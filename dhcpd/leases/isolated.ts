// Without Redis (docs/leases.md §7): new clients from the long reserve, each promise in the journal
// before its ACK and told to Redis at the return. The long reserve is kept up while Redis answers,
// and offered to nobody then.
import { type Commits, MAX_ITEMS } from './commits.ts';
import { type Ground, REPLY_WITHIN_MS } from './ground.ts';
import { eventOf } from './items.ts';
import type { Journal } from './journal.ts';
import { clientName } from './offers.ts';
import type { Pool } from './pool.ts';
import {
  decodeRecord,
  encodeRecord,
  FIELD,
  HEADER_BYTES,
  NO_END,
  packKey,
  RECORD_BYTES,
} from './record.ts';
import type { Recovery } from './recovery.ts';
import type { Block } from './replica.ts';
import type { Reserve } from './reserve.ts';
import { holdSeconds, tellable } from './told.ts';
import { type BindResult, type BindWant, CODE, type Item, type OfferWant, STATE } from './types.ts';

/** Less is no lease. */
const MIN_TOLD_SECONDS = 30;
const MAX_TRIES = 4;
const silence: BindResult = { outcome: 'unknown', why: 'store' };

type Long = {
  pool: string;
  /** Durable hold; 0: not to be counted on. */
  until: number;
  /** The client that it is offered to, or bound to, and until when an offer counts. */
  name?: string;
  offerUntilMs: number;
  isBound: boolean;
};

export type IsolatedParts = {
  ground: Ground;
  commits: Commits;
  reserve: Reserve;
  recovery: Recovery;
  journal: Journal | undefined;
};

export class Isolated {
  readonly #parts: IsolatedParts;
  readonly #long = new Map<number, Long>();
  /** The lineage under which the long reserve was confirmed. */
  #epoch = 0;
  #isKeeping = false;
  #replayed = 0;
  #refused = 0;

  constructor(parts: IsolatedParts) {
    this.#parts = parts;
  }

  get size(): number {
    let count = 0;
    for (const { until } of this.#long.values()) if (until > 0) count++;
    return count;
  }

  get journalStatus(): { records: number; replayed: number; refused: number } {
    const records = this.#parts.journal?.size ?? 0;
    return { records, replayed: this.#replayed, refused: this.#refused };
  }

  /** From memory; undefined: nothing can be offered. */
  offer({ client, pools, preferred }: OfferWant): number | undefined {
    const { ground, reserve } = this.#parts;
    const pool = reserve.pool(pools);
    const name = clientName(client.key);
    const nowMs = ground.clock.monotonicMs();
    let best: [number, Long] | undefined;
    for (const [address, long] of this.#long) {
      if (long.pool !== pool.id || !pool.allows(address) || this.#toldOf(long) < MIN_TOLD_SECONDS)
        continue;
      const isFree = !long.isBound && (long.offerUntilMs <= nowMs || long.name === undefined);
      if (long.name !== name && !isFree) continue;
      if (best === undefined || preferred.some((each) => each === address)) best = [address, long];
      if (long.name === name) {
        best = [address, long];
        break;
      }
    }
    if (best === undefined) return undefined;
    const [address, long] = best;
    long.name = name;
    long.offerUntilMs = nowMs + 1000 * ground.settings.offerSeconds;
    return address;
  }

  wasOffered(key: Uint8Array, address: number): boolean {
    return this.#long.get(address)?.name === clientName(key);
  }

  /** Durable in the journal when it resolves with 'bound'. */
  async bind({ client, address, leaseSeconds }: BindWant): Promise<BindResult> {
    const { ground, journal } = this.#parts;
    const startedMs = ground.clock.monotonicMs();
    const name = clientName(client.key);
    const long = this.#long.get(address);
    if (journal === undefined || long === undefined || long.name !== name) return silence;
    const told = Math.min(leaseSeconds, this.#toldOf(long));
    if (told < MIN_TOLD_SECONDS) return silence;
    // Decided: whatever happens during the sync, nobody else of this process gets it.
    long.isBound = true;
    const block = ground.replica.blockMade(address >>> 8);
    const now = ground.time.latest;
    const record = encodeRecord({
      state: STATE.bound,
      hasDetails: false,
      htype: client.htype,
      chaddr: client.chaddr,
      generation: ground.replica.field(block, address, FIELD.generation) + 1,
      holdUntil: long.until,
      toldUntil: now + told,
      boundAt: now,
      instance: ground.instance,
      packedKey: packKey(client.key),
      leaseSeconds,
    });
    copyVersion(record, block.bytes, 64 + RECORD_BYTES * (address & 255));
    try {
      await journal.append(address, record);
    } catch (error) {
      ground.failed(error instanceof Error ? error.message : String(error));
      return silence;
    }
    // Redis may have answered meanwhile: then the replay has told it, or will.
    const known = ground.replica.block(address);
    if (known !== undefined && ground.replica.state(known, address) === STATE.reserved)
      ground.replica.put(address, record, 0);
    const replyByMs = startedMs + REPLY_WITHIN_MS;
    if (ground.clock.monotonicMs() > replyByMs) return { outcome: 'unknown', why: 'late' };
    return { outcome: 'bound', toldSeconds: told, replyByMs };
  }

  #toldOf({ until }: Long): number {
    return tellable(until, this.#parts.ground.time.latest, NO_END);
  }

  /** The record is this process' promise, or an earlier one's: durable by the journal. */
  isJournalled(block: Block, address: number): boolean {
    const record = this.#parts.journal?.get(address);
    if (record === undefined) return false;
    const at = HEADER_BYTES + RECORD_BYTES * (address & 255);
    return record.every((byte, i) => byte === block.bytes[at + i]);
  }

  /** Promises of an earlier process: as they are until Redis says otherwise. */
  recall(): void {
    const { ground, journal } = this.#parts;
    for (const [address, record] of journal?.entries() ?? [])
      ground.replica.put(address, record, 0, true);
  }

  /** All that was promised meanwhile goes to Redis; rejects when it does not take it. */
  async replay(): Promise<void> {
    const { journal } = this.#parts;
    if (journal === undefined) return;
    await journal.settled();
    const entries = journal.entries();
    let durable = true;
    for (let at = 0; at < entries.length; at += MAX_ITEMS)
      durable = (await this.#replaySlice(entries.slice(at, at + MAX_ITEMS))) && durable;
    for (const [address] of entries) this.#drop(address);
    if (durable && entries.length > 0) await journal.clear(entries);
  }

  async #replaySlice(entries: readonly [number, Uint8Array][]): Promise<boolean> {
    const { ground, commits, recovery } = this.#parts;
    const items = entries.map(([address, record]) => replayItem(address, record));
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      const outcomes = await commits.runNow(items);
      if (outcomes === 'store') break;
      if (outcomes === 'fenced') {
        await recovery.unfence(items.map(({ address }) => address >>> 8));
        continue;
      }
      for (const [i, outcome] of outcomes.entries()) {
        if (!outcome.ran) continue;
        if (outcome.code === CODE.done) this.#replayed++;
        else {
          this.#refused++;
          // Ours is no longer what counts.
          ground.replica.put(items[i]?.address ?? 0, outcome.record, 0, true);
        }
      }
      return outcomes.every((each) => each.ran && each.durable);
    }
    throw new Error('the journal could not be told to Redis');
  }

  /** While Redis answers: as many as the settings say, confirmed durably, renewed at half. */
  async keep(pools: readonly Pool[]): Promise<void> {
    const { ground, journal } = this.#parts;
    const { outage } = ground.settings;
    if (outage === undefined || journal === undefined || this.#isKeeping) return;
    this.#isKeeping = true;
    try {
      await this.#keep(pools, outage);
    } finally {
      this.#isKeeping = false;
    }
  }

  async #keep(
    pools: readonly Pool[],
    outage: { reserve: number; budgetSeconds: number },
  ): Promise<void> {
    const { ground, reserve } = this.#parts;
    if (this.#epoch !== ground.epoch) {
      this.#epoch = ground.epoch;
      for (const long of this.#long.values()) long.until = 0;
    }
    const half = ground.time.latest + outage.budgetSeconds / 2;
    for (const pool of pools) {
      const all = [...this.#long].filter(([, long]) => long.pool === pool.id && !long.isBound);
      const share = Math.floor(pool.counts.free / (8 * ground.members()));
      const allowed = Math.min(outage.reserve, share);
      const own = all.slice(0, allowed);
      // Clients that ask now come before those of an outage that may never be.
      for (const [address] of all.slice(allowed)) this.#giveBack(address);
      const old = own.filter(([, { until }]) => until < half).map(([address]) => address);
      const missing = allowed - own.length;
      const fresh = missing > 0 ? reserve.pick(pool, Math.min(missing, MAX_ITEMS)) : [];
      await Promise.all([...old, ...fresh].map((each) => this.#confirm(pool, each, outage)));
    }
  }

  async #confirm(pool: Pool, address: number, outage: { budgetSeconds: number }): Promise<void> {
    const { ground, commits, reserve } = this.#parts;
    const epoch = ground.epoch;
    const before = this.#long.get(address);
    const item = reserve.item('reserve', address, outage.budgetSeconds, true);
    const outcome = await commits.submit(item);
    const known = this.#long.get(address);
    // Spent while this was under way.
    if (known !== before) return;
    // Not known to have failed: what was confirmed before still stands.
    if (known !== undefined && !outcome.ran) return;
    if (!reserve.settle(pool, address, outcome) || !outcome.ran) {
      this.#long.delete(address);
      return;
    }
    const long = known ?? { pool: pool.id, until: 0, offerUntilMs: 0, isBound: false };
    if (outcome.durable && epoch === ground.epoch) {
      const { buffer, byteOffset } = outcome.record;
      long.until = new DataView(buffer, byteOffset).getUint32(FIELD.holdUntil);
    }
    this.#long.set(address, long);
  }

  /**
   * Redis is asked to bind it: whatever becomes of that, it is no longer there to be given to
   * somebody else without Redis.
   */
  spend(address: number): void {
    this.#long.delete(address);
  }

  /** At the stop: what nobody was promised. */
  returnAll(): void {
    for (const [address, { isBound }] of [...this.#long]) if (!isBound) this.#giveBack(address);
    this.#long.clear();
  }

  /** It is not ours any more from now on, whatever becomes of telling it. */
  #giveBack(address: number): void {
    const { commits, reserve } = this.#parts;
    this.#drop(address);
    commits.behind(reserve.item('unreserve', address, 0));
  }

  #drop(address: number): void {
    this.#long.delete(address);
    this.#parts.reserve.forget(address);
  }
}

function replayItem(address: number, record: Uint8Array): Item {
  const view = new DataView(record.buffer, record.byteOffset);
  const seconds = holdSeconds(view.getUint32(FIELD.leaseSeconds));
  const lease = decodeRecord(record, 0, address as Item['address']); // as it was journalled
  const event = eventOf('bind', lease.chaddr, lease.key);
  return { op: 'bind', address: lease.address, record, seconds, event };
}

function copyVersion(record: Uint8Array, from: Uint8Array, at: number): void {
  record.set(from.subarray(at + FIELD.version, at + RECORD_BYTES), FIELD.version);
}
