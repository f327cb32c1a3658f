// One RRset into wire bytes that an answer copies: layout.ts has their form, answers.md (A12) the
// rule of compression. Pure.
import { TYPES } from '../../shared/dns/constants.ts';
import { isWildcard, sameName } from '../../shared/dns/names.ts';
import { typeOf } from '../../shared/dns/rdata.ts';
import type { Name } from '../../shared/dns/types.ts';
import { type BlockSink, wordsFor } from './block-sink.ts';
import {
  ADDITIONAL_LITERAL,
  ADDITIONAL_OWNER,
  ADDITIONAL_WORDS,
  MAX_SELF,
  PATCH_SELF,
  R_ADDITIONAL,
  R_BYTES,
  R_COUNT,
  R_PATCH_WORDS,
  R_PATCHES,
  R_SIG_BYTES,
  R_SIGS,
  R_TYPE,
  RECORD_HEAD,
} from './layout.ts';
import { commonDepth, NameWalk } from './name-walk.ts';

/** What no answer can hold is not made shorter either: it is only transferred. */
const MAX_ANSWER_BYTES = 0xffff;
/** Names of an RRset that later ones are compared with. */
const MAX_EARLIER = 16;
/** Where an answer's question begins, and what follows its name. */
const [QUESTION_AT, QUESTION_TAIL] = [12, 4];

export type RrsetInput = {
  owner: Name;
  type: number;
  ttlSeconds: number;
  rdatas: readonly Uint8Array[];
  signatures: readonly Uint8Array[];
};

/** A name in the data whose addresses belong beside it (A9). */
export type Target = { name: Name; at: number; how: number };

/** Offset of that name in the data, by type. */
const targetOffsets = new Map<number, number>([
  [TYPES.NS, 0],
  [TYPES.MX, 2],
  [TYPES.SRV, 6],
  [TYPES.SVCB, 2],
  [TYPES.HTTPS, 2],
]);

type Earlier = { rdata: Uint8Array; offset: number; at: number; literalAbove: number };

/** Two MX may name one host; beyond so many targets nobody looks for that. */
const MAX_COMPARED = 64;

function isFirst({ name }: Target, index: number, all: readonly Target[]): boolean {
  const before = all.slice(0, Math.min(index, MAX_COMPARED));
  return !before.some((other) => sameName(other.name, name));
}

/** Keeps scratch memory, and so makes one RRset at a time. */
export class RrsetCompiler {
  readonly #ownerWalk = new NameWalk();
  readonly #nameWalk = new NameWalk();
  readonly #earlierWalks = Array.from({ length: MAX_EARLIER }, () => new NameWalk());
  #ownerName: Name = new Uint8Array(0);
  #earlier: Earlier[] = [];
  #bytes = new Uint8Array(4096);
  #used = 0;
  #patches: number[] = [];
  #targets: Target[] = [];

  /**
   * Writes the block; its place is returned. `entry` is called for each target that is `wanted`, to
   * write its additional entry.
   */
  compile(
    sink: BlockSink,
    input: RrsetInput,
    entry: (target: Target, entryPlace: number) => void,
    wanted: (target: Target) => boolean,
  ): number {
    this.#ownerName = input.owner;
    this.#ownerWalk.take(input.owner);
    this.#used = 0;
    this.#patches = [];
    this.#targets = [];
    this.#earlier = [];
    for (const rdata of input.rdatas) this.#putRecord(input, rdata);
    const recordBytes = this.#used;
    const signatureAts = input.signatures.map((rdata) => {
      const at = this.#putHead(TYPES.RRSIG, input.ttlSeconds, rdata.length);
      this.#putBytes(rdata, 0, rdata.length);
      return at;
    });
    const targets = this.#targets.filter(isFirst).filter(wanted);
    const before = R_PATCHES + this.#patches.length + signatureAts.length;
    const words = before + ADDITIONAL_WORDS * targets.length + wordsFor(this.#used);
    const place = sink.take(words);
    sink.set(place + R_TYPE, input.type);
    sink.set(place + R_COUNT, input.rdatas.length);
    sink.set(place + R_BYTES, recordBytes);
    sink.set(place + R_SIGS, signatureAts.length);
    sink.set(place + R_SIG_BYTES, this.#used - recordBytes);
    sink.set(place + R_PATCH_WORDS, this.#patches.length);
    sink.set(place + R_ADDITIONAL, targets.length);
    let at = place + R_PATCHES;
    for (const patch of this.#patches) sink.set(at++, patch);
    for (const start of signatureAts) sink.set(at++, start);
    for (const target of targets) {
      entry(target, at);
      at += ADDITIONAL_WORDS;
    }
    sink.bytes.set(this.#bytes.subarray(0, this.#used), 4 * at);
    return place;
  }

  #putRecord({ type, ttlSeconds }: RrsetInput, rdata: Uint8Array): void {
    const owned = this.#used <= MAX_ANSWER_BYTES;
    const start = this.#putHead(type, ttlSeconds, 0);
    if (owned) this.#patches.push(start * 256 + this.#ownerWalk.depth);
    const target = targetOffsets.get(type);
    if (target !== undefined) this.#target(type, rdata, target);
    let copied = 0;
    const names = owned && type !== TYPES.ALIAS ? typeOf(type).names(rdata) : [];
    for (const [offset, mayBeCompressed] of names) {
      if (!mayBeCompressed) continue;
      this.#putBytes(rdata, copied, offset);
      copied = this.#putName(rdata, offset);
    }
    this.#putBytes(rdata, copied, rdata.length);
    const length = this.#used - start - RECORD_HEAD;
    this.#bytes[start + 10] = length >>> 8;
    this.#bytes[start + 11] = length;
  }

  #putHead(type: number, ttlSeconds: number, length: number): number {
    this.#reserve(RECORD_HEAD);
    const start = this.#used;
    const bytes = this.#bytes;
    bytes[start] = 0xc0;
    bytes[start + 1] = QUESTION_AT;
    bytes[start + 2] = type >>> 8;
    bytes[start + 3] = type;
    bytes[start + 4] = 0;
    bytes[start + 5] = 1;
    bytes[start + 6] = ttlSeconds >>> 24;
    bytes[start + 7] = ttlSeconds >>> 16;
    bytes[start + 8] = ttlSeconds >>> 8;
    bytes[start + 9] = ttlSeconds;
    bytes[start + 10] = length >>> 8;
    bytes[start + 11] = length;
    this.#used = start + RECORD_HEAD;
    return start;
  }

  #putBytes(from: Uint8Array, start: number, end: number): void {
    if (end <= start) return;
    this.#reserve(end - start);
    for (let index = start; index < end; index++) this.#bytes[this.#used++] = from[index] as number;
  }

  /** The name at `offset`, its end a pointer where one can be; the offset behind it in `rdata`. */
  #putName(rdata: Uint8Array, offset: number): number {
    const walk = this.#nameWalk;
    const owner = this.#ownerWalk;
    walk.take(rdata, offset);
    // A wildcard's own label is never in an answer's question; its parent's labels are.
    const most = isWildcard(this.#ownerName) ? owner.depth - 1 : owner.depth;
    let depth = Math.min(most, commonDepth(this.#ownerName, 0, owner, rdata, offset, walk));
    let self = -1;
    for (const [index, each] of this.#earlier.entries()) {
      const other = this.#earlierWalks[index] as NameWalk;
      const common = commonDepth(each.rdata, each.offset, other, rdata, offset, walk);
      if (common <= depth || common <= each.literalAbove) continue;
      const at = each.at + (other.at[common] as number);
      if (at > MAX_SELF) continue;
      depth = common;
      self = at;
    }
    this.#remember(rdata, offset, depth);
    const nameEnd = offset + (walk.at[0] as number) + 1;
    if (depth === 0) {
      this.#putBytes(rdata, offset, nameEnd);
      return nameEnd;
    }
    this.#putBytes(rdata, offset, offset + (walk.at[depth] as number));
    this.#putPointer(depth, self);
    return nameEnd;
  }

  #putPointer(depth: number, self: number): void {
    this.#reserve(2);
    const owner = QUESTION_AT + (this.#ownerWalk.at[depth] as number);
    const recordsAt = QUESTION_AT + (this.#ownerWalk.at[0] as number) + 1 + QUESTION_TAIL;
    const pointer = 0xc000 | (self < 0 ? owner : recordsAt + self);
    if (self < 0) this.#patches.push(this.#used * 256 + depth);
    else this.#patches.push(this.#used * 256 + PATCH_SELF, self);
    this.#bytes[this.#used++] = pointer >>> 8;
    this.#bytes[this.#used++] = pointer;
  }

  #remember(rdata: Uint8Array, offset: number, literalAbove: number): void {
    const index = this.#earlier.length;
    if (index === MAX_EARLIER) return;
    this.#earlierWalks[index]?.take(rdata, offset);
    this.#earlier.push({ rdata, offset, at: this.#used, literalAbove });
  }

  #target(type: number, rdata: Uint8Array, offset: number): void {
    const name = rdata.subarray(offset);
    const isPointedTo = type === TYPES.NS || type === TYPES.MX;
    if (name[0] === 0) {
      // SVCB in service mode: "." is the owner (RFC 9460 §2.5); else it is nothing.
      const isService = (type === TYPES.SVCB || type === TYPES.HTTPS) && (rdata[1] || rdata[0]);
      if (isService) this.#targets.push({ name: this.#ownerName, at: 0, how: ADDITIONAL_OWNER });
      return;
    }
    this.#nameWalk.take(name);
    this.#targets.push({
      name: name.subarray(0, (this.#nameWalk.at[0] as number) + 1),
      at: this.#used + offset,
      how: isPointedTo ? 0 : ADDITIONAL_LITERAL,
    });
  }

  #reserve(bytes: number): void {
    if (this.#used + bytes <= this.#bytes.length) return;
    const grown = new Uint8Array(2 * this.#bytes.length + bytes);
    grown.set(this.#bytes);
    this.#bytes = grown;
  }
}
