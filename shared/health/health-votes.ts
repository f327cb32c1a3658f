// The board as an instance holds it: who lives, and what each prober says (docs/health.md, V3). Pure.
import type { BoardChange, BoardSnapshot, Lease, Leases, Measured, Vote } from './types.ts';

const NONE: ReadonlyMap<string, Vote> = new Map();

export class HeldVotes {
  #live: readonly string[] = [];
  #listed: ReadonlyMap<string, Lease> = new Map();
  #votes = new Map<string, Map<string, Vote>>();
  readonly #sequences = new Map<string, number>();

  /** Sorted. */
  get live(): readonly string[] {
    return this.#live;
  }

  /** Whether others live than before. */
  list({ nowMs, probers }: Leases): boolean {
    this.#listed = probers;
    for (const prober of this.#votes.keys()) {
      if (!probers.has(prober)) this.#votes.delete(prober);
    }
    const live = [...probers].filter(([, { untilMs }]) => untilMs > nowMs).map(([name]) => name);
    live.sort();
    const isSame = live.length === this.#live.length && live.every((n, at) => n === this.#live[at]);
    this.#live = live;
    return !isSame;
  }

  /** Takes the place of everything. */
  load(snapshot: BoardSnapshot): void {
    this.#votes = new Map([...snapshot.votes].map(([name, votes]) => [name, new Map(votes)]));
    this.#sequences.clear();
    for (const [name, { sequence }] of snapshot.probers) this.#sequences.set(name, sequence);
    this.list(snapshot);
  }

  /** The ids of targets of which something else is said now. */
  take({ prober, sequence, votes }: BoardChange): Iterable<string> {
    // What a snapshot held already may be told again.
    if (sequence <= (this.#sequences.get(prober) ?? 0)) return [];
    this.#sequences.set(prober, sequence);
    const held = this.#votes.get(prober) ?? new Map<string, Vote>();
    this.#votes.set(prober, held);
    for (const [id, vote] of votes) {
      if (vote === null) held.delete(id);
      else held.set(id, vote);
    }
    return votes.keys();
  }

  /** Probers of which the board holds other votes than are held here: some may be under way. */
  behind(): string[] {
    const isBehind = ([name, { sequence }]: [string, Lease]) =>
      (this.#sequences.get(name) ?? 0) !== sequence;
    return [...this.#listed].filter(isBehind).map(([name]) => name);
  }

  vote(prober: string, id: string): Vote | undefined {
    return this.#votes.get(prober)?.get(id);
  }

  votesOf(prober: string): ReadonlyMap<string, Vote> {
    return this.#votes.get(prober) ?? NONE;
  }

  /** What anybody, living or not, went by last (V6). */
  heldOf(id: string): Measured {
    let last: Vote | undefined;
    for (const votes of this.#votes.values()) {
      const vote = votes.get(id);
      if (vote === undefined || vote.held === 'unknown') continue;
      if (last === undefined || vote.sinceMs > last.sinceMs) last = vote;
    }
    return last?.held ?? 'unknown';
  }
}
