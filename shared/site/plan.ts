// How differences are applied: in calls that the store takes, and not at all without a word of
// confirmation when they would delete what nobody deletes by intent.
import type { Change, ObjectRecord } from '../store/types.ts';
import { MAX_CHANGES_PER_APPLY } from '../store/types.ts';
import type { Difference } from './diff.ts';
import { changesOf } from './diff.ts';
import type { Kind } from './kinds.ts';
import { placeOf, storedChange, type Unit } from './place.ts';

/** `deleted` of the `stored` objects of a kind. */
export type MassDelete = { kind: Kind; deleted: number; stored: number };

export type Call = { unit: Unit; changes: Change[] };

export type ApplyPlan = {
  /** One call of apply each, in order, as the unit takes it. */
  calls: Call[];
  /** Empty: nothing has to be confirmed. */
  massDeletes: MassDelete[];
};

/** One object is never a mass. */
const LEAST_MASS = 2;

export function planApply(
  stored: Iterable<ObjectRecord>,
  differences: readonly Difference[],
): ApplyPlan {
  const calls: Call[] = [];
  for (const change of changesOf(differences)) {
    const { unit } = placeOf(change.kind, change.id);
    const last = calls.at(-1);
    const isFull = last === undefined || last.changes.length === MAX_CHANGES_PER_APPLY;
    if (isFull || last.unit !== unit) calls.push({ unit, changes: [storedChange(change)] });
    else last.changes.push(storedChange(change));
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
