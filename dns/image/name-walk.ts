// A name taken apart in one go: where its labels begin and the hash of each of its suffixes, by
// depth (the number of labels, the root's not counted). Images and the catalog look names up by
// these hashes, so each suffix of a QNAME is hashed once for all of them. Pure.
import { LOWER } from '../../shared/dns/names.ts';

const MAX_LABELS = 127;
const FNV_BASIS = 0x811c9dc5 | 0;
const FNV_PRIME = 0x01000193;

export class NameWalk {
  /** Labels of the name. */
  depth = 0;
  /** By depth: offset of the suffix of so many labels; [0] is the root's byte. */
  readonly at = new Uint8Array(MAX_LABELS + 1);
  /** By depth: hash of that suffix, signed 32 bits. */
  readonly hash = new Int32Array(MAX_LABELS + 1);
  readonly #starts = new Uint8Array(MAX_LABELS + 1);

  /** A name in wire form at `from`; offsets are counted from there. Case does not matter. */
  take(bytes: Uint8Array, from = 0): void {
    const starts = this.#starts;
    let count = 0;
    let at = 0;
    let length = bytes[from] as number;
    while (length !== 0 && count < MAX_LABELS) {
      starts[count++] = at;
      at += length + 1;
      length = bytes[from + at] as number;
    }
    this.depth = count;
    this.at[0] = at;
    this.hash[0] = FNV_BASIS;
    let running = FNV_BASIS;
    for (let depth = 1; depth <= count; depth++) {
      const start = starts[count - depth] as number;
      this.at[depth] = start;
      const end = from + start + (bytes[from + start] as number);
      for (let index = from + start; index <= end; index++) {
        running = Math.imul(running ^ (LOWER[bytes[index] as number] as number), FNV_PRIME);
      }
      this.hash[depth] = mixed(running);
    }
  }
}

/** FNV's low bits depend on low bits only; tables are indexed by them. */
function mixed(hash: number): number {
  const once = Math.imul(hash ^ (hash >>> 16), 0x7feb352d);
  return once ^ (once >>> 15);
}

/** Whether `length` bytes of a name in any case are those of another at `otherAt`. */
export function sameBytes(
  one: Uint8Array,
  at: number,
  other: Uint8Array,
  otherAt: number,
  length: number,
): boolean {
  for (let index = 0; index < length; index++) {
    const byte = LOWER[one[at + index] as number];
    if (byte !== LOWER[other[otherAt + index] as number]) return false;
  }
  return true;
}

/** How many labels two names have in common, from the root's side. */
export function commonDepth(
  one: Uint8Array,
  oneFrom: number,
  oneWalk: NameWalk,
  other: Uint8Array,
  otherFrom: number,
  otherWalk: NameWalk,
): number {
  const most = Math.min(oneWalk.depth, otherWalk.depth);
  for (let depth = 1; depth <= most; depth++) {
    if (oneWalk.hash[depth] !== otherWalk.hash[depth]) return depth - 1;
    const [at, against] = [oneWalk.at[depth] as number, otherWalk.at[depth] as number];
    const length = (one[oneFrom + at] as number) + 1;
    if (!sameBytes(one, oneFrom + at, other, otherFrom + against, length)) return depth - 1;
  }
  return most;
}
