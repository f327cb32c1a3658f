// Offers that were made, by client and by address, for as long as they are the client's. Bounded:
// beyond the bound the oldest are forgotten, which costs a round trip and no promise.
import type { Clock } from '../../shared/clock.ts';
import { latinOf } from '../latin.ts';
import { packKey } from './record.ts';

const MAX_OFFERS = 65_536;

export type OfferMade = {
  address: number;
  pool: string;
  recycled: boolean;
  untilMs: number;
  /** From our reserve, to which it goes back when the client does not take it. */
  isReserved: boolean;
};

type Standing = OfferMade & { name: string };

export class Offers {
  readonly #clock: Clock;
  readonly #ttlMs: number;
  readonly #byClient = new Map<string, Standing>();
  /**
   * In the order of making, which is that of ending; some are gone already. (A Map has an order,
   * too, but finding its first entry takes as long as many were deleted before it.)
   */
  #order: Standing[] = [];
  #head = 0;
  readonly #addresses = new Map<number, string>();
  readonly #ended: (offer: OfferMade) => void;

  constructor(clock: Clock, ttlMs: number, ended: (offer: OfferMade) => void) {
    this.#clock = clock;
    this.#ttlMs = ttlMs;
    this.#ended = ended;
  }

  get count(): number {
    return this.#byClient.size;
  }

  of(name: string): OfferMade | undefined {
    const offer = this.#byClient.get(name);
    return offer !== undefined && offer.untilMs > this.#clock.monotonicMs() ? offer : undefined;
  }

  has(address: number): boolean {
    return this.#addresses.has(address);
  }

  /** The same client asks again: the same answer, for as long again. */
  make(name: string, offer: Omit<OfferMade, 'untilMs'>): OfferMade {
    this.expire();
    const before = this.#byClient.get(name);
    if (before !== undefined) this.#remove(name, before, before.address !== offer.address);
    const untilMs = this.#clock.monotonicMs() + this.#ttlMs;
    const made = { ...offer, name, untilMs };
    this.#byClient.set(name, made);
    this.#addresses.set(made.address, name);
    this.#order.push(made);
    if (this.#byClient.size > MAX_OFFERS) this.#dropOldest();
    if (this.#order.length > 4 * MAX_OFFERS) this.#compact();
    return made;
  }

  /** Taken by its client: the address is no reserve any more. */
  take(name: string): void {
    const offer = this.#byClient.get(name);
    if (offer !== undefined) this.#remove(name, offer, false);
  }

  drop(name: string): void {
    const offer = this.#byClient.get(name);
    if (offer !== undefined) this.#remove(name, offer, true);
  }

  /** Amortised: what ended stands in front. */
  expire(): void {
    const nowMs = this.#clock.monotonicMs();
    for (let first = this.#first(); first !== undefined; first = this.#first()) {
      if (first.untilMs > nowMs) return;
      this.#remove(first.name, first, true);
    }
  }

  clear(): void {
    this.#byClient.clear();
    this.#addresses.clear();
    this.#order = [];
    this.#head = 0;
  }

  #dropOldest(): void {
    const first = this.#first();
    if (first !== undefined) this.#remove(first.name, first, true);
  }

  /** The oldest that still stands. */
  #first(): Standing | undefined {
    while (this.#head < this.#order.length) {
      const first = this.#order[this.#head];
      if (first !== undefined && this.#byClient.get(first.name) === first) return first;
      this.#head++;
    }
    this.#order = [];
    this.#head = 0;
    return undefined;
  }

  #compact(): void {
    const stands = (each: Standing) => this.#byClient.get(each.name) === each;
    this.#order = this.#order.slice(this.#head).filter(stands);
    this.#head = 0;
  }

  #remove(name: string, offer: OfferMade, isEnded: boolean): void {
    this.#byClient.delete(name);
    if (this.#addresses.get(offer.address) === name) this.#addresses.delete(offer.address);
    if (isEnded) this.#ended(offer);
  }
}

/** A client as maps have it: its packed key, one character a byte. */
export function clientName(key: Uint8Array): string {
  const packed = packKey(key);
  return latinOf(packed, 1 + Math.min(packed[0] ?? 0, packed.length - 1));
}
