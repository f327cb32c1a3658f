// What is stored of dns all the same, though it is most likely not as it was meant: instances may
// know better, or it may be for later. Pure.
import { zoneFromObjects } from '../dns/zone/from-objects.ts';
import type { ZoneProblem } from '../dns/zone/types.ts';
import type { SiteProblem } from './check.ts';
import { recordAt } from './check-dns.ts';
import type { DnsIndex } from './dns-index.ts';
import type { PlainRecord, SmartRecord, ZoneObject } from './dns-objects.ts';
import { overrideId } from './override.ts';
import { siteIdOf } from './place.ts';
import { isSmart } from './record.ts';
import { targetText } from './target-pool.ts';

/** `nowSeconds`, since 1970: signatures end. */
export function warnDns(site: DnsIndex, nowSeconds: number): SiteProblem[] {
  const { zones, lone } = recordsByZone(site);
  return [...lone, ...[...zones].flatMap((each) => warnZone(each, nowSeconds)), ...warnIdle(site)];
}

type Records = { plain: PlainRecord[]; smart: SmartRecord[] };

/** Of the zones that are made of records, and the records that are of none. */
function recordsByZone(site: DnsIndex) {
  const zones = new Map<ZoneObject, Records>();
  for (const zone of site.zones.values()) {
    if (zone.primaries.length === 0) zones.set(zone, { plain: [], smart: [] });
  }
  const lone: SiteProblem[] = [];
  for (const record of site.records) {
    const zone = site.zoneOf(record.name);
    const found = zone === undefined ? undefined : zones.get(zone);
    if (isSmart(record)) found?.smart.push(record);
    else found?.plain.push(record);
    if (zone !== undefined) continue;
    const message =
      'is in no zone of the site: served only where a file or a transfer has its zone';
    const remedy = 'add its zone under zones, or correct the name';
    lone.push({ ...recordAt(record), message, remedy, at: ['name'] });
  }
  return { zones, lone };
}

/** What dns finds when it builds the zone. */
function warnZone([zone, records]: [ZoneObject, Records], nowSeconds: number): SiteProblem[] {
  const { problems } = zoneFromObjects({ zone, ...records, serial: 1, nowSeconds });
  return problems.map(({ level, place, message }: ZoneProblem): SiteProblem => {
    const [kind = '', id = zone.name] = place?.file.split(/ (.*)/s) ?? [];
    const told = level === 'refusal' ? `dns will not serve the zone: ${message}` : message;
    if (kind === 'record') return { kind, id: siteIdOf('dns', kind, id), message: told };
    return { kind: 'zone', id: siteIdOf('dns', 'zone', zone.name), message: told };
  });
}

function warnIdle(site: DnsIndex): SiteProblem[] {
  const targets = new Set<string>();
  for (const pool of site.pools.values()) {
    for (const { address, port } of pool.targets) {
      for (const target of port === undefined ? [{ address }] : [{ address }, { address, port }]) {
        targets.add(overrideId(target));
        targets.add(overrideId({ ...target, pool: pool.name }));
      }
    }
  }
  const idle = site.overrides.filter((override) => !targets.has(overrideId(override)));
  return idle.map((override) => {
    const message = `${targetText(override)} is no target of ${override.pool ?? 'any pool'}`;
    return { kind: 'override', id: overrideId(override), message, at: ['address'] };
  });
}
