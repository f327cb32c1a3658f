// What one prober makes of its probes: a vote that turns after `rise` good or `fall` bad ones in a
// row (docs/health.md, V2). Pure.
import type { CheckSettings } from './types.ts';

export type Verdict = 'up' | 'down';
export type Thresholds = Pick<CheckSettings, 'rise' | 'fall'>;

/** Never changed in place. */
export type Hysteresis = {
  /** Absent: it has none yet. */
  vote?: Verdict;
  /** What was known before it began: to vote otherwise takes as many probes as to turn. */
  assumed?: Verdict;
  /** Probes in a row that speak against the vote, or against what is assumed. */
  against: number;
  /** Probes in a row that could not be made. */
  missed: number;
};

/** `assumed` unknown: the first probe decides. */
export function beginning(assumed: Verdict | 'unknown', vote?: Verdict): Hysteresis {
  return {
    ...(vote === undefined ? {} : { vote }),
    ...(assumed === 'unknown' ? {} : { assumed }),
    against: 0,
    missed: 0,
  };
}

export function probed(before: Hysteresis, isGood: boolean, { rise, fall }: Thresholds) {
  const said = isGood ? 'up' : 'down';
  const base = before.vote ?? before.assumed ?? said;
  const against = said === base ? 0 : before.against + 1;
  const turns = against >= (isGood ? rise : fall);
  if (said === base || turns) return { vote: said, against: 0, missed: 0 } satisfies Hysteresis;
  return { ...before, against, missed: 0 } satisfies Hysteresis;
}

/**
 * A probe that could not be made says nothing (V8). `fall` of them in a row take the vote away, for
 * it is about a time that has passed; what it was stays assumed.
 */
export function missed(before: Hysteresis, { fall }: Thresholds): Hysteresis {
  const { vote, assumed = vote, ...rest } = before;
  const count = before.missed + 1;
  if (vote !== undefined && count < fall) return { ...before, missed: count };
  return { ...rest, ...(assumed === undefined ? {} : { assumed }), against: 0, missed: count };
}

/** Goes on from this state: a vote that says otherwise has to be earned again (V5). */
export function restartedFrom(before: Hysteresis, state: Verdict | 'unknown'): Hysteresis {
  if (state === 'unknown' || before.vote === state) return before;
  if (before.vote === undefined && before.assumed === state) return before;
  return { assumed: state, against: 0, missed: before.missed };
}

/** Probes until it may not vote for `state` any more; 1 where it does not do so now. */
export function checksToLeave(of: Hysteresis, state: Verdict, { rise, fall }: Thresholds): number {
  if (of.vote !== state) return 1;
  return Math.min((state === 'up' ? fall : rise) - of.against, fall - of.missed);
}
