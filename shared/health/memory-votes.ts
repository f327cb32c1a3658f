// The board in memory, for tests and simulations: one server, and a connection for each prober that
// can be made to fail, freeze, or lose its replies.
import type { Clock } from '../clock.ts';
import { OperationalError } from '../errors.ts';
import {
  FORGOTTEN_MS,
  type Lease,
  MAX_VOTES_PER_WRITE,
  type VoteBoard,
  type VoteEntry,
  type VoteReceipt,
  type VoteWrite,
} from './board.ts';

/** `lost-replies`: what is asked is done, and its answer lost. */
export type LinkMode = 'up' | 'failing' | 'frozen' | 'lost-replies';

const MAX_ENTRIES = 1000;
const TIMEOUT_MS = 500;

export class MemoryVoteServer {
  readonly clock: Clock;
  readonly #probers = new Map<string, { renewedMs: number; generation: number }>();
  readonly #votes = new Map<string, Map<string, string>>();
  #entries: { id: number; entry: VoteEntry }[] = [];
  #lastId = 0;
  #waiting = new Set<() => void>();

  constructor(clock: Clock) {
    this.clock = clock;
  }

  /** `mode` is asked at each operation. */
  connect(mode: () => LinkMode = () => 'up'): VoteBoard {
    return new MemoryVotes(this, mode);
  }

  /** As a restart without its data. */
  wipe(): void {
    this.#probers.clear();
    this.#votes.clear();
    this.#entries = [];
    this.#lastId = 0;
  }

  renew(node: string, join: boolean): { nowMs: number; leases: Lease[] } {
    const nowMs = this.clock.nowMs();
    if (join) {
      const generation = this.#probers.get(node)?.generation ?? 0;
      this.#probers.set(node, { renewedMs: nowMs, generation });
    }
    const leases: Lease[] = [];
    for (const [each, { renewedMs, generation }] of this.#probers) {
      const ageMs = Math.max(0, nowMs - renewedMs);
      if (ageMs <= FORGOTTEN_MS) leases.push({ node: each, ageMs, generation });
      else this.#probers.delete(each);
    }
    return { nowMs, leases };
  }

  vote(node: string, { base, generation, changes, whole }: VoteWrite): VoteReceipt {
    const held = this.#probers.get(node)?.generation ?? 0;
    if (held >= generation || (!whole && held < base)) return { accepted: false, generation: held };
    const votes = whole ? new Map<string, string>() : (this.#votes.get(node) ?? new Map());
    for (const [id, text] of changes) {
      if (text === null) votes.delete(id);
      else votes.set(id, text);
    }
    this.#votes.set(node, votes);
    this.#probers.set(node, { renewedMs: this.clock.nowMs(), generation });
    const isTold = !whole && changes.size <= MAX_VOTES_PER_WRITE;
    this.#tell({ node, from: held, generation, ...(isTold ? { changes: new Map(changes) } : {}) });
    return { accepted: true, generation };
  }

  votesOf(node: string): { generation: number; votes: Map<string, string> } {
    const generation = this.#probers.get(node)?.generation ?? 0;
    return { generation, votes: new Map(this.#votes.get(node)) };
  }

  tail(): string {
    return `${this.#lastId}-0`;
  }

  after(id: string): { lastId: string; entries: VoteEntry[] } {
    const found = this.#entries.filter((each) => each.id > Number(id.split('-')[0]));
    const last = found.at(-1);
    const lastId = last === undefined ? id : `${last.id}-0`;
    return { lastId, entries: found.map(({ entry }) => entry) };
  }

  /** Calls back once, with the next entry. */
  onEntry(callback: () => void): () => void {
    this.#waiting.add(callback);
    return () => this.#waiting.delete(callback);
  }

  #tell(entry: VoteEntry): void {
    this.#entries.push({ id: ++this.#lastId, entry });
    this.#entries = this.#entries.slice(-MAX_ENTRIES);
    const waiting = this.#waiting;
    this.#waiting = new Set();
    for (const callback of waiting) callback();
  }
}

class MemoryVotes implements VoteBoard {
  readonly #server: MemoryVoteServer;
  readonly #mode: () => LinkMode;

  constructor(server: MemoryVoteServer, mode: () => LinkMode) {
    this.#server = server;
    this.#mode = mode;
  }

  renew(node: string, join: boolean): Promise<{ nowMs: number; leases: Lease[] }> {
    return this.#do(() => this.#server.renew(node, join));
  }

  vote(node: string, write: VoteWrite): Promise<VoteReceipt> {
    return this.#do(() => this.#server.vote(node, write));
  }

  votesOf(node: string): Promise<{ generation: number; votes: Map<string, string> }> {
    return this.#do(() => this.#server.votesOf(node));
  }

  tail(): Promise<string> {
    return this.#do(() => this.#server.tail());
  }

  async follow(
    afterId: string,
    blockMs: number,
    signal: AbortSignal,
  ): Promise<{ lastId: string; entries: VoteEntry[] }> {
    signal.throwIfAborted();
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const forget = this.#server.onEntry(resolve); // before it looks, or one in between is missed
    const found = await this.#do(() => this.#server.after(afterId)).catch((error) => {
      forget();
      throw error;
    });
    if (found.entries.length > 0) {
      forget();
      return found;
    }
    const cancel = this.#server.clock.after(blockMs, resolve);
    const abort = () => reject(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
    try {
      await promise;
    } finally {
      forget();
      cancel();
      signal.removeEventListener('abort', abort);
    }
    return this.#do(() => this.#server.after(afterId));
  }

  close(): void {}

  async #do<T>(operation: () => T): Promise<T> {
    const mode = this.#mode();
    if (mode === 'frozen') {
      await this.#server.clock.sleep(TIMEOUT_MS);
      throw failure('EDGE_STORE_TIMEOUT', 'the store did not answer in time');
    }
    if (mode === 'failing') throw failure('EDGE_STORE_UNREACHABLE', 'the store cannot be reached');
    const result = operation();
    if (mode === 'up') return result;
    throw failure('EDGE_STORE_TIMEOUT', 'the store did not answer in time');
  }
}

function failure(code: 'EDGE_STORE_TIMEOUT' | 'EDGE_STORE_UNREACHABLE', message: string): Error {
  return new OperationalError(code, message);
}
