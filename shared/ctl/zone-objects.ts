// A zone of a file as site objects, each with its place, and what of it objects cannot carry. Pure.

import { TYPES } from '../dns/constants.ts';
import { displayName, lowerName } from '../dns/names.ts';
import { typeName } from '../dns/rdata.ts';
import { dataText } from '../dns/zone/print.ts';
import { soaIndex } from '../dns/zone/soa.ts';
import type { Place, Zone } from '../dns/zone/types.ts';
import type { ConfigProblem } from '../errors.ts';
import type { PlainRecord, ZoneSoa } from '../site/dns-objects.ts';
import type { PlacedObject } from '../site/file.ts';
import { formatObject, type SiteObject } from '../site/kinds.ts';

/** `places`: of each of its data. */
export type PlacedRecord = { record: PlainRecord; places: (Place | undefined)[] };

export type ZoneObjects = {
  soa: ZoneSoa;
  /** The SOA's, which records need not say. */
  ttlSeconds: number;
  soaPlace: Place | undefined;
  /** By id. */
  records: ReadonlyMap<string, PlacedRecord>;
  problems: ConfigProblem[];
};

const SIGNED =
  'a zone of site objects is not signed: its serial counts on with every change of the site, and ' +
  'signatures do not';
const TO_DO = 'serve the file itself (zones: of the dns), or leave these records out';
const CANNOT: ReadonlyMap<number, string> = new Map<number, string>([
  ...[TYPES.SIG, TYPES.RRSIG, TYPES.NSEC, TYPES.NSEC3, TYPES.NSEC3PARAM].map(
    (type) => [type, SIGNED] as const,
  ),
  ...[TYPES.DNSKEY, TYPES.CDS, TYPES.CDNSKEY].map((type) => [type, SIGNED] as const),
  [TYPES.ZONEMD, 'its digest would be wrong with the next change of the site'],
]);

/** `file`: of problems without a place. */
export function objectsOf(
  { origin, records }: Zone,
  placeOf: (tag: number) => Place | undefined,
  file: string,
): ZoneObjects {
  const soa = soaIndex(records, origin);
  const ttlSeconds = records.ttlSeconds(soa);
  const found = new Map<string, PlacedRecord>();
  const refused = new Map<number, { count: number; place: Place | undefined }>();
  for (let index = 0; index < records.count; index++) {
    if (index === soa) continue;
    const type = records.type(index);
    const place = placeOf(records.tag(index));
    const before = refused.get(type);
    if (before !== undefined) before.count++;
    else if (CANNOT.has(type)) refused.set(type, { count: 1, place });
    else {
      const name = displayName(records.owner(index));
      const ttl = records.ttlSeconds(index);
      const added = add(found, name, typeName(type), ttl === ttlSeconds ? undefined : ttl);
      added.data.push(dataText(type, records.rdata(index)));
      added.places.push(place);
    }
  }
  const problems = [...refused].map(([type, { count, place }]): ConfigProblem => {
    const more = count > 1 ? ` (${count} of them)` : '';
    const message = `${typeName(type)}${more}: ${CANNOT.get(type)}`;
    return { ...(place ?? { file, line: 0, column: 0 }), message, remedy: TO_DO };
  });
  return {
    soa: soaOf(records.rdata(soa)),
    ttlSeconds,
    soaPlace: placeOf(records.tag(soa)),
    records: found,
    problems,
  };
}

function add(
  found: Map<string, PlacedRecord>,
  name: string,
  type: string,
  ttlSeconds: number | undefined,
): { data: string[]; places: (Place | undefined)[] } {
  const id = `${name}/${type}`;
  const known = found.get(id);
  // The list is this function's own until objectsOf() returns.
  if (known !== undefined) return { data: known.record.data as string[], places: known.places };
  const data: string[] = [];
  const places: (Place | undefined)[] = [];
  const record = { name, type, ...(ttlSeconds === undefined ? {} : { ttlSeconds }), data };
  found.set(id, { record, places });
  return { data, places };
}

/** Two names, and five numbers of which the first is the serial (RFC 1035 §3.3.13). */
function soaOf(rdata: Uint8Array): ZoneSoa {
  const primary = nameAt(rdata, 0);
  const mail = nameAt(rdata, primary.length);
  const view = new DataView(rdata.buffer, rdata.byteOffset, rdata.byteLength);
  const number = (which: number) => view.getUint32(rdata.length - 20 + 4 * which);
  return {
    primary: displayName(primary),
    mail: displayName(mail),
    refreshSeconds: number(1),
    retrySeconds: number(2),
    expireSeconds: number(3),
    minimumSeconds: number(4),
  };
}

function nameAt(rdata: Uint8Array, start: number): Uint8Array {
  let at = start;
  while ((rdata[at] ?? 0) !== 0) at += 1 + (rdata[at] ?? 0);
  return lowerName(rdata.subarray(start, at + 1));
}

/** As of a site file, so that what the site says against it is told at its place. */
export function placedObject(
  item: SiteObject,
  placeAt: (datum: number) => Place | undefined,
  file: string,
): PlacedObject {
  return {
    item,
    record: formatObject(item),
    problem(message, remedy, at = []) {
      const datum = at[0] === 'data' && typeof at[1] === 'number' ? at[1] : 0;
      const place = placeAt(datum) ?? { file, line: 0, column: 0 };
      return { ...place, message, ...(remedy === undefined ? {} : { remedy }) };
    },
  };
}
