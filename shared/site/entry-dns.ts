// Objects of dns and pools as entries of a site file: what readSite() takes back.

import type { CheckSettings } from '../health/types.ts';
import { formatPrefix } from '../net/prefix.ts';
import { formatDuration } from '../net/units.ts';
import type { Line, LineAnswer, RecordObject, Source, ZoneObject } from './dns-objects.ts';
import { formatTtl } from './dns-times.ts';
import { proxyEntry } from './entry-lb.ts';
import { type Entry, listed, said } from './entry-value.ts';
import { formatMoment } from './moment.ts';
import { formatStatus, saidOfType, TIMING } from './pool-check.ts';
import type { HealthOverride, Pool, PoolTarget } from './pool-objects.ts';
import { isSmart } from './record.ts';
import { DEFAULT_MIN_TTL_SECONDS } from './smart-record.ts';
import { USUAL_ANSWER, USUAL_WEIGHT } from './target-pool.ts';
import { DEFAULT_ZONE_TTL_SECONDS, soaTimes, unless } from './zone.ts';

export function zoneEntry(zone: ZoneObject): Entry {
  const { name, soa, ttlSeconds, serialBase, transfer, notify, primaries } = zone;
  const rights = said({
    prefixes: listed(transfer.prefixes.map(formatPrefix)),
    keys: listed([...transfer.keys]),
  });
  return said({
    zone: name,
    soa: soa === undefined ? undefined : soaEntry(soa),
    ttl: timeEntry(unless(DEFAULT_ZONE_TTL_SECONDS, ttlSeconds)),
    serialBase: unless(0, serialBase),
    transfer: Object.keys(rights).length === 0 ? undefined : rights,
    notify: listed(notify.map(({ to, key }) => said({ to, key }))),
    primaries: listed(primaries.map(({ from, key }) => said({ from, key }))),
  });
}

function soaEntry(soa: NonNullable<ZoneObject['soa']>): Entry {
  const { refreshSeconds, retrySeconds, expireSeconds, minimumSeconds } = soaTimes(soa);
  return said({
    primary: soa.primary,
    mail: soa.mail,
    refresh: timeEntry(refreshSeconds),
    retry: timeEntry(retrySeconds),
    expire: timeEntry(expireSeconds),
    minimum: timeEntry(minimumSeconds),
  });
}

export function recordEntry(record: RecordObject): Entry {
  const { name, type, ttlSeconds } = record;
  const ttl = timeEntry(ttlSeconds);
  if (!isSmart(record)) return said({ name, type, ttl, data: [...record.data] });
  const { lines, overflow, minTtlSeconds, allDown } = record;
  const others = [...overflow].map(([line, to]): [string, string[]] => [line, [...to]]);
  return said({
    name,
    type,
    ttl,
    minTtl: timeEntry(unless(DEFAULT_MIN_TTL_SECONDS, minTtlSeconds)),
    lines: Object.fromEntries([...lines].map(([line, answer]) => [line, answerEntry(answer)])),
    overflow: others.length === 0 ? undefined : Object.fromEntries(others),
    allDown: unless('all', allDown),
  });
}

/** A source that is alone stands in the line itself. */
function answerEntry({ sources, ttlSeconds }: LineAnswer): Entry {
  const [first, ...more] = sources.map(sourceEntry);
  const ttl = timeEntry(ttlSeconds);
  if (first === undefined || more.length === 0) return said({ ...first, ttl });
  return said({ sources: [first, ...more], ttl });
}

function sourceEntry(source: Source): Entry {
  return 'pool' in source ? { pool: source.pool } : { data: [...source.data] };
}

export function lineEntry({ name, prefixes, fallback }: Line): Entry {
  return said({
    name,
    prefixes: listed(prefixes.map(formatPrefix)),
    fallback: listed([...fallback]),
  });
}

export function poolEntry(pool: Pool): Entry {
  return said({
    name: pool.name,
    targets: pool.targets.map(targetEntry),
    check: pool.check === undefined ? undefined : checkEntry(pool.check),
    answer: unless(USUAL_ANSWER, pool.answer),
    answers: unless(1, pool.answers),
    minHealthy: unless(0, pool.minHealthyPercent),
    proxy: pool.proxy === undefined ? undefined : proxyEntry(pool.proxy),
  });
}

function targetEntry({ address, port, weight, tier }: PoolTarget): Entry {
  return said({ address, port, weight: unless(USUAL_WEIGHT, weight), tier: unless(0, tier) });
}

function checkEntry(check: CheckSettings): Entry {
  const { status, ...more } = saidOfType(check);
  const duration = (usual: number, value: number) =>
    value === usual ? undefined : formatDuration(value);
  return said({
    type: check.type,
    ...more,
    status: status === undefined ? undefined : formatStatus(status),
    interval: duration(TIMING.intervalMs.usual, check.intervalMs),
    timeout: duration(TIMING.timeoutMs.usual, check.timeoutMs),
    rise: unless<number>(TIMING.rise.usual, check.rise),
    fall: unless<number>(TIMING.fall.usual, check.fall),
  });
}

export function overrideEntry(override: HealthOverride): Entry {
  const { address, port, pool, state, who, why, untilMs } = override;
  const until = untilMs === undefined ? undefined : formatMoment(untilMs);
  return said({ address, port, pool, state, who, why, until });
}

function timeEntry(seconds: number | undefined): string | undefined {
  return seconds === undefined ? undefined : formatTtl(seconds);
}
