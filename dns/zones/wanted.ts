// What zones are wanted, from files, site objects and what primaries have sent. Pure.

import type { RecordMemory } from '../../shared/dns/zone/record-list.ts';
import type { PlainRecord } from '../../shared/site/dns-objects.ts';
import { byZone, type DnsPlan } from '../plan.ts';
import type { WantedZone, WantedZones } from './book.ts';
import type { SmartPlaces, ZoneSourceKind } from './types.ts';

/** `copy`: counts those of an instance, for one serial may come twice with other records. */
export type TransferredZone = { records: RecordMemory; serial: number; copy: number };
/** Names of leases: as records, and what tells one state of them from another. */
export type LeaseRecords = {
  records: readonly PlainRecord[];
  fingerprint: string;
  /** Grows with each change; added to the zone's. */
  serial: number;
};

export type WantedInput = {
  plan: DnsPlan;
  files: readonly { zone: string; path: string; fingerprint: string }[];
  transferred: ReadonlyMap<string, TransferredZone>;
  /** By zone. */
  leases: ReadonlyMap<string, LeaseRecords>;
  placeOf: (record: { name: string; type: string }) => number;
};

export type Wanted = Record<ZoneSourceKind, WantedZones> & {
  /** Records of no zone, and plain ones of zones that are not made of objects. */
  homeless: readonly string[];
};

export function wantedZones(input: WantedInput): Wanted {
  const { plan, files, transferred, leases, placeOf } = input;
  const names = new Set([...plan.zones.keys(), ...files.map(({ zone }) => zone)]);
  const smart = byZone(plan.smart, names);
  const plain = byZone(plan.plain, names);
  const placesOf = (zone: string): SmartPlaces =>
    (smart.get(zone) ?? []).map(({ name, type }) => ({
      name,
      type,
      index: placeOf({ name, type }),
    }));
  const wanted = (own: string, zone: string, job: (smart: SmartPlaces) => WantedZone['job']) => {
    const places = placesOf(zone);
    const fingerprint = [own, ...places.map(({ index }) => index)].join(' ');
    return [zone, { fingerprint, job: job(places) }] as const;
  };
  const file = files.map(({ zone, path, fingerprint }) =>
    wanted(fingerprint, zone, (places) => ({ source: 'file', zone, path, smart: places })),
  );
  const secondary = [...transferred].filter(([zone]) => plan.zones.get(zone)?.primaries.length);
  const transfer = secondary.map(([zone, { records, copy }]) =>
    wanted(`${copy}`, zone, (places) => {
      return { source: 'transfer', zone, records, smart: places };
    }),
  );
  const own = [...plan.zones.values()].filter(({ primaries }) => primaries.length === 0);
  const objects = own.map((object) => {
    const zone = object.name;
    const lease = leases.get(zone);
    const serial = (object.serialBase + plan.version + (lease?.serial ?? 0)) >>> 0;
    const own = plain.get(zone) ?? [];
    return wanted(`${plan.version} ${lease?.fingerprint ?? ''}`, zone, (places) => ({
      source: 'objects',
      zone,
      object,
      plain: [...own, ...unclaimed(lease, [...own, ...(smart.get(zone) ?? [])])],
      serial,
      smart: places,
    }));
  });
  const made = new Set(objects.map(([zone]) => zone));
  const unused = [...plain].filter(([zone]) => zone === undefined || !made.has(zone));
  const homeless = [
    ...unused.flatMap(([, records]) => records),
    ...(smart.get(undefined) ?? []),
  ].map(({ name, type }) => `${name}/${type}`);
  return { file: new Map(file), transfer: new Map(transfer), objects: new Map(objects), homeless };
}

/** A name that the site has is not a lease's. */
function unclaimed(
  lease: LeaseRecords | undefined,
  own: readonly { name: string }[],
): readonly PlainRecord[] {
  if (lease === undefined) return [];
  const names = new Set(own.map(({ name }) => name));
  return lease.records.filter(({ name }) => !names.has(name));
}
