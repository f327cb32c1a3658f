// How differences are applied: in calls that the store takes, and not at all without a word of
// confirmation when they would delete what nobody deletes by intent.
import type { Change, ObjectRecord } from '../store/types.ts';
import { MAX_CHANGES_PER_APPLY } from '../store/types.ts';
import type { Difference } from './diff.ts';
import { changesOf } from './diff.ts';
import type { Kind } from './kinds.ts';

/** `deleted` of the `stored` objects of a kind. */
export type MassDelete = { kind: Kind; deleted: number; stored: number };

export type ApplyPlan = {
  /** One call of apply each, in order. */
  calls: Change[][];
  /** Empty: nothing has to be confirmed. */
  massDeletes: MassDelete[];
};

/** One object is never a mass. */
const LEAST_MASS = 2;

export function planApply(
  stored: Iterable<ObjectRecord>,
  differences: readonly Difference[],
): ApplyPlan {
  const changes = changesOf(differences);
  const calls: Change[][] = [];
  for (let at = 0; at < changes.length; at += MAX_CHANGES_PER_APPLY) {
    calls.push(changes.slice(at, at + MAX_CHANGES_PER_APPLY));
  }
  return { calls, massDeletes: massDeletesOf(stored, differences) };
}

function massDeletesOf(
  stored: Iterable<ObjectRecord>,
  differences: readonly Difference[],
): MassDelete[] {
  const deleted = new Map<Kind, number>();
  for (const { sign, kind } of differences) {
    if (sign === '-') deleted.set(kind, (deleted.get(kind) ?? 0) + 1);
  }
  if (deleted.size === 0) return [];
  const counts = new Map<string, number>();
  for (const { kind } of stored) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  return [...deleted]
    .map(([kind, count]) => ({ kind, deleted: count, stored: counts.get(kind) ?? 0 }))
    .filter((each) => each.deleted >= LEAST_MASS && each.deleted * 2 > each.stored);
}
