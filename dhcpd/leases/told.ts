// The arithmetic of promises (docs/leases.md R1, R3): how long a hold is written, and how much of
// it may be told. Pure.
import { NO_END } from './record.ts';

/** §1: skew, transit, and a reply's age. */
export const GRACE_SECONDS = 30;
/** The script adds its now: beyond this the sum would be no time of 32 bits. */
const MAX_HOLD_SECONDS = 0x7fffffff;
/** R3: what a renewal from memory has to be worth. */
const WORTH = 0.9;

/** R3: written ahead, so that a renewal at half the lease is covered. */
export function holdSeconds(leaseSeconds: number): number {
  if (leaseSeconds === NO_END) return NO_END;
  return Math.min(MAX_HOLD_SECONDS, Math.ceil(1.5 * leaseSeconds) + GRACE_SECONDS);
}

/** R1: what a reply at `latestNow`, at the latest, may tell of this hold; 0: nothing. */
export function tellable(holdUntil: number, latestNow: number, leaseSeconds: number): number {
  if (holdUntil === NO_END) return leaseSeconds;
  return Math.max(0, Math.min(leaseSeconds, holdUntil - GRACE_SECONDS - latestNow));
}

/** R3: enough to be told without waiting for a write. */
export function isWorthTelling(told: number, leaseSeconds: number): boolean {
  if (leaseSeconds === NO_END) return told === NO_END;
  return told > 0 && told >= WORTH * leaseSeconds;
}
