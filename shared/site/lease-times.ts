// How long a lease lasts: what a client gets that asks for nothing, and the bounds of what it may
// ask for. Whole seconds; 4294967295 is for ever (RFC 2131 §3.3).
import { formatDuration, parseDuration } from '../net/units.ts';
import type { ValueReader } from './value.ts';

export type LeaseSeconds = { default: number; min: number; max: number };

export const INFINITE_SECONDS = 0xffffffff;
const DEFAULT_SECONDS = 3600;
const USUAL_LEAST_SECONDS = 300;
const USUAL_MOST_SECONDS = 86_400;

/** What is not given follows from the default; that one is an hour. */
export function leaseOf(given: Partial<LeaseSeconds>): LeaseSeconds {
  const seconds = given.default ?? DEFAULT_SECONDS;
  return {
    default: seconds,
    min: given.min ?? Math.min(seconds, USUAL_LEAST_SECONDS),
    max: given.max ?? Math.max(seconds, USUAL_MOST_SECONDS),
  };
}

export function leaseProblems({ default: seconds, min, max }: LeaseSeconds): string[] {
  const problems: string[] = [];
  const say = (more: string, most: string) => problems.push(`${more} is longer than ${most}`);
  const text = (name: string, value: number) => `${name} ${formatSeconds(value)}`;
  if (min > seconds) say(text('min', min), text('the default', seconds));
  if (seconds > max) say(text('the default', seconds), text('max', max));
  if (min > max && problems.length === 0) say(text('min', min), text('max', max));
  return problems;
}

/** Without what leaseOf() would say anyway. Undefined: nothing is left. */
export function shortLease(lease: LeaseSeconds, isOptional: boolean) {
  const usual = leaseOf({ default: lease.default });
  const short = {
    default: lease.default === DEFAULT_SECONDS && !isOptional ? undefined : lease.default,
    max: lease.max === usual.max ? undefined : lease.max,
    min: lease.min === usual.min ? undefined : lease.min,
  };
  return Object.values(short).every((each) => each === undefined) ? undefined : short;
}

/** From a stored value. */
export function readLease(reader: ValueReader): LeaseSeconds | undefined {
  return reader.within('lease', ['default', 'max', 'min'], (inner) => {
    const given: Partial<LeaseSeconds> = {};
    for (const key of ['default', 'max', 'min'] as const) {
      const seconds = inner.integer(key, 1, INFINITE_SECONDS);
      if (seconds !== undefined) given[key] = seconds;
    }
    const lease = leaseOf(given);
    for (const problem of leaseProblems(lease)) inner.refuse(problem);
    return lease;
  });
}

export function parseSeconds(text: string): number | undefined {
  if (text === 'infinite') return INFINITE_SECONDS;
  const milliseconds = parseDuration(text);
  if (milliseconds === undefined || milliseconds % 1000 !== 0) return undefined;
  const seconds = milliseconds / 1000;
  return seconds > 0 && seconds < INFINITE_SECONDS ? seconds : undefined;
}

export function formatSeconds(seconds: number): string {
  return seconds === INFINITE_SECONDS ? 'infinite' : formatDuration(seconds * 1000);
}
