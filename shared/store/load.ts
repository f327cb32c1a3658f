// One reading of the whole state of a unit, checked against what the store says it should add up
// to.
import { OperationalError } from '../errors.ts';
import { addDigest, formatDigest, objectDigest } from './digest.ts';
import type { SnapshotDraft } from './snapshot.ts';
import type { Head, ObjectRecord, Store } from './types.ts';

/** What was read goes into the draft too, when there is one. */
export class Load {
  count = 0;
  torn = false;
  tornAllowed = false;
  /** Changes up to this version may have been seen while reading. */
  settledBy: number;
  failure: unknown;
  readonly #store: Store;
  readonly #unit: string;
  readonly #head: Head;
  readonly #draft: SnapshotDraft | undefined;
  readonly #signal: AbortSignal;
  #sum = 0;

  constructor(
    store: Store,
    unit: string,
    head: Head,
    draft: SnapshotDraft | undefined,
    signal: AbortSignal,
  ) {
    this.#store = store;
    this.#unit = unit;
    this.#head = head;
    this.#draft = draft;
    this.#signal = signal;
    this.settledBy = head.version;
  }

  async *batches(): AsyncGenerator<ObjectRecord[]> {
    try {
      for await (const batch of this.#store.scan(this.#unit)) {
        this.#signal.throwIfAborted();
        this.count += batch.length;
        for (const { kind, id, value } of batch) {
          this.#sum = addDigest(this.#sum, objectDigest(kind, id, value));
        }
        await this.#draft?.add(batch);
        yield batch;
      }
      await this.#check();
    } catch (error) {
      this.failure = error;
      throw error;
    }
  }

  /**
   * Only a reading during which nothing changed can be checked; others are mended by the stream.
   */
  async #check(): Promise<void> {
    const after = await this.#store.head(this.#unit);
    this.settledBy = after.version;
    const whole = this.count === this.#head.count && formatDigest(this.#sum) === this.#head.digest;
    if (whole || after.tail !== this.#head.tail) return;
    this.torn = true;
    if (this.tornAllowed) return;
    const text = `read ${this.count} objects that do not add up to the store's digest`;
    throw new OperationalError('EDGE_STORE_TORN', text);
  }
}
