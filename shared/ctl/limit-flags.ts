// --in, --out and --burst as limits.

import { parseRate, parseSize } from '../net/units.ts';
import { type Arguments, UsageError } from './command.ts';

export type Limits = { inBitsPerSecond?: number; outBitsPerSecond?: number; burstBytes?: number };

/** A flag's value as a number; undefined: not given. `none` is null. Throws UsageError. */
function quantity(
  args: Arguments,
  name: string,
  parse: (text: string) => number | undefined,
  like: string,
): number | null | undefined {
  const text = args.values.get(name);
  if (text === undefined || text === 'none') return text === undefined ? undefined : null;
  const value = parse(text);
  if (value === undefined) throw new UsageError(`--${name} is like ${like}, not "${text}"`);
  return value;
}

/** What the flags change: null takes a limit away. */
export function readLimitChanges(args: Arguments): { [K in keyof Limits]: number | null } {
  const found: { [K in keyof Limits]: number | null } = {};
  const inBits = quantity(args, 'in', parseRate, '100mbit or 1.5gbit');
  if (inBits !== undefined) found.inBitsPerSecond = inBits;
  const outBits = quantity(args, 'out', parseRate, '100mbit or 1.5gbit');
  if (outBits !== undefined) found.outBitsPerSecond = outBits;
  const burst = quantity(args, 'burst', parseSize, '256kb or 1mb');
  if (burst !== undefined) found.burstBytes = burst;
  return found;
}

/** `limits` with the changes made to it. */
export function withLimits<T extends Limits>(
  limits: T,
  changes: { [K in keyof Limits]: number | null },
): T {
  const result = { ...limits };
  for (const key of ['inBitsPerSecond', 'outBitsPerSecond', 'burstBytes'] as const) {
    const change = changes[key];
    if (change === null) delete result[key];
    else if (change !== undefined) result[key] = change;
  }
  return result;
}

/** Limits of something new. */
export function readLimits(args: Arguments): Limits {
  return withLimits({}, readLimitChanges(args));
}
