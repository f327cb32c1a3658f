// What the bench knows of a server, ours or a peer's.
import type { Run } from '../../../lab/run.ts';

/** Index 0 is the first address of PREFIX's pool. */
export interface Pool {
  first: number;
  count: number;
}

export interface Target {
  server: string;
  /** The relay that asks it. */
  relay: string;
}

export interface StartOptions {
  run: Run;
  /** On a real disk, and the server's own. */
  directory: string;
  pool: Pool;
  /** How many of a thousand addresses are leased already, spread evenly: see isFilled. */
  filledPerMille: number;
  /** Ours: a Redis with replicas, one of which takes over. */
  isFailover: boolean;
}

export interface Running {
  targets: readonly Target[];
  /** Roots of the process trees whose CPU time counts. */
  pids(): readonly number[];
  stop(): Promise<void>;
  /** Bytes that hold leases; the resident memory of all its processes when it cannot say. */
  leaseBytes?(): Promise<number>;
  faults?: Faults;
}

/** What is killed; resolves when it is dead. What the server does about it is its own affair. */
export interface Faults {
  instance?(): Promise<void>;
  redis?(): Promise<void>;
}

export interface Server {
  name: string;
  /** A first guess at the highest rate. */
  guess: number;
  start(options: StartOptions): Promise<Running>;
}

/** A row's column: the best of its modes counts. */
export interface Contender {
  name: string;
  modes: readonly Server[];
}
