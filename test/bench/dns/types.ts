// What the bench knows of a server, ours or a peer's.
import type { Run } from '../../../lab/run.ts';
import type { Better } from '../frame/types.ts';
import type { Data } from './data.ts';

/** What a server has to serve, and with how much. */
export interface Wanted {
  /** In zone bench.example: n0, n1, …, an A record each. */
  names: number;
  /** In zone smart.example: s0, s1, …, answered by the line of the client. */
  smart: number;
  /** How many prefixes there are in the lists of lines. */
  prefixes: number;
  /** Threads, or processes, that answer. */
  workers: number;
  /** Those that they may run on. */
  cpus: string;
  /** DoT at port 853 and, where there is such a thing, DoH at 443. */
  isSecure: boolean;
}

export interface StartOptions {
  run: Run;
  data: Data;
  /** On a disk, and this start's own. */
  directory: string;
  wanted: Wanted;
}

/** At 127.0.0.1:53, over UDP and TCP; answers everything that it shall serve. */
export interface Running {
  /** Roots of the process trees that are the server. */
  pids: readonly number[];
  /** From its start until the last names of its zones were answered. */
  startMs: number;
  /** Queries received by each thread, where the server says so. */
  byThread?(): Promise<number[]>;
  stop(): Promise<void>;
}

export interface Contender {
  name: string;
  /** Undefined: the case starts what it needs by itself. */
  start: ((options: StartOptions) => Promise<Running>) | undefined;
  wanted: Wanted;
}

export interface Session {
  run: Run;
  data: Data;
  directory: string;
  contender: Contender;
  /** Undefined exactly where nothing was started for the case. */
  running: Running | undefined;
  quick: boolean;
  signal: AbortSignal;
  progress(line: string): void;
}

export type Figures = Record<string, number>;

export interface Case {
  /** By the name of the row: what the figure is. */
  figures: Record<string, { unit: string; better: Better }>;
  /** The first is ours, measured against each of the others. */
  contenders: readonly [Contender, ...Contender[]];
  /** A figure that it does not give is not measured of this contender. */
  measure(session: Session): Promise<Figures>;
}
