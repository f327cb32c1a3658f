// Which address a client is offered (docs/leases.md §5): what it had or asks for, else one of the
// reserve, the same again when it asks again, and the same as a sibling's when there are some.
import { describeError } from '../../shared/errors.ts';
import type { Commits } from './commits.ts';
import type { Ground } from './ground.ts';
import type { Isolated } from './isolated.ts';
import { lookItem } from './items.ts';
import type { Link } from './link.ts';
import { clientName, type OfferMade, Offers } from './offers.ts';
import { decodeRecord, FIELD, NO_END, packedKeyOf, packKey, samePackedKey } from './record.ts';
import type { Reserve } from './reserve.ts';
import {
  type Client,
  type Later,
  type Offer,
  type Offered,
  type OfferWant,
  STATE,
} from './types.ts';

/** §4: how long an offer stands for the siblings. */
const SHARED_TTL_MS = 10_000;
const MAX_PREFERRED = 4;
/** A client's own binding is offered when at least this much of its hold is left. */
const OWN_SPARE_SECONDS = 5;
/** Offers that wait for Redis at once; more are answered with silence. */
const MAX_WAITING = 4096;

export type OfferingParts = {
  ground: Ground;
  commits: Commits;
  reserve: Reserve;
  isolated: Isolated;
  link: Link;
};
type Chosen = { address: number; isReserved: boolean };

export class Offering {
  readonly offers: Offers;
  readonly #parts: OfferingParts;
  /** A client that asks again while its first question is under way gets the same answer. */
  readonly #waiting = new Map<string, Promise<Offer | undefined>>();
  readonly counters = { fromMemory: 0, afterWait: 0, none: 0 };

  constructor(parts: OfferingParts) {
    this.#parts = parts;
    const { clock, settings } = parts.ground;
    this.offers = new Offers(clock, settings.offerSeconds * 1000, (ended) => {
      if (ended.isReserved) parts.reserve.giveBack(ended.address);
    });
  }

  offer(want: OfferWant): Later<Offer | undefined> {
    const { link, isolated } = this.#parts;
    const name = clientName(want.client.key);
    const mode = link.mode;
    if (mode === 'isolated') return this.#counted(this.#told(isolated.offer(want), want.client));
    if (mode !== 'up') return this.#counted(undefined);
    const before = this.offers.of(name);
    if (before !== undefined && this.#stands(before, want)) {
      this.offers.make(name, before);
      return this.#counted(this.#told(before.address, want.client));
    }
    if (before !== undefined) this.offers.drop(name);
    const waiting = this.#waiting.get(name);
    if (waiting !== undefined) return waiting;
    const now = this.#fromMemory(want);
    if (now !== undefined && this.#needsNoSibling(now)) {
      return this.#counted(this.#make(name, now, want));
    }
    if (this.#waiting.size >= MAX_WAITING) {
      if (now !== undefined) this.#return(now);
      return this.#counted(undefined);
    }
    const work = this.#afterWait(name, want, now).finally(() => this.#waiting.delete(name));
    this.#waiting.set(name, work);
    return work;
  }

  wasOffered(client: Client, address: Offer['address']): Later<Offered> {
    const { link, isolated } = this.#parts;
    if (this.offers.of(clientName(client.key))?.address === address) return 'yes';
    if (isolated.wasOffered(client.key, address)) return 'yes';
    // A sibling that has just started offers before its heartbeat was heard: Redis is asked always.
    return link.mode === 'up' ? this.#askedOfRedis(client, address) : 'unknown';
  }

  async #askedOfRedis(client: Client, address: Offer['address']): Promise<Offered> {
    const { ground, commits } = this.#parts;
    try {
      if ((await ground.backend.offered(client.key)) === address) return 'yes';
    } catch (error) {
      ground.failed(describeError(error));
      return 'unknown';
    }
    const outcome = await commits.submit(lookItem(address, ground.instance));
    if (!outcome.ran) return 'unknown';
    const lease = decodeRecord(outcome.record, 0, address);
    const { state, instance, holdUntil } = lease;
    const isSetAside = state === STATE.reserved && outcome.nowSeconds <= holdUntil;
    // A sibling that knew of nobody else has not shared its offer.
    if (isSetAside && instance !== ground.instance) return 'unknown';
    const mayBind = state === STATE.bound || state === STATE.free;
    return mayBind && samePackedKey(packedKeyOf(lease), packKey(client.key)) ? 'own' : 'no';
  }

  #counted(offer: Offer | undefined): Offer | undefined {
    if (offer === undefined) this.counters.none++;
    else this.counters.fromMemory++;
    return offer;
  }

  /** Still the client's to have. */
  #stands({ address, isReserved }: OfferMade, { client, pools }: OfferWant): boolean {
    const { reserve } = this.#parts;
    if (!reserve.pool(pools).allows(address)) return false;
    if (isReserved) return reserve.isUsable(address);
    return this.#isOwn(address, client) || this.#isSiblings(address);
  }

  /** A sibling's reserve, as far as we know. */
  #isSiblings(address: number): boolean {
    const { replica, time } = this.#parts.ground;
    const block = replica.block(address);
    if (block === undefined || replica.state(block, address) !== STATE.reserved) return false;
    return replica.field(block, address, FIELD.holdUntil) > time.latest;
  }

  /** Bound to the client, or resting for it: `bind` needs no reserve then. */
  #isOwn(address: number, client: Client): boolean {
    const { replica, time } = this.#parts.ground;
    const block = replica.block(address);
    if (block === undefined || !replica.isKey(block, address, packKey(client.key))) return false;
    const state = replica.state(block, address);
    if (state !== STATE.bound && state !== STATE.free) return false;
    const holdUntil = replica.field(block, address, FIELD.holdUntil);
    if (state === STATE.free) {
      // Somebody else may have had it since, in what was lost. When its rest is over, it is taken
      // by a reserve, like any other.
      return block.quarantineUntil < time.earliest && holdUntil > time.latest;
    }
    return holdUntil === NO_END || holdUntil - time.latest >= OWN_SPARE_SECONDS;
  }

  /** Undefined also when a preferred address needs a round trip first. */
  #fromMemory(want: OfferWant): Chosen | undefined {
    const { reserve } = this.#parts;
    const pool = reserve.pool(want.pools);
    for (const address of want.preferred.slice(0, MAX_PREFERRED)) {
      if (!pool.allows(address)) continue;
      if (this.#isOwn(address, want.client)) return { address, isReserved: false };
      if (reserve.claim(want.pools, address)) return { address, isReserved: true };
      if (this.#mayReserve(address)) return undefined;
    }
    const address = reserve.take(want.pools);
    return address === undefined ? undefined : { address, isReserved: true };
  }

  #mayReserve(address: number): boolean {
    const { ground, reserve } = this.#parts;
    const block = ground.replica.block(address);
    if (block === undefined || reserve.unused(address) === 'yes') return !reserve.isInHand(address);
    const holdUntil = ground.replica.field(block, address, FIELD.holdUntil);
    return reserve.freed(address, holdUntil) === 'yes';
  }

  #needsNoSibling({ isReserved }: Chosen): boolean {
    // Every instance sees the client's own address by itself.
    return !isReserved || this.#parts.ground.members() < 2;
  }

  async #afterWait(
    name: string,
    want: OfferWant,
    first: Chosen | undefined,
  ): Promise<Offer | undefined> {
    const chosen = first ?? (await this.#fromRedis(want));
    const standing = chosen === undefined ? undefined : await this.#standing(chosen, want);
    // Gone meanwhile: a sibling may bind this address while we cannot know it.
    if (standing !== undefined && this.#parts.link.mode !== 'up') {
      this.#return(standing);
      return this.#waited(undefined);
    }
    return this.#waited(standing === undefined ? undefined : this.#make(name, standing, want));
  }

  #waited(offer: Offer | undefined): Offer | undefined {
    if (offer === undefined) this.counters.none++;
    else this.counters.afterWait++;
    return offer;
  }

  async #fromRedis(want: OfferWant): Promise<Chosen | undefined> {
    const { reserve } = this.#parts;
    const pool = reserve.pool(want.pools);
    for (const address of want.preferred.slice(0, MAX_PREFERRED)) {
      if (!pool.allows(address) || !this.#mayReserve(address)) continue;
      if (await reserve.special(address)) return { address, isReserved: true };
    }
    const address = reserve.take(want.pools) ?? (await reserve.takeWaiting(want.pools));
    return address === undefined ? undefined : { address, isReserved: true };
  }

  /** Ours, unless a sibling was quicker. */
  async #standing(chosen: Chosen, want: OfferWant): Promise<Chosen> {
    const { ground, reserve } = this.#parts;
    if (this.#needsNoSibling(chosen)) return chosen;
    try {
      const { key } = want.client;
      const own = chosen.address as OfferWant['preferred'][number]; // out of a pool's range
      const address = await ground.backend.offer(key, own, SHARED_TTL_MS);
      if (address === chosen.address || !reserve.pool(want.pools).allows(address)) return chosen;
      this.#return(chosen);
      return { address, isReserved: false };
    } catch (error) {
      ground.failed(describeError(error));
      return chosen;
    }
  }

  #return({ address, isReserved }: Chosen): void {
    if (isReserved) this.#parts.reserve.giveBack(address);
  }

  #make(name: string, { address, isReserved }: Chosen, want: OfferWant): Offer | undefined {
    const pool = want.pools.id;
    const offer = this.#told(address, want.client);
    this.offers.make(name, { address, isReserved, pool, recycled: offer?.recycled ?? false });
    return offer;
  }

  #told(address: number | undefined, client: Client): Offer | undefined {
    if (address === undefined) return undefined;
    const { replica } = this.#parts.ground;
    const block = replica.block(address);
    const recycled =
      block !== undefined &&
      replica.field(block, address, FIELD.generation) > 0 &&
      !replica.isKey(block, address, packKey(client.key));
    return { address: address as Offer['address'], recycled }; // out of a pool's range
  }
}
