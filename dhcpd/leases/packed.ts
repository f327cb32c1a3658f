// Items, answers and log entries as leases.lua and the log have them: docs/leases.md §4 and §5.
import { formatIpv4 } from '../../shared/net/ipv4.ts';
import { FIELD, RECORD_BYTES } from './record.ts';
import type { BlockBytes, Details, Item, ItemResult, LeaseEvent, LogEntry, Op } from './types.ts';

const ITEM_HEAD_BYTES = 15;
const LOGGED_BYTES = 4 + RECORD_BYTES;
const MAX_DETAILS_BYTES = 4096;
/** Stands in an event's JSON, which never has it, for what the client was told. */
const TOLD = '\0';

const opCodes: Record<Op, number> = {
  bind: 1,
  reserve: 2,
  unreserve: 3,
  release: 4,
  decline: 5,
  free: 6,
  teach: 7,
};

/** All items of a call in one piece; `indexOf` tells where a block is among the call's. */
export function packItems(items: readonly Item[], indexOf: (block: number) => number): Buffer {
  const parts: Part[] = [];
  let bytes = 0;
  for (const item of items) {
    const last = parts.at(-1);
    if (last !== undefined && follows(item, last)) {
      last.count++;
      continue;
    }
    const details = item.details === undefined ? '' : detailsJson(item.details);
    const event = item.event === undefined ? '' : eventJson(item, item.event);
    const detailsBytes = details === '' ? 0 : Buffer.byteLength(details);
    const eventBytes = event === '' ? 0 : Buffer.byteLength(event);
    parts.push({ item, count: 1, details, event, detailsBytes, eventBytes });
    bytes += ITEM_HEAD_BYTES + RECORD_BYTES + detailsBytes + eventBytes;
  }
  const packed = Buffer.allocUnsafe(bytes);
  let at = 0;
  for (const part of parts) at = writePart(packed, at, part, indexOf);
  return packed;
}

type Part = {
  item: Item;
  /** So many addresses in a row. */
  count: number;
  details: string;
  event: string;
  detailsBytes: number;
  eventBytes: number;
};

/** The same is asked of the next address: a reserve is many of these. */
function follows(item: Item, { item: first, count }: Part): boolean {
  return (
    item.op === 'reserve' &&
    first.op === 'reserve' &&
    item.record === first.record &&
    item.seconds === first.seconds &&
    item.address === first.address + count &&
    item.address >>> 8 === first.address >>> 8
  );
}

function writePart(
  into: Buffer,
  start: number,
  { item, count, details, event, detailsBytes, eventBytes }: Part,
  indexOf: (block: number) => number,
): number {
  let at = into.writeUInt16BE(indexOf(item.address >>> 8), start);
  at = into.writeUInt8(item.address & 255, at);
  at = into.writeUInt8(opCodes[item.op], at);
  const flags = (item.offered ? 1 : 0) | (item.force ? 2 : 0) | (item.planned ? 4 : 0);
  at = into.writeUInt8(flags, at);
  at = into.writeUInt16BE(count, at);
  at = into.writeUInt32BE(item.seconds, at);
  at = into.writeUInt16BE(detailsBytes, at);
  at = into.writeUInt16BE(eventBytes, at);
  into.set(item.record, at);
  at += RECORD_BYTES;
  if (detailsBytes > 0) into.write(details, at);
  at += detailsBytes;
  if (eventBytes > 0) into.write(event, at);
  return at + eventBytes;
}

function detailsJson(details: Details): string {
  const { clientId, hostname, circuitId, remoteId, chaddr } = details;
  const json = JSON.stringify({ clientId, hostname, circuitId, remoteId, chaddr });
  // Options are 255 bytes each, so that this is nobody's: better none than half of them.
  return Buffer.byteLength(json) <= MAX_DETAILS_BYTES ? json : '{}';
}

function eventJson(item: Item, event: LeaseEvent): string {
  const lease = uint32(item.record, FIELD.leaseSeconds);
  const { type, mac, keyHex, hostname } = event;
  // None of these has anything to escape.
  const head = `["${type}","${formatIpv4(item.address)}","${mac}","${keyHex}"`;
  const name = hostname === undefined ? '' : `,${JSON.stringify(hostname)}`;
  return `${head},${TOLD},${lease}${name}]`;
}

/** What is stored by a foreign hand is no details. */
export function parseDetails(json: string): Details | undefined {
  try {
    const parsed: unknown = JSON.parse(json);
    if (typeof parsed !== 'object' || parsed === null) return undefined;
    const fields = Object.entries(parsed).filter(([, value]) => typeof value === 'string');
    return Object.fromEntries(fields) as Details; // strings; other names harm nobody
  } catch {
    return undefined;
  }
}

export function unpackResults(codes: Uint8Array, records: Uint8Array): ItemResult[] {
  // One copy for all: an answer's memory is the connection's.
  const { buffer } = new Uint8Array(records);
  const results: ItemResult[] = [];
  for (let at = 0; at < codes.length; at++) {
    const record = new Uint8Array(buffer, at * RECORD_BYTES, RECORD_BYTES);
    results.push({ code: codes[at] ?? 0, record });
  }
  return results;
}

/** A Cluster's entry, made here of what was done; undefined: nothing was. */
export function entryOf(
  items: readonly Item[],
  results: readonly ItemResult[],
): { records: Buffer; events: string } | undefined {
  const records: Uint8Array[] = [];
  const events: string[] = [];
  for (const [at, item] of items.entries()) {
    const result = results[at];
    if (result?.code !== 0) continue;
    const logged = new Uint8Array(LOGGED_BYTES);
    new DataView(logged.buffer).setUint32(0, item.address);
    logged.set(result.record, 4);
    records.push(logged);
    if (item.event === undefined) continue;
    const told = String(uint32(result.record, FIELD.toldUntil));
    events.push(eventJson(item, item.event).replace(TOLD, told));
  }
  if (records.length === 0) return undefined;
  return { records: Buffer.concat(records), events: `[${events.join(',')}]` };
}

/** Of an entry's fields as Redis gives them; undefined: a foreign hand's. */
export function parseEntry(id: string, fields: readonly unknown[]): LogEntry | undefined {
  let instance = Number.NaN;
  let records: Uint8Array = new Uint8Array(0);
  for (let i = 0; i + 1 < fields.length; i += 2) {
    const name = String(fields[i]);
    const value = fields[i + 1];
    if (name === 'i') instance = Number(value);
    if (name === 'r' && value instanceof Uint8Array) records = value;
  }
  const isWhole = records.length > 0 && records.length % LOGGED_BYTES === 0;
  if (!Number.isInteger(instance) || !isWhole) return undefined;
  return { id, instance, records };
}

/** A record with a version is one of a block that exists. */
export function hasVersion(record: Uint8Array): boolean {
  for (let at: number = FIELD.version; at < record.length; at++) if (record[at] !== 0) return true;
  return false;
}

/** Who writes: the same in all items of a call. */
export function writerOf(items: readonly Item[]): number {
  const [first] = items;
  return first === undefined ? 0 : uint32(first.record, FIELD.instance);
}

export function blockBytes(block: number, reply: unknown): BlockBytes {
  return { block, bytes: reply instanceof Uint8Array ? reply : new Uint8Array(0) };
}

function uint32(bytes: Uint8Array, at: number): number {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(at);
}
