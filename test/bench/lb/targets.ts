// What the issue wants of a figure, in words. Pure.
import type { Target } from './types.ts';

export function isMet({ atMost, atLeast }: Target, value: number): boolean {
  return (atMost === undefined || value <= atMost) && (atLeast === undefined || value >= atLeast);
}

export function targetText({ atMost, atLeast, of }: Target): string {
  const bound = atMost === undefined ? `at least ${atLeast}` : `at most ${atMost}`;
  if (of === undefined) return bound;
  return `${bound} × ${of.length > 1 ? 'the better of ' : ''}${of.join(' and ')}`;
}
