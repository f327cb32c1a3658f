// An image as records again, for transfers, export and diff; and a digest of what it holds. Pure.
import { TYPES } from '../../shared/dns/constants.ts';
import { LOWER } from '../../shared/dns/names.ts';
import { canonicalRdata } from '../../shared/dns/rdata.ts';
import type { Name } from '../../shared/dns/types.ts';
import { wordsFor } from './block-sink.ts';
import {
  H_APEX,
  H_BLOCKS_END,
  N_NAME,
  N_RRSETS,
  PATCH_SELF,
  R_COUNT,
  R_NEXT,
  R_PATCH_WORDS,
  R_PATCHES,
  R_SIGS,
  R_TYPE,
  RECORD_HEAD,
  SMART,
} from './layout.ts';
import { Sha1 } from './sha1.ts';
import type { ZoneImage } from './types.ts';
import { ZoneView } from './view.ts';

/** Names in the data uncompressed. Memory of its own, nothing of the image's. */
export type ImageRecord = { owner: Name; type: number; ttlSeconds: number; rdata: Uint8Array };

/**
 * All records: the SOA and its RRSIGs, then by canonical order of the owners (RFC 4034 §6.1), by
 * type, by data; the RRSIGs of an RRset right behind it. Smart names are no records; ALIAS is
 * among them, and is not for the wire.
 */
export function* recordsOf(image: ZoneImage): Generator<ImageRecord> {
  const view = new ZoneView(image);
  if (!view.isServed) return;
  const apex = view.word(H_APEX);
  yield* rrsetsOf(view, apex, (type) => type === TYPES.SOA);
  const end = view.word(H_BLOCKS_END);
  for (let node = apex; node < end; node = nextNode(view, node)) {
    yield* rrsetsOf(view, node, (type) => node !== apex || type !== TYPES.SOA);
  }
}

/** SHA-1 in hex over recordsOf() in canonical form: the same for the same content. */
export function digestOf(image: ZoneImage): string {
  const sha1 = new Sha1();
  sha1.start();
  for (const { owner, type, ttlSeconds, rdata } of recordsOf(image)) {
    for (const byte of owner) sha1.put(LOWER[byte] as number);
    sha1.putWord((type << 16) | rdata.length);
    sha1.putWord(ttlSeconds);
    sha1.putAll(canonicalRdata(type, rdata));
  }
  sha1.finish();
  return [...sha1.words].map((word) => (word >>> 0).toString(16).padStart(8, '0')).join('');
}

/** Blocks lie one after the other: the next begins where the last RRset of this one ends. */
function nextNode(view: ZoneView, node: number): number {
  let last = view.word(node + N_RRSETS);
  if (last === 0) return node + N_NAME + wordsFor(view.nameLength(node));
  while (view.word(last + R_NEXT) !== 0) last = view.word(last + R_NEXT);
  if (view.word(last + R_COUNT) === SMART) return last + R_PATCHES;
  return (view.recordsAt(last) >>> 2) + wordsFor(view.recordBytes(last));
}

function* rrsetsOf(
  view: ZoneView,
  node: number,
  isWanted: (type: number) => boolean,
): Generator<ImageRecord> {
  const nameAt = view.nameAt(node);
  const owner = view.bytes.slice(nameAt, nameAt + view.nameLength(node));
  for (let rrset = view.firstRrset(node); rrset !== 0; rrset = view.word(rrset + R_NEXT)) {
    const count = view.word(rrset + R_COUNT);
    if (count === SMART || !isWanted(view.word(rrset + R_TYPE))) continue;
    yield* recordsOfRrset(view, node, rrset, owner);
  }
}

function* recordsOfRrset(
  view: ZoneView,
  node: number,
  rrset: number,
  owner: Name,
): Generator<ImageRecord> {
  const { bytes } = view;
  const base = view.recordsAt(rrset);
  const pointers = pointersOf(view, rrset);
  const ttlSeconds = view.ttl(rrset);
  let at = base;
  for (let left = view.word(rrset + R_COUNT) + view.word(rrset + R_SIGS); left > 0; left--) {
    const type = ((bytes[at + 2] as number) << 8) | (bytes[at + 3] as number);
    const length = ((bytes[at + 10] as number) << 8) | (bytes[at + 11] as number);
    const from = at + RECORD_HEAD;
    const inside: number[] = [];
    while (pointers.length > 0 && (pointers[0] as number) < from - base + length) {
      inside.push(pointers.shift() as number);
    }
    // The first of them is the owner's.
    const inData = inside.filter((offset) => offset >= from - base);
    const rdata =
      inData.length === 0
        ? bytes.slice(from, from + length)
        : expanded(view, node, rrset, from - base, length, inData);
    yield { owner, type, ttlSeconds, rdata };
    at = from + length;
  }
}

/** Where pointers stand in the records, in order. */
function pointersOf(view: ZoneView, rrset: number): number[] {
  const end = rrset + R_PATCHES + view.word(rrset + R_PATCH_WORDS);
  const offsets: number[] = [];
  for (let place = rrset + R_PATCHES; place < end; place++) {
    const patch = view.word(place);
    offsets.push(patch >>> 8);
    if ((patch & 255) === PATCH_SELF) place++;
  }
  return offsets;
}

/** Data whose names end in pointers at `pointers`. */
function expanded(
  view: ZoneView,
  node: number,
  rrset: number,
  from: number,
  length: number,
  pointers: readonly number[],
): Uint8Array {
  const base = view.recordsAt(rrset);
  const out: number[] = [];
  const name = new Uint8Array(256);
  let at = from;
  for (const pointer of pointers) {
    out.push(...view.bytes.subarray(base + at, base + pointer));
    out.push(...name.subarray(0, view.expandName(node, rrset, pointer, name)));
    at = pointer + 2;
  }
  out.push(...view.bytes.subarray(base + at, base + from + length));
  return Uint8Array.from(out);
}
