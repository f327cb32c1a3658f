// Pools as the balancers use them: targets with what is known of each, and who picks one. Pure:
// time (monotonic ms) and randomness come in.
import type { PoolProxy } from '../../shared/site/lb-objects.ts';

/** `address:port`, or `address` where the port is the listener's: what a target is known by. */
export type TargetId = string;

/** As the daemon tells its workers; a change of it is a new object. */
export type TargetState = {
  id: TargetId;
  address: string;
  port: number;
  /** Configured, times what an agent says; may be a fraction. 0: only where there are no others. */
  weight: number;
  /** Of failover: targets of the lowest tier with somebody healthy serve. */
  tier: number;
  /** From shared/health, operators, agents. `drain`: no new clients but those that stick to it. */
  health: 'up' | 'down' | 'drain';
  /** Since when it is up, ms since the epoch: of slow start; 0: always. */
  upSinceMs: number;
  /** Said by an agent: in place of the pool's. */
  maxRequests?: number;
};

export type PoolState = { name: string; proxy: PoolProxy; targets: readonly TargetState[] };

/** What a request is balanced by. Made once a request; a retry has the same. */
export type PickKey = {
  /** 32 bits, of what the pool's `hash` says; ring and maglev. */
  hash: number;
  /** The sticky cookie's target, its signature checked. */
  sticky?: TargetId;
};

/** Why a target does not serve this request now; for explain and the log. */
export type Skipped =
  | 'down'
  | 'drain'
  | 'weight-0'
  | 'tier'
  | 'ejected'
  | 'full'
  | 'tried'
  | 'bound';

/** A target as a worker balances by it: counts are this worker's own. */
export interface Target {
  readonly id: TargetId;
  readonly state: TargetState;
  /** Requests or streams that are open now. */
  readonly open: number;
  /** Peak-EWMA of the time to the response's head, ms. */
  readonly latencyMs: number;
}

/** How a try ended; what passive ejection, EWMA and budget learn from. */
export type Outcome =
  /** With a response's status and the time to its head. */
  | { kind: 'response'; status: number; latencyMs: number }
  /** Before anything was sent: refused, unreachable, TLS, timeout. */
  | { kind: 'connect-failed' }
  /** After it was sent: reset, closed, timeout, a response that is none. */
  | { kind: 'failed' }
  /** The client went away: says nothing of the target. */
  | { kind: 'cancelled' };

/** A place at a target, held until `end`, which must be called exactly once. */
export interface Place {
  readonly target: Target;
  end(outcome: Outcome, nowMs: number): void;
}

export type PickFailure = 'no-target' | 'queue-full' | 'queue-timeout' | 'cancelled';

/** One pool in one worker. */
export interface Balancer {
  readonly name: string;
  readonly proxy: PoolProxy;
  /** What the daemon tells; open places and statistics of targets that stay are kept. */
  update(state: PoolState, nowMs: number): void;
  /**
   * A place now, or undefined: nobody is free. `tried`: targets of earlier tries, passed over as
   * long as others are there.
   */
  pick(key: PickKey, tried: readonly TargetId[], nowMs: number): Place | undefined;
  /**
   * As pick, but waits in the pool's queue (bounded, FIFO) until a place is free or `queueMs` is
   * over. `done` is called exactly once, perhaps at once; the result cancels.
   */
  acquire(
    key: PickKey,
    tried: readonly TargetId[],
    nowMs: number,
    done: (result: Place | PickFailure) => void,
  ): () => void;
  /** Ends queue waits that are over, ejections, slow-start steps. Called a few times a second. */
  tick(nowMs: number): void;
  /** Whether the budget allows one more try; takes it. */
  mayRetry(nowMs: number): boolean;
  /** Of each request that begins: what the budget is a share of. */
  countRequest(nowMs: number): void;
  readonly queued: number;
  /**
   * Of each target, in order: why it would be passed over now, with its weight in force.
   * `isPicked`: it is the one, by its cookie or by a hash; where turns or chance decide, none is.
   */
  explain(
    key: PickKey,
    nowMs: number,
  ): readonly { target: Target; weight: number; skipped?: Skipped; isPicked?: true }[];
  /** Below failOpenPercent: health is ignored. */
  readonly isFailOpen: boolean;
  statistics(nowMs: number): PoolStatistics;
}

/** Of one worker, since it began; counts only rise, but of targets that were gone meanwhile. */
export type PoolStatistics = {
  targets: readonly TargetStatistics[];
  queued: number;
  /** Requests that waited, and how waits ended without a place. */
  waited: number;
  failures: { [Each in PickFailure]: number };
  retries: number;
  retriesRefused: number;
};

export type TargetStatistics = {
  id: TargetId;
  /** In force: with slow start. */
  weight: number;
  open: number;
  latencyMs: number;
  /** Places taken; how they ended. */
  requests: number;
  failures: number;
  cancelled: number;
  ejections: number;
  skipped?: Skipped;
};
