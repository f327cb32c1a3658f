// ` (did you mean "x"?)`: the nearest known word, or the one that a cut-short word begins.

import { suggest } from '../config/suggest.ts';

const LEAST_PREFIX = 2;

/** A leading space and the hint, or nothing. */
export function didYouMean(word: string, candidates: readonly string[]): string {
  const begun = candidates.filter((candidate) => candidate.startsWith(word));
  const found = suggest(word, candidates) ?? (word.length >= LEAST_PREFIX ? begun[0] : undefined);
  return found === undefined ? '' : ` (did you mean "${found}"?)`;
}
