// Offers that were made, by client and by address, for as long as they are the client's. Bounded:
// beyond the bound the oldest are forgotten, which costs a round trip and no promise.
import type { Clock } from '../../shared/clock.ts';
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

export class Offers {
  readonly #clock: Clock;
  readonly #ttlMs: number;
  /** In the order of making, which is that of ending. */
  readonly #byClient = new Map<string, OfferMade>();
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
    const made = { ...offer, untilMs: this.#clock.monotonicMs() + this.#ttlMs };
    this.#byClient.set(name, made);
    this.#addresses.set(made.address, name);
    if (this.#byClient.size > MAX_OFFERS) this.#dropOldest();
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
    for (const [name, offer] of this.#byClient) {
      if (offer.untilMs > nowMs) return;
      this.#remove(name, offer, true);
    }
  }

  clear(): void {
    this.#byClient.clear();
    this.#addresses.clear();
  }

  #dropOldest(): void {
    for (const [name, offer] of this.#byClient) {
      this.#remove(name, offer, true);
      return;
    }
  }

  #remove(name: string, offer: OfferMade, isEnded: boolean): void {
    this.#byClient.delete(name);
    if (this.#addresses.get(offer.address) === name) this.#addresses.delete(offer.address);
    if (isEnded) this.#ended(offer);
  }
}

/** A client as maps have it: its packed key, one character a byte. */
export function clientName(key: Uint8Array): string {
  return String.fromCharCode(...packKey(key));
}
