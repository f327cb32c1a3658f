// MaxMind DB files (format specification 2.0): every network of the search tree, by the ASN or the
// country of its record. IPv4 lies at ::/96 of a tree for IPv6; other ways to it (::ffff:0:0/96,
// 2002::/16) are aliases and are left out. Pure.
import { MmdbData, MmdbError, type MmdbMap, type MmdbValue } from './mmdb-data.ts';
import type { ListSink } from './sink.ts';
import { readAsn } from './text-lines.ts';

/** Before the metadata, whose last occurrence counts. */
export const MMDB_MARKER = Uint8Array.of(
  ...[0xab, 0xcd, 0xef],
  ...[...'MaxMind.com'].map((character) => character.charCodeAt(0)),
);
const METADATA_SEARCHED = 128 * 1024;
/** Zeros between the tree and the data. */
const SEPARATOR_BYTES = 16;

/** Of nodes: a tree that folds into itself would be read for ever. */
const MAX_VISITS = 20_000_000;

const ASN_FIELDS = ['autonomous_system_number', 'asn'];
const COUNTRY_FIELDS = ['country.iso_code', 'country_code', 'country'];

type Line = number | undefined;
type Tree = { bytes: Uint8Array; nodes: number; recordBits: number; family: 4 | 6 };

/** Where the metadata starts; -1: this is no MaxMind DB. */
export function metadataAt(bytes: Uint8Array): number {
  const least = Math.max(0, bytes.length - METADATA_SEARCHED);
  for (let at = bytes.length - MMDB_MARKER.length; at >= least; at--) {
    if (MMDB_MARKER.every((byte, index) => bytes[at + index] === byte))
      return at + MMDB_MARKER.length;
  }
  return -1;
}

/** `row` of an entry is its place among the networks, from 1. */
export function readMmdb(bytes: Uint8Array, sink: ListSink): void {
  try {
    const start = metadataAt(bytes);
    if (start < 0) throw new MmdbError('no metadata: this is no MaxMind DB, or it is cut off');
    const tree = treeOf(bytes, new MmdbData(bytes.subarray(start)).read(0));
    const data = bytes.subarray(treeBytes(tree) + SEPARATOR_BYTES, start - MMDB_MARKER.length);
    new Networks(tree, new RecordLines(data, sink), sink).read();
  } catch (error) {
    if (!(error instanceof MmdbError)) throw error;
    sink.problem(0, 0, error.message, 'load the file again');
  }
}

function treeOf(bytes: Uint8Array, metadata: MmdbValue): Tree {
  const fields = asMap(metadata);
  const nodes = fields?.node_count;
  const recordBits = fields?.record_size;
  const version = fields?.ip_version;
  const major = fields?.binary_format_major_version;
  if (major !== 2) throw new MmdbError(`version ${String(major)} of the format, expected 2`);
  if (typeof nodes !== 'number' || nodes === 0) throw new MmdbError('metadata without node_count');
  if (recordBits !== 24 && recordBits !== 28 && recordBits !== 32)
    throw new MmdbError(`records of ${String(recordBits)} bits, expected 24, 28 or 32`);
  if (version !== 4 && version !== 6) throw new MmdbError(`ip_version ${String(version)}`);
  const tree: Tree = { bytes, nodes, recordBits, family: version };
  if (treeBytes(tree) + SEPARATOR_BYTES > bytes.length)
    throw new MmdbError(`shorter than its tree of ${nodes} nodes`);
  return tree;
}

function treeBytes({ nodes, recordBits }: Tree): number {
  return (nodes * recordBits) / 4;
}

function asMap(value: MmdbValue | undefined): MmdbMap | undefined {
  const isMap = typeof value === 'object' && !Array.isArray(value) && !ArrayBuffer.isView(value);
  return isMap ? value : undefined;
}

/** Records are shared by many networks: each is read once. */
class RecordLines {
  readonly #data: MmdbData;
  readonly #sink: ListSink;
  readonly #known = new Map<number, Line>();
  readonly #fields: readonly (readonly string[])[];
  /** Records that had one of the fields. */
  matched = 0;

  constructor(data: Uint8Array, sink: ListSink) {
    this.#data = new MmdbData(data);
    this.#sink = sink;
    const { field, countries } = sink.settings;
    const usual = countries === undefined ? ASN_FIELDS : COUNTRY_FIELDS;
    this.#fields = (field === undefined ? usual : [field]).map((path) => path.split('.'));
  }

  get wanted(): string {
    return this.#fields.map((path) => path.join('.')).join(', ');
  }

  of(offset: number): Line {
    if (this.#known.has(offset)) return this.#known.get(offset);
    const line = this.#lineOf(this.#data.read(offset));
    this.#known.set(offset, line);
    return line;
  }

  #lineOf(record: MmdbValue): Line {
    if (this.#sink.settings.line !== undefined) {
      this.matched++;
      return this.#sink.ownLine;
    }
    for (const path of this.#fields) {
      const value = path.reduce<MmdbValue | undefined>((at, key) => asMap(at)?.[key], record);
      if (typeof value !== 'string' && typeof value !== 'number') continue;
      this.matched++;
      if (this.#sink.settings.countries !== undefined)
        return this.#sink.lineOfCountry(String(value));
      const asn = readAsn(String(value));
      return asn === undefined ? undefined : this.#sink.lineOfAsn(asn);
    }
    return undefined;
  }
}

class Networks {
  readonly #tree: Tree;
  readonly #lines: RecordLines;
  readonly #sink: ListSink;
  readonly #words = new Uint32Array(4);
  /** Its node at ::/96, when the tree is IPv6's; -1: none. */
  readonly #v4Node: number;
  #networks = 0;
  #visits = 0;

  constructor(tree: Tree, lines: RecordLines, sink: ListSink) {
    this.#tree = tree;
    this.#lines = lines;
    this.#sink = sink;
    let node = tree.family === 6 ? 0 : tree.nodes;
    for (let depth = 0; depth < 96 && node < tree.nodes; depth++) node = this.#record(node, 0);
    this.#v4Node = node < tree.nodes ? node : -1;
  }

  read(): void {
    this.#walk(0, 0, this.#tree.family);
    if (this.#networks > 0 && this.#lines.matched === 0)
      this.#sink.problem(
        0,
        0,
        `no record has ${this.#lines.wanted}`,
        'name the field of the ASN as `field`, or set `line` for all of it',
      );
  }

  /** `depth` counts in the family of the tree, IPv4 below ::/96 too. */
  #walk(value: number, depth: number, family: 4 | 6): void {
    const { nodes } = this.#tree;
    if (value === nodes || this.#sink.isFull) return;
    const below96 = family === 6 && depth >= 96 && this.#isBelowZeros();
    if (value > nodes) {
      const line = this.#lines.of(value - nodes - SEPARATOR_BYTES);
      this.#networks++;
      if (below96) this.#addV4(depth - 96, line);
      else this.#sink.add(family, this.#words, depth, line, this.#networks);
      return;
    }
    if (value === this.#v4Node && !(depth === 96 && below96)) return; // an alias
    if (depth === (family === 4 ? 32 : 128))
      throw new MmdbError('the tree is deeper than addresses');
    if (++this.#visits > MAX_VISITS) throw new MmdbError('the tree folds into itself');
    const word = depth >>> 5;
    const bit = 0x8000_0000 >>> (depth & 31);
    this.#walk(this.#record(value, 0), depth + 1, family);
    this.#words[word] = (this.#words[word] ?? 0) | bit;
    this.#walk(this.#record(value, 1), depth + 1, family);
    this.#words[word] = (this.#words[word] ?? 0) & ~bit;
  }

  #isBelowZeros(): boolean {
    const [a, b, c] = this.#words;
    return a === 0 && b === 0 && c === 0;
  }

  #addV4(bits: number, line: Line): void {
    const address = Uint32Array.of(this.#words[3] ?? 0);
    this.#sink.add(4, address, bits, line, this.#networks);
  }

  /** Of a node the record for bit 0 or 1 (specification, "Node Layout"). */
  #record(node: number, side: 0 | 1): number {
    const { bytes, recordBits } = this.#tree;
    const at = (node * recordBits) / 4;
    const byte = (index: number) => bytes[at + index] ?? 0;
    const three = (index: number) => (byte(index) << 16) | (byte(index + 1) << 8) | byte(index + 2);
    if (recordBits === 24) return three(3 * side);
    if (recordBits === 32) return byte(4 * side) * 0x100_0000 + three(4 * side + 1);
    const middle = byte(3);
    return side === 0 ? ((middle >> 4) << 24) | three(0) : ((middle & 15) << 24) | three(4);
  }
}
