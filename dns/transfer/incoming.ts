// What a primary sends, record by record, as a whole zone (RFC 5936 §2.2) or as differences (RFC
// 1995 §4): nothing of it counts until all of it has come, and anything that does not belong
// refuses all. Pure.
import { compareBytes } from '../../shared/bytes.ts';
import { CLASSES, TYPES } from '../../shared/dns/constants.ts';
import { formatName, isSubdomain, sameName } from '../../shared/dns/names.ts';
import {
  canonicalRdata,
  isDataType,
  RdataError,
  typeName,
  typeOf,
} from '../../shared/dns/rdata.ts';
import type { MessageRecord, Name } from '../../shared/dns/types.ts';
import type { ZoneDiff } from '../../shared/dns/zone/diff.ts';
import { RecordList } from '../../shared/dns/zone/record-list.ts';
import { serialOf } from '../../shared/dns/zone/soa.ts';
import { isNewerSerial } from './serial.ts';

export type Received =
  /** The serial that was said to be had is the newest. */
  | { kind: 'current'; serial: number }
  | { kind: 'whole'; serial: number; records: RecordList }
  | { kind: 'differences'; serial: number; diffs: ZoneDiff[] };

/** Refused: in words that follow "the transfer: ". */
export class TransferRefusal extends Error {
  override readonly name = 'TransferRefusal';
}

export type IncomingOptions = {
  origin: Name;
  /** Asked for as differences from it; undefined: as a whole. */
  have: number | undefined;
  /** Of records in a list; more is refused. */
  maxBytes: number;
};

export class Incoming {
  readonly #options: IncomingOptions;
  #first: MessageRecord | undefined;
  #serial = 0;
  #mode: 'first' | 'second' | 'whole' | 'deleted' | 'added' | 'done' = 'first';
  #list = new RecordList();
  readonly #diffs: ZoneDiff[] = [];
  /** Before which the difference that is read begins, and where it leads to. */
  #at = 0;
  #bytes = 0;
  #result: Received | undefined;

  constructor(options: IncomingOptions) {
    this.#options = options;
  }

  /** Once all of it has come. */
  get result(): Received | undefined {
    return this.#result;
  }

  /** Throws a TransferRefusal; nothing may be given to it after that. */
  take(record: MessageRecord): void {
    this.#check(record);
    this.#bytes += record.owner.length + record.rdata.length;
    if (this.#bytes > this.#options.maxBytes) {
      throw new TransferRefusal(`is longer than ${this.#options.maxBytes} bytes`);
    }
    const isSoa = record.type === TYPES.SOA;
    if (this.#mode === 'first') this.#begin(record, isSoa);
    else if (this.#mode === 'second') this.#decide(record, isSoa);
    else if (this.#mode === 'done') throw new TransferRefusal('goes on after its last SOA');
    else if (!isSoa) this.#add(record);
    else if (this.#mode === 'whole') this.#endWhole(record);
    else if (this.#mode === 'deleted') this.#turnToAdded(record);
    else this.#endDifference(record);
  }

  #begin(record: MessageRecord, isSoa: boolean): void {
    if (!isSoa) throw new TransferRefusal('does not begin with the SOA');
    const { have } = this.#options;
    this.#first = record;
    this.#serial = serialOf(record.rdata);
    this.#mode = 'second';
    if (have === undefined || isNewerSerial(this.#serial, have)) return;
    this.#mode = 'done';
    this.#result = { kind: 'current', serial: this.#serial };
  }

  #decide(record: MessageRecord, isSoa: boolean): void {
    if (isSoa && serialOf(record.rdata) === this.#options.have) {
      this.#at = this.#options.have;
      this.#mode = 'deleted';
      this.#add(record);
      return;
    }
    this.#mode = 'whole';
    this.#add(this.#first ?? record);
    if (isSoa) this.#endWhole(record);
    else this.#add(record);
  }

  #endWhole(record: MessageRecord): void {
    const { rdata } = this.#first ?? record;
    const data = canonicalRdata(TYPES.SOA, record.rdata);
    if (compareBytes(data, canonicalRdata(TYPES.SOA, rdata)) !== 0) {
      throw new TransferRefusal('ends with another SOA than it begins with');
    }
    this.#mode = 'done';
    this.#result = { kind: 'whole', serial: this.#serial, records: this.#list };
  }

  #turnToAdded(record: MessageRecord): void {
    const serial = serialOf(record.rdata);
    if (!isNewerSerial(serial, this.#at)) {
      throw new TransferRefusal(`has a difference from serial ${this.#at} to ${serial}`);
    }
    this.#at = serial;
    this.#diffs.push({ deleted: this.#list, added: new RecordList() });
    this.#list = this.#diffs.at(-1)?.added ?? this.#list;
    this.#mode = 'added';
    this.#add(record);
  }

  #endDifference(record: MessageRecord): void {
    const serial = serialOf(record.rdata);
    if (serial !== this.#at) {
      throw new TransferRefusal(`has a gap between serials ${this.#at} and ${serial}`);
    }
    if (serial === this.#serial) {
      this.#mode = 'done';
      this.#result = { kind: 'differences', serial, diffs: this.#diffs };
      return;
    }
    this.#list = new RecordList();
    this.#mode = 'deleted';
    this.#add(record);
  }

  #add({ owner, type, ttlSeconds, rdata }: MessageRecord): void {
    this.#list.add(owner, type, ttlSeconds, rdata);
  }

  #check({ owner, type, class: of, rdata }: MessageRecord): void {
    const { origin } = this.#options;
    const shown = () => `${formatName(owner)} ${typeName(type)}`;
    if (of !== CLASSES.IN) throw new TransferRefusal(`has ${shown()} of another class`);
    if (!isSubdomain(owner, origin)) throw new TransferRefusal(`has ${shown()} of another zone`);
    if (!isDataType(type) || type === TYPES.ALIAS) {
      throw new TransferRefusal(`has ${shown()}, which is no type of zones`);
    }
    if (type === TYPES.SOA && !sameName(owner, origin)) {
      throw new TransferRefusal(`has ${shown()} below the apex`);
    }
    if (isPlainAddress(type, rdata)) return;
    try {
      typeOf(type).format(rdata);
    } catch (error) {
      if (!(error instanceof RdataError)) throw error;
      throw new TransferRefusal(`has ${shown()}: ${error.message}`);
    }
  }
}

/** Most records are: they need not be written out to be checked. */
function isPlainAddress(type: number, rdata: Uint8Array): boolean {
  return (type === TYPES.A && rdata.length === 4) || (type === TYPES.AAAA && rdata.length === 16);
}
