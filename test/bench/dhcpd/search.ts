// The highest rate that a server keeps up with: a bracket, then bisection. Pure.

export interface Probe {
  /** Exchanges a second that were completed. */
  rate: number;
  passed: boolean;
}

export interface SearchOptions {
  /** Where to begin; a good guess saves probes. */
  start: number;
  /** Rates that are never gone beyond. */
  least: number;
  most: number;
  /** Ends when the bracket is this narrow: 0.05 for 5 %. */
  tolerance: number;
  /** A failed probe is asked again so often: neighbours on the machine make some fail. */
  retries: number;
  mostProbes: number;
}

export const STEP_UP = 1.5;
const STEP_DOWN = 0.67;

export interface Found<T extends Probe> {
  /** The best that passed; undefined: not even `least`. */
  best: T | undefined;
  probes: number;
  /** It passed at `most`, or the probes ran out: the true rate may be higher. */
  isBound: boolean;
}

/** The rate to ask for next; undefined: the search is over. */
export function nextRate(
  options: Pick<SearchOptions, 'start' | 'least' | 'most' | 'tolerance'>,
  passed: number | undefined,
  failed: number | undefined,
  /** What was completed when `failed` failed: a guess at what the server can. */
  failedAt: number,
): number | undefined {
  const { start, least, most, tolerance } = options;
  const within = (rate: number): number => Math.round(Math.min(most, Math.max(least, rate)));
  if (passed === undefined && failed === undefined) return within(start);
  if (failed === undefined) return passed === most ? undefined : within((passed ?? 0) * STEP_UP);
  if (passed === undefined) {
    const guess = Math.max(failed * 0.4, Math.min(failed * STEP_DOWN, failedAt));
    return failed <= least ? undefined : within(guess);
  }
  if (failed <= passed * (1 + tolerance)) return undefined;
  const middle = within(Math.sqrt(passed * failed));
  return middle > passed && middle < failed ? middle : undefined;
}

/** Asks `probe` with ever closer rates. */
export async function highestRate<T extends Probe>(
  options: SearchOptions,
  probe: (rate: number) => Promise<T>,
): Promise<Found<T>> {
  let best: T | undefined;
  let passed: number | undefined;
  let failed: number | undefined;
  let failedAt = 0;
  let probes = 0;
  for (;;) {
    const rate = nextRate(options, passed, failed, failedAt);
    if (rate === undefined) return { best, probes, isBound: passed === options.most };
    let result: T | undefined;
    for (let asked = 0; !result?.passed && asked <= options.retries; asked++) {
      if (probes >= options.mostProbes) return { best, probes, isBound: failed === undefined };
      result = await probe(rate);
      probes++;
    }
    if (result?.passed) {
      passed = rate;
      if (best === undefined || result.rate > best.rate) best = result;
    } else {
      failed = rate;
      failedAt = result?.rate ?? 0;
    }
  }
}
