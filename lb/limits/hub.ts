// Where the buckets of an instance's workers meet: what each spent is added up, here or in Redis,
// and all of them hear how far ahead a bucket is.
import { describeError } from '../../shared/errors.ts';
import type { Log } from '../../shared/log.ts';
import type { LbEvent } from '../events.ts';
import type { Ahead } from '../workers/messages.ts';
import { Buckets, type Spent } from './gcra.ts';
import type { SharedBuckets } from './redis-buckets.ts';

export type HubOptions = {
  shared: SharedBuckets;
  tell: (own: readonly Ahead[], shared: readonly Ahead[]) => void;
  monotonicMs: () => number;
  log: Log<LbEvent>;
};

/** While one telling is under way to Redis, so many buckets wait; further ones are counted here. */
const MAX_WAITING = 50_000;

export class LimitHub {
  readonly #options: HubOptions;
  readonly #own = new Buckets();
  /** Of shared limits, while Redis is away. */
  readonly #alone = new Buckets();
  #waiting = new Map<string, Spent>();
  #isTelling = false;
  #isAlone = false;
  #isStopped = false;

  constructor(options: HubOptions) {
    this.#options = options;
  }

  get isAlone(): boolean {
    return this.#isAlone;
  }

  heard(own: readonly Spent[], shared: readonly Spent[]): void {
    const nowMs = this.#options.monotonicMs();
    const aheads = own.map((spent) => ({ key: spent.key, aheadMs: this.#own.add(spent, nowMs) }));
    if (aheads.length > 0) this.#options.tell(aheads, []);
    for (const spent of shared) this.#wait(spent);
    if (!this.#isTelling && this.#waiting.size > 0) void this.#tellShared();
  }

  /** Once the workers have ended: nobody is left to be told. */
  stop(): void {
    this.#isStopped = true;
    this.#waiting.clear();
    this.#options.shared.close();
  }

  #wait(spent: Spent): void {
    const before = this.#waiting.get(spent.key);
    if (before !== undefined) before.spentMs += spent.spentMs;
    else if (this.#waiting.size < MAX_WAITING) this.#waiting.set(spent.key, { ...spent });
  }

  async #tellShared(): Promise<void> {
    const { shared, tell, monotonicMs, log } = this.#options;
    this.#isTelling = true;
    while (this.#waiting.size > 0) {
      const spent = [...this.#waiting.values()];
      this.#waiting = new Map();
      try {
        tell([], await shared.spend(spent));
        this.#isAlone = false;
      } catch (error) {
        if (this.#isStopped) break;
        if (!this.#isAlone) log.warn('limits-alone', describeError(error), { error });
        this.#isAlone = true;
        const nowMs = monotonicMs();
        tell(
          [],
          spent.map((each) => ({ key: each.key, aheadMs: this.#alone.add(each, nowMs) })),
        );
      }
    }
    this.#isTelling = false;
  }
}
