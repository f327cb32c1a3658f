// From a zone's records to its image: names in canonical order, what is below cuts and DNAMEs,
// wildcards, RRsets ready for answers, and what proofs are found by. layout.ts says what comes out.
// Pure.

import { compareBytes } from '../../shared/bytes.ts';
import { TYPES } from '../../shared/dns/constants.ts';
import { isSubdomain, isWildcard } from '../../shared/dns/names.ts';
import { canonicalRdata } from '../../shared/dns/rdata.ts';
import type { Name } from '../../shared/dns/types.ts';
import type { RecordList } from '../../shared/dns/zone/record-list.ts';
import { MIN_SOA_BYTES, minimumOf, serialOf } from '../../shared/dns/zone/soa.ts';
import { BlockSink, wordsFor } from './block-sink.ts';
import { writeDenial } from './build-denial.ts';
import { BuildNames } from './build-names.ts';
import { RrsetCompiler, type Target } from './build-rrset.ts';
import * as layout from './layout.ts';
import type { BuildInput, SmartName, ZoneImage } from './types.ts';

/** Of a name, by bits: which of the types that matter to others it has. */
const [HAS_NS, HAS_DNAME, HAS_ADDRESS, HAS_ALIAS, HAS_OTHER] = [1, 2, 4, 8, 16];

/**
 * `warn` gets what makes a zone answer less than its records promise, in words. Throws a RangeError
 * for what shared/dns/zone's check refuses: no SOA, names outside of the zone; and for smart names
 * in a signed zone (A11).
 */
export function buildImage(
  input: BuildInput,
  warn: (message: string) => void = () => {},
): ZoneImage {
  return new ImageBuild(input).run(warn);
}

/** One for all builds, as most zones are small and its scratch memory is not. */
const compiler = new RrsetCompiler();

class ImageBuild {
  readonly #input: BuildInput;
  readonly #records: RecordList;
  readonly #names: BuildNames;
  readonly #sink = new BlockSink(layout.HEADER_WORDS);
  /** By record: the next one of its name, −1 at the end. */
  readonly #next: Int32Array;
  readonly #smart = new Map<number, SmartName[]>();
  /** By name: HAS_*, place of its block, who covers it (−1: nobody). */
  #has = new Uint8Array(0);
  #place = new Int32Array(0);
  #covered = new Int32Array(0);
  /** Words that have a name's number + 1 until all blocks have a place. */
  readonly #pending: number[] = [];
  readonly #nsec: number[] = [];
  readonly #nsec3: number[] = [];

  constructor(input: BuildInput) {
    this.#input = input;
    this.#records = input.records;
    this.#names = new BuildNames(input.origin);
    this.#next = new Int32Array(input.records.count).fill(-1);
  }

  run(warn: (message: string) => void): ZoneImage {
    this.#group();
    const names = this.#names;
    this.#place = new Int32Array(names.count);
    this.#covered = new Int32Array(names.count);
    const order = names.inOrder();
    let visible = 0;
    for (const id of order) {
      this.#writeName(id);
      if (!this.#isHidden(id)) visible++;
    }
    this.#resolvePending();
    const sink = this.#sink;
    sink.set(layout.H_MAGIC, layout.MAGIC);
    sink.set(layout.H_VERSION, layout.LAYOUT_VERSION);
    sink.set(layout.H_APEX, this.#place[0] as number);
    sink.set(layout.H_BLOCKS_END, sink.at);
    const serial = this.#writeNegativeSoa();
    this.#writeTable(order, visible);
    const nodes = { nsec: this.#nsec, nsec3: this.#nsec3 };
    writeDenial(sink, nodes, this.#apexData(TYPES.NSEC3PARAM), this.#isSigned(), warn);
    const { origin, records } = this.#input;
    const memory = sink.shared();
    return { origin: origin.slice(), serial, names: visible, recordCount: records.count, memory };
  }

  #group(): void {
    const { origin, smart } = this.#input;
    const [records, names] = [this.#records, this.#names];
    for (let index = 0; index < records.count; index++) {
      const owner = records.owner(index);
      if (!isSubdomain(owner, origin)) throw new RangeError('a name outside of the zone');
      const id = names.intern(owner);
      const last = names.last[id] as number;
      if (last < 0) {
        names.spell(id, owner);
        names.first[id] = index;
      } else {
        this.#next[last] = index;
      }
      names.last[id] = index;
    }
    for (const each of smart) {
      if (!isSubdomain(each.owner, origin)) throw new RangeError('a name outside of the zone');
      const id = names.intern(each.owner);
      this.#smart.set(id, [...(this.#smart.get(id) ?? []), each]);
    }
    this.#has = new Uint8Array(names.count);
    for (let id = 0; id < names.count; id++) this.#has[id] = this.#whatItHas(id);
    if (smart.length > 0 && this.#isSigned()) throw new RangeError('smart names, but signed');
  }

  #whatItHas(id: number): number {
    let has = 0;
    for (const { type } of this.#smart.get(id) ?? []) {
      has |= type === TYPES.ALIAS ? HAS_ALIAS | HAS_OTHER : HAS_OTHER;
    }
    for (const index of this.#recordsOf(id)) {
      const type = this.#records.type(index);
      if (type === TYPES.NS) has |= HAS_NS;
      else if (type === TYPES.DNAME) has |= HAS_DNAME;
      else if (type === TYPES.A || type === TYPES.AAAA) has |= HAS_ADDRESS;
      else if (type === TYPES.ALIAS) has |= HAS_ALIAS;
      else if (type !== TYPES.NSEC3 && !this.#signs(index, TYPES.NSEC3)) has |= HAS_OTHER;
    }
    return has;
  }

  *#recordsOf(id: number): Generator<number> {
    let index = this.#names.first[id] as number;
    while (index >= 0) {
      yield index;
      index = this.#next[index] as number;
    }
  }

  #signs(index: number, covered: number): boolean {
    return this.#records.type(index) === TYPES.RRSIG && coveredType(this.#data(index)) === covered;
  }

  #data(index: number): Uint8Array {
    return this.#records.rdata(index);
  }

  #apexData(type: number): Uint8Array[] {
    const all = [...this.#recordsOf(0)].filter((index) => this.#records.type(index) === type);
    return all.map((index) => this.#data(index));
  }

  #isSigned(): boolean {
    return this.#apexData(TYPES.DNSKEY).length > 0;
  }

  /** Records, but none that can be asked for (RFC 5155 §7.2.8). */
  #isHidden(id: number): boolean {
    return this.#has[id] === 0 && (this.#names.first[id] as number) >= 0;
  }

  #writeName(id: number): void {
    const [names, sink] = [this.#names, this.#sink];
    const name = names.name(id);
    const node = sink.take(layout.N_NAME + wordsFor(name.length));
    this.#place[id] = node;
    const depth = names.depth[id] as number;
    const shape = this.#flags(id) | (name.length << 8) | (depth << 16);
    sink.set(node + layout.N_SHAPE, shape);
    sink.set(node + layout.N_COVERED, this.#coveredBy(id));
    if (isWildcard(name) && id !== 0 && !this.#isHidden(id)) {
      const parent = this.#place[names.parent[id] as number] as number;
      sink.set(parent + layout.N_WILDCARD, node);
    }
    sink.bytes.set(name, 4 * (node + layout.N_NAME));
    let link = node + layout.N_RRSETS;
    for (const place of this.#writeRrsets(id, node)) {
      sink.set(link, place);
      link = place + layout.R_NEXT;
    }
  }

  #flags(id: number): number {
    const has = this.#has[id] as number;
    let flags = 0;
    if (has & HAS_NS && id !== 0) flags |= layout.NODE_CUT;
    if (has & HAS_DNAME) flags |= layout.NODE_DNAME;
    if (has & HAS_ALIAS) flags |= layout.NODE_ALIAS;
    return flags;
  }

  /** The place of who covers it, 0 for nobody; parents come before their children. */
  #coveredBy(id: number): number {
    const parent = this.#names.parent[id] as number;
    let covered = 0;
    if (parent >= 0) {
      covered = this.#covered[parent] as number;
      const parentPlace = this.#place[parent] as number;
      if (covered === 0 && (this.#has[parent] as number) & HAS_DNAME) covered = parentPlace;
    }
    const isCut = id !== 0 && ((this.#has[id] as number) & HAS_NS) !== 0;
    if (covered === 0 && isCut) covered = this.#place[id] as number;
    this.#covered[id] = covered;
    return covered;
  }

  #writeRrsets(id: number, node: number): number[] {
    const places: number[] = [];
    const owner = this.#names.name(id);
    for (const { type, rdatas, signatures, ttlSeconds, smart } of this.#rrsetsOf(id)) {
      if (smart !== undefined) {
        places.push(this.#writeSmart(smart));
        continue;
      }
      if (type === TYPES.NSEC) this.#nsec.push(node);
      if (type === TYPES.NSEC3) this.#nsec3.push(node);
      const rrset = { owner, type, ttlSeconds, rdatas, signatures };
      places.push(this.#compile(rrset, owner));
    }
    return places;
  }

  #compile(rrset: Parameters<RrsetCompiler['compile']>[1], owner: Name): number {
    const { origin } = this.#input;
    const sink = this.#sink;
    const entry = ({ name, at, how }: Target, place: number): void => {
      const id = isSubdomain(name, origin) ? this.#names.find(name) : -1;
      if (id >= 0) {
        sink.set(place, id + 1);
        this.#pending.push(place);
      }
      sink.set(place + 1, at);
      const isNeeded = rrset.type === TYPES.NS && isSubdomain(name, owner);
      sink.set(place + 2, how | (isNeeded ? layout.ADDITIONAL_NEEDED : 0));
    };
    const wanted = ({ name }: Target): boolean => {
      if (!isSubdomain(name, origin)) return true;
      const id = this.#names.find(name);
      return id >= 0 && ((this.#has[id] as number) & HAS_ADDRESS) !== 0;
    };
    return compiler.compile(sink, rrset, entry, wanted);
  }

  #writeSmart({ type, index }: SmartName): number {
    const place = this.#sink.take(layout.R_PATCHES);
    this.#sink.set(place + layout.R_TYPE, type);
    this.#sink.set(place + layout.R_COUNT, layout.SMART);
    this.#sink.set(place + layout.R_BYTES, index);
    return place;
  }

  #rrsetsOf(id: number): Rrset[] {
    const sets: Rrset[] = [];
    const setOf = (type: number): Rrset => {
      const found = sets.find((each) => each.type === type);
      if (found !== undefined) return found;
      const made = { type, rdatas: [], signatures: [], ttlSeconds: 0xffffffff, smart: undefined };
      sets.push(made);
      return made;
    };
    for (const index of this.#recordsOf(id)) {
      const type = this.#records.type(index);
      const data = this.#data(index);
      const covered = type === TYPES.RRSIG ? coveredType(data) : type;
      const set = setOf(covered);
      if (type === TYPES.RRSIG) set.signatures.push(data);
      else set.rdatas.push(data);
      set.ttlSeconds = Math.min(set.ttlSeconds, this.#records.ttlSeconds(index));
    }
    for (const smart of this.#smart.get(id) ?? []) {
      const made = { type: smart.type, rdatas: [], signatures: [], ttlSeconds: 0, smart };
      sets.push(made);
    }
    for (const set of sets) {
      if (set.rdatas.length > 1) set.rdatas = inOrderOnce(set.type, set.rdatas);
      if (set.signatures.length > 1) set.signatures = inOrderOnce(TYPES.RRSIG, set.signatures);
    }
    return sets.sort((one, other) => one.type - other.type);
  }

  #resolvePending(): void {
    for (const word of this.#pending) {
      this.#sink.set(word, this.#place[this.#sink.get(word) - 1] as number);
    }
  }

  /** The serial. */
  #writeNegativeSoa(): number {
    const soa = this.#rrsetsOf(0).find(({ type }) => type === TYPES.SOA);
    const data = soa?.rdatas[0];
    if (soa === undefined || data === undefined || data.length < MIN_SOA_BYTES) {
      throw new RangeError('a zone without SOA');
    }
    const ttlSeconds = Math.min(soa.ttlSeconds, minimumOf(data));
    const place = this.#compile(
      { ...soa, ttlSeconds, owner: this.#input.origin },
      new Uint8Array(1),
    );
    this.#sink.set(layout.H_NEGATIVE_SOA, place);
    return serialOf(data);
  }

  #writeTable(order: Int32Array, visible: number): void {
    let size = 4;
    while (size * 2 < visible * 3) size *= 2;
    const sink = this.#sink;
    const at = sink.take(2 * size);
    const mask = size - 1;
    sink.set(layout.H_TABLE, at);
    sink.set(layout.H_TABLE_MASK, mask);
    for (const id of order) {
      if (this.#isHidden(id)) continue;
      const hash = this.#names.hash(id);
      let slot = hash & mask;
      while (sink.get(at + 2 * slot + 1) !== 0) slot = (slot + 1) & mask;
      sink.set(at + 2 * slot, hash);
      sink.set(at + 2 * slot + 1, this.#place[id] as number);
    }
  }
}

type Rrset = {
  type: number;
  rdatas: Uint8Array[];
  signatures: Uint8Array[];
  ttlSeconds: number;
  smart: SmartName | undefined;
};

function coveredType(rrsig: Uint8Array): number {
  return ((rrsig[0] ?? 0) << 8) | (rrsig[1] ?? 0);
}

/** Canonical order of data (RFC 4034 §6.3), each once (RFC 2181 §5). */
function inOrderOnce(type: number, rdatas: Uint8Array[]): Uint8Array[] {
  const keyed = rdatas.map((data) => ({ data, key: canonicalRdata(type, data) }));
  keyed.sort((one, other) => compareBytes(one.key, other.key));
  const isFirst = (key: Uint8Array, at: number) => {
    const before = keyed[at - 1];
    return before === undefined || compareBytes(before.key, key) !== 0;
  };
  return keyed.filter(({ key }, at) => isFirst(key, at)).map(({ data }) => data);
}
