// A site as a console may have read it: one instance of each service, all well, until told else.
import type { Heard, Reading, SiteReading } from '../../../console/collect/types.ts';
import { PLOTS } from '../../../console/series/plots.ts';
import { parseMetrics } from '../../../console/series/prometheus.ts';
import { Rates } from '../../../console/series/rates.ts';
import { SERVICES, type Service, UNITS, unitsFollowedBy } from '../../../shared/site/place.ts';

export const NOW_MS = Date.UTC(2026, 0, 1, 12);

export function heard(service: Service, changes: Partial<Heard> = {}): Heard {
  return {
    service,
    node: `${service}-1`,
    version: '0.1.0',
    state: 'running',
    applied: Object.fromEntries(unitsFollowedBy(service).map((unit) => [unit, 3])),
    address: '192.0.2.1:9101',
    startedAt: NOW_MS - 3_600_000,
    clockMs: NOW_MS - 500,
    ageMs: 500,
    ...changes,
  };
}

export function reading(service: Service, changes: Partial<Reading> = {}): Reading {
  const own = heard(service);
  return {
    service,
    node: own.node,
    heard: own,
    address: own.address,
    ageMs: 100,
    pages: new Map(),
    problems: new Map(),
    rated: [],
    ...changes,
  };
}

export function siteReading(changes: Partial<SiteReading> = {}): SiteReading {
  return {
    nowMs: NOW_MS,
    store: {
      tookMs: 1.5,
      ageMs: 10,
      heads: new Map(
        UNITS.map((unit) => [unit, { version: 3, digest: '0'.repeat(12), count: 7, tail: '0-0' }]),
      ),
      members: [],
      servers: [],
    },
    readings: SERVICES.map((service) => reading(service)),
    eips: new Map(),
    self: { node: 'console', version: '0.1.0', startedAtMs: NOW_MS - 60_000, rated: [] },
    ...changes,
  };
}

const names = new Set([
  ...PLOTS.map(({ metric }) => metric),
  'edge_lb_target_requests_total',
  'edge_dhcpd_leases_bound',
]);

/** What two metrics pages, a second apart, say. */
export function ratedBy(before: string, after: string) {
  const rates = new Rates();
  rates.next(parseMetrics(before, names), 0);
  return rates.next(parseMetrics(after, names), 1000);
}
