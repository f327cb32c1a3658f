// The difference of two versions of a zone, as IXFR tells it (RFC 1995 §2), and what it makes of a
// zone. Data is compared in canonical form; another TTL is a record deleted and one added. Pure.
import { TYPES } from '../constants.ts';
import { formatName, isSubdomain } from '../names.ts';
import { typeName } from '../rdata.ts';
import type { Name } from '../types.ts';
import { dataText } from './print.ts';
import { Problems } from './problems.ts';
import { RecordList } from './record-list.ts';
import { RecordTable } from './record-table.ts';
import { serialOf, soaIndex } from './soa.ts';
import type { Zone, ZoneResult } from './types.ts';

/** A SOA among them is the first of its list. */
export type ZoneDiff = { deleted: RecordList; added: RecordList };

/** Of two zones of one origin. Names that differ by case only are the same. */
export function diffZones(from: Zone, to: Zone): ZoneDiff {
  const table = new RecordTable(from.records);
  const stays = new Uint8Array(from.records.count);
  for (let index = 0; index < from.records.count; index++) {
    if (findIn(table, from.records, index) >= 0)
      stays[index] = 1; // there twice
    else table.put(index);
  }
  const added = new RecordList();
  for (const index of soaFirst(to)) {
    const at = findIn(table, to.records, index);
    const isSame = at >= 0 && from.records.ttlSeconds(at) === to.records.ttlSeconds(index);
    if (isSame) stays[at] = 1;
    else copy(to.records, index, added);
  }
  const deleted = new RecordList();
  for (const index of soaFirst(from)) {
    if (stays[index] === 0) copy(from.records, index, deleted);
  }
  return { deleted, added };
}

/**
 * The zone after differences, one after the other. What is deleted is found without its TTL: ours
 * may be lower than the primary's, as the lowest of its RRset. A difference that does not fit the
 * zone is refused, and all of it has to be fetched. The zone is not changed, and the new one is to
 * be checked.
 */
export function applyDiffs(zone: Zone, diffs: readonly ZoneDiff[]): ZoneResult {
  const edit = new Edit(zone, diffs);
  for (const diff of diffs) edit.apply(diff);
  return edit.result();
}

class Edit {
  readonly #origin: Name;
  readonly #problems = new Problems();
  readonly #all = new RecordList();
  /** By index: whether it is (still) of the zone. */
  readonly #alive: Uint8Array;
  readonly #table: RecordTable;

  constructor({ origin, records }: Zone, diffs: readonly ZoneDiff[]) {
    this.#origin = origin;
    const capacity = diffs.reduce((sum, { added }) => sum + added.count, records.count);
    this.#alive = new Uint8Array(capacity);
    this.#table = new RecordTable(this.#all, capacity);
    this.#addAll(records);
  }

  #addAll(records: RecordList): void {
    for (let index = 0; index < records.count; index++) this.#add(records, index);
  }

  #add(records: RecordList, from: number): void {
    const index = this.#all.count;
    copy(records, from, this.#all);
    this.#alive[index] = 1;
    this.#table.put(index);
  }

  apply({ deleted, added }: ZoneDiff): void {
    for (let index = 0; index < deleted.count; index++) {
      const at = findIn(this.#table, deleted, index);
      if (at < 0 || this.#alive[at] === 0) this.#refuse('deletes', deleted, index, 'is not there');
      else this.#alive[at] = 0;
    }
    for (let index = 0; index < added.count; index++) {
      const at = findIn(this.#table, added, index);
      if (!isSubdomain(added.owner(index), this.#origin)) {
        this.#refuse('adds', added, index, 'is not in the zone');
      } else if (at >= 0 && this.#alive[at] === 1) {
        this.#refuse('adds', added, index, 'is there already');
      } else this.#add(added, index);
    }
  }

  #refuse(does: string, records: RecordList, index: number, why: string): void {
    this.#problems.add(
      'refusal',
      () => undefined,
      () => {
        const type = records.type(index);
        const data = dataText(type, records.rdata(index));
        const text = `${formatName(records.owner(index))} ${typeName(type)} ${data}`;
        return `the difference ${does} ${text}, which ${why}: fetch the whole zone`;
      },
    );
  }

  result(): ZoneResult {
    const records = new RecordList();
    let soas = 0;
    for (let index = 0; index < this.#all.count; index++) {
      if (this.#alive[index] === 0) continue;
      copy(this.#all, index, records);
      if (this.#all.type(index) === TYPES.SOA) soas++;
    }
    const soa = soaIndex(records, this.#origin);
    if (soa < 0 || soas !== 1) {
      this.#problems.add(
        'refusal',
        () => undefined,
        () => `the difference leaves ${soas} SOA records, not one: fetch the whole zone`,
      );
    }
    const problems = this.#problems.list();
    if (this.#problems.refusals > 0) return { zone: undefined, problems };
    return {
      zone: { origin: this.#origin, serial: serialOf(records.rdata(soa)), records },
      problems,
    };
  }
}

function findIn(table: RecordTable, records: RecordList, index: number): number {
  return table.find(records.owner(index), records.type(index), records.rdata(index));
}

function copy(from: RecordList, index: number, to: RecordList): void {
  const [owner, rdata] = [from.owner(index), from.rdata(index)];
  to.add(owner, from.type(index), from.ttlSeconds(index), rdata, from.tag(index));
}

/** Indexes of all records. */
function* soaFirst({ origin, records }: Zone): Generator<number> {
  const soa = soaIndex(records, origin);
  if (soa >= 0) yield soa;
  for (let index = 0; index < records.count; index++) if (index !== soa) yield index;
}
