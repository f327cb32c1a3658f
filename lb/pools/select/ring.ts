// A hash ring (ketama's kind): each target has points on it by its weight, and serves the keys up
// to each. A target that goes moves only its own keys, and theirs to all others alike. Pure.
import { hashText, mix } from '../../../shared/health/fingerprint.ts';
import type { Member } from '../member.ts';
import type { OwnerTable } from './table-walk.ts';

/** Of a weight of 1: the shares are within a few percent then. */
const POINTS = 4096;
const MAX_POINTS = 131_072;
const OWNERS = 2 ** 16;

export function ringOf(tier: readonly Member[]): OwnerTable {
  const each = pointsOfOne(tier.reduce((sum, { weight }) => sum + weight, 0));
  const counts = tier.map(({ weight }) => Math.max(1, Math.round(each * weight)));
  // Hash and owner in one number, to be sorted as such.
  const sorted = new Float64Array(counts.reduce((sum, count) => sum + count, 0));
  let at = 0;
  for (const [owner, count] of counts.entries()) {
    const seed = hashText(tier[owner]?.id ?? '');
    for (let point = 1; point <= count; point++) {
      sorted[at++] = mix(seed ^ Math.imul(point, 0x9e3779b1)) * OWNERS + owner;
    }
  }
  sorted.sort();
  const points = Uint32Array.from(sorted, (value) => Math.floor(value / OWNERS));
  const owners = Uint16Array.from(sorted, (value) => value % OWNERS);
  return { owners, startOf: (hash) => firstFrom(points, hash), stepOf: () => 1 };
}

/**
 * A power of two, so that it stays the same for most changes: where it changes, keys move that need
 * not. With weights of 1 that is only beyond 32 targets.
 */
function pointsOfOne(totalWeight: number): number {
  return Math.min(POINTS, 2 ** Math.floor(Math.log2(MAX_POINTS / Math.max(1, totalWeight))));
}

/** Index of the first point that is not before the hash; beyond the last: the number of points. */
function firstFrom(points: Uint32Array, hash: number): number {
  let [low, high] = [0, points.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((points[middle] ?? 0) < hash) low = middle + 1;
    else high = middle;
  }
  return low;
}
