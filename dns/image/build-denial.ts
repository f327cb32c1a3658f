// What proofs of what does not exist are found by: names with an NSEC in order (RFC 4034 §4), or
// the hashes of one chain of NSEC3 in order (RFC 5155). Pure.
import { TYPES } from '../../shared/dns/constants.ts';
import { type BlockSink, wordsFor } from './block-sink.ts';
import * as layout from './layout.ts';

/** More only costs the server and makes validators treat the zone as insecure (RFC 9276 §3.2). */
const MAX_ITERATIONS = 100;
const SHA1 = 1;
const HASH_BYTES = 20;
const HASH_WORDS = 5;

type Chain = { iterations: number; salt: Uint8Array; links: Link[] };
/** Of one NSEC3: its owner's hash and the next one's, as 5 words each, and its name's place. */
type Link = { hash: Int32Array; next: Int32Array; node: number };

/**
 * Writes both indexes and their words of the header. `params` is the data of the apex'
 * NSEC3PARAMs; places in `nodes` are in canonical order.
 */
export function writeDenial(
  sink: BlockSink,
  nodes: { nsec: readonly number[]; nsec3: readonly number[] },
  params: readonly Uint8Array[],
  isSigned: boolean,
  warn: (message: string) => void,
): void {
  sink.set(layout.H_IS_SIGNED, isSigned ? 1 : 0);
  if (!isSigned) return;
  const chain = nodes.nsec3.length === 0 ? undefined : usableChain(sink, nodes.nsec3, params, warn);
  if (chain !== undefined) writeChain(sink, chain);
  else if (nodes.nsec.length > 0) writeNsec(sink, nodes.nsec);
  else warn('signed, but without a whole chain of NSEC or NSEC3: negative answers have no proof');
}

function writeNsec(sink: BlockSink, nodes: readonly number[]): void {
  const at = sink.take(nodes.length);
  sink.set(layout.H_NSEC, at);
  sink.set(layout.H_NSEC_COUNT, nodes.length);
  for (const [index, node] of nodes.entries()) sink.set(at + index, node);
}

function writeChain(sink: BlockSink, { iterations, salt, links }: Chain): void {
  const saltAt = sink.take(wordsFor(salt.length));
  sink.bytes.set(salt, 4 * saltAt);
  const at = sink.take((HASH_WORDS + 1) * links.length);
  sink.set(layout.H_NSEC3, at);
  sink.set(layout.H_NSEC3_COUNT, links.length);
  sink.set(layout.H_NSEC3_ITERATIONS, iterations);
  sink.set(layout.H_NSEC3_SALT_LENGTH, salt.length);
  sink.set(layout.H_NSEC3_SALT, saltAt);
  for (const [index, link] of links.entries()) {
    const place = at + (HASH_WORDS + 1) * index;
    for (let word = 0; word < HASH_WORDS; word++) sink.set(place + word, link.hash[word] as number);
    sink.set(place + HASH_WORDS, link.node);
  }
}

/** Several NSEC3PARAMs are a zone amid a change of them: the one whose chain is whole is used. */
function usableChain(
  sink: BlockSink,
  nodes: readonly number[],
  params: readonly Uint8Array[],
  warn: (message: string) => void,
): Chain | undefined {
  for (const data of params) {
    // RFC 5155 §4.1.2: flags other than 0 mean that it is not to be used.
    if (data[0] !== SHA1 || data[1] !== 0 || data.length < 5) continue;
    const iterations = ((data[2] as number) << 8) | (data[3] as number);
    if (iterations > MAX_ITERATIONS) {
      warn(
        `NSEC3 with ${iterations} iterations is not used, the most is ${MAX_ITERATIONS}: ` +
          'negative answers have no proof; sign with 0 (RFC 9276)',
      );
      continue;
    }
    const salt = data.subarray(5, 5 + (data[4] as number));
    const links = nodes.flatMap((node) => linksOf(sink, node, data));
    links.sort((one, other) => compareHashes(one.hash, other.hash));
    if (isWhole(links)) return { iterations, salt, links };
  }
  return undefined;
}

function linksOf(sink: BlockSink, node: number, params: Uint8Array): Link[] {
  const hash = hashOfOwner(sink, node);
  if (hash === undefined) return [];
  return nsec3Data(sink, node)
    .filter((data) => hasParams(data, params))
    .map((data) => {
      const saltLength = data[4] as number;
      return { hash, next: wordsOf(data, 6 + saltLength), node };
    });
}

/** Algorithm, iterations and salt; the flags (opt-out) are each record's own. */
function hasParams(data: Uint8Array, params: Uint8Array): boolean {
  const length = 5 + (params[4] as number);
  if (data[5 + (data[4] as number)] !== HASH_BYTES) return false;
  for (let at = 0; at < length; at++) if (at !== 1 && data[at] !== params[at]) return false;
  return true;
}

function nsec3Data(sink: BlockSink, node: number): Uint8Array[] {
  for (let rrset = sink.get(node + layout.N_RRSETS); rrset !== 0; ) {
    if (sink.get(rrset + layout.R_TYPE) === TYPES.NSEC3) return recordData(sink, rrset);
    rrset = sink.get(rrset + layout.R_NEXT);
  }
  return [];
}

function recordData(sink: BlockSink, rrset: number): Uint8Array[] {
  const words =
    sink.get(rrset + layout.R_PATCH_WORDS) +
    sink.get(rrset + layout.R_SIGS) +
    layout.ADDITIONAL_WORDS * sink.get(rrset + layout.R_ADDITIONAL);
  let at = 4 * (rrset + layout.R_PATCHES + words);
  const all: Uint8Array[] = [];
  for (let count = sink.get(rrset + layout.R_COUNT); count > 0; count--) {
    const length = ((sink.bytes[at + 10] as number) << 8) | (sink.bytes[at + 11] as number);
    all.push(sink.bytes.subarray(at + layout.RECORD_HEAD, at + layout.RECORD_HEAD + length));
    at += layout.RECORD_HEAD + length;
  }
  return all;
}

/** The first label in base32 with extended hex (RFC 4648 §7), in either case; else undefined. */
function hashOfOwner(sink: BlockSink, node: number): Int32Array | undefined {
  const at = 4 * (node + layout.N_NAME);
  const length = sink.bytes[at] as number;
  if (length !== (HASH_BYTES * 8) / 5) return undefined;
  const hash = new Uint8Array(HASH_BYTES);
  for (let index = 0; index < length; index++) {
    const digit = base32Digit(sink.bytes[at + 1 + index] as number);
    if (digit < 0) return undefined;
    for (let bit = 0; bit < 5; bit++) {
      const position = 5 * index + bit;
      const value = (digit >>> (4 - bit)) & 1;
      hash[position >>> 3] = (hash[position >>> 3] as number) | (value << (7 - (position & 7)));
    }
  }
  return wordsOf(hash, 0);
}

function base32Digit(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const lower = byte | 0x20;
  return lower >= 0x61 && lower <= 0x76 ? lower - 0x61 + 10 : -1;
}

function wordsOf(bytes: Uint8Array, at: number): Int32Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Int32Array.from({ length: HASH_WORDS }, (_, word) => view.getInt32(at + 4 * word));
}

function isWhole(links: readonly Link[]): boolean {
  return (
    links.length > 0 &&
    links.every((link, index) => {
      const after = links[(index + 1) % links.length] as Link;
      return compareHashes(link.next, after.hash) === 0;
    })
  );
}

function compareHashes(one: Int32Array, other: Int32Array): number {
  for (let word = 0; word < HASH_WORDS; word++) {
    const order = ((one[word] as number) >>> 0) - ((other[word] as number) >>> 0);
    if (order !== 0) return order;
  }
  return 0;
}
