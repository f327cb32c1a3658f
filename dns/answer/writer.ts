// Writes an answer's sections: RRsets copied from images, their pointers put right for where the
// owner stands in this message (A12). Keeps the name that is being answered: first the QNAME, then
// each target of a chain, as bytes in lower case and as places in the message. Pure.
import { HEADER_BYTES, MAX_POINTER } from '../../shared/dns/constants.ts';
import { LOWER } from '../../shared/dns/names.ts';
import {
  PATCH_SELF,
  R_BYTES,
  R_COUNT,
  R_PATCH_WORDS,
  R_PATCHES,
  R_SIG_BYTES,
  R_SIGS,
  RECORD_HEAD,
} from '../image/layout.ts';
import { NameWalk } from '../image/name-walk.ts';
import type { ZoneView } from '../image/view.ts';
import type { Query } from './query-types.ts';

/** A chain goes no further: what is written behind has room for its own pointers (MAX_SELF). */
const MAX_OWNER_AT = 0x1e00;
/** Labels and pointers of a name, at most. */
const MAX_STEPS = 256;

export class Writer {
  out: Uint8Array = new Uint8Array(0);
  /** Where the next record goes. */
  at = 0;
  limit = 0;
  /** Something that was needed did not fit; from then on nothing is written. */
  isFull = false;
  /** The name that is being answered, in lower case; `walk` is its. */
  name: Uint8Array = new Uint8Array(0);
  readonly walk = new NameWalk();
  /** By depth: where in the message that suffix of `name` stands, its first label in full. */
  readonly labelAt = new Uint16Array(128);
  readonly #chained = new Uint8Array(256);

  begin(query: Query, out: Uint8Array, from: number, limit: number): void {
    this.out = out;
    this.at = from;
    this.limit = limit;
    this.isFull = false;
    this.name = query.lower;
    this.walk.take(query.lower);
  }

  /** Before anything but the fast path. */
  fillLabels(): void {
    const { walk, labelAt } = this;
    for (let depth = 0; depth <= walk.depth; depth++) {
      labelAt[depth] = HEADER_BYTES + (walk.at[depth] as number);
    }
  }

  /** Where the whole name stands. */
  get ownerAt(): number {
    return this.labelAt[this.walk.depth] as number;
  }

  /** The name at `at` of the message is answered from now on. False: pointers do not reach it. */
  follow(at: number): boolean {
    const { out, labelAt } = this;
    if (at > MAX_OWNER_AT) return false;
    const used = this.readName(at, this.#chained);
    if (used === 0) return false;
    this.name = this.#chained;
    this.walk.take(this.#chained);
    let place = at;
    for (let depth = this.walk.depth; depth >= 0; depth--) {
      while ((out[place] as number) >= 0xc0) place = pointerAt(out, place);
      labelAt[depth] = place;
      place += (out[place] as number) + 1;
    }
    return true;
  }

  /** The name at `at` of the message in lower case, uncompressed; its length, 0 without an end. */
  readName(at: number, into: Uint8Array): number {
    const { out } = this;
    let used = 0;
    for (let steps = 0; steps < MAX_STEPS; steps++) {
      const length = out[at] as number;
      if (length >= 0xc0) {
        at = pointerAt(out, at);
        continue;
      }
      for (let index = 0; index <= length; index++) {
        into[used++] = LOWER[out[at++] as number] as number;
      }
      if (length === 0) return used;
    }
    return 0;
  }

  /**
   * An RRset whose owner stands at `ownerAt`; `ownerDepth` is that of the name which it has in the
   * image (of a wildcard its own). All or nothing: the number of records, 0 when it did not fit.
   */
  rrset(
    view: ZoneView,
    rrset: number,
    ownerDepth: number,
    ownerAt: number,
    withSigs: boolean,
  ): number {
    const { words } = view;
    const base = this.at;
    const patchWords = words[rrset + R_PATCH_WORDS] as number;
    const sigs = withSigs ? (words[rrset + R_SIGS] as number) : 0;
    let length = words[rrset + R_BYTES] as number;
    if (sigs > 0) length += words[rrset + R_SIG_BYTES] as number;
    if (!this.copy(view.bytes, view.recordsAt(rrset), length)) return 0;
    const patches = rrset + R_PATCHES;
    for (let index = 0; index < patchWords; index++) {
      const patch = words[patches + index] as number;
      const depth = patch & 255;
      let to = depth === ownerDepth ? ownerAt : (this.labelAt[depth] as number);
      if (depth === PATCH_SELF) to = base + (words[patches + ++index] as number);
      this.#pointer(base + (patch >>> 8), to);
    }
    for (let index = 0; index < sigs; index++) {
      this.#pointer(base + (words[patches + patchWords + index] as number), ownerAt);
    }
    return (words[rrset + R_COUNT] as number) + sigs;
  }

  /** Only the RRSIGs of an RRset. */
  signatures(view: ZoneView, rrset: number, ownerAt: number): number {
    const { words } = view;
    const sigs = words[rrset + R_SIGS] as number;
    if (sigs === 0) return 0;
    const skip = words[rrset + R_BYTES] as number;
    const base = this.at - skip;
    const length = words[rrset + R_SIG_BYTES] as number;
    if (!this.copy(view.bytes, view.recordsAt(rrset) + skip, length)) return 0;
    const starts = rrset + R_PATCHES + (words[rrset + R_PATCH_WORDS] as number);
    for (let index = 0; index < sigs; index++) {
      this.#pointer(base + (words[starts + index] as number), ownerAt);
    }
    return sigs;
  }

  /**
   * An RRset whose owner is nowhere in the message, of a type without compressed names: the
   * owner is written out, up to its zone's origin if that stands at `originAt` (0: nowhere).
   */
  expanded(
    view: ZoneView,
    node: number,
    rrset: number,
    originAt: number,
    withSigs: boolean,
  ): number {
    const { words, bytes } = view;
    const start = this.at;
    const sigs = withSigs ? (words[rrset + R_SIGS] as number) : 0;
    const count = (words[rrset + R_COUNT] as number) + sigs;
    // An owner that is its zone's origin is a pointer already, and nothing points to those.
    const isOrigin = originAt > 0 && view.nameLength(node) === view.originLength;
    const ownerAt = isOrigin ? originAt : start;
    let from = view.recordsAt(rrset);
    for (let index = 0; index < count; index++) {
      const length =
        RECORD_HEAD + ((bytes[from + 10] as number) << 8) + (bytes[from + 11] as number);
      const isOwned =
        (index > 0 || isOrigin) && ownerAt <= MAX_POINTER
          ? this.#putPointer(ownerAt)
          : this.#putName(view, node, originAt);
      if (!isOwned || !this.copy(bytes, from + 2, length - 2)) {
        this.at = start;
        return 0;
      }
      from += length;
    }
    return count;
  }

  /** One record; its data is out[at of the return, …). Returns where, 0 when it did not fit. */
  record(type: number, ttlSeconds: number, data: Uint8Array, length: number): number {
    const { out, at } = this;
    const end = at + RECORD_HEAD + length;
    if (end > this.limit) {
      this.isFull = true;
      return 0;
    }
    this.#pointer(at, this.ownerAt);
    out[at + 2] = type >>> 8;
    out[at + 3] = type;
    out[at + 4] = 0;
    out[at + 5] = 1;
    this.ttl(at, ttlSeconds);
    out[at + 10] = length >>> 8;
    out[at + 11] = length;
    for (let index = 0; index < length; index++) {
      out[at + RECORD_HEAD + index] = data[index] as number;
    }
    this.at = end;
    return at + RECORD_HEAD;
  }

  /** Writes the TTL of the record that begins at `at`. */
  ttl(at: number, seconds: number): void {
    const { out } = this;
    out[at + 6] = seconds >>> 24;
    out[at + 7] = seconds >>> 16;
    out[at + 8] = seconds >>> 8;
    out[at + 9] = seconds;
  }

  /** Plain bytes. False, and nothing written, when they do not fit. */
  copy(from: Uint8Array, start: number, length: number): boolean {
    const { out, at } = this;
    if (at + length > this.limit) {
      this.isFull = true;
      return false;
    }
    for (let index = 0; index < length; index++) out[at + index] = from[start + index] as number;
    this.at = at + length;
    return true;
  }

  #putName(view: ZoneView, node: number, originAt: number): boolean {
    const length = view.nameLength(node);
    const isPointed = originAt > 0 && view.originLength > 1;
    const literal = isPointed ? length - view.originLength : length;
    if (!this.copy(view.bytes, view.nameAt(node), literal)) return false;
    return !isPointed || this.#putPointer(originAt);
  }

  #putPointer(to: number): boolean {
    if (this.at + 2 > this.limit) {
      this.isFull = true;
      return false;
    }
    this.#pointer(this.at, to);
    this.at += 2;
    return true;
  }

  #pointer(at: number, to: number): void {
    this.out[at] = 0xc0 | (to >>> 8);
    this.out[at + 1] = to & 255;
  }
}

function pointerAt(bytes: Uint8Array, at: number): number {
  return (((bytes[at] as number) & 0x3f) << 8) | (bytes[at + 1] as number);
}
