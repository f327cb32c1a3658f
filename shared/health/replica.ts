// The board as an instance holds it: every prober's lease and votes. A prober's votes are of one
// generation; whose do not join on are read again. Pure.
import type { Lease, VoteChanges, VoteEntry } from './board.ts';
import type { Measured } from './types.ts';
import { parseVote, type Vote } from './vote.ts';

/** Of a prober's lease (V2). */
export const LEASE_MS = 10_000;

type Prober = { generation: number; votes: Map<string, Vote>; texts: Map<string, string> };

export class Replica {
  #live: readonly string[] = [];
  readonly #probers = new Map<string, Prober>();
  /** Generations on the board, as it said last. */
  #listed = new Map<string, number>();

  /** Sorted. */
  get live(): readonly string[] {
    return this.#live;
  }

  /**
   * Takes a whole list of leases. `others` live than before; `hasLost`: the board does not know who
   * it knew.
   */
  list(leases: readonly Lease[]): { others: boolean; hasLost: boolean } {
    const known = [...this.#listed.keys()];
    this.#listed = new Map(leases.map(({ node, generation }) => [node, generation]));
    const hasLost = known.some((node) => !this.#listed.has(node));
    for (const node of this.#probers.keys()) {
      if (!this.#listed.has(node)) this.#probers.delete(node);
    }
    const live = leases.filter(({ ageMs }) => ageMs <= LEASE_MS).map(({ node }) => node);
    live.sort();
    const isSame = live.length === this.#live.length && live.every((n, at) => n === this.#live[at]);
    this.#live = live;
    return { others: !isSame, hasLost };
  }

  /** Probers whose votes are others than those held. */
  stale(): string[] {
    const isStale = ([node, generation]: [string, number]) =>
      (this.#probers.get(node)?.generation ?? 0) !== generation;
    return [...this.#listed].filter(isStale).map(([node]) => node);
  }

  /** Takes all votes of a prober; the ids of targets about which it says something else now. */
  replace(node: string, generation: number, texts: ReadonlyMap<string, string>): Set<string> {
    const before = this.#probers.get(node)?.texts ?? new Map<string, string>();
    const changed = new Set<string>();
    for (const [id, text] of texts) if (before.get(id) !== text) changed.add(id);
    for (const id of before.keys()) if (!texts.has(id)) changed.add(id);
    const prober: Prober = { generation, votes: new Map(), texts: new Map() };
    apply(prober, texts);
    this.#probers.set(node, prober);
    this.#listed.set(node, generation);
    return changed;
  }

  /** The ids that an entry changes; undefined: it does not join on, all votes are to be read. */
  take({ node, from, generation, changes }: VoteEntry): Set<string> | undefined {
    const prober = this.#probers.get(node) ?? { generation: 0, votes: new Map(), texts: new Map() };
    if (prober.generation === generation) return new Set();
    if (changes === undefined || prober.generation !== from) return undefined;
    apply(prober, changes);
    prober.generation = generation;
    this.#probers.set(node, prober);
    this.#listed.set(node, generation);
    return new Set(changes.keys());
  }

  vote(node: string, id: string): Vote | undefined {
    return this.#probers.get(node)?.votes.get(id);
  }

  /** As they are written. */
  textsOf(node: string): ReadonlyMap<string, string> {
    return this.#probers.get(node)?.texts ?? new Map();
  }

  generationOf(node: string): number {
    return this.#listed.get(node) ?? 0;
  }

  /** What a prober holds of a target: another that lives, else any (V6). */
  heldOf(id: string, self: string): Measured {
    const held = (node: string) => this.vote(node, id)?.held ?? 'unknown';
    const others = this.#live.filter((node) => node !== self);
    const known = [...others, ...this.#probers.keys()].find((node) => held(node) !== 'unknown');
    return known === undefined ? 'unknown' : held(known);
  }
}

function apply({ votes, texts }: Prober, changes: VoteChanges): void {
  for (const [id, text] of changes) {
    const vote = text === null ? undefined : parseVote(text);
    if (text === null || vote === undefined) {
      texts.delete(id);
      votes.delete(id);
    } else {
      texts.set(id, text);
      votes.set(id, vote);
    }
  }
}
