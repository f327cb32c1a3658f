// The difference of two images of a zone by a merge of both, name by name in canonical order, in
// pieces so that other work can go on in between. Data counts in canonical form. Pure.
import { compareBytes } from '../../shared/bytes.ts';
import { compareNames, sameName } from '../../shared/dns/names.ts';
import { canonicalRdata } from '../../shared/dns/rdata.ts';
import type { ZoneDiff } from '../../shared/dns/zone/diff.ts';
import { RecordList } from '../../shared/dns/zone/record-list.ts';
import { type ImageRecord, recordsOf } from '../image/records.ts';
import type { ZoneImage } from '../image/types.ts';
import { compact } from './compact.ts';
import { isSent } from './outgoing.ts';

/** Records that are looked at between two yields: some milliseconds. */
const PIECE_RECORDS = 1000;

/** Undefined: it would have more than `maxRecords`. The SOA is the first of each list. */
export function* diffImages(
  before: ZoneImage,
  after: ZoneImage,
  maxRecords: number,
): Generator<void, ZoneDiff | undefined> {
  const [deleted, added] = [new RecordList(), new RecordList()];
  const [olds, news] = [byOwner(before), byOwner(after)];
  let [old, now] = [next(olds), next(news)];
  let looked = 0;
  while (old !== undefined || now !== undefined) {
    const order = orderOf(old, now);
    if (order < 0) addAll(deleted, old);
    else if (order > 0) addAll(added, now);
    else addChanges(old ?? [], now ?? [], deleted, added);
    if (deleted.count + added.count > maxRecords) return undefined;
    looked += (order <= 0 ? (old?.length ?? 0) : 0) + (order >= 0 ? (now?.length ?? 0) : 0);
    if (order <= 0) old = next(olds);
    if (order >= 0) now = next(news);
    if (looked < PIECE_RECORDS) continue;
    looked = 0;
    yield;
  }
  return { deleted: compact(deleted), added: compact(added) };
}

/** All records of one name together, the SOA first. */
function* byOwner(image: ZoneImage): Generator<ImageRecord[], void> {
  let group: ImageRecord[] = [];
  for (const record of recordsOf(image)) {
    if (!isSent(record)) continue;
    const [first] = group;
    if (first !== undefined && !sameName(first.owner, record.owner)) {
      yield group;
      group = [];
    }
    group.push(record);
  }
  if (group.length > 0) yield group;
}

function next(groups: Generator<ImageRecord[], void>): ImageRecord[] | undefined {
  const { value } = groups.next();
  return value ?? undefined;
}

function orderOf(old: ImageRecord[] | undefined, now: ImageRecord[] | undefined): number {
  const [one, other] = [old?.[0]?.owner, now?.[0]?.owner];
  if (one === undefined) return 1;
  if (other === undefined) return -1;
  return sameName(one, other) ? 0 : compareNames(one, other);
}

function addAll(list: RecordList, records: readonly ImageRecord[] | undefined): void {
  for (const each of records ?? []) list.add(each.owner, each.type, each.ttlSeconds, each.rdata);
}

function addChanges(
  olds: readonly ImageRecord[],
  news: readonly ImageRecord[],
  deleted: RecordList,
  added: RecordList,
): void {
  if (olds.length === news.length && olds.every((old, index) => isSame(old, news[index]))) return;
  const [oldKeys, newKeys] = [olds.map(keyOf), news.map(keyOf)];
  const [before, after] = [new Set(oldKeys), new Set(newKeys)];
  addAll(
    deleted,
    olds.filter((_, index) => !after.has(oldKeys[index] ?? '')),
  );
  addAll(
    added,
    news.filter((_, index) => !before.has(newKeys[index] ?? '')),
  );
}

function isSame(old: ImageRecord, now: ImageRecord | undefined): boolean {
  if (now === undefined || old.type !== now.type || old.ttlSeconds !== now.ttlSeconds) return false;
  return compareBytes(old.rdata, now.rdata) === 0;
}

function keyOf({ type, ttlSeconds, rdata }: ImageRecord): string {
  return `${type} ${ttlSeconds} ${canonicalRdata(type, rdata).join(' ')}`;
}
