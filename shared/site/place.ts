// Where an object of the site is stored. A site is several units of the store, one a service, and
// a kind has its home in one of them; `node` is in each. So that an id tells objects of a kind
// apart all over the site, one that is not at home has its unit before it: node `dhcpd/host-1` is
// stored in unit dhcpd as node `host-1`; node `host-1` is natter's.
import type { Change, ObjectRecord } from '../store/types.ts';

/** Each is followed by the service of the same name. */
export const UNITS = ['natter', 'dhcpd'] as const;
export type Unit = (typeof UNITS)[number];

export type Place = { unit: Unit; id: string };

const DHCP_KINDS: ReadonlySet<string> = new Set(['subnet', 'reservation', 'class', 'l3net']);

/** Kinds that nobody knows count as natter's. */
export function homeOf(kind: string): Unit {
  return DHCP_KINDS.has(kind) ? 'dhcpd' : 'natter';
}

export function isUnit(text: string): text is Unit {
  return UNITS.some((unit) => unit === text);
}

export function siteIdOf(unit: Unit, kind: string, id: string): string {
  return unit === homeOf(kind) && unitBefore(id) === undefined ? id : `${unit}/${id}`;
}

export function placeOf(kind: string, id: string): Place {
  const unit = unitBefore(id);
  if (unit === undefined) return { unit: homeOf(kind), id };
  return { unit, id: id.slice(unit.length + 1) };
}

/** From what a unit of the store holds. */
export function siteRecord(unit: Unit, { kind, id, value }: ObjectRecord): ObjectRecord {
  return { kind, id: siteIdOf(unit, kind, id), value };
}

/** What its unit takes. */
export function storedChange({ kind, id, value }: Change): Change {
  return { kind, id: placeOf(kind, id).id, value };
}

function unitBefore(id: string): Unit | undefined {
  return UNITS.find((unit) => id.startsWith(unit) && id[unit.length] === '/');
}
