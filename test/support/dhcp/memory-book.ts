// A lease book in memory for tests of the server: the rules of docs/leases.md §4 over one shared
// map, which several books (the instances of a cluster) may stand on. No Redis, no replica that
// lags, no loss; a test sets `condition` and `failure` by hand.

import { packedKeyOf, packKey, samePackedKey } from '../../../dhcpd/leases/record.ts';
import {
  type BindResult,
  type BindWant,
  type Client,
  type Details,
  type Lease,
  type LeaseBook,
  type LeaseCounts,
  type NotBound,
  type Offer,
  type Offered,
  type OfferWant,
  type Pools,
  STATE,
  type Unknown,
} from '../../../dhcpd/leases/types.ts';
import type { Clock } from '../../../shared/clock.ts';
import { type Ipv4, ipv4 } from '../../../shared/net/ipv4.ts';

const GUARD_SECONDS = 30;
const REUSE_SECONDS = 60;
const REPLY_WITHIN_MS = 5000;
const NO_END = 0xffffffff;

/** What all instances share: Redis, in a way. */
export class MemoryLeases {
  readonly records = new Map<number, Lease>();
  readonly details = new Map<number, Details>();
  readonly offers = new Map<string, { address: Ipv4; untilSeconds: number }>();
  readonly offered = new Map<Ipv4, string>();
  readonly quarantined = new Set<number>();
  /** Address of a client, by key: a hint; the record decides. */
  readonly byKey = new Map<string, Set<Ipv4>>();
}

export type MemoryBookOptions = { clock: Clock; leases?: MemoryLeases; offerSeconds?: number };

export class MemoryBook implements LeaseBook {
  condition: LeaseBook['condition'] = 'fresh';
  /** What every change answers instead of being made. */
  failure: Unknown['why'] | undefined;
  /** Addresses whose records were lost lately. */
  readonly lost = new Set<Ipv4>();
  /** What Redis would say of an address that this book did not offer. */
  siblings: Offered = 'no';
  /** Each call that changes something, in order. */
  readonly calls: string[] = [];
  /** Awaited before each change: a test lets it hang. */
  gate: Promise<void> = Promise.resolve();
  readonly leases: MemoryLeases;
  readonly #clock: Clock;
  readonly #offerSeconds: number;
  readonly #cursors = new Map<string, number>();

  constructor({ clock, leases = new MemoryLeases(), offerSeconds = 20 }: MemoryBookOptions) {
    this.leases = leases;
    this.#clock = clock;
    this.#offerSeconds = offerSeconds;
  }

  get(address: Ipv4): Lease | undefined {
    return this.leases.records.get(address);
  }

  ofClient(key: Uint8Array, accept: (address: Ipv4) => boolean): Lease | undefined {
    const own = [...(this.leases.byKey.get(nameOf(key)) ?? [])]
      .map((address) => this.get(address))
      .filter((lease) => lease !== undefined && accept(lease.address) && this.isOwner(lease, key))
      .filter((lease) => lease !== undefined);
    return own.sort((a, b) => b.holdUntil - a.holdUntil)[0];
  }

  isOwner(lease: Lease, key: Uint8Array): boolean {
    return samePackedKey(packedKeyOf(lease), packKey(key));
  }

  isHeld(lease: Lease): boolean {
    return lease.state === STATE.bound && lease.holdUntil >= this.nowSeconds();
  }

  nowSeconds(): number {
    return Math.floor(this.#clock.nowMs() / 1000);
  }

  lostLately(address: Ipv4): boolean {
    return this.lost.has(address);
  }

  async offer({ client, pools, preferred }: OfferWant): Promise<Offer | undefined> {
    await this.gate;
    if (this.failure !== undefined) return undefined;
    const name = nameOf(client.key);
    const before = this.leases.offers.get(name);
    const isOpen = (address: Ipv4) => isPooled(pools, address) && this.#isFree(address, client);
    if (before !== undefined && this.#isCurrent(before) && isOpen(before.address)) {
      return this.#offered(client, before.address);
    }
    const wished = preferred.find(isOpen) ?? this.#next(pools, isOpen);
    return wished === undefined ? undefined : this.#offered(client, wished);
  }

  async wasOffered(client: Client, address: Ipv4): Promise<Offered> {
    const offer = this.leases.offers.get(nameOf(client.key));
    const isHere = offer !== undefined && offer.address === address && this.#isCurrent(offer);
    return isHere ? 'yes' : this.siblings;
  }

  dropOffer(client: Client): void {
    this.calls.push('dropOffer');
    this.leases.offers.delete(nameOf(client.key));
  }

  async bind(want: BindWant): Promise<BindResult> {
    this.calls.push('bind');
    await this.gate;
    return this.failure === undefined ? this.#bind(want) : this.#unknown();
  }

  async renew(want: BindWant): Promise<BindResult> {
    this.calls.push('renew');
    await this.gate;
    if (this.failure === undefined && this.condition !== 'isolated') return this.#bind(want);
    // R3: what was written ahead, less the guard.
    const lease = this.get(want.address);
    const rest = (lease?.holdUntil ?? 0) - GUARD_SECONDS - this.nowSeconds();
    if (lease === undefined || !this.isOwner(lease, want.client.key) || rest <= 0) {
      return this.#unknown();
    }
    return this.#told(Math.min(rest, want.leaseSeconds));
  }

  async release(client: Client, address: Ipv4): Promise<boolean> {
    this.calls.push('release');
    const lease = this.get(address);
    if (lease?.state !== STATE.bound || !this.isOwner(lease, client.key)) return false;
    const holdUntil = Math.min(lease.holdUntil, this.nowSeconds() + REUSE_SECONDS);
    this.#put({ ...lease, state: STATE.free, generation: lease.generation + 1, holdUntil });
    return true;
  }

  async decline(client: Client, address: Ipv4, quarantineSeconds: number): Promise<boolean> {
    this.calls.push('decline');
    const lease = this.get(address);
    const isBound = lease?.state === STATE.bound && this.isOwner(lease, client.key);
    if (!isBound && (await this.wasOffered(client, address)) !== 'yes') return false;
    this.dropOffer(client);
    return this.quarantine(address, quarantineSeconds);
  }

  async quarantine(address: Ipv4, quarantineSeconds: number): Promise<boolean> {
    this.calls.push('quarantine');
    const holdUntil = this.nowSeconds() + quarantineSeconds;
    const { generation } = this.get(address) ?? { generation: 0 };
    const lease = { ...emptyLease(address), state: STATE.declined, generation: generation + 1 };
    this.#put({ ...lease, holdUntil });
    return true;
  }

  counts(pools: Pools): LeaseCounts {
    let [total, used, declined] = [0, 0, 0];
    for (const { first, last } of pools.ranges) total += last - first + 1;
    for (const lease of this.leases.records.values()) {
      if (!isPooled(pools, lease.address) || lease.holdUntil < this.nowSeconds()) continue;
      if (lease.state === STATE.declined) declined += 1;
      else used += 1;
    }
    return { total, bound: used, declined, free: Math.max(0, total - used - declined) };
  }

  #bind(want: BindWant): BindResult {
    const { client, address, leaseSeconds } = want;
    const before = this.get(address);
    const now = this.nowSeconds();
    const isOwner = before !== undefined && this.isOwner(before, client.key);
    const refused = this.#refusal(want, before, isOwner);
    if (refused !== undefined) return refused;
    const isSame = isOwner && before.state === STATE.bound;
    const ahead =
      leaseSeconds === NO_END ? NO_END : now + Math.ceil(leaseSeconds * 1.5) + GUARD_SECONDS;
    this.leases.offers.delete(nameOf(client.key));
    if (want.details !== undefined) this.leases.details.set(address, want.details);
    this.#put({
      ...emptyLease(address),
      state: STATE.bound,
      htype: client.htype,
      hlen: client.chaddr.length,
      chaddr: client.chaddr.slice(0, 8),
      ...unpackedKey(client.key),
      generation: (before?.generation ?? 0) + (isSame ? 0 : 1),
      holdUntil: isSame ? Math.max(before.holdUntil, ahead) : ahead,
      toldUntil: leaseSeconds === NO_END ? NO_END : now + leaseSeconds,
      boundAt: isSame ? before.boundAt : now,
      leaseSeconds,
      hasDetails: want.details !== undefined,
    });
    return this.#told(leaseSeconds);
  }

  #refusal({ client, address }: BindWant, before: Lease | undefined, isOwner: boolean) {
    const now = this.nowSeconds();
    const refuse = (outcome: NotBound['outcome']): NotBound => ({
      outcome,
      lease: before ?? emptyLease(address),
    });
    if (before !== undefined && !isOwner && before.holdUntil >= now) {
      return refuse(before.state === STATE.declined ? 'declined' : 'taken');
    }
    if (!isOwner && before !== undefined && this.leases.quarantined.has(address >>> 8)) {
      return refuse('quarantine');
    }
    return this.#isOfferedToAnother(address, client) ? refuse('reserved') : undefined;
  }

  #told(toldSeconds: number): BindResult {
    const replyByMs = this.#clock.monotonicMs() + REPLY_WITHIN_MS;
    return { outcome: 'bound', toldSeconds, replyByMs };
  }

  #unknown(): Unknown {
    return { outcome: 'unknown', why: this.failure ?? 'store' };
  }

  #offered(client: Client, address: Ipv4): Offer {
    const untilSeconds = this.nowSeconds() + this.#offerSeconds;
    this.leases.offers.set(nameOf(client.key), { address, untilSeconds });
    this.leases.offered.set(address, nameOf(client.key));
    const before = this.get(address);
    const recycled = before !== undefined && !this.isOwner(before, client.key);
    return { address, recycled };
  }

  /** From where the last one was found, once round. */
  #next(pools: Pools, isOpen: (address: Ipv4) => boolean): Ipv4 | undefined {
    const addresses = pools.ranges.reduce((sum, { first, last }) => sum + last - first + 1, 0);
    const start = this.#cursors.get(pools.id) ?? 0;
    for (let step = 0; step < addresses; step += 1) {
      const at = (start + step) % addresses;
      const address = addressAt(pools, at);
      if (address === undefined || !isOpen(address)) continue;
      this.#cursors.set(pools.id, at + 1);
      return address;
    }
    return undefined;
  }

  #isFree(address: Ipv4, client: Client): boolean {
    const lease = this.get(address);
    if (lease !== undefined && this.isOwner(lease, client.key)) return true;
    if (lease !== undefined && lease.holdUntil >= this.nowSeconds()) return false;
    return !this.#isOfferedToAnother(address, client);
  }

  #isOfferedToAnother(address: Ipv4, { key }: Client): boolean {
    const name = this.leases.offered.get(address);
    const offer = name === undefined ? undefined : this.leases.offers.get(name);
    const isOpen = offer !== undefined && offer.address === address && this.#isCurrent(offer);
    return isOpen && name !== nameOf(key);
  }

  #isCurrent({ untilSeconds }: { untilSeconds: number }): boolean {
    return untilSeconds >= this.nowSeconds();
  }

  #put(lease: Lease): void {
    this.leases.records.set(lease.address, lease);
    const name = String.fromCharCode(...packedKeyOf(lease));
    const known = this.leases.byKey.get(name) ?? new Set();
    this.leases.byKey.set(name, known.add(lease.address));
  }
}

export function emptyLease(address: Ipv4): Lease {
  return {
    address,
    state: STATE.unused,
    htype: 0,
    hlen: 0,
    generation: 0,
    holdUntil: 0,
    toldUntil: 0,
    boundAt: 0,
    instance: 0,
    chaddr: new Uint8Array(0),
    key: new Uint8Array(0),
    hasLongKey: false,
    hasDetails: false,
    isLongReserve: false,
    leaseSeconds: 0,
    version: 0,
  };
}

function unpackedKey(key: Uint8Array): Pick<Lease, 'key' | 'hasLongKey'> {
  const packed = packKey(key);
  const hasLongKey = packed[0] === 0xff;
  return { key: packed.slice(1, 1 + (hasLongKey ? 19 : (packed[0] ?? 0))), hasLongKey };
}

function isPooled(pools: Pools, address: Ipv4): boolean {
  const isListed = pools.ranges.some(({ first, last }) => first <= address && address <= last);
  return isListed && !pools.excluded(address);
}

function addressAt(pools: Pools, index: number): Ipv4 | undefined {
  let rest = index;
  for (const { first, last } of pools.ranges) {
    if (rest <= last - first) return ipv4(first + rest);
    rest -= last - first + 1;
  }
  return undefined;
}

/** As records have it: of a long key its digest. */
function nameOf(key: Uint8Array): string {
  return String.fromCharCode(...packKey(key));
}
