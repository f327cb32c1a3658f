// What every user of the store sees: objects, changes, members, and the contract of a store.
// Two stores keep it: redis.ts and memory.ts, held to it by one conformance suite (test/sim).

/** One site object. `value` is its canonical JSON; the store never looks inside. */
export type ObjectRecord = { kind: string; id: string; value: string };

/** One change of one object. `value` null: the object is deleted. */
export type Change = { kind: string; id: string; value: string | null };

/**
 * Where a unit stands. `version` counts accepted applies (0: nothing was ever applied);
 * `digest` is described in digest.ts; `count` is the number of objects; `tail` is the id of the
 * last entry of the change stream, `0-0` before the first.
 */
export type Head = { version: number; digest: string; count: number; tail: string };

/**
 * One entry of the change stream: one apply. The unit's digest before and after it: a follower
 * whose own digest is not the one before has missed something, whatever the versions say.
 */
export type StreamEntry = {
  id: string;
  version: number;
  digestBefore: string;
  digest: string;
  /** Objects of the unit after it. */
  count: number;
  changes: Change[];
};

export type ApplyOptions = { expectedVersion?: number; author?: string };

/** `changed`: how many changes were not already true. 0 leaves the version as it was. */
export type ApplyResult = { version: number; changed: number };

/**
 * What an instance says of itself, again and again. `startedAt`: ms since the epoch; `clockMs`: its
 * wall clock at this heartbeat, from which doctor tells how far the clocks of nodes are apart.
 * `address`: its admin pages, host:port, unless they are on loopback only.
 */
export type Member = {
  service: string;
  node: string;
  version: string;
  state: string;
  applied: Record<string, number>;
  drift?: string;
  address?: string;
  startedAt: number;
  clockMs?: number;
};

/** What a server of the store says of itself. */
export type ServerFacts = {
  /** INFO, field by field. */
  info: ReadonlyMap<string, string>;
  /** CONFIG GET of what persistence and replicas rest on; undefined: it does not tell. */
  settings: ReadonlyMap<string, string> | undefined;
  /** Its wall clock. */
  clockMs: number;
};

/** At most so many changes in one apply. */
export const MAX_CHANGES_PER_APPLY = 1000;

/**
 * Every method rejects with an OperationalError: EDGE_STORE_UNREACHABLE, EDGE_STORE_TIMEOUT,
 * EDGE_STORE_CONFLICT (apply with expectedVersion), EDGE_STORE_BAD_CHANGE, EDGE_STORE_FAILED.
 * No method is retried inside: an apply that timed out may have happened.
 */
export interface Store {
  head(unit: string): Promise<Head>;
  /** Atomic. At most MAX_CHANGES_PER_APPLY changes; of two for one object the last one counts. */
  apply(unit: string, changes: readonly Change[], options?: ApplyOptions): Promise<ApplyResult>;
  /**
   * Raises the version, which is `expectedVersion` (else EDGE_STORE_CONFLICT), and changes no
   * object: says that the store as it is shall be followed, also by who holds up to `version` of
   * a store that was lost. Resolves with the version; no less than it was.
   */
  raise(
    unit: string,
    version: number,
    options: { expectedVersion: number; author?: string },
  ): Promise<number>;
  /**
   * All objects, in batches, in no order. Not a point in time: an object that changes meanwhile
   * shows its old or its new value and may come twice; the stream from head().tail repairs that.
   */
  scan(unit: string): AsyncIterable<ObjectRecord[]>;
  get(unit: string, kind: string, id: string): Promise<string | undefined>;
  /**
   * Entries after `afterId`, oldest first; waits up to `blockMs` for the first one, then answers
   * []. 'trimmed': entries after `afterId` are gone (or `afterId` itself was lost in a failover):
   * scan again. Aborting `signal` rejects with the signal's reason.
   */
  read(
    unit: string,
    afterId: string,
    blockMs: number,
    signal: AbortSignal,
  ): Promise<StreamEntry[] | 'trimmed'>;
  heartbeat(member: Member): Promise<void>;
  /** Who heartbeated within a day; `ageMs` by the store's own clock. Sorted by node. */
  members(service: string): Promise<(Member & { ageMs: number })[]>;
  leave(service: string, node: string): Promise<void>;
  /** One a primary; none of a store that has no server. */
  inspect(): Promise<ServerFacts[]>;
  ping(): Promise<void>;
  close(): Promise<void>;
}

/** Why a target did not take a state. Never empty. */
export type Refusal = { reasons: string[] };

/** What a Follower keeps equal to the store. */
export interface FollowTarget {
  /**
   * The whole desired state. Build aside, swap at the end: a refusal, or an error thrown by
   * `objects` (a torn snapshot, a lost connection), leaves the target as it was. An object may
   * come twice; the later one counts.
   */
  reset(
    objects: AsyncIterable<ObjectRecord[]>,
    version: number,
    origin: 'store' | 'disk',
  ): Promise<Refusal | undefined>;
  /** Everything that changed since the last state it took; one change an object. */
  change(changes: Change[], version: number): Refusal | undefined;
}

export type FollowStatus = {
  /** The version that the target holds; 0: none. */
  version: number;
  /** The newest version seen in the store. */
  desiredVersion: number;
  /** Milliseconds since the store last answered; Infinity: never. */
  lastContactMs: number;
  /** Where the target's state came from. */
  source: 'store' | 'disk' | 'none';
  /** Why the target does not hold the desired version. */
  drift?: string[];
  storeUp: boolean;
};
