// Where an object of the site is stored. A site is several units of the store, and a kind has its
// home in one of them; `node` is in that of each service. So that an id tells objects of a kind
// apart all over the site, one that is not at home has its unit before it: node `dhcpd/host-1` is
// stored in unit dhcpd as node `host-1`; node `host-1` is natter's.
import type { Change, ObjectRecord } from '../store/types.ts';

/** In the order in which changes of several are stored: pools before what names them. */
export const UNITS = ['natter', 'dhcpd', 'pools', 'dns', 'lb'] as const;
export type Unit = (typeof UNITS)[number];

/** Each has a unit of its own name, with its nodes. */
export const SERVICES = ['natter', 'dhcpd', 'dns', 'lb'] as const;
export type Service = (typeof SERVICES)[number];

/** The services whose instances follow a unit, and tell its version in what they have applied. */
export const FOLLOWERS: Readonly<Record<Unit, readonly Service[]>> = {
  natter: ['natter'],
  dhcpd: ['dhcpd'],
  pools: ['dns', 'lb'],
  dns: ['dns'],
  lb: ['lb'],
};

export type Place = { unit: Unit; id: string };

const LB_KINDS = ['vserver', 'listener', 'route', 'certificate'] as const;
const HOMES: ReadonlyMap<string, Unit> = new Map([
  ...(['subnet', 'reservation', 'class', 'l3net'] as const).map((kind) => [kind, 'dhcpd'] as const),
  ...(['pool', 'override'] as const).map((kind) => [kind, 'pools'] as const),
  ...(['zone', 'record', 'line'] as const).map((kind) => [kind, 'dns'] as const),
  ...LB_KINDS.map((kind) => [kind, 'lb'] as const),
]);

/** Kinds that nobody knows count as natter's. */
export function homeOf(kind: string): Unit {
  return HOMES.get(kind) ?? 'natter';
}

/** Its own first. */
export function unitsFollowedBy(service: Service): Unit[] {
  const others = UNITS.filter((unit) => unit !== service && FOLLOWERS[unit].includes(service));
  return [service, ...others];
}

/** With the units whose objects refer to theirs or are referred to: what is checked together. */
export function checkedWith(units: readonly Unit[]): Unit[] {
  const refers = (unit: Unit) => unit === 'dns' || unit === 'lb';
  const isWith = (unit: Unit) =>
    unit === 'pools' ? units.some(refers) : refers(unit) && units.includes('pools');
  return UNITS.filter((unit) => units.includes(unit) || isWith(unit));
}

export function isService(text: string): text is Service {
  return SERVICES.some((service) => service === text);
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
