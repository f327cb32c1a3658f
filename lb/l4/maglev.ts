// The table of a pool: Maglev hashing (Eisenbud et al., NSDI 2016, §3.4) with weights by credit.
// Rule K2. The result depends on ids and weights alone, so all instances build the same one. Pure.

import { hashText } from '../../shared/health/fingerprint.ts';

/** A prime; as MAGLEV_SLOTS in lb.h. */
export const MAGLEV_SLOTS = 65537;

/** `weight`: more than 0; only the ratio of weights matters. */
export type MaglevTarget = { id: string; weight: number };

const OFFSET_SEED = 0x9e3779b9;
const SKIP_SEED = 0x7f4a7c15;
const FREE = -1;

/**
 * For each slot the index of its target in `targets`, whose order is no matter; ids are unique. No
 * targets: an empty table.
 */
export function maglevTable(targets: readonly MaglevTarget[]): Int32Array {
  if (targets.length === 0) return new Int32Array(0);
  const order = [...targets.keys()].sort((a, b) => compareIds(targets[a], targets[b]));
  const count = order.length;
  const heaviest = targets.reduce((most, { weight }) => Math.max(most, weight), 0);
  // Where each target's own permutation of the slots stands, and its step.
  const next = new Int32Array(count);
  const skip = new Int32Array(count);
  const weights = new Float64Array(count);
  const credit = new Float64Array(count);
  for (const [place, index] of order.entries()) {
    const { id = '', weight = 0 } = targets[index] ?? {};
    next[place] = hashText(id, OFFSET_SEED) % MAGLEV_SLOTS;
    skip[place] = (hashText(id, SKIP_SEED) % (MAGLEV_SLOTS - 1)) + 1;
    weights[place] = weight;
  }
  const table = new Int32Array(MAGLEV_SLOTS).fill(FREE);
  for (let left = MAGLEV_SLOTS; left > 0; ) {
    for (let place = 0; place < count && left > 0; place += 1) {
      const sum = (credit[place] ?? 0) + (weights[place] ?? 0);
      credit[place] = sum < heaviest ? sum : sum - heaviest;
      if (sum < heaviest) continue;
      let slot = next[place] ?? 0;
      const step = skip[place] ?? 0;
      while (table[slot] !== FREE) {
        slot += step;
        if (slot >= MAGLEV_SLOTS) slot -= MAGLEV_SLOTS;
      }
      table[slot] = order[place] ?? 0;
      next[place] = slot;
      left -= 1;
    }
  }
  return table;
}

/** By UTF-16 units: the same everywhere, whatever the locale. */
function compareIds(a: MaglevTarget | undefined, b: MaglevTarget | undefined): number {
  if (a === undefined || b === undefined || a.id === b.id) return 0;
  return a.id < b.id ? -1 : 1;
}
