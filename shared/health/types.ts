// Health of targets, for whoever sends clients to them: dns answers, L4 and L7 pools. The rules are
// docs/health.md. Pure.

/** How a target is probed. Milliseconds; `port` 0 only for icmp. */
export type CheckSettings = {
  intervalMs: number;
  timeoutMs: number;
  /** So many good probes in a row make a target up, so many bad ones down. */
  rise: number;
  fall: number;
} & (
  | { type: 'tcp'; port: number }
  | { type: 'icmp' }
  | {
      type: 'http' | 'https';
      port: number;
      path: string;
      /** Host header and SNI; the address unless told. */
      host?: string;
      /** Good status codes, [from, to]; 200 to 399 unless told. */
      status: readonly [number, number];
      /** The body's first 64 KiB must have this. */
      expect?: string;
      /** https: check the certificate; off unless told. */
      verify: boolean;
    }
  | {
      type: 'dns';
      port: number;
      name: string;
      /** RR type; SOA unless told. Good: NOERROR with an answer. */
      recordType: number;
    }
  | { type: 'readyz'; port: number }
);

/** One address under one check. Address as text of either family. */
export type Target = { address: string; check: CheckSettings };

/** `unknown`: nobody has judged it yet. Readers take unknown for up, and say so. */
export type Measured = 'up' | 'down' | 'unknown';

/** Set by an operator, kept apart from what was measured. */
export type Override = {
  state: 'up' | 'down' | 'drain';
  who: string;
  why: string;
  /** ms since the epoch; absent: until it is taken away. */
  untilMs?: number;
};

export type TargetHealth = {
  measured: Measured;
  /** What readers act on: the override's state, else the measured one. `drain` counts as down. */
  effective: Measured;
  override?: Override;
  /**
   * The least time in which the measured state can become another (V4); 0 while it is not known.
   * Infinity while an override holds.
   */
  toFlipMs: number;
  /** ms since the epoch of the last flip; 0: never flipped. */
  sinceMs: number;
  /** Who votes what, and why, for explain. */
  votes: readonly { node: string; state: 'up' | 'down'; reason: string; ageMs: number }[];
};

/** What a reader sees, as it is now. A target that was never set is `unknown`. */
export interface HealthView {
  /**
   * `targetId`: of fingerprint.ts. As target of that pool: an override may be said of one pool only
   * (V7).
   */
  of(targetId: string, pool?: string): TargetHealth;
  /** Without a check: up, unless an operator says otherwise. */
  ofAddress(address: string, check: CheckSettings | undefined, pool?: string): TargetHealth;
}

/**
 * How a probe ended. `not-probed`: this instance could not ask, which says nothing of the target
 * (V8). `reason`: a few words, the same for the same trouble.
 */
export type ProbeResult = {
  verdict: 'good' | 'bad' | 'not-probed';
  reason: string;
  latencyMs: number;
};

export interface Prober {
  /** Never rejects; ends soon after the check's timeout at the latest. */
  probe(target: Target): Promise<ProbeResult>;
  close(): void;
}

/** What a prober says of a target. */
export type Vote = {
  /** `pending`: it is at work and has no vote yet. `none`: it cannot probe it (V8). */
  state: 'up' | 'down' | 'pending' | 'none';
  /** Its probes until it may vote otherwise than `held`; 1 to 255. */
  checksToFlip: number;
  /** The state of the target that it goes by: decides where votes do not (V3). */
  held: Measured;
  /** ms since the epoch, by its wall clock: since when it says so. */
  sinceMs: number;
  /** Why, of one line, at most 120 characters of printable ASCII. */
  reason: string;
};

/** Null: it says nothing of that target any more. At most MAX_VOTES_PER_WRITE in a write. */
export type Votes = ReadonlyMap<string, Vote | null>;
export const MAX_VOTES_PER_WRITE = 500;

/** How long a prober lives without renewal; what it said is kept for a day. */
export const LEASE_MS = 10_000;
export const FORGOTTEN_MS = 86_400_000;

/** `untilMs` by the board's clock; `sequence` of its last write that was done, 0: none. */
export type Lease = { untilMs: number; sequence: number };
/** `nowMs`: the board's clock when it answered. */
export type Leases = { nowMs: number; probers: Map<string, Lease> };

/** Everything; to `follow` from `position` misses nothing, but may tell again what is in it. */
export type BoardSnapshot = Leases & {
  votes: Map<string, Map<string, Vote>>;
  position: string;
};

export type BoardChange = { prober: string; sequence: number; votes: Votes };

/**
 * What instances share: leases and votes. Every method rejects with an OperationalError when the
 * board cannot be reached or does not answer in time; nothing is tried again inside, and any call
 * may be made again. Two keep the contract: redis-votes.ts and memory-votes.ts.
 */
export interface VoteBoard {
  /** This prober lives for LEASE_MS from now; all who were seen within a day (FORGOTTEN_MS). */
  renew(prober: string): Promise<Leases>;
  /**
   * Adds to what the prober said, tells all who follow, and renews its lease. Does nothing unless
   * `sequence` is above that of the last write that was done, so that an attempt of which nothing
   * is known cannot undo the one after it; answers with the sequence in force.
   */
  vote(prober: string, sequence: number, votes: Votes): Promise<number>;
  snapshot(): Promise<BoardSnapshot>;
  /**
   * Waits up to `blockMs` for votes after `position`; none: the same position, no changes. `again`:
   * what came after it is not known any more, read the snapshot. Rejects with the signal's reason.
   */
  follow(
    position: string,
    blockMs: number,
    signal: AbortSignal,
  ): Promise<{ position: string; changes: BoardChange[] } | 'again'>;
  /** Its lease ends now; its votes and sequence stay. */
  leave(prober: string): Promise<void>;
  close(): void;
}
