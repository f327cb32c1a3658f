// The kinds of site objects: which unit of the store each lives in, its section in a site file, and
// how it is read and written.
import type { ObjectRecord } from '../store/types.ts';
import { formatCertificate, parseCertificate } from './certificate.ts';
import type { DhcpClass } from './class.ts';
import { formatClass, parseClass } from './class.ts';
import type { Line, RecordObject, ZoneObject } from './dns-objects.ts';
import type { Eip } from './eip.ts';
import { formatEip, parseEip } from './eip.ts';
import type { Forward } from './forward.ts';
import { formatForward, parseForward } from './forward.ts';
import type { Group } from './group.ts';
import { formatGroup, parseGroup } from './group.ts';
import type { L3Net } from './l3net.ts';
import { formatL3Net, parseL3Net } from './l3net.ts';
import type { Certificate, Listener, Route, VirtualServer } from './lb-objects.ts';
import { formatLine, parseLine } from './line.ts';
import { formatListener, parseListener } from './listener.ts';
import type { NodeIntent } from './node.ts';
import { formatNode, parseNode } from './node.ts';
import { formatOverride, parseOverride } from './override.ts';
import { placeOf, SERVICES, siteIdOf, type Unit } from './place.ts';
import type { HealthOverride, Pool } from './pool-objects.ts';
import { formatRecord, parseRecord } from './record.ts';
import type { Refusal } from './refusal.ts';
import { isRefusal, refusal } from './refusal.ts';
import type { Reservation } from './reservation.ts';
import { formatReservation, parseReservation } from './reservation.ts';
import { formatRoute, parseRoute } from './route.ts';
import type { Subnet } from './subnet.ts';
import { formatSubnet, parseSubnet } from './subnet.ts';
import { formatTargetPool, parseTargetPool } from './target-pool.ts';
import { isNewer } from './value.ts';
import { formatVserver, parseVserver } from './vserver.ts';
import { formatZone, parseZoneObject } from './zone.ts';

export type ObjectOf = {
  eip: Eip;
  forward: Forward;
  group: Group;
  node: NodeIntent;
  subnet: Subnet;
  reservation: Reservation;
  class: DhcpClass;
  l3net: L3Net;
  line: Line;
  pool: Pool;
  override: HealthOverride;
  zone: ZoneObject;
  record: RecordObject;
  vserver: VirtualServer;
  listener: Listener;
  route: Route;
  certificate: Certificate;
};
export type Kind = keyof ObjectOf;
export type SiteObject = { [K in Kind]: { kind: K; object: ObjectOf[K] } }[Kind];

type KindEntry = { kind: Kind; units: readonly Unit[]; section: string };

/** In the order in which objects come to be: what others refer to first. */
export const kinds: readonly KindEntry[] = [
  { kind: 'node', units: SERVICES, section: 'nodes' },
  { kind: 'group', units: ['natter'], section: 'groups' },
  { kind: 'eip', units: ['natter'], section: 'eips' },
  { kind: 'forward', units: ['natter'], section: 'forwards' },
  { kind: 'class', units: ['dhcpd'], section: 'classes' },
  { kind: 'l3net', units: ['dhcpd'], section: 'l3nets' },
  { kind: 'subnet', units: ['dhcpd'], section: 'subnets' },
  { kind: 'reservation', units: ['dhcpd'], section: 'reservations' },
  { kind: 'line', units: ['dns'], section: 'lines' },
  { kind: 'pool', units: ['pools'], section: 'pools' },
  { kind: 'override', units: ['pools'], section: 'overrides' },
  { kind: 'zone', units: ['dns'], section: 'zones' },
  { kind: 'record', units: ['dns'], section: 'records' },
  { kind: 'certificate', units: ['lb'], section: 'certificates' },
  { kind: 'vserver', units: ['lb'], section: 'vservers' },
  { kind: 'listener', units: ['lb'], section: 'listeners' },
  { kind: 'route', units: ['lb'], section: 'routes' },
];

export function unitsOf(kind: Kind): readonly Unit[] {
  return kinds.find((entry) => entry.kind === kind)?.units ?? [];
}

export function sectionOf(kind: Kind): string {
  return kinds.find((entry) => entry.kind === kind)?.section ?? kind;
}

/** Tells objects apart in a map; for no one to read. */
export function keyOf({ kind, id }: ObjectRecord): string {
  return `${kind} ${id}`;
}

export function isKind(text: string): text is Kind {
  return kinds.some((entry) => entry.kind === text);
}

/** Of a kind that only newer versions know, and that its writer says may be ignored. */
export function isOfNewerKind({ kind, value }: ObjectRecord): boolean {
  return !isKind(kind) && isNewer(value);
}

/** An object of any kind, with its id in the site (place.ts), or why it is none. */
export function parseObject({ kind, id, value }: ObjectRecord): SiteObject | Refusal {
  const { unit, id: storedId } = placeOf(kind, id);
  const isAtHome = isKind(kind) && unitsOf(kind).includes(unit);
  if (!isAtHome || siteIdOf(unit, kind, storedId) !== id) {
    return refusal(`${kind} ${id}: there are no objects of kind ${JSON.stringify(kind)}`);
  }
  return parseOf[kind](storedId, value, unit);
}

export function formatObject(item: SiteObject): ObjectRecord {
  switch (item.kind) {
    case 'eip':
      return formatEip(item.object);
    case 'forward':
      return formatForward(item.object);
    case 'group':
      return formatGroup(item.object);
    case 'node':
      return formatNode(item.object);
    case 'subnet':
      return formatSubnet(item.object);
    case 'reservation':
      return formatReservation(item.object);
    case 'class':
      return formatClass(item.object);
    case 'l3net':
      return formatL3Net(item.object);
    case 'line':
      return formatLine(item.object);
    case 'pool':
      return formatTargetPool(item.object);
    case 'override':
      return formatOverride(item.object);
    case 'zone':
      return formatZone(item.object);
    case 'record':
      return formatRecord(item.object);
    case 'vserver':
      return formatVserver(item.object);
    case 'listener':
      return formatListener(item.object);
    case 'route':
      return formatRoute(item.object);
    case 'certificate':
      return formatCertificate(item.object);
  }
}

type Parse = (id: string, value: string, unit: Unit) => SiteObject | Refusal;
const parseOf: Record<Kind, Parse> = {
  eip: (id, value) => wrap('eip', parseEip(id, value)),
  forward: (id, value) => wrap('forward', parseForward(id, value)),
  group: (id, value) => wrap('group', parseGroup(id, value)),
  node: (id, value, unit) => wrap('node', parseNode(id, value, unit)),
  subnet: (id, value) => wrap('subnet', parseSubnet(id, value)),
  reservation: (id, value) => wrap('reservation', parseReservation(id, value)),
  class: (id, value) => wrap('class', parseClass(id, value)),
  l3net: (id, value) => wrap('l3net', parseL3Net(id, value)),
  line: (id, value) => wrap('line', parseLine(id, value)),
  pool: (id, value) => wrap('pool', parseTargetPool(id, value)),
  override: (id, value) => wrap('override', parseOverride(id, value)),
  zone: (id, value) => wrap('zone', parseZoneObject(id, value)),
  record: (id, value) => wrap('record', parseRecord(id, value)),
  vserver: (id, value) => wrap('vserver', parseVserver(id, value)),
  listener: (id, value) => wrap('listener', parseListener(id, value)),
  route: (id, value) => wrap('route', parseRoute(id, value)),
  certificate: (id, value) => wrap('certificate', parseCertificate(id, value)),
};

function wrap<K extends Kind>(kind: K, parsed: ObjectOf[K] | Refusal): SiteObject | Refusal {
  if (isRefusal(parsed)) return parsed;
  return { kind, object: parsed } as SiteObject; // K pairs the two; the compiler does not follow
}
