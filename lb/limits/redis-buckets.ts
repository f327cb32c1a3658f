// Buckets that all instances share, in Redis: one script a telling, by Redis' clock.
import { createHash } from 'node:crypto';
import { storeError } from '../../shared/store/failure.ts';
import { limitKeys } from '../../shared/store/keys.ts';
import { Links } from '../../shared/store/links.ts';
import type { StoreConfig } from '../../shared/store/open.ts';
import { readScript } from '../../shared/store/script.ts';
import { reachableAddress } from '../../shared/store/url.ts';
import type { Ahead } from '../workers/messages.ts';
import type { Spent } from './gcra.ts';

const LANE = 'limits';
const BUCKETS_PER_CALL = 500;
const spend = readScript('spend', new URL('./lua/spend.lua', import.meta.url));

export interface SharedBuckets {
  /** Rejects where the store does not answer: then nothing, or all, was added. */
  spend(spent: readonly Spent[]): Promise<Ahead[]>;
  close(): void;
}

export class RedisBuckets implements SharedBuckets {
  readonly #links: Links;

  /** Connects when first used. */
  constructor(store: StoreConfig) {
    this.#links = new Links(reachableAddress(store.url), store, [spend]);
  }

  async spend(spent: readonly Spent[]): Promise<Ahead[]> {
    const aheads: Ahead[] = [];
    for (let at = 0; at < spent.length; at += BUCKETS_PER_CALL) {
      aheads.push(...(await this.#spend(spent.slice(at, at + BUCKETS_PER_CALL))));
    }
    return aheads;
  }

  close(): void {
    this.#links.close();
  }

  async #spend(spent: readonly Spent[]): Promise<Ahead[]> {
    const keys = spent.map(({ key }) => limitKeys().bucket(hashed(key)));
    const argv = spent.map(({ spentMs }) => spentMs);
    const [reply] = await this.#links.run(LANE, keys[0] ?? '', [{ script: spend, keys, argv }]);
    if (reply instanceof Error) throw storeError(reply);
    const aheads = Array.isArray(reply) ? reply.map(Number) : [];
    return spent.flatMap(({ key }, at) => {
      const aheadMs = aheads[at];
      return aheadMs === undefined || !Number.isFinite(aheadMs) ? [] : [{ key, aheadMs }];
    });
  }
}

/** Clients choose a part of it: of any length, with any bytes. */
const hashed = (key: string): string => createHash('sha1').update(key).digest('hex');
