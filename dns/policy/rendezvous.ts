// Weighted rendezvous hashing (highest random weight): which targets serve each of 256 slots. A
// target that comes or goes moves only its own share of the slots. Pure.

export const SLOTS = 256;

export type Weighted = { key: string; weight: number };

/**
 * For each slot the indices of the `count` highest targets, best first. Weights above 0; the same
 * keys and weights give the same on every machine, in whatever order they come.
 */
export function slotsOf(targets: readonly Weighted[], count: number): number[][] {
  const seeds = targets.map(({ key }) => hashText(key));
  return Array.from({ length: SLOTS }, (_, slot) => {
    const scores = targets.map(({ weight }, index) => -weight / Math.log(unit(seeds[index], slot)));
    const isHigher = (a: number, b: number) => {
      const by = (scores[a] ?? 0) - (scores[b] ?? 0) || -order(targets, a, b);
      return by > 0;
    };
    return highest(targets.length, count, isHigher);
  });
}

/** Of 0 to `length` − 1, best first. Sorting all of them takes ten times as long. */
function highest(
  length: number,
  count: number,
  isHigher: (a: number, b: number) => boolean,
): number[] {
  const best: number[] = [];
  for (let index = 0; index < length; index++) {
    if (best.length === count && !isHigher(index, best[count - 1] ?? 0)) continue;
    let at = best.length;
    while (at > 0 && isHigher(index, best[at - 1] ?? 0)) at--;
    best.splice(at, 0, index);
    if (best.length > count) best.pop();
  }
  return best;
}

/** In (0, 1). */
function unit(seed = 0, slot: number): number {
  let hash = Math.imul(seed ^ Math.imul(slot + 1, 0x9e3779b1), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  hash = Math.imul(hash ^ (hash >>> 16), 0x27d4eb2f);
  return (((hash ^ (hash >>> 15)) >>> 0) + 0.5) / 0x1_0000_0000;
}

/** FNV-1a, mixed. */
function hashText(text: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) {
    hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x7feb352d);
  return hash ^ (hash >>> 15);
}

function order(targets: readonly Weighted[], a: number, b: number): number {
  return (targets[a]?.key ?? '') < (targets[b]?.key ?? '') ? -1 : 1;
}
