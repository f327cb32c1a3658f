// What a transfer out consists of, record by record (RFC 5936 §2.2, RFC 1995 §4), from an image
// that does not change while it is read. Records that are nobody's on the wire are left out. Pure.
import { CLASSES, TYPES } from '../../shared/dns/constants.ts';
import type { MessageRecord } from '../../shared/dns/types.ts';
import type { ZoneDiff } from '../../shared/dns/zone/diff.ts';
import type { RecordList } from '../../shared/dns/zone/record-list.ts';
import { type ImageRecord, recordsOf } from '../image/records.ts';
import type { ZoneImage } from '../image/types.ts';

/** `made`: what stands for names that policy answers. */
export function* wholeZone(
  image: ZoneImage,
  made: Iterable<ImageRecord>,
): Generator<MessageRecord, void> {
  yield* asSent(recordsOf(image));
  yield* asSent(made);
  yield soaOf(image);
}

/** `diffs` lead up to the image, one after the other. */
export function* differences(
  image: ZoneImage,
  diffs: readonly ZoneDiff[],
): Generator<MessageRecord, void> {
  const soa = soaOf(image);
  yield soa;
  for (const { deleted, added } of diffs) {
    yield* listed(deleted);
    yield* listed(added);
  }
  yield soa;
}

/** The image has one: else it could not have been built. */
export function soaOf(image: ZoneImage): MessageRecord {
  const [soa] = asSent(recordsOf(image));
  if (soa?.type !== TYPES.SOA) throw new RangeError('a zone without SOA');
  return soa;
}

export const isSent = ({ type }: { type: number }): boolean => type !== TYPES.ALIAS;

function* asSent(records: Iterable<ImageRecord>): Generator<MessageRecord, void> {
  for (const { owner, type, ttlSeconds, rdata } of records) {
    if (isSent({ type })) yield { owner, type, class: CLASSES.IN, ttlSeconds, rdata };
  }
}

function* listed(records: RecordList): Generator<MessageRecord, void> {
  for (let index = 0; index < records.count; index++) {
    yield {
      owner: records.owner(index),
      type: records.type(index),
      class: CLASSES.IN,
      ttlSeconds: records.ttlSeconds(index),
      rdata: records.rdata(index),
    };
  }
}
