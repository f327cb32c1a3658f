// Requests to targets: all open ones of a worker, and the tick that ends those which wait too long.
import type { Forwarding, Outgoing } from '../types.ts';
import type { Incoming } from '../wiring.ts';
import { Exchange } from './exchange.ts';
import type { ForwarderOptions, TimedForwarder } from './types.ts';

/** No call of `incoming` comes before `forward` has returned. */
export function createForwarder(options: ForwarderOptions): TimedForwarder {
  return new OpenExchanges(options);
}

export class OpenExchanges implements TimedForwarder {
  readonly options: ForwarderOptions;
  /** Each knows its place in it. */
  readonly #exchanges: Exchange[] = [];

  constructor(options: ForwarderOptions) {
    this.options = options;
  }

  get open(): number {
    return this.#exchanges.length;
  }

  forward(request: Outgoing, incoming: Incoming): Forwarding {
    const exchange = new Exchange(this, request, incoming);
    exchange.slot = this.#exchanges.push(exchange) - 1;
    exchange.begin();
    return exchange;
  }

  remove({ slot }: Exchange): void {
    const last = this.#exchanges.pop();
    if (last === undefined || last.slot === slot) return;
    last.slot = slot;
    this.#exchanges[slot] = last;
  }

  tick(nowMs: number): void {
    // Backwards: an exchange that ends puts the last one, which was looked at, in its place.
    for (let i = this.#exchanges.length - 1; i >= 0; i--) this.#exchanges[i]?.tick(nowMs);
  }
}
