// Figures as people read them: few digits, the unit beside them, nothing where nothing is known.
// Pure.
import { formatMoment, MAX_MOMENT_MS } from '../../shared/site/moment.ts';
import type { Kind, Value } from '../views/types.ts';

export const NOTHING = '–';

export function format(value: Value, kind: Kind): string {
  if (value === null || value === '') return NOTHING;
  if (typeof value === 'string') return value;
  if (!Number.isFinite(value)) return NOTHING;
  switch (kind) {
    case 'count':
      return grouped(value);
    case 'rate':
      return `${scaled(value, 1000, ['', 'k', 'M', 'G'])}/s`;
    case 'bits':
      return scaled(value, 1000, ['bit/s', 'kbit/s', 'Mbit/s', 'Gbit/s', 'Tbit/s']);
    case 'bytes':
      return scaled(value, 1024, ['B', 'KiB', 'MiB', 'GiB', 'TiB']);
    case 'seconds':
      return Math.abs(value) < 1 ? milliseconds(value * 1000) : `${digits(value)} s`;
    case 'milliseconds':
      return milliseconds(value);
    case 'bar':
    case 'fill':
      return percent(value);
    case 'age':
      return age(value);
    case 'time':
      return clockTime(value);
    default:
      return String(value);
  }
}

/** Three digits that count, no more than one behind the point above ten. */
function digits(value: number): string {
  const size = Math.abs(value);
  if (size >= 100 || Number.isInteger(value)) return value.toFixed(0);
  if (size >= 10) return value.toFixed(1);
  return size >= 0.1 ? value.toFixed(2).replace(/0$/, '') : value.toPrecision(1);
}

function scaled(value: number, base: number, units: readonly string[]): string {
  let [left, at] = [value, 0];
  while (Math.abs(left) >= base * 0.9995 && at < units.length - 1) {
    left /= base;
    at++;
  }
  const unit = units[at] ?? '';
  return unit === '' ? digits(left) : `${digits(left)}\u202f${unit}`;
}

function milliseconds(value: number): string {
  if (value === 0) return '0 ms';
  return Math.abs(value) < 0.1 ? '< 0.1 ms' : `${digits(value)} ms`;
}

function percent(part: number): string {
  const value = part * 100;
  if (value > 0 && value < 0.1) return '< 0.1 %';
  if (value === 0 || value >= 99.95)
    return `${value < 100 && value > 0 ? '99.9' : value.toFixed(0)} %`;
  return `${value.toFixed(1)} %`;
}

function grouped(value: number): string {
  if (!Number.isInteger(value)) return digits(value);
  return String(value).replace(/\B(?=(\d{3})+$)/g, '\u202f');
}

const AGES = [
  [86_400, 'd', 3600, 'h'],
  [3600, 'h', 60, 'min'],
  [60, 'min', 1, 's'],
] as const;

/** The two largest units: `3 d 4 h`. */
function age(seconds: number): string {
  const whole = Math.floor(Math.max(0, seconds));
  for (const [size, unit, less, lessUnit] of AGES) {
    if (whole < size) continue;
    const rest = Math.floor((whole % size) / less);
    const isLong = whole >= 10 * size && unit !== 'min';
    const first = `${Math.floor(whole / size)}\u202f${unit}`;
    return rest === 0 || isLong ? first : `${first} ${rest}\u202f${lessUnit}`;
  }
  return seconds > 0 && seconds < 10 ? `${seconds.toFixed(1)}\u202fs` : `${whole}\u202fs`;
}

/** UTC, to the second. */
export function clockTime(ms: number): string {
  const isMoment = ms >= 0 && ms <= MAX_MOMENT_MS;
  return isMoment ? formatMoment(Math.floor(ms / 1000) * 1000).slice(11, 19) : NOTHING;
}
