// What a lease book is built of, and what it tells of itself. Every limit is a setting, so that a
// simulation can make it small.
import type { Clock } from '../../shared/clock.ts';
import type { Random } from '../../shared/random.ts';
import type { CommitCounters } from './commits.ts';
import type { LeaseBackend, LeaseBook, Pools } from './types.ts';

export type LeaseBookOptions = {
  backend: LeaseBackend;
  clock: Clock;
  random: Random;
  /** CRC-32 of the node's name (§3); no two live instances have the same. */
  instance: number;
  /** Live members in any state, itself included: sharing offers and refills depend on it. */
  members: () => number;
  /**
   * All pools of the plan in force; a new plan gives a new array. Pools that are no longer in it
   * give their reserve back.
   */
  pools: () => readonly Pools[];
  settings: BookSettings;
  /** Journal and snapshot; without one there is no long reserve, and no start without Redis. */
  disk?: BookDisk;
  /** Same boot, same clock: lets a snapshot's time estimate outlive the process (§7). */
  uptime?: () => { boot: string; ms: number };
  /** `event` is one of events.ts: see BookEvent. */
  notice?: (event: BookEvent, message: string, fields?: Record<string, unknown>) => void;
};

export type BookSettings = {
  /** How long an offer is the client's. */
  offerSeconds: number;
  /** How long a freed address waits for its client while there are others. */
  affinitySeconds: number;
  /** §2, R6. */
  reuseSeconds: number;
  /** The longest lease that the plan can give: quarantine after a loss (§7). */
  maxLeaseSeconds: number;
  /** §7: `reserve` addresses a pool, held for `budgetSeconds`. Absent: no new clients then. */
  outage?: { reserve: number; budgetSeconds: number };
  /** How often the replica is written to disk; 0: only at the stop. */
  snapshotSeconds: number;
};

export const defaultBookSettings: BookSettings = {
  offerSeconds: 20,
  affinitySeconds: 86_400,
  reuseSeconds: 60,
  maxLeaseSeconds: 86_400,
  snapshotSeconds: 300,
};

export type BookEvent =
  | 'book-loaded'
  | 'book-isolated'
  | 'book-returned'
  | 'book-lineage'
  | 'book-loss'
  | 'book-conflict'
  | 'book-error'
  | 'book-snapshot-refused';

/** Files, so that a simulation can have a disk that forgets what was not synced. */
export interface BookDisk {
  /** Appends to the journal; resolves when that is synced. */
  appendJournal(bytes: Uint8Array): Promise<void>;
  /** Empty when there is none. */
  readJournal(): Promise<Uint8Array>;
  clearJournal(): Promise<void>;
  /** Written aside, synced, renamed. */
  writeSnapshot(chunks: AsyncIterable<Uint8Array>): Promise<void>;
  /** Undefined when there is none. */
  readSnapshot(): Promise<AsyncIterable<Uint8Array> | undefined>;
}

export type BookStatus = {
  condition: LeaseBook['condition'];
  lineage: string | undefined;
  blocks: number;
  /** Records that are not unused. */
  records: number;
  replicaBytes: number;
  quarantinedBlocks: number;
  /** Blocks that still have to be compared after a change of lineage. */
  recovering: number;
  reserve: { short: number; long: number; offers: number };
  /** Since the log was last read to its end; undefined: not yet. */
  logLagMs: number | undefined;
  /** Since Redis last answered anything. */
  answerAgeMs: number | undefined;
  /** How far apart the earliest and the latest possible time of Redis are. */
  timeUncertaintySeconds: number | undefined;
  commits: CommitCounters;
  offers: { fromMemory: number; afterWait: number; none: number };
  renewals: { fromMemory: number; isolated: number; written: number };
  journal: { records: number; replayed: number; refused: number };
  losses: number;
  lastError: string | undefined;
};

export interface RunningLeaseBook extends LeaseBook {
  /**
   * Resolves when the replica is loaded, or when Redis does not answer and the snapshot is (then
   * `condition` is 'isolated'). What runs behind ends with the signal.
   */
  start(signal: AbortSignal): Promise<void>;
  /** Finishes what is under way, gives reserves back, writes the snapshot. */
  stop(): Promise<void>;
  status(): BookStatus;
}
