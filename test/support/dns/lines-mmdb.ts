// Writes MaxMind DB files (format specification 2.0) for tests, byte by byte from the document:
// networks with a record each, IPv4 at ::/96 and its aliases as the real ones have them.
import { MMDB_MARKER } from '../../../dns/lines/formats/mmdb.ts';
import { type Prefix, parsePrefix } from '../../../shared/net/prefix.ts';

export type MmdbNetwork = { prefix: string; record: MmdbRecord };
type MmdbScalar = string | number;
export type MmdbRecord = { [key: string]: MmdbScalar | MmdbRecord };

export type MmdbOptions = {
  recordBits?: 24 | 28 | 32;
  family?: 4 | 6;
  /** Prefixes of the IPv6 tree that lead to IPv4's: `::ffff:0:0/96`, `2002::/16`. */
  aliases?: readonly string[];
};

type Node = { sides: [Node | number | undefined, Node | number | undefined]; place: number };

const SEPARATOR_BYTES = 16;

export function mmdbOf(networks: readonly MmdbNetwork[], options: MmdbOptions = {}): Uint8Array {
  const { recordBits = 28, family = 6, aliases = [] } = options;
  const data: number[] = [];
  const offsets = new Map<string, number>();
  const root: Node = { sides: [undefined, undefined], place: 0 };
  for (const { prefix, record } of networks) {
    const key = JSON.stringify(record);
    let offset = offsets.get(key);
    if (offset === undefined) {
      offset = data.length;
      offsets.set(key, offset);
      data.push(...encoded(record, offsets, data.length));
    }
    insert(root, pathOf(parsed(prefix), family), offset);
  }
  const v4 = nodeAt(root, new Array<0 | 1>(96).fill(0));
  for (const alias of aliases) insert(root, pathOf(parsed(alias), 6), v4 ?? 0);
  const nodes = numbered(root);
  const tree = nodes.flatMap((node) => recordPair(node, nodes.length, recordBits));
  const metadata = encoded(
    {
      binary_format_major_version: 2,
      binary_format_minor_version: 0,
      database_type: 'Test-ASN',
      ip_version: family,
      node_count: nodes.length,
      record_size: recordBits,
    },
    new Map(),
    0,
  );
  const separator = new Array<number>(SEPARATOR_BYTES).fill(0);
  return Uint8Array.from([...tree, ...separator, ...data, ...MMDB_MARKER, ...metadata]);
}

function parsed(text: string): Prefix {
  const prefix = parsePrefix(text);
  if (prefix === undefined) throw new Error(`${text} is no prefix`);
  return prefix;
}

function pathOf(prefix: Prefix, family: 4 | 6): (0 | 1)[] {
  const width = prefix.family === 4 ? 32 : 128;
  const bits = Array.from({ length: prefix.bits }, (_, index): 0 | 1 =>
    ((BigInt(prefix.address) >> BigInt(width - 1 - index)) & 1n) === 1n ? 1 : 0,
  );
  return prefix.family === 4 && family === 6 ? [...new Array<0 | 1>(96).fill(0), ...bits] : bits;
}

/** Longer prefixes go after shorter ones: what covers them is pushed down. */
function insert(root: Node, path: readonly (0 | 1)[], value: Node | number): void {
  let node = root;
  for (const side of path.slice(0, -1)) {
    const next = node.sides[side];
    if (typeof next === 'object') {
      node = next;
      continue;
    }
    const made: Node = { sides: [next, next], place: -1 };
    node.sides[side] = made;
    node = made;
  }
  node.sides[path.at(-1) ?? 0] = value;
}

function nodeAt(root: Node, path: readonly (0 | 1)[]): Node | undefined {
  let node: Node | number | undefined = root;
  for (const side of path) node = typeof node === 'object' ? node.sides[side] : undefined;
  return typeof node === 'object' ? node : undefined;
}

function numbered(root: Node): Node[] {
  const nodes: Node[] = [];
  const seen = new Set<Node>();
  const walk = (node: Node): void => {
    if (seen.has(node)) return;
    seen.add(node);
    node.place = nodes.push(node) - 1;
    for (const side of node.sides) if (typeof side === 'object') walk(side);
  };
  walk(root);
  return nodes;
}

function recordPair({ sides }: Node, nodes: number, recordBits: 24 | 28 | 32): number[] {
  const [zero = 0, one = 0] = sides.map((side) => {
    if (side === undefined) return nodes;
    return typeof side === 'object' ? side.place : nodes + SEPARATOR_BYTES + side;
  });
  const three = (value: number) => [(value >> 16) & 255, (value >> 8) & 255, value & 255];
  if (recordBits === 24) return [...three(zero), ...three(one)];
  if (recordBits === 32) return [zero >>> 24, ...three(zero), one >>> 24, ...three(one)];
  return [...three(zero), ((zero >>> 24) << 4) | (one >>> 24), ...three(one)];
}

/** Keys that stood before are pointers, as the real writer has them. */
function encoded(record: MmdbRecord, known: Map<string, number>, base: number): number[] {
  const out = [control(7, Object.keys(record).length)].flat();
  for (const [key, value] of Object.entries(record)) {
    const before = known.get(`key ${key}`);
    if (before !== undefined && before < 2048) {
      out.push(0x20 | (before >> 8), before & 255);
    } else {
      known.set(`key ${key}`, base + out.length);
      out.push(...text(key));
    }
    if (typeof value === 'object') out.push(...encoded(value, known, base + out.length));
    else if (typeof value === 'string') out.push(...text(value));
    else out.push(...control(6, 4), ...[24, 16, 8, 0].map((shift) => (value >>> shift) & 255));
  }
  return out;
}

function text(value: string): number[] {
  const bytes = new TextEncoder().encode(value);
  return [...control(2, bytes.length), ...bytes];
}

function control(type: number, size: number): number[] {
  if (size < 29) return [(type << 5) | size];
  if (size < 285) return [(type << 5) | 29, size - 29];
  return [(type << 5) | 30, (size - 285) >> 8, (size - 285) & 255];
}
