// The sections of a site file for dns: zones, records and lines as operators write them.
import { z } from 'zod';
import { name, prefix, written } from '../config/types.ts';
import { RdataError } from '../dns/rdata.ts';
import { canonicalData, parseRecordType } from './dns-data.ts';
import { mailboxProblem, nameProblem, parseDnsName } from './dns-name.ts';
import type { LineAnswer, RecordObject, Source, ZoneObject } from './dns-objects.ts';
import { formatTtl, parseTtl } from './dns-times.ts';
import { parsePeer } from './peer.ts';
import { ALL_DOWN, DEFAULT_MIN_TTL_SECONDS } from './smart-record.ts';
import { DEFAULT_ZONE_TTL_SECONDS, MAX_SERIAL, SOA_DEFAULTS } from './zone.ts';

const same = (text: string) => text;
const DOMAIN = 'a domain name such as www.example.com';
export const dnsName = written(DOMAIN, parseDnsName, same, nameProblem);
const mailbox = written(
  'a mailbox such as hostmaster.example.com',
  parseDnsName,
  same,
  mailboxProblem,
);
const ttl = written('whole seconds such as 90s or 1h, up to 2147483647s', parseTtl, formatTtl);
const peer = written('host:port such as 192.0.2.53:53', parsePeer, same);
export const recordType = written('a type of record such as A or MX', parseRecordType, same);

const soa = z.strictObject({
  primary: dnsName,
  mail: mailbox,
  refresh: ttl.optional(),
  retry: ttl.optional(),
  expire: ttl.optional(),
  minimum: ttl.optional(),
});

export const zone = z.strictObject({
  zone: dnsName,
  soa: soa.optional(),
  ttl: ttl.optional(),
  serialBase: z.int().min(0).max(MAX_SERIAL).default(0),
  transfer: z
    .strictObject({ prefixes: z.array(prefix).default([]), keys: z.array(dnsName).default([]) })
    .optional(),
  notify: z.array(z.strictObject({ to: peer, key: dnsName.optional() })).default([]),
  primaries: z.array(z.strictObject({ from: peer, key: dnsName.optional() })).default([]),
});

export const line = z.strictObject({
  name,
  prefixes: z.array(prefix).default([]),
  fallback: z.array(name).default([]),
});

const data = z.array(z.string()).min(1);
const source = z.strictObject({ pool: name.optional(), data: data.optional() });
const lineAnswer = z.strictObject({
  pool: name.optional(),
  data: data.optional(),
  sources: z.array(source).min(1).optional(),
  ttl: ttl.optional(),
});

const writtenRecord = z.strictObject({
  name: dnsName,
  type: recordType,
  ttl: ttl.optional(),
  data: data.optional(),
  lines: z.record(name, lineAnswer).optional(),
  minTtl: ttl.optional(),
  allDown: z.enum(ALL_DOWN).optional(),
  overflow: z.record(name, z.array(name)).optional(),
});
type WrittenRecord = z.output<typeof writtenRecord>;
type Path = (string | number)[];
type Report = (path: Path, message: string, remedy?: string) => void;

export const record = writtenRecord.transform((given, context): RecordObject => {
  let isRight = true;
  const report: Report = (path, message, remedy) => {
    isRight = false;
    const params = remedy === undefined ? {} : { params: { remedy } };
    context.issues.push({ code: 'custom', message, input: given, path, ...params });
  };
  const found = given.lines === undefined ? plainOf(given, report) : smartOf(given, report);
  return isRight ? found : z.NEVER;
});

function commonOf({ name: of, type, ttl: seconds }: WrittenRecord) {
  return { name: of, type, ...(seconds === undefined ? {} : { ttlSeconds: seconds }) };
}

function plainOf(given: WrittenRecord, report: Report): RecordObject {
  for (const key of ['minTtl', 'allDown', 'overflow'] as const) {
    if (given[key] !== undefined) report([key], `${key} is of records with lines`);
  }
  if (given.data === undefined) report([], 'has neither data nor lines');
  return { ...commonOf(given), data: dataOf(given.type, given.data ?? [], ['data'], report) };
}

function smartOf(given: WrittenRecord, report: Report): RecordObject {
  if (given.data !== undefined) {
    report(['data'], 'has data and lines', 'write it as lines: { default: { data: … } }');
  }
  const lines = inOrder(given.lines ?? {}).map(([of, answer]): [string, LineAnswer] => {
    const sources = sourcesOf(given.type, of, answer, report);
    return [of, { sources, ...(answer.ttl === undefined ? {} : { ttlSeconds: answer.ttl }) }];
  });
  return {
    ...commonOf(given),
    minTtlSeconds: given.minTtl ?? DEFAULT_MIN_TTL_SECONDS,
    lines: new Map(lines),
    allDown: given.allDown ?? 'all',
    overflow: new Map(inOrder(given.overflow ?? {}).filter(([, others]) => others.length > 0)),
  };
}

function inOrder<T>(byLine: Record<string, T>): [string, T][] {
  return Object.entries(byLine).sort(([a], [b]) => (a < b ? -1 : 1));
}

type WrittenAnswer = z.output<typeof lineAnswer>;
const NEEDS_ONE = 'needs exactly one of pool, data and sources';

function sourcesOf(type: string, of: string, answer: WrittenAnswer, report: Report): Source[] {
  const { pool, data: texts, sources } = answer;
  if ([pool, texts, sources].filter((each) => each !== undefined).length !== 1) {
    report(['lines', of], NEEDS_ONE);
    return [];
  }
  if (sources === undefined) return sourceOf(type, { pool, data: texts }, ['lines', of], report);
  return sources.flatMap((each, index) => {
    return sourceOf(type, each, ['lines', of, 'sources', index], report);
  });
}

function sourceOf(
  type: string,
  { pool, data: texts }: z.output<typeof source>,
  path: Path,
  report: Report,
): Source[] {
  if ((pool === undefined) === (texts === undefined)) {
    report(path, 'needs exactly one of pool and data');
  }
  if (pool !== undefined) return [{ pool }];
  return [{ data: dataOf(type, texts ?? [], [...path, 'data'], report) }];
}

function dataOf(type: string, texts: readonly string[], path: Path, report: Report): string[] {
  return texts.map((text, index) => {
    try {
      return canonicalData(type, text);
    } catch (error) {
      if (!(error instanceof RdataError)) throw error;
      report([...path, index], `${JSON.stringify(text)} is no data of ${type}: ${error.message}`);
      return text;
    }
  });
}

export function zoneOf(item: z.output<typeof zone>): ZoneObject {
  const { soa: start, transfer } = item;
  const keyed = ({ key }: { key?: string | undefined }) => (key === undefined ? {} : { key });
  return {
    name: item.zone,
    ...(start === undefined ? {} : { soa: soaOf(start) }),
    ttlSeconds: item.ttl ?? DEFAULT_ZONE_TTL_SECONDS,
    serialBase: item.serialBase,
    transfer: transfer ?? { prefixes: [], keys: [] },
    notify: item.notify.map((each) => ({ to: each.to, ...keyed(each) })),
    primaries: item.primaries.map((each) => ({ from: each.from, ...keyed(each) })),
  };
}

function soaOf({ primary, mail, refresh, retry, expire, minimum }: z.output<typeof soa>) {
  return {
    primary,
    mail,
    refreshSeconds: refresh ?? SOA_DEFAULTS.refreshSeconds,
    retrySeconds: retry ?? SOA_DEFAULTS.retrySeconds,
    expireSeconds: expire ?? SOA_DEFAULTS.expireSeconds,
    minimumSeconds: minimum ?? SOA_DEFAULTS.minimumSeconds,
  };
}
