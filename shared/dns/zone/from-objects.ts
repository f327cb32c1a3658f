// A zone of site objects: its records in the forms of a zone file, so that it goes through the same
// parser of data and the same checks as one of a file. Pure.
import type { PlainRecord, SmartRecord, ZoneObject, ZoneSoa } from '../../site/dns-objects.ts';
import { TYPES } from '../constants.ts';
import { quote, RdataError } from '../fields.ts';
import { formatName, isSubdomain, parseName, ROOT } from '../names.ts';
import { isDataType, typeCode, typeOf } from '../rdata.ts';
import type { Name, Token } from '../types.ts';
import { checkZone } from './check.ts';
import { dataWords } from './data-words.ts';
import { Problems } from './problems.ts';
import { RecordList } from './record-list.ts';
import type { Place, ZoneResult } from './types.ts';

export type ObjectZone = {
  zone: ZoneObject;
  /** Those of the zone; others are refused. */
  plain: readonly PlainRecord[];
  /** They only stand where they are: their answers are not of the zone's records. */
  smart: readonly Pick<SmartRecord, 'name' | 'type'>[];
  /** Of the SOA. */
  serial: number;
  /** Since 1970. */
  nowSeconds: number;
};

/** Places are the objects' ids: "record www.example.com/A", with no line. Never throws. */
export function zoneFromObjects({
  zone,
  plain,
  smart,
  serial,
  nowSeconds,
}: ObjectZone): ZoneResult {
  const making = new Making(zone.name);
  const { origin } = making;
  if (zone.soa !== undefined) making.addSoa(zone.soa, zone.ttlSeconds, serial);
  for (const record of plain) making.addPlain(record, zone.ttlSeconds);
  for (const record of smart) making.addSmart(record);
  const { problems, records } = making;
  if (origin === undefined || problems.refusals > 0) {
    return { zone: undefined, problems: problems.list() };
  }
  const placeOf = (tag: number) => making.placeOf(tag);
  return checkZone({ origin, records, placeOf, smart: making.smart, nowSeconds });
}

class Making {
  readonly origin: Name | undefined;
  readonly records = new RecordList();
  readonly smart: { owner: Name; type: number; tag: number }[] = [];
  readonly problems = new Problems();
  /** By tag less one. */
  readonly #objects: string[] = [];

  constructor(zone: string) {
    this.#objects.push(`zone ${zone}`);
    this.origin = parseName(zone);
    if (this.origin === undefined) this.#refuse(1, `${quote(zone)} is not a name`);
  }

  placeOf(tag: number): Place | undefined {
    const file = this.#objects[tag - 1];
    return file === undefined ? undefined : { file, line: 0, column: 0 };
  }

  addSoa(soa: ZoneSoa, ttlSeconds: number, serial: number): void {
    const numbers = [serial, soa.refreshSeconds, soa.retrySeconds, soa.expireSeconds];
    const words = [soa.primary, soa.mail, ...numbers, soa.minimumSeconds];
    const tokens = words.map((word) => ({ text: String(word), quoted: false }));
    this.#add(this.origin ?? ROOT, TYPES.SOA, ttlSeconds, () => tokens, 1);
  }

  addPlain({ name, type, ttlSeconds, data }: PlainRecord, zoneTtlSeconds: number): void {
    const at = this.#begin(name, type);
    if (at === undefined) return;
    if (data.length === 0) this.#refuse(at.tag, 'it has no data');
    for (const line of data) {
      const words = () => dataWords(line, 'refuse');
      this.#add(at.owner, at.type, ttlSeconds ?? zoneTtlSeconds, words, at.tag);
    }
  }

  addSmart({ name, type }: Pick<SmartRecord, 'name' | 'type'>): void {
    const at = this.#begin(name, type);
    if (at !== undefined) this.smart.push(at);
  }

  #begin(name: string, type: string): { owner: Name; type: number; tag: number } | undefined {
    const tag = this.#objects.push(`record ${name}/${type}`);
    const { origin } = this;
    const [owner, code] = [parseName(name), typeCode(type)];
    if (origin === undefined) return undefined;
    if (owner === undefined) this.#refuse(tag, `${quote(name)} is not a name`);
    else if (!isSubdomain(owner, origin)) {
      this.#refuse(tag, `it is not in the zone ${formatName(origin)}`);
    } else if (code === undefined || !isDataType(code)) {
      this.#refuse(tag, `${quote(type)} is not a type of records`);
    } else return { owner, type: code, tag };
    return undefined;
  }

  #add(owner: Name, type: number, ttl: number, words: () => Token[], tag: number): void {
    try {
      this.records.add(owner, type, ttl, typeOf(type).parse(words(), ROOT), tag);
    } catch (error) {
      if (!(error instanceof RdataError)) throw error;
      this.#refuse(tag, error.message);
    }
  }

  #refuse(tag: number, message: string): void {
    this.problems.add(
      'refusal',
      () => this.placeOf(tag),
      () => message,
    );
  }
}
