// A list file's bytes → its list, or all that is wrong with it. Heavy, and made to run in a thread:
// plain data in and out. Pure.
import { readBgpdump } from './bgpdump.ts';
import { readCidr } from './cidr.ts';
import { readCsv } from './csv.ts';
import { readDelegated } from './delegated.ts';
import { metadataAt, readMmdb } from './mmdb.ts';
import { PEER_INDEX_TABLE, readMrt, TABLE_DUMP_V2 } from './mrt.ts';
import { ListSink } from './sink.ts';
import type { LineFileSettings, ListFormat, Parsed } from './types.ts';

/** As JavaScript's strings end before 2^29 characters. */
const MAX_TEXT_BYTES = 500_000_000;
const SNIFFED_BYTES = 4096;

type Reader =
  | { from: 'text'; read(text: string, sink: ListSink): void }
  | { from: 'bytes'; read(bytes: Uint8Array, sink: ListSink): void };

const READERS: Readonly<Record<ListFormat, Reader>> = {
  cidr: { from: 'text', read: readCidr },
  csv: { from: 'text', read: readCsv },
  bgpdump: { from: 'text', read: readBgpdump },
  delegated: { from: 'text', read: readDelegated },
  mmdb: { from: 'bytes', read: readMmdb },
  mrt: { from: 'bytes', read: readMrt },
};

/** `bytes`: the file's, unpacked. */
export function parseList(bytes: Uint8Array, settings: LineFileSettings): Parsed {
  const sink = new ListSink(settings);
  const format = settings.format === 'auto' ? formatOf(bytes) : settings.format;
  const needsKey = format === 'mmdb' || format === 'mrt' || format === 'bgpdump';
  const { line, asns, countries } = settings;
  if (needsKey && line === undefined && asns === undefined && countries === undefined) {
    sink.problem(0, 0, `a list of AS numbers (${format}) without lines`, 'set `asns` or `line`');
  } else {
    const reader = READERS[format];
    if (reader.from === 'bytes') reader.read(bytes, sink);
    else readText(bytes, reader.read, sink);
  }
  return sink.finish();
}

function readText(
  bytes: Uint8Array,
  read: (text: string, sink: ListSink) => void,
  sink: ListSink,
): void {
  if (bytes.length > MAX_TEXT_BYTES) {
    sink.problem(0, 0, `${bytes.length} bytes, more than ${MAX_TEXT_BYTES}`, 'split the file');
    return;
  }
  const zero = bytes.indexOf(0);
  if (zero >= 0) sink.problem(0, 0, `byte ${zero}: is no text`, 'set the `format` that it has');
  else read(new TextDecoder().decode(bytes), sink);
}

/** By what the file begins with, or ends with in an mmdb's case; a list of prefixes if unknown. */
export function formatOf(bytes: Uint8Array): ListFormat {
  if (isMrt(bytes)) return 'mrt';
  if (metadataAt(bytes) >= 0) return 'mmdb';
  const text = new TextDecoder().decode(bytes.subarray(0, SNIFFED_BYTES));
  const line = text.split('\n').find((each) => /^\s*[^#;\s]/.test(each)) ?? '';
  if (/^TABLE_DUMP2?\|/.test(line)) return 'bgpdump';
  if (/^[\w.]+\|[^|]*\|/.test(line)) return 'delegated';
  return line.replace(/[#;].*/, '').includes(',') ? 'csv' : 'cidr';
}

function isMrt(bytes: Uint8Array): boolean {
  if (bytes.length < 12 || bytes[4] !== 0) return false;
  const subtype = ((bytes[6] ?? 0) << 8) | (bytes[7] ?? 0);
  const isTable = bytes[5] === TABLE_DUMP_V2 && subtype >= PEER_INDEX_TABLE && subtype <= 12;
  return isTable || (bytes[5] === 12 && (subtype === 1 || subtype === 2));
}
