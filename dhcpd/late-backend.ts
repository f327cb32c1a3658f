// The leases in Redis, opened once it is known what Redis makes durable (docs/leases.md §6): an
// instance may start while Redis is away, and looks as soon as it answers.

import { describeError, OperationalError } from '../shared/errors.ts';
import type { StoreConfig } from '../shared/store/open.ts';
import type { Durability as Wanted } from './config.ts';
import { inspectLeaseStore, openRedisLeases, type RedisLeases } from './leases/backend.ts';
import type { Durability } from './leases/durability.ts';
import type { Item, ItemResult, LeaseBackend } from './leases/types.ts';

export type LateBackendOptions = {
  store: StoreConfig;
  durability: Wanted;
  /** What ran, and what Redis said of each; called before who asked hears of it. */
  onRan?: (items: readonly Item[], results: readonly ItemResult[]) => void;
  onOpened: (durability: Durability) => void;
  /** The store answers, but keeps no promise: nothing may be served from it. */
  onRefused: (error: OperationalError) => void;
};

export class LateBackend implements LeaseBackend {
  readonly #options: LateBackendOptions;
  #opening: Promise<RedisLeases> | undefined;
  #opened: RedisLeases | undefined;
  #durability: Durability | undefined;

  constructor(options: LateBackendOptions) {
    this.#options = options;
  }

  /** Undefined: Redis has not answered yet. */
  get durability(): string | undefined {
    const found = this.#durability;
    if (found === undefined) return undefined;
    return found.by === 'replicas' ? `replicas:${found.count}` : found.by;
  }

  lineage = async () => (await this.#open()).lineage();
  run = async (items: readonly Item[]) => {
    const ran = await (await this.#open()).run(items);
    if ('results' in ran) this.#options.onRan?.(items, ran.results);
    return ran;
  };
  adopt = async (...args: Parameters<LeaseBackend['adopt']>) => (await this.#open()).adopt(...args);
  lengthen = async (...args: Parameters<LeaseBackend['lengthen']>) =>
    (await this.#open()).lengthen(...args);
  prove = async (...args: Parameters<LeaseBackend['prove']>) => (await this.#open()).prove(...args);
  blocks = async () => (await this.#open()).blocks();
  read = async (blocks: readonly number[]) => (await this.#open()).read(blocks);
  details = async (...args: Parameters<LeaseBackend['details']>) =>
    (await this.#open()).details(...args);
  offer = async (...args: Parameters<LeaseBackend['offer']>) => (await this.#open()).offer(...args);
  offered = async (...args: Parameters<LeaseBackend['offered']>) =>
    (await this.#open()).offered(...args);
  logTail = async () => (await this.#open()).logTail();
  follow = async (...args: Parameters<LeaseBackend['follow']>) =>
    (await this.#open()).follow(...args);

  close(): void {
    this.#opened?.close();
  }

  #open(): Promise<RedisLeases> {
    this.#opening ??= this.#inspect().catch((error: unknown) => {
      this.#opening = undefined; // asked again with the next call
      throw error;
    });
    return this.#opening;
  }

  async #inspect(): Promise<RedisLeases> {
    const { store, durability: wanted, onOpened, onRefused } = this.#options;
    let durability: Durability;
    try {
      durability = wanted.kind === 'auto' ? await inspectLeaseStore(store) : chosen(wanted);
    } catch (error) {
      if (error instanceof OperationalError && error.code === 'EDGE_DHCPD_DURABILITY') {
        onRefused(error);
      }
      throw error;
    }
    this.#durability = durability;
    this.#opened = openRedisLeases({ store, durability });
    onOpened(durability);
    return this.#opened;
  }
}

function chosen(wanted: Exclude<Wanted, { kind: 'auto' }>): Durability {
  if (wanted.kind === 'replicas') return { by: 'replicas', count: wanted.count };
  if (wanted.kind === 'auto') throw new Error(describeError('auto is looked up'));
  return { by: wanted.kind };
}
