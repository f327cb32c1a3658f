// How many requests a route takes: `100/s`, `5/m`, `1000/10s`, and whose. Pure.
import { formatDuration, parseDuration } from '../net/units.ts';
import { HEADER_NAME, parseFieldName } from './header-edits.ts';
import type { RateLimit } from './lb-objects.ts';
import type { ValueReader } from './value.ts';
import { unless } from './zone.ts';

export const RATE = 'requests in a time, such as 100/s, 5/m or 1000/10s';
export const MAX_REQUESTS = 1_000_000;
const MAX_PER_MS = 86_400_000;

export type RequestRate = Pick<RateLimit, 'requests' | 'perMs'>;

export function parseRequestRate(text: string): RequestRate | undefined {
  const [, count = '', time = ''] = /^([1-9]\d{0,6})\/(.+)$/.exec(text) ?? [];
  const perMs = parseDuration(/^\d/.test(time) ? time : `1${time}`);
  const requests = Number(count);
  const isWithin = perMs !== undefined && perMs > 0 && perMs <= MAX_PER_MS;
  return isWithin && requests > 0 && requests <= MAX_REQUESTS ? { requests, perMs } : undefined;
}

export function formatRequestRate({ requests, perMs }: RequestRate): string {
  return `${requests}/${formatDuration(perMs).replace(/^1(?=\D)/, '')}`;
}

/** From a stored value. */
export function readRateLimit(reader: ValueReader): RateLimit | undefined {
  return reader.within('rateLimit', ['burst', 'by', 'rate', 'shared'], (inner) => {
    const rate = inner.parsed('rate', RATE, parseRequestRate);
    if (rate === undefined && inner.reasons.length === 0) inner.refuse('there is no rate');
    const { requests, perMs } = rate ?? { requests: 1, perMs: 1000 };
    const burst = inner.integer('burst', 1, MAX_REQUESTS) ?? requests;
    const shared = inner.flag('shared') ?? false;
    return { requests, perMs, burst, by: readBy(inner), shared };
  });
}

function readBy(reader: ValueReader): RateLimit['by'] {
  if (!reader.has('by')) return 'source';
  if (!reader.isMap('by')) {
    const parse = (text: string) => (text === 'all' ? ('all' as const) : undefined);
    return reader.parsed('by', 'all, or a header', parse) ?? 'source';
  }
  const header = reader.within('by', ['header'], (inner) => {
    const name = inner.parsed('header', HEADER_NAME, parseFieldName);
    if (name === undefined && inner.reasons.length === 0) inner.refuse('there is no header');
    return name;
  });
  return { header: header ?? '' };
}

/** In a stored value, and in a site file. */
export function saidRateLimit({ burst, by, shared, ...rate }: RateLimit) {
  return {
    rate: formatRequestRate(rate),
    burst: unless(rate.requests, burst),
    by: by === 'source' ? undefined : by,
    shared: shared ? true : undefined,
  };
}
