// Who of a pool is in its table, and how much: rule K3. Pure.

import { DEFAULT_PROXY } from '../../shared/site/lb-objects.ts';
import type { Pool, PoolTarget } from '../../shared/site/pool-objects.ts';
import type { TargetId } from '../pools/types.ts';
import { targetIdOf } from '../targets.ts';

/** `unknown`: nobody has judged it yet; taken for up. */
export type TargetState = 'up' | 'down' | 'drain' | 'unknown';
/**
 * `upSinceMs`: of slow start, ms since the epoch; 0: always. `weight`: an agent's, in place of the
 * configured one; may be a fraction.
 */
export type TargetHealth = { state: TargetState; upSinceMs: number; weight?: number };

/**
 * `up`: those that are up. `last-resort`: only targets of weight 0 are. `fail-open`: nobody is, and
 * health is ignored. `empty`: nobody serves.
 */
export type TableKind = 'up' | 'last-resort' | 'fail-open' | 'empty';

export type ServingTarget = {
  id: TargetId;
  target: PoolTarget;
  state: TargetState;
  /** In force, in tenths of the configured one; 0: not in the table. */
  weight: number;
  /** Down, and not in the table: what becomes of its flows is the server's `lost`. */
  isGone: boolean;
};

export type Serving = {
  kind: TableKind;
  targets: readonly ServingTarget[];
  /** When time alone changes a weight, ms since the epoch; Infinity: never. */
  untilMs: number;
};

const STEPS = 10;

export function servingOf(
  pool: Pool,
  healthOf: (id: TargetId) => TargetHealth,
  nowMs: number,
): Serving {
  const { failOpenPercent, slowStartMs } = pool.proxy ?? DEFAULT_PROXY;
  const all = pool.targets.map((target) => {
    const id = targetIdOf(target);
    return { id, target, weight: target.weight, ...healthOf(id) };
  });
  const { kind, chosen } = choose(all, failOpenPercent > 0);
  let untilMs = Number.POSITIVE_INFINITY;
  const targets = all.map((one) => {
    const { id, target, state, upSinceMs, weight } = one;
    if (!chosen.has(one)) return { id, target, state, weight: 0, isGone: state === 'down' };
    const start = startOf(kind === 'fail-open' ? 0 : upSinceMs, slowStartMs, nowMs);
    untilMs = Math.min(untilMs, start.untilMs);
    const share = weight === 0 ? 1 : weight; // where all are 0, all are alike
    return { id, target, state, weight: share * start.tenths, isGone: false };
  });
  return { kind, targets, untilMs };
}

type Candidate = { target: PoolTarget; state: TargetState; weight: number };

/** A weight of 0 serves only where all that have more cannot (pool-objects.ts). */
function choose<T extends Candidate>(
  all: readonly T[],
  mayFailOpen: boolean,
): { kind: TableKind; chosen: ReadonlySet<T> } {
  const up = all.filter(({ state }) => state === 'up' || state === 'unknown');
  const weighted = up.filter(({ weight }) => weight > 0);
  if (weighted.length > 0) return { kind: 'up', chosen: lowestTier(weighted) };
  if (up.length > 0) return { kind: 'last-resort', chosen: lowestTier(up) };
  const left = mayFailOpen ? all.filter(({ state }) => state !== 'drain') : [];
  if (left.length === 0) return { kind: 'empty', chosen: new Set() };
  const heavy = left.filter(({ weight }) => weight > 0);
  return { kind: 'fail-open', chosen: lowestTier(heavy.length > 0 ? heavy : left) };
}

function lowestTier<T extends Candidate>(targets: readonly T[]): ReadonlySet<T> {
  const lowest = Math.min(...targets.map(({ target }) => target.tier));
  return new Set(targets.filter(({ target }) => target.tier === lowest));
}

/** From a tenth to the whole weight, a tenth at a time: ten tables, not one a second. */
function startOf(
  upSinceMs: number,
  slowStartMs: number,
  nowMs: number,
): { tenths: number; untilMs: number } {
  const elapsedMs = Math.max(0, nowMs - upSinceMs);
  if (slowStartMs === 0 || elapsedMs >= slowStartMs) {
    return { tenths: STEPS, untilMs: Number.POSITIVE_INFINITY };
  }
  const step = Math.floor((STEPS * elapsedMs) / slowStartMs);
  return { tenths: Math.max(1, step), untilMs: upSinceMs + ((step + 1) * slowStartMs) / STEPS };
}
