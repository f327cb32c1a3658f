// Times of DNS: TTLs and SOA timers in whole seconds (RFC 2181 §8), and moments. Pure.
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

const MOMENT = /^(\d{4}-\d\d-\d\d)T\d\d:\d\d(?::\d\d(?:\.\d{1,3})?)?(?:Z|[+-]\d\d:\d\d)$/;

/** ms since the epoch of an ISO 8601 time with its zone: `2026-12-01T00:00:00Z`. */
export function parseMoment(text: string): number | undefined {
  const [, day] = MOMENT.exec(text) ?? [];
  const milliseconds = Date.parse(text);
  if (day === undefined || Number.isNaN(milliseconds) || milliseconds < 0) return undefined;
  // A day that its month has not would be taken for one of the next.
  return new Date(`${day}T00:00Z`).toISOString().startsWith(day) ? milliseconds : undefined;
}

export function formatMoment(milliseconds: number): string {
  return new Date(milliseconds).toISOString().replace('.000Z', 'Z');
}
