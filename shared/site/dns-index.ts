// The objects of dns and of pools among those of a site, with what is asked of them by name.
import { zoneOf } from './dns-name.ts';
import type { Line, RecordObject, ZoneObject } from './dns-objects.ts';
import type { SiteObject } from './kinds.ts';
import { DEFAULT_LINE } from './line.ts';
import type { HealthOverride, Pool } from './pool-objects.ts';

export class DnsIndex {
  readonly zones = new Map<string, ZoneObject>();
  readonly lines = new Map<string, Line>();
  readonly pools = new Map<string, Pool>();
  readonly records: RecordObject[] = [];
  readonly overrides: HealthOverride[] = [];

  static of(objects: Iterable<SiteObject>): DnsIndex {
    const found = new DnsIndex();
    for (const item of objects) found.add(item);
    return found;
  }

  /** Before anything is asked. Objects of other services are passed over. */
  add(item: SiteObject): void {
    if (item.kind === 'zone') this.zones.set(item.object.name, item.object);
    else if (item.kind === 'record') this.records.push(item.object);
    else if (item.kind === 'line') this.lines.set(item.object.name, item.object);
    else if (item.kind === 'pool') this.pools.set(item.object.name, item.object);
    else if (item.kind === 'override') this.overrides.push(item.object);
  }

  /** The zone that a name is in: of several the longest. */
  zoneOf(name: string): ZoneObject | undefined {
    const zone = zoneOf(name, this.zones);
    return zone === undefined ? undefined : this.zones.get(zone);
  }

  hasLine(name: string): boolean {
    return name === DEFAULT_LINE || this.lines.has(name);
  }
}
