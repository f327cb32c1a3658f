// Reasons not to take a state over: the target's own, its failures, and what looks like an
// accident.
import { describeError, OperationalError } from '../errors.ts';
import type { Head, Refusal } from './types.ts';

/** What a target throws for reasons of the world is a refusal; anything else is a bug. */
export function refusalOf(error: unknown): Refusal {
  if (!(error instanceof OperationalError)) throw error;
  return { reasons: [describeError(error)] };
}

export function orRefusal(call: () => Refusal | undefined): Refusal | undefined {
  try {
    return call();
  } catch (error) {
    return refusalOf(error);
  }
}

/**
 * An empty store, or one that went back in time to less than half of the objects, has lost its
 * data: a restart without persistence, a failover to an empty replica. Nobody deletes like that.
 */
export function accident(held: Omit<Head, 'tail'>, head: Head): Refusal | undefined {
  if (held.count === 0) return undefined;
  const wentBack = head.version < held.version;
  if (head.version > 0 && !(wentBack && head.count * 2 < held.count)) return undefined;
  const from = `version ${held.version} with ${held.count} objects`;
  const to = `${head.version} with ${head.count}`;
  const remedy = 'restore it, apply the site file, or say that it is meant: edgectl confirm';
  return { reasons: [`the store went back from ${from} to ${to}: ${remedy}`] };
}
