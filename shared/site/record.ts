// All records of a name and a type: plain, alike for every client, or by line (smart-record.ts).
// Id: name and type, `www.example.com/A`. Pure.
import type { ObjectRecord } from '../store/types.ts';
import { storedValue } from './dhcp-settings.ts';
import { dataProblem, parseStoredType, setProblems } from './dns-data.ts';
import { parseStoredName } from './dns-name.ts';
import type { PlainRecord, RecordObject, SmartRecord } from './dns-objects.ts';
import { MAX_TTL_SECONDS } from './dns-times.ts';
import { siteIdOf } from './place.ts';
import type { ObjectProblem } from './problem.ts';
import { type Refusal, refusal } from './refusal.ts';
import { readSmart, SMART_KEYS, smartProblems, storedSmart } from './smart-record.ts';
import { ValueReader } from './value.ts';

export function isSmart(record: RecordObject): record is SmartRecord {
  return 'lines' in record;
}

/** From a stored object. */
export function parseRecord(id: string, value: string): RecordObject | Refusal {
  const reader = new ValueReader(`record ${id}`, value, ['data', 'ttl', ...SMART_KEYS]);
  const named = parseRecordId(id);
  if (named === undefined) {
    reader.refuse('the id is not a name and a type, such as www.example.com/A');
    return refusal(...reader.reasons);
  }
  const ttl = reader.integer('ttl', 0, MAX_TTL_SECONDS);
  const common = { ...named, ...(ttl === undefined ? {} : { ttlSeconds: ttl }) };
  const smart = readSmart(reader, common);
  const data = reader.list('data', 'texts', (text) => text);
  const record = smart ?? { ...common, data };
  if (smart !== undefined && data.length > 0) reader.refuse('has data and lines');
  if (reader.reasons.length > 0) return refusal(...reader.reasons);
  for (const { message } of [...dataProblems(record), ...recordProblems(record)]) {
    reader.refuse(message);
  }
  return reader.reasons.length === 0 ? record : refusal(...reader.reasons);
}

/** Only the spelling that is stored. */
export function parseRecordId(id: string): { name: string; type: string } | undefined {
  const slash = id.lastIndexOf('/');
  const name = slash < 0 ? undefined : parseStoredName(id.slice(0, slash));
  const type = parseStoredType(id.slice(slash + 1));
  return name === undefined || type === undefined ? undefined : { name, type };
}

/** Data that is none of the type; from a site file it does not come so far. */
function dataProblems(record: RecordObject): ObjectProblem[] {
  const sources = isSmart(record)
    ? [...record.lines.values()].flatMap((line) => line.sources)
    : [{ data: record.data }];
  const all = sources.flatMap((source) => ('data' in source ? source.data : []));
  return all.flatMap((text) => {
    const why = dataProblem(record.type, text);
    return why === undefined ? [] : [{ message: `data ${JSON.stringify(text)}: ${why}` }];
  });
}

/** What is wrong with a record in itself. Its data is of its type. */
export function recordProblems(record: RecordObject): ObjectProblem[] {
  if (record.type === 'SOA') {
    return [{ message: 'an SOA is no record', remedy: 'it is the soa of the zone', at: ['type'] }];
  }
  return isSmart(record)
    ? smartProblems(record)
    : setProblems(record.type, record.data).map(({ at = [], ...problem }) => ({
        ...problem,
        at: ['data', ...at],
      }));
}

export function formatRecord(record: RecordObject): ObjectRecord {
  const value = storedValue({
    ttl: record.ttlSeconds,
    ...(isSmart(record) ? storedSmart(record) : { data: record.data }),
  });
  return { kind: 'record', id: siteIdOf('dns', 'record', recordId(record)), value };
}

/** In its unit. */
export function recordId({ name, type }: Pick<PlainRecord, 'name' | 'type'>): string {
  return `${name}/${type}`;
}
