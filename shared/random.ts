// Randomness, injected: the system's for daemons, a seeded one (xoshiro128**, Blackman and Vigna
// 2018) for simulations, which print their seed. Neither is for keys or cookies.

export interface Random {
  /** Uniform in [0, 1). */
  next(): number;
  /** A whole number in [0, below). */
  integer(below: number): number;
  bytes(count: number): Uint8Array;
}

export const systemRandom: Random = fromWords(() => {
  const word = new Uint32Array(1);
  crypto.getRandomValues(word);
  return word[0] ?? 0;
});

export function seededRandom(seed: number): Random {
  const state = expandSeed(seed);
  return fromWords(() => {
    const [a = 0, b = 0, c = 0, d = 0] = state;
    const word = Math.imul(rotateLeft(Math.imul(b, 5), 7), 9) >>> 0;
    const mixedC = c ^ a;
    const mixedD = d ^ b;
    state[0] = a ^ mixedD;
    state[1] = b ^ mixedC;
    state[2] = mixedC ^ (b << 9);
    state[3] = rotateLeft(mixedD, 11);
    return word;
  });
}

/** A value within `share` of `around` on either side: spreads what a fleet would do at once. */
export function jitter(random: Random, around: number, share = 0.2): number {
  return around * (1 + share * (2 * random.next() - 1));
}

/** One of the items; an empty list is a programmer's error. */
export function pick<T>(random: Random, items: readonly T[]): T {
  if (items.length === 0) throw new RangeError('pick needs at least one item');
  return items[random.integer(items.length)] as T; // the index is within the list
}

/** A shuffled copy. */
export function shuffle<T>(random: Random, items: readonly T[]): T[] {
  const drawn = items.map((item) => ({ item, key: random.next() }));
  return drawn.sort((a, b) => a.key - b.key).map(({ item }) => item);
}

function fromWords(word: () => number): Random {
  const next = () => ((word() >>> 5) * 2 ** 26 + (word() >>> 6)) / 2 ** 53;
  return {
    next,
    integer(below) {
      if (!Number.isSafeInteger(below) || below < 1)
        throw new RangeError(`no integer below ${below}`);
      return Math.floor(next() * below);
    },
    bytes: (count) => Uint8Array.from({ length: count }, () => word() & 255),
  };
}

/** splitmix32, so that seeds that lie close give streams that do not. */
function expandSeed(seed: number): Uint32Array {
  let counter = seed >>> 0;
  return Uint32Array.from({ length: 4 }, () => {
    counter = (counter + 0x9e3779b9) >>> 0;
    let word = Math.imul(counter ^ (counter >>> 16), 0x21f0aaad);
    word = Math.imul(word ^ (word >>> 15), 0x735a2d97);
    return word ^ (word >>> 15);
  });
}

function rotateLeft(word: number, by: number): number {
  return (word << by) | (word >>> (32 - by));
}
