// What others wrote, as values of known types and sizes: a member or the store may say anything.
// Pure.
import { parseMoment } from '../../shared/site/moment.ts';

export const NAME_CHARACTERS = 80;
export const TEXT_CHARACTERS = 400;
const ROWS = 1000;

export type Fields = Readonly<Record<string, unknown>>;

export function fields(value: unknown): Fields {
  return typeof value === 'object' && value !== null ? (value as Fields) : {};
}

/** Empty when it is no text; a number counts as one. */
export function text(value: unknown, most = TEXT_CHARACTERS): string {
  if (typeof value === 'number') return String(value);
  if (typeof value !== 'string') return '';
  const short = value.length > most ? `${value.slice(0, most - 1)}…` : value;
  return short.replace(/[\p{Cc}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069]+/gu, ' ');
}

export function name(value: unknown): string {
  return text(value, NAME_CHARACTERS);
}

/** null when it is none: nobody knows it. */
export function number(value: unknown): number | null {
  return typeof value === 'number' && Number.isFinite(value) ? value : null;
}

/** At most 1000 rows, or `most`. */
export function rows(value: unknown, most = ROWS): Fields[] {
  return Array.isArray(value) ? value.slice(0, most).map(fields) : [];
}

/** Texts joined by commas, at most ten. */
export function list(value: unknown): string {
  const all = Array.isArray(value) ? value : [];
  const shown = all.slice(0, 10).map(name);
  return text([...shown, ...(all.length > 10 ? [`and ${all.length - 10} more`] : [])].join(', '));
}

/** ms since 1970 of a moment as RFC 3339 writes it; null when it is none. */
export function time(value: unknown): number | null {
  return typeof value === 'string' ? (parseMoment(value) ?? null) : null;
}
