// Whether a list of records is a zone: what RFC 1034 §4.2.1, RFC 2181 and the documents of single
// types ask of records together. Levels are named-checkzone's, where nothing else is said. Pure.
import { TYPES } from '../constants.ts';
import { formatName, labelCount, ROOT } from '../names.ts';
import { typeName } from '../rdata.ts';
import type { Name } from '../types.ts';
import { checkSignatures } from './check-dnssec.ts';
import { checkNames } from './check-names.ts';
import { checkTargets } from './check-targets.ts';
import { NameTable } from './name-table.ts';
import { Problems } from './problems.ts';
import { RecordList } from './record-list.ts';
import { duplicatesOf, RrsetTable } from './rrset-table.ts';
import { MIN_SOA_BYTES, serialOf, soaIndex } from './soa.ts';
import type { Place, ZoneProblem, ZoneResult } from './types.ts';

export type CheckInput = {
  origin: Name;
  /**
   * At or below the origin, data valid for its type (as parsers of files and of transfers see to);
   * not changed.
   */
  records: RecordList;
  placeOf: (tag: number) => Place | undefined;
  /** Names that policy answers: no records, but there. */
  smart?: readonly { owner: Name; type: number; tag?: number }[];
  /** Since 1970, for signatures that end. */
  nowSeconds: number;
};

/** What checks share. `records` has those of smart names behind the zone's, data: `.`. */
export type Checked = {
  origin: Name;
  originLabels: number;
  records: RecordList;
  /** How many of them are of the zone. */
  own: number;
  names: NameTable;
  sets: RrsetTable;
  nowSeconds: number;
  /** With the place of a record. */
  tell(level: ZoneProblem['level'], index: number, message: () => string): void;
};

/** The zone has its records as they are served: nothing twice, one TTL an RRset. */
export function checkZone(input: CheckInput): ZoneResult {
  const { origin, placeOf, nowSeconds } = input;
  const records = withSmart(input);
  const problems = new Problems();
  const names = new NameTable(records);
  const sets = new RrsetTable(names);
  const checked: Checked = {
    ...{ origin, records, names, sets, nowSeconds },
    originLabels: labelCount(origin),
    own: input.records.count,
    tell(level, index, message) {
      problems.add(level, () => placeOf(records.tag(index)), message);
    },
  };
  const soa = soaIndex(input.records, origin);
  checkApex(checked, soa, problems);
  const left = duplicatesOf(records, sets);
  checkSets(checked, left);
  const state = checkNames(checked);
  checkTargets(checked, state);
  checkSignatures(checked, state);
  if (problems.refusals > 0) return { zone: undefined, problems: problems.list() };
  const served = asServed(checked, input.records, left);
  const serial = serialOf(input.records.rdata(soa));
  return { zone: { origin, serial, records: served }, problems: problems.list() };
}

function withSmart({ records, smart = [] }: CheckInput): RecordList {
  if (smart.length === 0) return records;
  const all = new RecordList();
  all.addAll(records);
  for (const { owner, type, tag } of smart) all.add(owner, type, 0, ROOT, tag);
  return all;
}

function checkApex({ names, sets, records, origin }: Checked, soa: number, problems: Problems) {
  const apex = names.find(origin);
  const shown = formatName(origin);
  const nowhere = () => undefined;
  if (soa < 0) {
    problems.add('refusal', nowhere, () => `${shown} has no SOA record at its apex`);
  } else if (records.rdata(soa).length < MIN_SOA_BYTES) {
    problems.add('refusal', nowhere, () => `the SOA of ${shown} is cut off`);
  }
  if (apex < 0 || sets.find(apex, TYPES.NS) < 0) {
    problems.add('refusal', nowhere, () => `${shown} has no NS records at its apex`);
  }
}

const SINGLE = new Set<number>([TYPES.SOA, TYPES.CNAME, TYPES.DNAME, TYPES.ALIAS]);
const MAX_TTL_SECONDS = 0x7fffffff;

/** Records of one RRset among themselves. `left`: what is there twice. */
function checkSets(checked: Checked, left: ReadonlySet<number>): void {
  const { records, sets, tell } = checked;
  const told = new Uint8Array(sets.count);
  for (let index = 0; index < records.count; index++) {
    const set = sets.setOf[index] ?? 0;
    const type = records.type(index);
    const first = sets.first[set] ?? 0;
    const shown = () => `${formatName(records.owner(index))} ${typeName(type)}`;
    if (records.ttlSeconds(index) > MAX_TTL_SECONDS) {
      tell('warning', index, () => `${shown()}: a TTL above ${MAX_TTL_SECONDS} counts as 0`);
    }
    if (index === first) continue;
    if (left.has(index)) tell('warning', index, () => `${shown()} is there twice: left out`);
    else if (SINGLE.has(type)) {
      tell('refusal', index, () => `${shown()}: there may be only one, leave the others out`);
    }
    // Unlike BIND, which takes the first one's: RFC 2181 §5.2 has no order among records.
    if (told[set] === 0 && records.ttlSeconds(index) !== records.ttlSeconds(first)) {
      told[set] = 1;
      const lowest = sets.ttlSeconds[set] ?? 0;
      tell('warning', index, () => `${shown()}: TTLs differ, ${lowest} counts for all of them`);
    }
  }
}

/** The list itself when nothing in it has to change. */
function asServed(checked: Checked, records: RecordList, left: ReadonlySet<number>): RecordList {
  const { sets } = checked;
  const ttlOf = (index: number) => {
    const ttlSeconds = sets.ttlSeconds[sets.setOf[index] ?? 0] ?? 0;
    return ttlSeconds > MAX_TTL_SECONDS ? 0 : ttlSeconds;
  };
  let changes = left.size > 0;
  for (let index = 0; index < records.count && !changes; index++) {
    changes = records.ttlSeconds(index) !== ttlOf(index);
  }
  if (!changes) return records;
  const served = new RecordList();
  for (let index = 0; index < records.count; index++) {
    if (left.has(index)) continue;
    const [owner, rdata] = [records.owner(index), records.rdata(index)];
    served.add(owner, records.type(index), ttlOf(index), rdata, records.tag(index));
  }
  return served;
}
