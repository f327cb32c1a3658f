// What the site wants of dns: its objects sorted for those who build zones, lines and answers.
// Pure.

import { zoneOf } from '../shared/site/dns-name.ts';
import type { Line, PlainRecord, SmartRecord, ZoneObject } from '../shared/site/dns-objects.ts';
import type { Objects } from '../shared/site/objects-target.ts';
import { isStep } from '../shared/site/pools-plan.ts';
import { isSmart } from '../shared/site/record.ts';

export type DnsPlan = {
  version: number;
  /** The change that led to it was as large as one may be: probably a part of one. */
  isStep: boolean;
  zones: ReadonlyMap<string, ZoneObject>;
  plain: readonly PlainRecord[];
  smart: readonly SmartRecord[];
  lines: readonly Line[];
};

export function dnsPlanOf(
  objects: Objects,
  version: number,
  changed?: ReadonlySet<string>,
): DnsPlan {
  const zones = new Map<string, ZoneObject>();
  const plain: PlainRecord[] = [];
  const smart: SmartRecord[] = [];
  const lines: Line[] = [];
  for (const { kind, object } of objects.values()) {
    if (kind === 'zone') zones.set(object.name, object);
    else if (kind === 'line') lines.push(object);
    else if (kind !== 'record') continue;
    else if (isSmart(object)) smart.push(object);
    else plain.push(object);
  }
  return { version, isStep: isStep(changed), zones, plain, smart, lines };
}

/** By zone; those of none under undefined. */
export function byZone<Record extends { name: string }>(
  records: Iterable<Record>,
  zones: ReadonlySet<string>,
): Map<string | undefined, Record[]> {
  const sorted = new Map<string | undefined, Record[]>();
  for (const record of records) {
    const zone = zoneOf(record.name, zones);
    const own = sorted.get(zone);
    if (own === undefined) sorted.set(zone, [record]);
    else own.push(record);
  }
  return sorted;
}
