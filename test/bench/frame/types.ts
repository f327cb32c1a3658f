// What a bench of a service hands to the frame: rows, and how it is asked for them.

/** `higher`: packets per CPU second; `lower`: nanoseconds, MB, lost packets. */
export type Better = 'higher' | 'lower';

/** One measured case, the medians over the rounds; peer and theirs stand or lack together. */
export interface Row {
  case: string;
  unit: string;
  better: Better;
  ours: number;
  peer?: string;
  theirs?: number;
}

export interface BenchOptions {
  /** Under a minute in all: fewer packets and sizes. */
  quick: boolean;
  /** How often everything is measured, ours and the peers in turn. */
  rounds: number;
  /** Only cases whose name starts with one of these; empty: all. */
  cases: readonly string[];
  /** natter: where our programs are attached in the forwarding cases. */
  hook: 'tc' | 'tcx';
  /** Aborted: the bench ends soon, and takes down what it built. */
  signal: AbortSignal;
  progress(line: string): void;
}

/** Hands over rows as they are done. */
export type Bench = (options: BenchOptions) => AsyncGenerator<Row>;
