// A zone's image as it is read: words and bytes over the shared memory, and the few look-ups that
// an answer is made of. Places are those of layout.ts; 0 is "none". Nothing here allocates. Pure.
import { LOWER } from '../../shared/dns/names.ts';
import type { Name } from '../../shared/dns/types.ts';
import * as layout from './layout.ts';
import { type NameWalk, sameBytes } from './name-walk.ts';
import type { ZoneImage } from './types.ts';

const HASH_WORDS = 5;
const NSEC3_WORDS = HASH_WORDS + 1;
/** Where an answer's question begins, and what follows its name. */
const [QUESTION_AT, QUESTION_TAIL] = [12, 4];
/** Labels and pointers of a name, at most. */
const MAX_STEPS = 256;

/** Scratch of a comparison: by depth, where a block's labels begin. */
const starts = new Uint8Array(128);

/** A zone that is ours but cannot be served: expired, or never loaded (A1). */
export function emptyZone(origin: Name): ZoneImage {
  const memory = new SharedArrayBuffer(0);
  return { origin, serial: 0, names: 0, recordCount: 0, memory };
}

export class ZoneView {
  readonly image: ZoneImage;
  readonly words: Int32Array;
  readonly bytes: Uint8Array;
  /** False: emptyZone(). */
  readonly isServed: boolean;
  readonly isSigned: boolean;
  readonly apex: number;
  readonly negativeSoa: number;
  readonly originDepth: number;
  readonly originLength: number;
  readonly nsec3Count: number;
  readonly nsecCount: number;
  readonly #table: number;
  readonly #mask: number;

  constructor(image: ZoneImage) {
    this.image = image;
    this.isServed = image.memory.byteLength > 0;
    this.words = new Int32Array(image.memory);
    this.bytes = new Uint8Array(image.memory);
    const header = (word: number) => this.words[word] ?? 0;
    if (this.isServed && header(layout.H_MAGIC) !== layout.MAGIC) throw new RangeError('no image');
    if (this.isServed && header(layout.H_VERSION) !== layout.LAYOUT_VERSION) {
      throw new RangeError(`an image of layout ${header(layout.H_VERSION)}`);
    }
    this.apex = header(layout.H_APEX);
    this.negativeSoa = header(layout.H_NEGATIVE_SOA);
    this.isSigned = header(layout.H_IS_SIGNED) === 1;
    this.nsecCount = header(layout.H_NSEC_COUNT);
    this.nsec3Count = header(layout.H_NSEC3_COUNT);
    this.#table = header(layout.H_TABLE);
    this.#mask = header(layout.H_TABLE_MASK);
    this.originLength = image.origin.length;
    let depth = 0;
    for (let at = 0; (image.origin[at] ?? 0) !== 0; at += 1 + (image.origin[at] ?? 0)) depth++;
    this.originDepth = depth;
  }

  /** The block of the suffix of `name` with `depth` labels. `walk` is that name's. */
  find(name: Uint8Array, walk: NameWalk, depth: number): number {
    const { words } = this;
    const hash = walk.hash[depth] as number;
    const at = walk.at[depth] as number;
    const length = (walk.at[0] as number) + 1 - at;
    const mask = this.#mask;
    let slot = hash & mask;
    for (let probes = 0; probes <= mask; probes++) {
      const pair = this.#table + 2 * slot;
      const node = words[pair + 1] as number;
      if (node === 0) return 0;
      if (words[pair] === hash) {
        const nameAt = 4 * (node + layout.N_NAME);
        const itsLength = ((words[node] as number) >>> 8) & 255;
        if (itsLength === length && sameBytes(name, at, this.bytes, nameAt, length)) return node;
      }
      slot = (slot + 1) & mask;
    }
    return 0;
  }

  /** The longest suffix of a name that exists, not itself; ancestors of what exists exist. */
  closestEncloser(name: Uint8Array, walk: NameWalk): number {
    let found = this.apex;
    let low = this.originDepth;
    let high = walk.depth;
    while (high - low > 1) {
      const middle = (low + high) >>> 1;
      const node = this.find(name, walk, middle);
      if (node === 0) high = middle;
      else {
        found = node;
        low = middle;
      }
    }
    return found;
  }

  /**
   * The cut or the DNAME that keeps a name from being this zone's to answer, by its own block (0:
   * it has none) and, if it has none, that of its closest encloser.
   */
  coverOf(exact: number, encloser: number): number {
    const covered = this.words[encloser + layout.N_COVERED] as number;
    if (covered !== 0 || exact !== 0) return covered;
    return (this.flags(encloser) & layout.NODE_DNAME) === 0 ? 0 : encloser;
  }

  /** The place of a name's RRset of a type; one that has only RRSIGs is none. */
  rrset(node: number, type: number): number {
    const { words } = this;
    let place = words[node + layout.N_RRSETS] as number;
    while (place !== 0) {
      if (words[place] === type) return words[place + layout.R_COUNT] === 0 ? 0 : place;
      place = words[place + layout.R_NEXT] as number;
    }
    return 0;
  }

  /** Seconds; of the records of an RRset that is not smart. */
  ttl(rrset: number): number {
    const at = this.recordsAt(rrset) + layout.TTL_AT;
    const { bytes } = this;
    const high = ((bytes[at] as number) << 24) | ((bytes[at + 1] as number) << 16);
    return (high | ((bytes[at + 2] as number) << 8) | (bytes[at + 3] as number)) >>> 0;
  }

  firstRrset(node: number): number {
    return this.words[node + layout.N_RRSETS] as number;
  }

  word(place: number): number {
    return this.words[place] as number;
  }

  flags(node: number): number {
    return (this.words[node] as number) & 255;
  }

  /** Labels of a name. */
  depth(node: number): number {
    return (this.words[node] as number) >>> 16;
  }

  nameLength(node: number): number {
    return ((this.words[node] as number) >>> 8) & 255;
  }

  /** In `bytes`. */
  nameAt(node: number): number {
    return 4 * (node + layout.N_NAME);
  }

  /** In `bytes`: where the records of an RRset begin; its RRSIGs come right behind them. */
  recordsAt(rrset: number): number {
    const { words } = this;
    const patches =
      (words[rrset + layout.R_PATCH_WORDS] as number) + (words[rrset + layout.R_SIGS] as number);
    const entries = layout.ADDITIONAL_WORDS * (words[rrset + layout.R_ADDITIONAL] as number);
    return 4 * (rrset + layout.R_PATCHES + patches + entries);
  }

  /** Of an RRset's records and RRSIGs. */
  recordBytes(rrset: number): number {
    const { words } = this;
    return (
      (words[rrset + layout.R_BYTES] as number) + (words[rrset + layout.R_SIG_BYTES] as number)
    );
  }

  /**
   * The name at `offset` of an RRset's bytes, uncompressed and in the letters that are there, into
   * `into`; its length. `node` has the RRset.
   */
  expandName(node: number, rrset: number, offset: number, into: Uint8Array): number {
    const { bytes } = this;
    const recordsAt = this.recordsAt(rrset);
    const ownerAt = this.nameAt(node);
    // Pointers are as in a message whose question is the owner.
    const selfFrom = QUESTION_AT + this.nameLength(node) + QUESTION_TAIL;
    let at = recordsAt + offset;
    let used = 0;
    for (let steps = 0; steps < MAX_STEPS; steps++) {
      const length = bytes[at] as number;
      if (length >= 0xc0) {
        const to = ((length & 0x3f) << 8) | (bytes[at + 1] as number);
        at = to >= selfFrom ? recordsAt + to - selfFrom : ownerAt + to - QUESTION_AT;
        continue;
      }
      for (let index = 0; index <= length; index++) into[used++] = bytes[at++] as number;
      if (length === 0) return used;
    }
    return 0;
  }

  /**
   * The block whose NSEC is at the suffix of `depth` labels of `name`, or the last one before it in
   * canonical order.
   */
  nsecAtOrBefore(name: Uint8Array, walk: NameWalk, depth: number): number {
    const at = this.words[layout.H_NSEC] as number;
    let low = 0;
    let high = this.nsecCount;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#compare(this.words[at + middle] as number, name, walk, depth) <= 0)
        low = middle + 1;
      else high = middle;
    }
    return low === 0 ? 0 : (this.words[at + low - 1] as number);
  }

  /**
   * The block whose NSEC3 is of `hash`; else, negated, of the last hash before it in the circle,
   * the one that covers it. 0 without a chain.
   */
  nsec3For(hash: Int32Array): number {
    const count = this.nsec3Count;
    if (count === 0) return 0;
    const at = this.words[layout.H_NSEC3] as number;
    let low = 0;
    let high = count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const order = this.#compareHash(at + NSEC3_WORDS * middle, hash);
      if (order === 0) return this.words[at + NSEC3_WORDS * middle + HASH_WORDS] as number;
      if (order < 0) low = middle + 1;
      else high = middle;
    }
    const before = low === 0 ? count - 1 : low - 1;
    return -(this.words[at + NSEC3_WORDS * before + HASH_WORDS] as number);
  }

  #compareHash(place: number, hash: Int32Array): number {
    for (let word = 0; word < HASH_WORDS; word++) {
      const one = (this.words[place + word] as number) >>> 0;
      const other = (hash[word] as number) >>> 0;
      if (one !== other) return one < other ? -1 : 1;
    }
    return 0;
  }

  /** Canonical order (RFC 4034 §6.1) of a block's name and a suffix of another name of the zone. */
  #compare(node: number, name: Uint8Array, walk: NameWalk, itsDepth: number): number {
    const { bytes } = this;
    const nodeAt = this.nameAt(node);
    const nodeDepth = this.depth(node);
    let at = 0;
    for (let depth = nodeDepth; depth > 0; depth--) {
      starts[depth] = at;
      at += (bytes[nodeAt + at] as number) + 1;
    }
    const common = Math.min(nodeDepth, itsDepth);
    for (let depth = this.originDepth + 1; depth <= common; depth++) {
      const mine = nodeAt + (starts[depth] as number);
      const order = compareLabels(bytes, mine, name, walk.at[depth] as number);
      if (order !== 0) return order;
    }
    return nodeDepth - itsDepth;
  }
}

function compareLabels(one: Uint8Array, at: number, other: Uint8Array, otherAt: number): number {
  const length = one[at] as number;
  const otherLength = other[otherAt] as number;
  const common = Math.min(length, otherLength);
  for (let index = 1; index <= common; index++) {
    const mine = LOWER[one[at + index] as number] as number;
    const theirs = LOWER[other[otherAt + index] as number] as number;
    if (mine !== theirs) return mine - theirs;
  }
  return length - otherLength;
}
