// The longest lease that a plan can give: so long may a promise live that was lost. Pure.

import { INFINITE_SECONDS } from '../wire/types.ts';
import type { LeaseTimes, Plan } from './types.ts';

const AT_LEAST_SECONDS = 3600;
const MONTH_SECONDS = 30 * 86_400;

/** An infinite one counts as a month: nobody waits for ever for what was lost. */
export function longestLease(plan: Plan): number {
  const known = longest.get(plan);
  if (known !== undefined) return known;
  let seconds = AT_LEAST_SECONDS;
  const take = (lease: LeaseTimes | undefined): void => {
    const max = lease?.max ?? 0;
    seconds = Math.max(seconds, max === INFINITE_SECONDS ? MONTH_SECONDS : max);
  };
  for (const { lease } of plan.subnets) take(lease);
  for (const { lease } of plan.classes) take(lease);
  longest.set(plan, seconds);
  return seconds;
}

const longest = new WeakMap<Plan, number>();
