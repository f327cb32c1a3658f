// Zones as text, and what resolve() makes of a question about them, as decoded sections in words:
// for tests of dns/image and dns/answer that need no shell around it.
import type { AliasTable } from '../../../dns/answer/alias-table.ts';
import type { Query, Resolve, Result } from '../../../dns/answer/query-types.ts';
import { createResolve, noResult } from '../../../dns/answer/resolve.ts';
import type { AnswerSettings, ServingState } from '../../../dns/answer/types.ts';
import { buildImage } from '../../../dns/image/build.ts';
import type { SmartName, ZoneImage } from '../../../dns/image/types.ts';
import { compileLines } from '../../../dns/lines/compile.ts';
import type { LineTree } from '../../../dns/lines/types.ts';
import type { SmartAnswer } from '../../../dns/policy/types.ts';
import { HEADER_BYTES, rcodeName } from '../../../shared/dns/constants.ts';
import { decodeMessage, recordSpans } from '../../../shared/dns/message.ts';
import { formatName, lowerName, parseName } from '../../../shared/dns/names.ts';
import { typeCode, typeName, typeOf } from '../../../shared/dns/rdata.ts';
import type { Message, MessageRecord, Name } from '../../../shared/dns/types.ts';
import { parseZone } from '../../../shared/dns/zone/parse.ts';
import type { RecordList } from '../../../shared/dns/zone/record-list.ts';
import { type Prefix, parsePrefix } from '../../../shared/net/prefix.ts';

export function nameOf(text: string): Name {
  const name = parseName(text);
  if (name === undefined) throw new Error(`no name: ${text}`);
  return name;
}

/** Records of a master file. */
export function recordsOfText(origin: string, text: string): RecordList {
  const parsed = parseZone('zone', nameOf(origin), {
    read: () => text,
    resolve: (_, path) => path,
  });
  if (parsed.refused) throw new Error(parsed.problems.map(({ message }) => message).join('\n'));
  return parsed.records;
}

export function imageOf(
  origin: string,
  text: string,
  smart: readonly SmartName[] = [],
  warn?: (message: string) => void,
): ZoneImage {
  const records = recordsOfText(origin, text);
  return buildImage({ origin: nameOf(origin), records, smart }, warn);
}

/** Lines by number from 1 on, each with its prefixes. */
export function linesOf(...lists: readonly (readonly string[])[]): LineTree {
  const settings = lists.map((texts, index) => ({
    name: `line${index + 1}`,
    fallback: [],
    prefixes: texts.map((text) => parsePrefix(text) as Prefix),
  }));
  return compileLines([], settings, ['default', ...settings.map(({ name }) => name)]).tree;
}

const settings: AnswerSettings = {
  nodeId: 'node',
  nsid: new Uint8Array(0),
  udpBytes: 1232,
  ecs: true,
  cookies: { enabled: false, secrets: [], required: false },
  rateLimit: { perSecond: 0, slip: 0, exempt: [] },
  chaos: {},
};

export function stateOf(
  zones: readonly ZoneImage[],
  smart: readonly SmartAnswer[] = [],
  lines: LineTree = linesOf(),
): ServingState {
  return { generation: 1, zones, lines, smart, settings };
}

export function resolveOf(
  zones: readonly ZoneImage[],
  smart?: readonly SmartAnswer[],
  lines?: LineTree,
  aliases?: AliasTable,
): Resolve {
  return createResolve(stateOf(zones, smart, lines), aliases);
}

export type Asked = {
  dnssecOk?: boolean;
  hasEcs?: boolean;
  client?: Uint8Array;
  limit?: number;
  isAnyClass?: boolean;
};

/** Sections as lines `owner TTL type data`, names absolute and in lower case where records are. */
export type Told = {
  rcode: string;
  aa: boolean;
  answer: string[];
  authority: string[];
  additional: string[];
};

export type Heard = Told & { result: Result; bytes: Uint8Array; message: Message };

export function queryOf(name: Name, type: number, asked: Asked = {}): Query {
  const bytes = new Uint8Array(HEADER_BYTES + name.length + 4);
  bytes.set(name, HEADER_BYTES);
  const client = asked.client ?? Uint8Array.of(192, 0, 2, 1);
  const lower = new Uint8Array(255);
  lowerName(name, lower.subarray(0, name.length));
  return {
    bytes,
    nameLength: name.length,
    lower,
    type,
    isAnyClass: asked.isAnyClass ?? false,
    dnssecOk: asked.dnssecOk ?? false,
    hasEcs: asked.hasEcs ?? false,
    lineAddress: client,
    lineBits: client.length * 8,
    nowSeconds: 0,
  };
}

/** Asks, decodes, and says what came; `name` and `type` as in zone files. */
export function ask(resolve: Resolve, name: string, type: string, asked: Asked = {}): Heard {
  return askWire(resolve, nameOf(name), typeCode(type) ?? 0, asked);
}

export function askWire(resolve: Resolve, name: Name, type: number, asked: Asked = {}): Heard {
  const query = queryOf(name, type, asked);
  const from = query.bytes.length;
  const out = new Uint8Array(65535).fill(0xee);
  out.set(query.bytes);
  const header = new DataView(out.buffer);
  const result = noResult();
  resolve(query, out, from, asked.limit ?? 65535, result);
  header.setUint16(0, 0);
  header.setUint16(2, 0x8000 | (result.isAuthoritative ? 0x400 : 0) | (result.rcode & 15));
  header.setUint16(4, 1);
  header.setUint16(6, result.answers);
  header.setUint16(8, result.authorities);
  header.setUint16(10, result.additionals);
  header.setUint16(from - 4, type);
  header.setUint16(from - 2, 1);
  const bytes = out.slice(0, result.end);
  const message = decodeMessage(bytes);
  auditPointers(bytes, from);
  return {
    rcode: rcodeName(result.rcode),
    aa: result.isAuthoritative,
    answer: message.answers.map(lineOf),
    authority: message.authorities.map(lineOf),
    additional: message.additionals.map(lineOf),
    result: { ...result },
    bytes,
    message,
  };
}

/** As `Told` has it. Times and keys of RRSIGs are left out: `RRSIG A example.`. */
export function lineOf({ owner, type, ttlSeconds, rdata }: MessageRecord): string {
  const name = formatName(lowerName(owner));
  const words = typeOf(type).format(rdata);
  const shown = type === 46 ? words.split(' ')[0] : words;
  return `${name} ${ttlSeconds} ${typeName(type)} ${shown}`;
}

/** Types whose data has names that may be compressed, and the offset of the first one (A12). */
const compressed = new Map([
  [2, 0],
  [5, 0],
  [6, 0],
  [12, 0],
  [15, 2],
]);

/** A12: pointers lead backwards, to a label and not to a pointer, within their reach. */
function auditPointers(bytes: Uint8Array, from: number): void {
  const { spans } = recordSpans(bytes);
  for (const { type, start } of spans) {
    const dataAt = auditName(bytes, start, from) + 10;
    const offset = compressed.get(type);
    if (offset === undefined) continue;
    const next = auditName(bytes, dataAt + offset, from);
    if (type === 6) auditName(bytes, next, from);
  }
}

/** Where the message goes on behind the name. */
function auditName(bytes: Uint8Array, start: number, from: number): number {
  for (let at = start; ; ) {
    const length = bytes[at] ?? 0;
    if (length < 64) {
      at += 1 + length;
      if (length === 0) return at;
      continue;
    }
    const to = ((length & 0x3f) << 8) | (bytes[at + 1] ?? 0);
    const isLabel = (bytes[to] ?? 0xff) < 64;
    const isInside = to >= HEADER_BYTES && to < at && (to < from - 4 || to >= from);
    if (length < 0xc0 || !isLabel || !isInside) throw new Error(`a pointer at ${at} to ${to}`);
    return at + 2;
  }
}
