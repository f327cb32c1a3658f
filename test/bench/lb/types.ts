// What the bench knows of a case: who takes part, what is measured of each, and what was to be
// reached.
import type { Run } from '../../../lab/run.ts';
import type { Better } from '../frame/types.ts';

export type Figures = Record<string, number>;

export interface Figure {
  unit: string;
  better: Better;
  /** What the issue wants. */
  targets?: readonly Target[];
}

/**
 * `atMost`, `atLeast`: of the value itself, or, with `of`, in multiples of that contender's; of
 * several the better one's.
 */
export interface Target {
  atMost?: number;
  atLeast?: number;
  of?: readonly string[];
}

export interface CaseOptions {
  run: Run;
  quick: boolean;
  signal: AbortSignal;
  progress(line: string): void;
}

/** All contenders of a case run side by side; one of them has work at a time. */
export interface Prepared {
  measure(contender: string): Promise<Figures>;
  stop(): Promise<void>;
}

export interface Case {
  /** By the name of the row. */
  figures: Record<string, Figure>;
  /** The first is ours, measured against each of the others. */
  contenders: readonly [string, ...string[]];
  /** What cannot be measured on this machine; told before. */
  caveat?: string;
  /** How often each is measured in a round, in turn with the others. */
  turns: number;
  prepare(options: CaseOptions): Promise<Prepared>;
}
