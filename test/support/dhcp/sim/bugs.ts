// Bugs that the simulation has to find: each breaks one rule of docs/leases.md around a backend, a
// book or a clock that are right otherwise.
import { FIELD } from '../../../../dhcpd/leases/record.ts';
import {
  CODE,
  type Item,
  type ItemResult,
  type LeaseBackend,
  type LeaseBook,
  type Ran,
} from '../../../../dhcpd/leases/types.ts';
import type { Bug } from './instance.ts';

type Answer = (item: Item, result: ItemResult, ran: Ran) => ItemResult;

/** R2: what is somebody else's is given all the same. */
export const withoutHold: Bug = {
  backend: (backend) =>
    answering(backend, (item, result, ran) => {
      const isRefused = result.code !== CODE.done;
      return isRefused && item.op === 'bind' ? asIfDone(item, ran) : result;
    }),
};

/** R4: an ACK leaves though too few hold what it promises. */
export const withoutWait: Bug = {
  backend: (backend) => ({
    ...backend,
    run: async (items) => {
      const ran = await backend.run(items);
      return 'fenced' in ran ? ran : { ...ran, durable: true };
    },
  }),
};

/** R1: a renewal is told all of the lease, whatever the hold. */
export const beyondHold: Bug = {
  book: (book) => ({
    ...facade(book),
    renew: async (want) => {
      void book.renew(want);
      const toldSeconds = want.leaseSeconds;
      return { outcome: 'bound', toldSeconds, replyByMs: Number.POSITIVE_INFINITY };
    },
  }),
};

/** §7: what Redis lost is not taught to it again, and nothing is in quarantine. */
export const withoutFence: Bug = {
  backend: (backend) => ({
    ...backend,
    run: async (items) => {
      const ran = await backend.run(items.filter(({ op }) => op !== 'teach'));
      if ('fenced' in ran) return ran;
      const rest = [...ran.results];
      const results = items.map(({ op, record }) => {
        const result = op === 'teach' ? undefined : rest.shift();
        return result ?? { code: CODE.stale, record };
      });
      return { ...ran, results };
    },
    adopt: (blocks, from) => backend.adopt(blocks, from, 0),
    lengthen: () => Promise.resolve(),
  }),
};

/** R5: the clock that says how old a reply is stands still with the process. */
export const sleepingClock: Bug = { clockSleeps: true };

/** R6: whoever gives an address back is believed. */
export const anybodyReleases: Bug = {
  book: (book) => ({
    ...facade(book),
    isOwner: () => true,
    release: (client, address) => {
      const key = book.get(address)?.key ?? client.key;
      return book.release({ ...client, key }, address);
    },
  }),
};

function answering(backend: LeaseBackend, answer: Answer): LeaseBackend {
  return {
    ...backend,
    run: async (items) => {
      const ran = await backend.run(items);
      if ('fenced' in ran) return ran;
      const results = ran.results.map((result, at) => {
        const item = items[at];
        return item === undefined ? result : answer(item, result, ran);
      });
      return { ...ran, results };
    },
  };
}

function asIfDone(item: Item, ran: Ran): ItemResult {
  return { code: CODE.done, record: heldUntil(item.record, ran.nowSeconds + item.seconds) };
}

function heldUntil(record: Uint8Array, seconds: number): Uint8Array {
  const changed = record.slice();
  new DataView(changed.buffer).setUint32(FIELD.holdUntil, seconds);
  return changed;
}

/** A book is an object with methods of its class: those are not copied by a spread. */
function facade(book: LeaseBook): LeaseBook {
  return {
    get: (address) => book.get(address),
    ofClient: (key, accept) => book.ofClient(key, accept),
    isOwner: (lease, key) => book.isOwner(lease, key),
    isHeld: (lease) => book.isHeld(lease),
    nowSeconds: () => book.nowSeconds(),
    get condition() {
      return book.condition;
    },
    lostLately: (address) => book.lostLately?.(address) ?? false,
    offer: (want) => book.offer(want),
    wasOffered: (client, address) => book.wasOffered(client, address),
    dropOffer: (client) => book.dropOffer(client),
    bind: (want) => book.bind(want),
    renew: (want) => book.renew(want),
    release: (client, address) => book.release(client, address),
    decline: (client, address, seconds) => book.decline(client, address, seconds),
    quarantine: (address, seconds) => book.quarantine(address, seconds),
    counts: (pools) => book.counts(pools),
  };
}
