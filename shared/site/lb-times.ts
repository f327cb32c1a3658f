// Timeouts of a pool, and of a route in their place. Milliseconds; in a site file as 3s. Pure.
import { formatDuration } from '../net/units.ts';
import { unlessNothing } from './canonical.ts';
import { type Entry, said } from './entry-value.ts';
import type { PoolTimeouts } from './lb-objects.ts';
import type { ValueReader } from './value.ts';

const HOUR = 3_600_000;
export const TIMEOUTS = [
  { key: 'connect', field: 'connectMs', least: 10, most: HOUR },
  { key: 'head', field: 'headMs', least: 10, most: 24 * HOUR },
  { key: 'idle', field: 'idleMs', least: 100, most: 24 * HOUR },
  { key: 'tunnel', field: 'tunnelMs', least: 1000, most: 30 * 24 * HOUR },
  { key: 'queue', field: 'queueMs', least: 0, most: HOUR },
] as const satisfies readonly {
  key: string;
  field: keyof PoolTimeouts;
  least: number;
  most: number;
}[];
export type TimeoutKey = (typeof TIMEOUTS)[number]['key'];

/** From a stored value. */
export function readTimeouts(reader: ValueReader): Partial<PoolTimeouts> {
  const keys = TIMEOUTS.map(({ key }) => key);
  const found = reader.within('timeouts', keys, (inner) =>
    TIMEOUTS.flatMap(({ key, field, least, most }) => {
      const value = inner.integer(key, least, most);
      return value === undefined ? [] : [[field, value]];
    }),
  );
  return Object.fromEntries(found ?? []);
}

/** From a site file. */
export function timeoutsOf(
  given: { [K in TimeoutKey]?: number | undefined } | undefined,
): Partial<PoolTimeouts> {
  const pairs = TIMEOUTS.map(({ key, field }) => [field, given?.[key]] as const);
  return Object.fromEntries(pairs.filter(([, value]) => value !== undefined));
}

/** In a stored value; without what is as in `usual`. */
export function storedTimeouts(
  timeouts: Partial<PoolTimeouts>,
  usual: Partial<PoolTimeouts>,
): Record<string, number> | undefined {
  const pairs = TIMEOUTS.map(({ key, field }) => [key, timeouts[field], usual[field]] as const);
  const told = pairs.filter(([, value, known]) => value !== undefined && value !== known);
  return unlessNothing(Object.fromEntries(told.map(([key, value]) => [key, value ?? 0])));
}

/** In a site file. */
export function timeoutsEntry(stored: Record<string, number> | undefined): Entry | undefined {
  if (stored === undefined) return undefined;
  return said(Object.fromEntries(Object.entries(stored).map(([key, ms]) => [key, timeText(ms)])));
}

export function timeText(milliseconds: number): string {
  return milliseconds === 0 ? '0s' : formatDuration(milliseconds);
}
