// The hash that picks a slot of a pool's table; docs/balancing.md K2, bpf/lb.h. Written again in
// bpf/hash.h. Pure.

export const MAGLEV_SLOTS = 65537;

/** As HASH_SEED in lb.h. */
const HASH_SEED = 0xed9e1b04;

/** What is hashed. Numbers in host order. */
export type HashKey = {
  source: number;
  destination: number;
  sourcePort: number;
  destinationPort: number;
  protocol: number;
};

/** MurmurHash3's x86 32-bit variant over words, each as four bytes, least significant first. */
export function hashWords(words: readonly number[], seed: number = HASH_SEED): number {
  let hash = seed;
  for (const word of words) {
    const mixed = Math.imul(rotateLeft(Math.imul(word, 0xcc9e2d51), 15), 0x1b873593);
    hash = (Math.imul(rotateLeft(hash ^ mixed, 13), 5) + 0xe6546b64) >>> 0;
  }
  hash = (hash ^ (words.length * 4)) >>> 0;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b) >>> 0;
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35) >>> 0;
  return (hash ^ (hash >>> 16)) >>> 0;
}

/** `hash: flow`. */
export function hashFlow(key: HashKey): number {
  const ports = ((key.sourcePort << 16) | key.destinationPort) >>> 0;
  return hashWords([key.source, key.destination, ports, key.protocol]);
}

/** `hash: source`. */
export const hashSource = (source: number): number => hashWords([source]);

/** Of a fragment, where the server says `hash: flow`. */
export const hashAddresses = (source: number, destination: number): number =>
  hashWords([source, destination]);

export const maglevSlot = (hash: number): number => hash % MAGLEV_SLOTS;

const rotateLeft = (word: number, bits: number): number => (word << bits) | (word >>> (32 - bits));
