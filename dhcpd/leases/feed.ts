// Keeps the replica (docs/leases.md §5): loads it, follows the log, and reads again after a gap or
// a change of lineage.
import { describeError } from '../../shared/errors.ts';
import { jitter } from '../../shared/random.ts';
import type { Ground } from './ground.ts';
import type { Recovery } from './recovery.ts';
import { eachLogged } from './replica.ts';

const BLOCK_MS = 2000;
const RETRY_MS = 250;
const GATHER_MS = 10;
/** §5: how long the replica is fresh after the log was read. */
export const FRESH_MS = 10_000;

export class Feed {
  readonly #ground: Ground;
  readonly #recovery: Recovery;
  #after: string | undefined;
  /** The lineage that the replica was compared under as a whole. */
  #epoch = 0;
  #readMs = Number.NEGATIVE_INFINITY;
  #wasLoaded = false;

  constructor(ground: Ground, recovery: Recovery) {
    this.#ground = ground;
    this.#recovery = recovery;
  }

  /** Once loaded, the replica stays, however old. */
  get wasLoaded(): boolean {
    return this.#wasLoaded;
  }

  get isFresh(): boolean {
    return this.#epoch === this.#ground.epoch && this.lagMs <= FRESH_MS;
  }

  get lagMs(): number {
    return this.#ground.clock.monotonicMs() - this.#readMs;
  }

  /** All there is; rejects when Redis cannot tell. */
  async load(): Promise<void> {
    const ground = this.#ground;
    ground.noticeLineage(await ground.backend.lineage());
    const sentMs = ground.clock.monotonicMs();
    const epoch = ground.epoch;
    const { nowSeconds } = await ground.backend.run([]);
    ground.sample(nowSeconds, sentMs);
    // What is written while blocks are read is in the log after this.
    const tail = await ground.backend.logTail();
    const numbers = new Set([...(await ground.backend.blocks()), ...ground.replica.blocks.keys()]);
    await this.#recovery.verify(numbers);
    if (epoch !== ground.epoch) throw new Error('the lineage changed while blocks were read');
    this.#after = tail;
    this.#epoch = epoch;
    this.#readMs = sentMs;
    if (!this.#wasLoaded) {
      const { records } = ground.replica;
      ground.notice('book-loaded', `${records} records in ${numbers.size} blocks`, { records });
    }
    this.#wasLoaded = true;
  }

  /** Until the signal. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, random } = this.#ground;
    while (!signal.aborted) {
      try {
        await this.#turn(signal);
      } catch (error) {
        if (signal.aborted) return;
        this.#ground.failed(describeError(error));
        await clock.sleep(jitter(random, RETRY_MS), signal).catch(() => {}); // ends with the signal
      }
    }
  }

  async #turn(signal: AbortSignal): Promise<void> {
    const ground = this.#ground;
    if (this.#after === undefined || this.#epoch !== ground.epoch) await this.load();
    const sentMs = ground.clock.monotonicMs();
    const epoch = ground.epoch;
    const entries = await ground.backend.follow(this.#after ?? '0', BLOCK_MS, signal);
    ground.noticeLineage(await ground.backend.lineage());
    if (entries === 'trimmed' || epoch !== ground.epoch) {
      this.#after = undefined;
      return;
    }
    for (const { id, records } of entries) {
      eachLogged(records, (address, source, offset) => {
        ground.replica.put(address, source, offset);
      });
      this.#after = id;
    }
    this.#readMs = sentMs;
    // What comes in a burst is read together.
    if (entries.length > 0) await ground.clock.sleep(GATHER_MS, signal);
  }
}
