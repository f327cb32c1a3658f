// The board in memory, for tests and simulations: one server, and a link for each instance that can
// be made to fail, freeze, or lose its replies.
import type { Clock } from '../clock.ts';
import { OperationalError } from '../errors.ts';
import {
  type BoardChange,
  type BoardSnapshot,
  FORGOTTEN_MS,
  LEASE_MS,
  type Leases,
  type Vote,
  type VoteBoard,
  type Votes,
} from './types.ts';

/** `lost-replies`: what is asked is done, and its answer lost. */
export type BoardLink = 'up' | 'failing' | 'frozen' | 'lost-replies';

const MAX_CHANGES = 1000;
const TIMEOUT_MS = 500;

type Prober = { untilMs: number; seenMs: number; sequence: number; votes: Map<string, Vote> };

export class MemoryBoard {
  readonly clock: Clock;
  readonly #probers = new Map<string, Prober>();
  #changes: { position: number; change: BoardChange }[] = [];
  #position = 0;
  /** Wiped boards go on counting elsewhere. */
  #life = 0;
  #waiting = new Set<() => void>();

  constructor(clock: Clock) {
    this.clock = clock;
  }

  /** `link` is asked at each call. */
  connect(link: () => BoardLink = () => 'up'): VoteBoard {
    return boardOver(this, link);
  }

  /** As a restart without its data. */
  wipe(): void {
    this.#probers.clear();
    this.#changes = [];
    this.#position = 0;
    this.#life++;
  }

  /** Forgets what has changed, not what is. */
  trim(): void {
    this.#changes = [];
  }

  renew(name: string): Leases {
    const nowMs = this.clock.nowMs();
    const prober = this.#prober(name);
    prober.untilMs = nowMs + LEASE_MS;
    prober.seenMs = nowMs;
    return this.#leases();
  }

  vote(name: string, sequence: number, votes: Votes): number {
    const prober = this.#prober(name);
    if (sequence <= prober.sequence) return prober.sequence;
    this.renew(name);
    prober.sequence = sequence;
    for (const [id, vote] of votes) {
      if (vote === null) prober.votes.delete(id);
      else prober.votes.set(id, vote);
    }
    this.#changes.push({
      position: ++this.#position,
      change: { prober: name, sequence, votes: new Map(votes) },
    });
    this.#changes = this.#changes.slice(-MAX_CHANGES);
    const waiting = this.#waiting;
    this.#waiting = new Set();
    for (const wake of waiting) wake();
    return sequence;
  }

  snapshot(): BoardSnapshot {
    const votes = [...this.#probers].map(([name, each]) => [name, new Map(each.votes)] as const);
    return { ...this.#leases(), votes: new Map(votes), position: this.#text(this.#position) };
  }

  after(position: string): { position: string; changes: BoardChange[] } | 'again' {
    const [life, at = 0] = position.split('-').map(Number);
    const oldest = this.#changes[0]?.position ?? this.#position + 1;
    if (life !== this.#life || at + 1 < oldest) return 'again';
    const changes = this.#changes.filter((each) => each.position > at).map((each) => each.change);
    return { position: this.#text(this.#position), changes };
  }

  leave(name: string): void {
    const prober = this.#probers.get(name);
    if (prober !== undefined) prober.untilMs = 0;
  }

  /** Calls back once, with the next change; the returned function forgets that. */
  onChange(wake: () => void): () => void {
    this.#waiting.add(wake);
    return () => this.#waiting.delete(wake);
  }

  #text(position: number): string {
    return `${this.#life}-${position}`;
  }

  #prober(name: string): Prober {
    const known = this.#probers.get(name);
    if (known !== undefined) return known;
    const nowMs = this.clock.nowMs();
    const fresh: Prober = { untilMs: 0, seenMs: nowMs, sequence: 0, votes: new Map() };
    this.#probers.set(name, fresh);
    return fresh;
  }

  #leases(): Leases {
    const nowMs = this.clock.nowMs();
    for (const [name, { seenMs }] of this.#probers) {
      if (nowMs - seenMs > FORGOTTEN_MS) this.#probers.delete(name);
    }
    const leases = [...this.#probers].map(([name, { untilMs, sequence }]) => {
      return [name, { untilMs, sequence }] as const;
    });
    return { nowMs, probers: new Map(leases) };
  }
}

function boardOver(server: MemoryBoard, link: () => BoardLink): VoteBoard {
  const ask = async <T>(operation: () => T): Promise<T> => {
    const mode = link();
    if (mode === 'failing') throw new OperationalError('EDGE_STORE_UNREACHABLE', 'no board');
    if (mode === 'up') return operation();
    if (mode === 'lost-replies') operation();
    await server.clock.sleep(TIMEOUT_MS);
    throw new OperationalError('EDGE_STORE_TIMEOUT', 'the board did not answer in time');
  };
  return {
    renew: (name) => ask(() => server.renew(name)),
    vote: (name, sequence, votes) => ask(() => server.vote(name, sequence, votes)),
    snapshot: () => ask(() => server.snapshot()),
    leave: (name) => ask(() => server.leave(name)),
    async follow(position, blockMs, signal) {
      signal.throwIfAborted();
      const found = await ask(() => server.after(position));
      if (found === 'again' || found.changes.length > 0) return found;
      await nextChange(server, blockMs, signal);
      return ask(() => server.after(position));
    },
    close() {},
  };
}

/** Or the time is over. */
async function nextChange(server: MemoryBoard, blockMs: number, signal: AbortSignal) {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const forget = server.onChange(resolve);
  const cancel = server.clock.after(blockMs, resolve);
  const abort = () => reject(signal.reason);
  signal.addEventListener('abort', abort, { once: true });
  try {
    await promise;
  } finally {
    forget();
    cancel();
    signal.removeEventListener('abort', abort);
  }
}
