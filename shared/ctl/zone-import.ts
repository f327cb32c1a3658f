// `zone import FILE`: a zone file becomes a zone object and records of the site, by the way of
// every change: checked with the whole site, stored, waited for.

import { parseName } from '../dns/names.ts';
import { typeCode } from '../dns/rdata.ts';
import { zoneFromObjects } from '../dns/zone/from-objects.ts';
import { ConfigError } from '../errors.ts';
import { parentName } from '../site/dns-name.ts';
import type { PlainRecord, RecordObject, SmartRecord, ZoneObject } from '../site/dns-objects.ts';
import type { PlacedObject, SiteFile } from '../site/file.ts';
import { placeOf, siteIdOf } from '../site/place.ts';
import { isSmart, recordId } from '../site/record.ts';
import { changeSite, conflict, type Edit } from './change.ts';
import { tellWarnings } from './check.ts';
import type { Arguments, Run } from './command.ts';
import type { Context } from './context.ts';
import { describeMany } from './describe.ts';
import { someNames } from './names.ts';
import type { SiteState } from './state.ts';
import { checked } from './zone-check.ts';
import { nameFlag, type ReadZone, readZone, refuseProblems, warningTexts } from './zone-file.ts';
import { objectsOf, type PlacedRecord, placedObject, type ZoneObjects } from './zone-objects.ts';

const HALF = 0x80000000;

/** What the site has of the zone, and the zones inside of it, whose records are not its own. */
type Stored = {
  zone: ZoneObject | undefined;
  plain: PlainRecord[];
  smart: SmartRecord[];
  zoneOf: (name: string) => string | undefined;
};

function storedOf(state: SiteState, zone: string): Stored {
  const zones = new Set([zone]);
  for (const { kind, id } of state.records.values()) {
    if (kind === 'zone') zones.add(placeOf(kind, id).id);
  }
  const zoneOf = (name: string) => {
    let at: string | undefined = name;
    while (at !== undefined && !zones.has(at)) at = parentName(at);
    return at;
  };
  const own: RecordObject[] = [];
  for (const { kind, id } of state.records.values()) {
    const record = kind === 'record' ? state.find(kind, id) : undefined;
    if (record !== undefined && zoneOf(record.name) === zone) own.push(record);
  }
  return {
    zone: state.find('zone', siteIdOf('dns', 'zone', zone)),
    plain: own.flatMap((record) => (isSmart(record) ? [] : record)),
    smart: own.filter(isSmart),
    zoneOf,
  };
}

function smartNames(records: readonly SmartRecord[]) {
  return records.flatMap(({ name, type }) => {
    const [owner, code] = [parseName(name), typeCode(type)];
    return owner === undefined || code === undefined ? [] : [{ owner, type: code }];
  });
}

/**
 * So that the serial is after the file's with the next version, or goes on as it does when it is
 * that already (RFC 1982 §3.2).
 */
export function serialBaseOf(
  fileSerial: number,
  version: number,
  stored: { serialBase: number } | undefined,
): number {
  const fresh = (fileSerial - version) >>> 0;
  const isAfter = stored !== undefined && (stored.serialBase - fresh) >>> 0 < HALF;
  return isAfter ? stored.serialBase : fresh;
}

type Import = { read: ReadZone; replace: boolean; context: Context; warnings: string[] };

function editOf({ read, replace, context, warnings }: Import, state: SiteState): Edit {
  const stored = storedOf(state, read.zone);
  if ((stored.zone?.primaries.length ?? 0) > 0) {
    const remedy = `to make it one of records, delete it first: edgectl delete zone ${read.zone}`;
    throw conflict(`zone ${read.zone} is transferred in from its primaries`, remedy);
  }
  const { zone, problems } = checked(context, read, smartNames(stored.smart));
  refuseProblems(read.file, problems);
  if (zone === undefined) throw new RangeError('a zone without refusals is there');
  const made = objectsOf(zone, read.parsed.placeOf, read.file);
  const byLine = new Set(stored.smart.map(recordId));
  const clashes = replace ? [] : clashesOf(made, byLine, read.file);
  if (made.problems.length + clashes.length > 0) {
    throw new ConfigError([...made.problems, ...clashes]);
  }
  const version = state.versions.get('dns') ?? 0;
  const object: ZoneObject = {
    ...(stored.zone ?? { transfer: { prefixes: [], keys: [] }, notify: [] }),
    name: read.zone,
    soa: made.soa,
    ttlSeconds: made.ttlSeconds,
    serialBase: serialBaseOf(zone.serial, version, stored.zone),
    primaries: [],
  };
  const { own, others } = split(made, stored, read.zone);
  const objects: PlacedObject[] = [
    placedObject({ kind: 'zone', object }, () => made.soaPlace, read.file),
    ...own.map(({ record, places }) =>
      placedObject({ kind: 'record', object: record }, (datum) => places[datum], read.file),
    ),
  ];
  const plain = own.map(({ record }) => record);
  const again = warningsAgain(object, plain, stored.smart, context);
  const told = problems.filter(({ message }) => !again.has(message));
  warnings.splice(0, warnings.length, ...warningTexts(told), ...othersText(others));
  return edit(objects, { stored, replace, keptFor: new Set(plain.map(recordId)) });
}

/** What the site warns of all the same. */
function warningsAgain(
  zone: ZoneObject,
  plain: readonly PlainRecord[],
  smart: readonly SmartRecord[],
  { clock }: Context,
): ReadonlySet<string> {
  const nowSeconds = Math.floor(clock.nowMs() / 1000);
  const { problems } = zoneFromObjects({ zone, plain, smart, serial: 1, nowSeconds });
  return new Set(problems.map(({ message }) => message));
}

function clashesOf(made: ZoneObjects, byLine: ReadonlySet<string>, file: string) {
  return [...made.records].flatMap(
    ([
      id,
      {
        places: [place],
      },
    ]) => {
      if (!byLine.has(id)) return [];
      const message = `record ${id} is by line in the store, and would be one answer for all`;
      const remedy = 'leave it out of the file, or overwrite it by --replace';
      return [{ ...(place ?? { file, line: 0, column: 0 }), message, remedy }];
    },
  );
}

/** Records at or below another zone of the site are that one's. */
function split(made: ZoneObjects, { zoneOf, plain }: Stored, zone: string) {
  const all = [...made.records.values()];
  const isOwn = ({ record }: { record: PlainRecord }) => zoneOf(record.name) === zone;
  const before = new Map(plain.map((record) => [recordId(record), record.data]));
  const own = all.filter(isOwn).map((each) => inOrder(each, before.get(recordId(each.record))));
  return { own, others: all.filter((each) => !isOwn(each)) };
}

/** Data has no order: that of a file is no change of what is stored. */
function inOrder(placed: PlacedRecord, stored: readonly string[] | undefined): PlacedRecord {
  const { record, places } = placed;
  if (stored === undefined || stored.length !== record.data.length) return placed;
  const at = stored.map((datum) => record.data.indexOf(datum));
  if (at.includes(-1)) return placed;
  return { record: { ...record, data: stored }, places: at.map((index) => places[index]) };
}

function othersText(others: readonly { record: PlainRecord }[]): string[] {
  if (others.length === 0) return [];
  const named = someNames(others.map(({ record }) => recordId(record)));
  return [`warning: left out, as another zone of the site has these names: ${named}`];
}

function edit(
  objects: PlacedObject[],
  { stored, replace, keptFor }: { stored: Stored; replace: boolean; keptFor: Set<string> },
): Edit {
  const files: SiteFile = { objects, kinds: [] };
  const changes: Edit['changes'] = objects.map(({ record }) => record);
  if (!replace) return { changes, files };
  for (const record of stored.plain) {
    const id = recordId(record);
    if (keptFor.has(id)) continue;
    changes.push({ kind: 'record', id: siteIdOf('dns', 'record', id), value: null });
  }
  const byLine = stored.smart.map(recordId).filter((id) => !keptFor.has(id));
  const lines = byLine.length === 0 ? [] : [`by line, and so kept: ${someNames(byLine)}`];
  return { changes, files, lines };
}

export const importZone: Run = async (context: Context, args: Arguments) => {
  const read = await readZone(context, args.positionals[0] ?? '', nameFlag(args));
  refuseProblems(read.file, read.parsed.problems);
  const work: Import = { read, replace: args.switches.has('replace'), context, warnings: [] };
  const make = (state: SiteState) => editOf(work, state);
  const code = await changeSite(context, args, make, describeMany, ['dns']);
  await tellWarnings(context, work.warnings);
  return code;
};
