// TTLs and the timers of an SOA: whole seconds (RFC 2181 §8). Pure.
import { formatDuration, parseDuration } from '../net/units.ts';

export const MAX_TTL_SECONDS = 2 ** 31 - 1;

export function parseTtl(text: string): number | undefined {
  const milliseconds = parseDuration(text);
  if (milliseconds === undefined || milliseconds % 1000 !== 0) return undefined;
  const seconds = milliseconds / 1000;
  return seconds <= MAX_TTL_SECONDS ? seconds : undefined;
}

export function formatTtl(seconds: number): string {
  return seconds === 0 ? '0s' : formatDuration(seconds * 1000);
}
