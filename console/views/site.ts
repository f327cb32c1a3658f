// The whole page, from what was read: what is wrong now, figures, and a section for each service
// that is deployed. Pure.

import { SERVICES, type Service } from '../../shared/site/place.ts';
import type { SiteReading } from '../collect/types.ts';
import { dhcpSection } from './dhcp.ts';
import { dnsSection } from './dns.ts';
import { eipsSection } from './eips.ts';
import { eventsSection } from './events.ts';
import { lbSection } from './lb.ts';
import { nodesSection } from './nodes.ts';
import { poolsSection } from './pools.ts';
import { storeSection } from './store.ts';
import { rateOf, valuesBy } from './sums.ts';
import type { Level, Problem, Section, Tile } from './types.ts';

export type SiteView = {
  nowMs: number;
  level: Level;
  /** Worst first. */
  problems: readonly Problem[];
  tiles: readonly Tile[];
  sections: readonly Section[];
};

const MOST_PROBLEMS = 200;

/** A service is deployed when it has an instance, or objects in the store. */
export function deployedServices({ readings, store }: SiteReading): ReadonlySet<Service> {
  return new Set(
    SERVICES.filter(
      (service) =>
        readings.some((each) => each.service === service) ||
        (store.heads.get(service)?.count ?? 0) > 0,
    ),
  );
}

export function siteView(site: SiteReading): SiteView {
  const deployed = deployedServices(site);
  const has = (...services: Service[]) => services.some((service) => deployed.has(service));
  const sections = [
    nodesSection(site),
    ...(has('natter') ? [eipsSection(site)] : []),
    ...(has('dns', 'lb') ? [poolsSection(site)] : []),
    ...(has('dhcpd') ? [dhcpSection(site)] : []),
    ...(has('dns') ? [dnsSection(site)] : []),
    ...(has('lb') ? [lbSection(site)] : []),
    storeSection(site),
    eventsSection(site),
  ];
  const problems = [...missing(site, deployed), ...sections.flatMap((each) => each.problems)]
    .toSorted((a, b) => Number(a.level === 'warn') - Number(b.level === 'warn'))
    .slice(0, MOST_PROBLEMS);
  return {
    nowMs: site.nowMs,
    level: problems[0]?.level ?? 'ok',
    problems,
    tiles: tilesOf(site, deployed),
    sections,
  };
}

function missing({ readings, store }: SiteReading, deployed: ReadonlySet<Service>): Problem[] {
  if (store.ageMs === null) return [];
  return [...deployed]
    .filter((service) => !readings.some((each) => each.service === service))
    .map((service) => ({
      level: 'bad',
      section: 'nodes',
      what: `no ${service} runs`,
      why: `the store has ${store.heads.get(service)?.count} objects for it`,
    }));
}

function tilesOf(site: SiteReading, deployed: ReadonlySet<Service>): Tile[] {
  const rate = (metric: string, isMeant?: Parameters<typeof rateOf>[2]) =>
    rateOf(site, metric, isMeant);
  const { readings } = site;
  const running = readings.filter(
    ({ heard, pages }) =>
      (heard?.state === 'running' && heard.ageMs <= 10_000) ||
      (heard === undefined && pages.has('status')),
  );
  const tiles: (Tile | false)[] = [
    {
      section: 'nodes',
      title: 'nodes running',
      value: running.length,
      kind: 'count',
      note: `of ${readings.length}`,
    },
    deployed.has('natter') && {
      section: 'eips',
      title: 'elastic IP traffic',
      value: times(rate('edge_natter_bytes_total', isTranslated), 8),
      kind: 'bits',
      note: 'in and out',
    },
    deployed.has('dhcpd') && {
      section: 'dhcp',
      title: 'leases',
      value: leases(site),
      kind: 'count',
      note: 'bound now',
    },
    deployed.has('dns') && {
      section: 'dns',
      title: 'DNS answers',
      value: rate('edge_dns_responses_total'),
      kind: 'rate',
      note: 'all lines',
    },
    deployed.has('lb') && {
      section: 'lb',
      title: 'requests',
      value: rate('edge_lb_requests_total'),
      kind: 'rate',
      note: 'HTTP, all routes',
    },
    deployed.has('lb') && {
      section: 'lb',
      title: 'failed requests',
      value: rate('edge_lb_requests_total', ({ status }) => status === '5' || status === '0'),
      kind: 'rate',
      note: '5xx or no answer',
    },
    {
      section: 'store',
      title: 'store',
      value: site.store.problem === undefined ? site.store.tookMs : null,
      kind: 'milliseconds',
      note: site.store.problem === undefined ? 'a round of questions' : 'does not answer',
    },
  ];
  return tiles.filter((tile) => tile !== false);
}

const isTranslated = ({ reason = '' }: Readonly<Record<string, string>>) =>
  /^(IN|OUT|HAIRPIN)_/.test(reason);

const times = (value: number | null, factor: number) => (value === null ? null : value * factor);

/** Every dhcpd tells all of them. */
function leases({ readings }: SiteReading): number | null {
  const told = readings
    .filter(({ service }) => service === 'dhcpd')
    .map((reading) => {
      return valuesBy({ readings: [reading] }, 'edge_dhcpd_leases_bound', () => 'all').get('all');
    })
    .filter((each) => each !== undefined);
  return told.length === 0 ? null : Math.max(...told);
}
