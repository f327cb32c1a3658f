// Signed zones without keys: a chain of NSEC or NSEC3 as a signer would make it, and RRSIGs that
// say what they cover and whose they are, but sign nothing. For tests of which records an answer
// has.
import { createHash } from 'node:crypto';
import { compareNames, formatName, lowerName } from '../../../shared/dns/names.ts';
import type { Name } from '../../../shared/dns/types.ts';
import { RecordList } from '../../../shared/dns/zone/record-list.ts';

export type Nsec3Options = { salt: string; iterations: number; optOut: boolean };

const [NS, SOA, DNAME, DS, RRSIG, NSEC, DNSKEY, NSEC3, NSEC3PARAM] = [
  2, 6, 39, 43, 46, 47, 48, 50, 51,
] as const;
const DENIAL_TTL = 3600;

type Node = { name: Name; types: Set<number> };

/** `records` with a DNSKEY, a chain, and an RRSIG for each RRset that a zone signs. */
export function signed(records: RecordList, origin: Name, nsec3?: Nsec3Options): RecordList {
  const all = new RecordList();
  all.addAll(records);
  all.add(origin, DNSKEY, 3600, Uint8Array.of(1, 1, 3, 13, 1, 2, 3, 4));
  if (nsec3 !== undefined) all.add(origin, NSEC3PARAM, 0, paramsOf(nsec3, 0));
  const nodes = nodesOf(all, origin);
  if (nsec3 === undefined) addNsec(all, nodes);
  else addNsec3(all, nodes, origin, nsec3);
  addSignatures(all, origin);
  return all;
}

/** Names that are the zone's own, cuts with them, in canonical order; without empty ones. */
function nodesOf(records: RecordList, origin: Name): Node[] {
  const byName = new Map<string, Node>();
  for (let index = 0; index < records.count; index++) {
    const name = lowerName(records.owner(index));
    const key = formatName(name);
    const node = byName.get(key) ?? { name, types: new Set<number>() };
    node.types.add(records.type(index));
    byName.set(key, node);
  }
  const apex = formatName(origin);
  const covers = [...byName].filter(
    ([key, { types }]) => types.has(DNAME) || (types.has(NS) && key !== apex),
  );
  const isBelow = (key: string): boolean =>
    covers.some(([cover]) => key !== cover && key.endsWith(`.${cover}`));
  return [...byName]
    .filter(([key]) => !isBelow(key))
    .map(([, node]) => node)
    .toSorted((one, other) => compareNames(one.name, other.name));
}

function isCut({ types }: Node): boolean {
  return types.has(NS) && !types.has(SOA);
}

/** Types as the bitmap says them: of a cut only what is the parent's. */
function shownTypes(node: Node, ...extra: readonly number[]): number[] {
  const own = isCut(node)
    ? [...node.types].filter((type) => [NS, DS].includes(type as 2))
    : [...node.types];
  return [...own, ...extra].toSorted((one, other) => one - other);
}

function addNsec(records: RecordList, nodes: readonly Node[]): void {
  for (const [index, node] of nodes.entries()) {
    const next = nodes[(index + 1) % nodes.length] as Node;
    const bitmap = bitmapOf(shownTypes(node, RRSIG, NSEC));
    records.add(node.name, NSEC, DENIAL_TTL, Uint8Array.from([...next.name, ...bitmap]));
  }
}

function addNsec3(
  records: RecordList,
  nodes: readonly Node[],
  origin: Name,
  options: Nsec3Options,
): void {
  const covered = nodes.filter((node) => !(options.optOut && isCut(node) && !node.types.has(DS)));
  const shown = new Map(covered.map((node) => [formatName(node.name), node]));
  for (const { name } of covered) {
    // Empty non-terminals have NSEC3s too (RFC 5155 §7.1).
    for (
      let above = name;
      above.length > origin.length;
      above = above.subarray(1 + (above[0] ?? 0))
    ) {
      const key = formatName(above);
      if (!shown.has(key)) shown.set(key, { name: above.slice(), types: new Set() });
    }
  }
  const chain = [...shown.values()]
    .map((node) => ({ node, hash: nsec3HashOf(node.name, options) }))
    .toSorted((one, other) => Buffer.compare(one.hash, other.hash));
  for (const [index, { node, hash }] of chain.entries()) {
    const next = (chain[(index + 1) % chain.length] as (typeof chain)[number]).hash;
    const signs = node.types.size > 0 && !(isCut(node) && !node.types.has(DS));
    const bitmap = bitmapOf(shownTypes(node, ...(signs ? [RRSIG] : [])));
    const params = paramsOf(options, options.optOut ? 1 : 0);
    const data = Uint8Array.from([...params, next.length, ...next, ...bitmap]);
    const label = base32(hash);
    const owner = Uint8Array.from([label.length, ...Buffer.from(label, 'latin1'), ...origin]);
    records.add(owner, NSEC3, DENIAL_TTL, data);
  }
}

function paramsOf({ salt, iterations }: Nsec3Options, flags: number): Uint8Array {
  const bytes = Buffer.from(salt, 'hex');
  return Uint8Array.from([1, flags, iterations >> 8, iterations & 255, bytes.length, ...bytes]);
}

export function nsec3HashOf(name: Name, { salt, iterations }: Nsec3Options): Buffer {
  const salted = Buffer.from(salt, 'hex');
  let hash: Uint8Array = lowerName(name);
  for (let round = 0; round <= iterations; round++) {
    hash = createHash('sha1').update(hash).update(salted).digest();
  }
  return Buffer.from(hash);
}

/** With extended hex, in lower case (RFC 4648 §7). */
export function base32(bytes: Uint8Array): string {
  const bits = [...bytes].map((byte) => byte.toString(2).padStart(8, '0')).join('');
  return (bits.match(/.{5}/g) ?? [])
    .map((five) => '0123456789abcdefghijklmnopqrstuv'[Number.parseInt(five, 2)])
    .join('');
}

/** RFC 4034 §4.1.2, for types below 256 only. */
function bitmapOf(types: readonly number[]): number[] {
  if (types.length === 0) return [];
  const bytes = new Uint8Array(((types.at(-1) as number) >> 3) + 1);
  for (const type of types) bytes[type >> 3] = (bytes[type >> 3] ?? 0) | (0x80 >> (type & 7));
  return [0, bytes.length, ...bytes];
}

function addSignatures(records: RecordList, origin: Name): void {
  const owned = new Set(nodesOf(records, origin).map(({ name }) => formatName(name)));
  const cuts = new Set(
    nodesOf(records, origin)
      .filter(isCut)
      .map(({ name }) => formatName(name)),
  );
  const done = new Set<string>();
  for (let index = 0, count = records.count; index < count; index++) {
    const [owner, type] = [records.owner(index), records.type(index)];
    const key = formatName(lowerName(owner));
    const isOurs = owned.has(key) && (!cuts.has(key) || type === DS || type === NSEC);
    if (!isOurs || done.has(`${key} ${type}`)) continue;
    done.add(`${key} ${type}`);
    const head = [type >> 8, type & 255, 13, 2, 0, 0, 14, 16, 1, 2, 3, 4, 0, 0, 0, 1, 0, 7];
    const data = Uint8Array.from([...head, ...origin, 0xaa, 0xbb, 0xcc]);
    records.add(owner, RRSIG, records.ttlSeconds(index), data);
  }
}
