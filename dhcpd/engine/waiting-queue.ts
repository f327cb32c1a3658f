// What waits for its turn: who asks for a lease that was offered goes before who starts. Bounded;
// when it is full a newcomer of the first kind takes the place of the eldest of the second. Pure.
import { MESSAGE } from '../wire/types.ts';
import type { Query } from './types.ts';

export class WaitingQueue {
  readonly #capacity: number;
  /** Insertion order is the order of service. */
  readonly #first = new Set<Query>();
  readonly #second = new Set<Query>();

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  get size(): number {
    return this.#first.size + this.#second.size;
  }

  /** The query that is dropped instead, maybe this one. */
  add(query: Query): Query | undefined {
    const { messageType } = query.request;
    const isStart = messageType === MESSAGE.DISCOVER || messageType === MESSAGE.INFORM;
    let dropped: Query | undefined;
    if (this.size >= this.#capacity) {
      dropped = isStart ? undefined : eldest(this.#second);
      if (dropped === undefined) return query;
      this.#second.delete(dropped);
    }
    (isStart ? this.#second : this.#first).add(query);
    return dropped;
  }

  take(): Query | undefined {
    for (const queries of [this.#first, this.#second]) {
      const query = eldest(queries);
      if (query === undefined) continue;
      queries.delete(query);
      return query;
    }
    return undefined;
  }
}

function eldest(queries: Set<Query>): Query | undefined {
  const next = queries.keys().next();
  return next.done ? undefined : next.value;
}
