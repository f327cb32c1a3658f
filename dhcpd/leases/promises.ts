// What leaves as a promise, and what ends one: bind, renew, release, decline (docs/leases.md R1 to
// R8). Everything that was decided before an await is decided again after it, by Redis' answer.
import type { Commits, Outcome } from './commits.ts';
import { type Ground, MAX_ESTIMATE_AGE_MS, REPLY_WITHIN_MS } from './ground.ts';
import type { Isolated } from './isolated.ts';
import { bindItem, endItem, quarantineItem } from './items.ts';
import type { Link } from './link.ts';
import type { Offering } from './offering.ts';
import { clientName } from './offers.ts';
import { decodeRecord, FIELD, NO_END, packKey } from './record.ts';
import type { Reserve } from './reserve.ts';
import { isWorthTelling, tellable } from './told.ts';
import {
  type BindResult,
  type BindWant,
  type Client,
  CODE,
  type NotBound,
  STATE,
  type Unknown,
} from './types.ts';

/** Less than this is not worth a packet. */
const MIN_TOLD_SECONDS = 10;
/** A probe's find is set aside this long before it is declined. */
const SET_ASIDE_SECONDS = 60;

const outcomes: Record<number, NotBound['outcome'] | undefined> = {
  [CODE.taken]: 'taken',
  [CODE.quarantine]: 'quarantine',
  [CODE.reserved]: 'reserved',
  [CODE.declined]: 'declined',
};

export type PromiseParts = {
  ground: Ground;
  commits: Commits;
  reserve: Reserve;
  isolated: Isolated;
  link: Link;
  offering: Offering;
};

export class Promises {
  readonly #parts: PromiseParts;
  readonly counters = { fromMemory: 0, isolated: 0, written: 0 };

  constructor(parts: PromiseParts) {
    this.#parts = parts;
  }

  async bind(want: BindWant): Promise<BindResult> {
    const { link, isolated } = this.#parts;
    const mode = link.mode;
    if (mode === 'isolated') return isolated.bind(want);
    if (mode !== 'up') return unknown('store');
    return this.#written(want, 'bind');
  }

  async renew(want: BindWant): Promise<BindResult> {
    const { ground, link } = this.#parts;
    const isIsolated = link.mode === 'isolated';
    if (!isIsolated && ground.time.ageMs > MAX_ESTIMATE_AGE_MS) return unknown('store');
    const told = this.isUnproven(want.address) ? 0 : this.#tellable(want, isIsolated);
    if (isIsolated) {
      if (told < Math.min(MIN_TOLD_SECONDS, want.leaseSeconds)) return unknown('store');
      this.counters.isolated++;
      return this.#now(told);
    }
    if (isWorthTelling(told, want.leaseSeconds)) {
      void this.#submit(want, 'renew');
      this.counters.fromMemory++;
      return this.#now(told);
    }
    if (link.mode !== 'up') return unknown('store');
    this.counters.written++;
    return this.#written(want, 'renew');
  }

  /** R4: written by us or by a sibling, and not known to be durable: to be told of no hold. */
  isUnproven(address: number): boolean {
    const { replica } = this.#parts.ground;
    const block = replica.block(address);
    if (block === undefined || replica.isProven(block, address)) return false;
    return !this.#parts.isolated.isJournalled(block, address);
  }

  #submit(want: BindWant, type: 'bind' | 'renew'): Promise<Outcome> {
    const { ground, commits } = this.#parts;
    return commits.submit(bindItem(want, ground.instance, type));
  }

  async release(client: Client, address: BindWant['address']): Promise<boolean> {
    const { ground } = this.#parts;
    const seconds = ground.settings.reuseSeconds;
    const done = await this.#end('release', client, address, seconds);
    if (done) this.#parts.offering.offers.drop(clientName(client.key));
    return done;
  }

  decline(client: Client, address: BindWant['address'], seconds: number): Promise<boolean> {
    return this.#end('decline', client, address, seconds);
  }

  /** Ours first, so that nobody gets it in between. */
  async quarantine(address: BindWant['address'], seconds: number): Promise<boolean> {
    const { ground, commits, reserve, link } = this.#parts;
    if (link.mode !== 'up') return false;
    const taken = await commits.submit(reserve.item('reserve', address, SET_ASIDE_SECONDS));
    if (!taken.ran || taken.code !== CODE.done) return false;
    const lease = decodeRecord(taken.record, 0, address);
    const outcome = await commits.submit(quarantineItem(lease, seconds, ground.instance));
    if (!isDone(outcome)) return false;
    reserve.forget(address);
    return true;
  }

  /** What may be told from the replica now; 0: nothing. */
  #tellable({ client, address, leaseSeconds }: BindWant, isIsolated: boolean): number {
    const { ground } = this.#parts;
    const { replica, time } = ground;
    const block = replica.block(address);
    if (block === undefined || !time.isKnown) return 0;
    // After a change of lineage Redis may not know what we know: then it is asked.
    if (!isIsolated && block.epoch !== ground.epoch) return 0;
    if (replica.state(block, address) !== STATE.bound) return 0;
    if (!replica.isKey(block, address, packKey(client.key))) return 0;
    const holdUntil = replica.field(block, address, FIELD.holdUntil);
    if (leaseSeconds === NO_END && holdUntil !== NO_END && !isIsolated) return 0;
    return tellable(holdUntil, time.latest, leaseSeconds);
  }

  #now(toldSeconds: number): BindResult {
    const replyByMs = this.#parts.ground.clock.monotonicMs() + REPLY_WITHIN_MS;
    return { outcome: 'bound', toldSeconds, replyByMs };
  }

  async #written(want: BindWant, type: 'bind' | 'renew'): Promise<BindResult> {
    const { ground, reserve, offering, isolated } = this.#parts;
    isolated.spend(want.address);
    const outcome = await this.#submit(want, type);
    if (!outcome.ran) return unknown(outcome.why);
    if (outcome.code !== CODE.done) return this.#refused(want, outcome.code, outcome.record);
    const name = clientName(want.client.key);
    if (offering.offers.of(name)?.address === want.address) offering.offers.take(name);
    else offering.offers.drop(name);
    reserve.forget(want.address);
    if (!outcome.durable) return unknown('durability');
    const { buffer, byteOffset } = outcome.record;
    const holdUntil = new DataView(buffer, byteOffset).getUint32(FIELD.holdUntil);
    // The script's second may have been almost over.
    const toldSeconds = tellable(holdUntil, outcome.nowSeconds + 1, want.leaseSeconds);
    const replyByMs = outcome.startedMs + REPLY_WITHIN_MS;
    if (ground.clock.monotonicMs() > replyByMs) return unknown('late');
    return { outcome: 'bound', toldSeconds, replyByMs };
  }

  #refused({ address }: BindWant, code: number, record: Uint8Array): BindResult {
    const { ground, reserve } = this.#parts;
    reserve.forget(address);
    const outcome = outcomes[code];
    if (outcome === undefined) return unknown('store');
    const block = ground.replica.block(address);
    if (outcome === 'quarantine' && block !== undefined)
      block.quarantineUntil = Math.max(block.quarantineUntil, ground.time.latest + 1);
    return { outcome, lease: decodeRecord(record, 0, address) };
  }

  async #end(
    op: 'release' | 'decline',
    client: Client,
    address: BindWant['address'],
    seconds: number,
  ): Promise<boolean> {
    const { ground, commits, link, offering } = this.#parts;
    if (link.mode !== 'up') return false;
    const lease = ground.replica.get(address);
    if (lease === undefined) return false;
    const item = endItem(op, client, lease, seconds, ground.instance);
    if (op === 'decline' && lease.state === STATE.reserved) {
      // Only of what was offered to this very client.
      if (offering.offers.of(clientName(client.key))?.address !== address) return false;
      item.offered = true;
    }
    return isDone(await commits.submit(item));
  }
}

function isDone(outcome: Outcome): boolean {
  return outcome.ran && outcome.code === CODE.done;
}

function unknown(why: Unknown['why']): BindResult {
  return { outcome: 'unknown', why };
}
