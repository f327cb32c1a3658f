// A list of records in no more memory than it needs: for what is kept, or goes to a thread. Pure.
import { RecordList } from '../../shared/dns/zone/record-list.ts';

/** A copy. */
export function compact(list: RecordList): RecordList {
  const { bytes, at, count, used } = list.memory;
  return RecordList.of({ bytes: bytes.slice(0, used), at: at.slice(0, count), count, used });
}
