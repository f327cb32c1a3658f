// The site as it is stored: every object of the units asked for, and each unit's version.

import type { Difference } from '../site/diff.ts';
import { isOfNewerKind, type Kind, kinds, type ObjectOf, parseObject } from '../site/kinds.ts';
import { overrideId } from '../site/override.ts';
import { siteRecord, type Unit } from '../site/place.ts';
import { isRefusal } from '../site/refusal.ts';
import type { ObjectRecord, Store } from '../store/types.ts';

export function keyOf(kind: string, id: string): string {
  return `${kind}:${id}`;
}

export class SiteState {
  /** Of each unit that was read. */
  readonly versions: ReadonlyMap<Unit, number>;
  /** By keyOf(); ids are those of the site (shared/site/place.ts). */
  readonly records: ReadonlyMap<string, ObjectRecord>;

  constructor(versions: ReadonlyMap<Unit, number>, records: Map<string, ObjectRecord>) {
    this.versions = versions;
    this.records = records;
  }

  has(kind: Kind, id: string): boolean {
    return this.records.has(keyOf(kind, id));
  }

  /** Undefined when it is not there or not readable. */
  find<K extends Kind>(kind: K, id: string): ObjectOf[K] | undefined {
    const record = this.records.get(keyOf(kind, id));
    if (record === undefined) return undefined;
    const parsed = parseObject(record);
    if (isRefusal(parsed) || parsed.kind !== kind) return undefined;
    return parsed.object as ObjectOf[K]; // the kind was compared on the line above
  }

  /** The records as they would be. */
  after(differences: readonly Difference[]): Map<string, ObjectRecord> {
    const records = new Map(this.records);
    for (const { kind, id, after: value } of differences) {
      if (value === undefined) records.delete(keyOf(kind, id));
      else records.set(keyOf(kind, id), { kind, id, value });
    }
    return records;
  }

  count(kind: string): number {
    let count = 0;
    for (const record of this.records.values()) if (record.kind === kind) count++;
    return count;
  }
}

/** Reads all; if it changes meanwhile, the version is the older one, and a CAS on it fails. */
export async function loadState(store: Store, units: readonly Unit[]): Promise<SiteState> {
  const versions = new Map<Unit, number>();
  const records = new Map<string, ObjectRecord>();
  for (const unit of units) {
    versions.set(unit, (await store.head(unit)).version);
    for await (const batch of store.scan(unit)) {
      for (const stored of batch) {
        const record = siteRecord(unit, stored);
        records.set(keyOf(record.kind, record.id), record);
      }
    }
  }
  return new SiteState(versions, records);
}

/** The objects of each kind, parsed and sorted; and what could not be read. */
export type Listing = { [K in Kind]: ObjectOf[K][] } & {
  unreadable: string[];
  /** Objects of kinds that only a newer edgectl knows. */
  newer: number;
};

const ORDERS: { [K in Kind]: (a: ObjectOf[K], b: ObjectOf[K]) => number } = {
  eip: (a, b) => a.address - b.address,
  forward: (a, b) => a.eip - b.eip || a.protocol - b.protocol || a.firstPort - b.firstPort,
  group: (a, b) => byText(a.name, b.name),
  node: (a, b) => byText(a.name, b.name) || byText(a.service ?? '', b.service ?? ''),
  subnet: (a, b) => a.prefix.address - b.prefix.address || a.prefix.bits - b.prefix.bits,
  reservation: (a, b) => a.address - b.address,
  class: (a, b) => a.order - b.order || byText(a.name, b.name),
  l3net: (a, b) => a.cidr.address - b.cidr.address || a.cidr.bits - b.cidr.bits,
  zone: (a, b) => byText(a.name, b.name),
  record: (a, b) => byText(a.name, b.name) || byText(a.type, b.type),
  line: (a, b) => byText(a.name, b.name),
  pool: (a, b) => byText(a.name, b.name),
  override: (a, b) => byText(a.address, b.address) || byText(overrideId(a), overrideId(b)),
  vserver: (a, b) =>
    byText(a.address, b.address) || a.port - b.port || byText(a.protocol, b.protocol),
  listener: (a, b) => byText(a.name, b.name),
  route: (a, b) => byText(a.name, b.name),
  certificate: (a, b) => byText(a.name, b.name),
};

export function listing(records: Iterable<ObjectRecord>): Listing {
  const list = emptyListing();
  for (const record of records) {
    const parsed = parseObject(record);
    if (isOfNewerKind(record)) list.newer++;
    else if (isRefusal(parsed)) list.unreadable.push(...parsed.reasons);
    else put(list, parsed.kind, parsed.object);
  }
  for (const { kind } of kinds) sort(list, kind);
  return list;
}

export function emptyListing(): Listing {
  const lists = kinds.map(({ kind }) => [kind, []]);
  return { ...Object.fromEntries(lists), unreadable: [], newer: 0 } as Listing; // each kind's
}

function put<K extends Kind>(
  list: { [P in K]: ObjectOf[P][] },
  kind: K,
  object: ObjectOf[K],
): void {
  list[kind].push(object);
}

function sort<K extends Kind>(list: { [P in K]: ObjectOf[P][] }, kind: K): void {
  list[kind].sort(ORDERS[kind]);
}

function byText(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

/** `eip` or `eips`. */
export function parseKind(text: string): Kind | undefined {
  return kinds.find(({ kind, section }) => kind === text || section === text)?.kind;
}

/** In the order in which they are shown. */
export const SHOWN_KINDS: readonly Kind[] = [
  ...(['eip', 'forward', 'group'] as const),
  ...(['subnet', 'reservation', 'class', 'l3net'] as const),
  ...(['zone', 'record', 'line'] as const),
  ...(['vserver', 'listener', 'route', 'certificate'] as const),
  ...(['pool', 'override', 'node'] as const),
];
