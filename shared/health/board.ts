// Where probers meet: leases and votes that all of them see (docs/health.md). Two keep the
// contract: redis-votes.ts and memory-votes.ts, held to it by one suite.

/** What a prober is known by. `ageMs`: since its last renewal; `generation`: of its votes. */
export type Lease = { node: string; ageMs: number; generation: number };

/** Texts of vote.ts by target id; null: the vote is taken away. */
export type VoteChanges = ReadonlyMap<string, string | null>;

/** One entry of the stream. `changes` absent: too many, read all of them. */
export type VoteEntry = {
  node: string;
  /** Of the prober's votes before it and after it: what does not join on has missed something. */
  from: number;
  generation: number;
  changes?: VoteChanges;
};

/**
 * `generation` is higher than any that this prober has tried. Not `whole`: applies to what has at
 * least generation `base`, and less than `generation`, so that an attempt of which nothing is known
 * can be made again with more. `whole`: takes the place of everything, at any lower generation.
 */
export type VoteWrite = {
  base: number;
  generation: number;
  changes: VoteChanges;
  whole: boolean;
};

/** `generation` is the one in force; not accepted: it is none that this write may follow. */
export type VoteReceipt = { accepted: boolean; generation: number };

/** At most so many changes in a write that is not whole. */
export const MAX_VOTES_PER_WRITE = 500;
/** What has been silent for so long is pruned. */
export const FORGOTTEN_MS = 86_400_000;

/** Every method rejects with an OperationalError; nothing is tried again inside. */
export interface VoteBoard {
  /** All probers of a day by the board's clock, and its time. `join`: renews this node's lease. */
  renew(node: string, join: boolean): Promise<{ nowMs: number; leases: Lease[] }>;
  /** Renews the lease, too. */
  vote(node: string, write: VoteWrite): Promise<VoteReceipt>;
  /** All votes of a prober; generation 0: it has none. */
  votesOf(node: string): Promise<{ generation: number; votes: Map<string, string> }>;
  /** The id of the newest entry, to follow from. */
  tail(): Promise<string>;
  /** Waits up to `blockMs` for entries after `afterId`; `lastId` is where to go on. */
  follow(
    afterId: string,
    blockMs: number,
    signal: AbortSignal,
  ): Promise<{ lastId: string; entries: VoteEntry[] }>;
  close(): void;
}
