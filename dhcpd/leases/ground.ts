// What the parts of the book stand on together: the replica, the time, the lineage, and word of
// what Redis answered. Parts know this and not one another.
import type { Clock } from '../../shared/clock.ts';
import { describeError } from '../../shared/errors.ts';
import type { Random } from '../../shared/random.ts';
import { Ledger } from './ledger.ts';
import type { BookEvent, BookSettings, LeaseBookOptions } from './options.ts';
import { FIELD } from './record.ts';
import { type Block, Replica } from './replica.ts';
import { RedisTime } from './time.ts';
import type { LeaseBackend } from './types.ts';

/** R5. */
export const REPLY_WITHIN_MS = 5000;
/** R8. */
export const MAX_ESTIMATE_AGE_MS = 60_000;

export class Ground {
  readonly backend: LeaseBackend;
  readonly clock: Clock;
  readonly random: Random;
  readonly settings: BookSettings;
  readonly instance: number;
  readonly members: () => number;
  readonly replica: Replica;
  readonly ledger: Ledger;
  readonly time: RedisTime;
  readonly notice: (event: BookEvent, message: string, fields?: Record<string, unknown>) => void;
  lineage: string | undefined;
  /** Lineages that were seen, counted: what was learnt under an earlier one needs a comparison. */
  epoch = 0;
  lastAnswerMs = Number.NEGATIVE_INFINITY;
  lastError: string | undefined;
  losses = 0;
  #isProving = false;

  constructor(options: LeaseBookOptions) {
    this.clock = options.clock;
    this.random = options.random;
    this.settings = options.settings;
    this.instance = options.instance;
    this.members = () => Math.max(1, options.members());
    this.notice = options.notice ?? (() => {});
    this.time = new RedisTime(options.clock);
    this.replica = new Replica(options.random.integer(2 ** 32));
    this.ledger = new Ledger(this.replica, () => this.time.earliest);
    this.backend = watched(options.backend, () => {
      this.lastAnswerMs = this.clock.monotonicMs();
    });
  }

  /** A reply that was asked for at `sentMs` and just came told Redis' time. */
  sample(nowSeconds: number, sentMs: number): void {
    this.time.sample(nowSeconds, sentMs, this.clock.monotonicMs());
  }

  /**
   * A record as a reply has it, to a call that was sent in this epoch. `isDurable`: our write made
   * it, and is durable; so is then what the block was told before.
   */
  learn(address: number, record: Uint8Array, epoch: number, isDurable: boolean): void {
    this.replica.put(address, record, 0);
    const block = this.replica.block(address);
    if (block === undefined) return;
    // An answer of the Redis before: true once, so it takes part in the comparison.
    if (epoch < block.epoch) block.epoch = epoch;
    // Versions of two histories say nothing of one another.
    if (block.epoch !== this.epoch) block.provenVersion = 0;
    else if (isDurable && epoch === this.epoch) provenTo(block, versionOf(record));
  }

  /** R4, what was only followed: a later write that is durable proves all that came before. */
  async prove(): Promise<void> {
    const { epoch, lineage } = this;
    if (lineage === undefined || this.#isProving) return;
    const asked: { block: Block; version: number }[] = [];
    for (const block of this.replica.blocks.values()) {
      const { version } = block;
      if (block.epoch === epoch && version > block.provenVersion) asked.push({ block, version });
    }
    if (asked.length === 0) return;
    this.#isProving = true;
    try {
      const numbers = asked.map(({ block }) => block.number);
      if (!(await this.backend.prove(numbers, lineage)) || epoch !== this.epoch) return;
      for (const { block, version } of asked) if (block.epoch === epoch) provenTo(block, version);
    } catch (error) {
      this.failed(describeError(error));
    } finally {
      this.#isProving = false;
    }
  }

  /** Redis answers from another history than before, or for the first time. */
  noticeLineage(lineage: string): void {
    if (lineage === this.lineage) return;
    const before = this.lineage;
    this.lineage = lineage;
    this.epoch++;
    this.replica.epoch = this.epoch;
    if (before === undefined) return;
    this.notice('book-lineage', `Redis has another history: ${before} was, ${lineage} is`, {
      before,
      lineage,
    });
  }

  failed(message: string): void {
    if (message !== this.lastError) this.notice('book-error', message);
    this.lastError = message;
  }

  /** Compared under the lineage that is in force. */
  isCompared(address: number): boolean {
    const block = this.replica.block(address);
    return block === undefined || block.epoch === this.epoch;
  }
}

/** A block that was emptied meanwhile has a lower version, and nothing of it is proven. */
function provenTo(block: Block, version: number): void {
  if (version <= block.version) block.provenVersion = Math.max(block.provenVersion, version);
}

function versionOf(record: Uint8Array): number {
  const view = new DataView(record.buffer, record.byteOffset + FIELD.version, 8);
  return view.getUint32(0) * 2 ** 32 + view.getUint32(4);
}

/** Every answer counts as a sign of life, whatever was asked. */
function watched(backend: LeaseBackend, answered: () => void): LeaseBackend {
  const watch = async <T>(call: Promise<T>): Promise<T> => {
    const value = await call;
    answered();
    return value;
  };
  return {
    lineage: () => backend.lineage(), // may be known without asking
    run: (items) => watch(backend.run(items)),
    adopt: (blocks, from, seconds) => watch(backend.adopt(blocks, from, seconds)),
    lengthen: (block, seconds) => watch(backend.lengthen(block, seconds)),
    prove: (blocks, lineage) => watch(backend.prove(blocks, lineage)),
    blocks: () => watch(backend.blocks()),
    read: (blocks) => watch(backend.read(blocks)),
    details: (addresses) => watch(backend.details(addresses)),
    offer: (key, address, ttlMs) => watch(backend.offer(key, address, ttlMs)),
    offered: (key) => watch(backend.offered(key)),
    logTail: () => watch(backend.logTail()),
    follow: (afterId, blockMs, signal) => watch(backend.follow(afterId, blockMs, signal)),
    close: () => backend.close(),
  };
}
