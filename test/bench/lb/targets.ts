// What the issue wants of a figure, in words. Pure.
import type { Better } from '../frame/types.ts';
import type { Target } from './types.ts';

export function isMet({ atMost, atLeast }: Target, value: number): boolean {
  return (atMost === undefined || value <= atMost) && (atLeast === undefined || value >= atLeast);
}

export function targetText({ atMost, atLeast, of }: Target): string {
  const bound = atMost === undefined ? `at least ${atLeast}` : `at most ${atMost}`;
  if (of === undefined) return bound;
  return `${bound} × ${of.length > 1 ? 'the better of ' : ''}${of.join(' and ')}`;
}

/** Ours, or ours in multiples of the best of theirs; undefined: they were not measured. */
export function targetValue(
  { of }: Target,
  better: Better,
  ours: number,
  theirs: readonly number[],
): number | undefined {
  if (of === undefined) return ours;
  if (theirs.length === 0) return undefined;
  return ours / (better === 'higher' ? Math.max(...theirs) : Math.min(...theirs));
}
