// Pools of tests: targets named a, b, c… and keys drawn by a seed.
import { createBalancer } from '../../../../lb/pools/balancer.ts';
import type {
  Balancer,
  Outcome,
  PickKey,
  Place,
  PoolState,
  TargetState,
} from '../../../../lb/pools/types.ts';
import { type Random, seededRandom } from '../../../../shared/random.ts';
import { DEFAULT_PROXY, type PoolProxy } from '../../../../shared/site/lb-objects.ts';

export const WELL: Outcome = { kind: 'response', status: 200, latencyMs: 10 };
export const FAILED: Outcome = { kind: 'failed' };
export const KEY: PickKey = { hash: 1 };

export function target(id: string, state: Partial<TargetState> = {}): TargetState {
  const place = { address: '127.0.0.1', port: 80, weight: 1, tier: 0 };
  return { id, ...place, health: 'up', upSinceMs: 0, ...state };
}

/** Targets a, b, c… of these weights. */
export function weighted(...weights: readonly number[]): TargetState[] {
  return weights.map((weight, at) => target(String.fromCharCode(97 + at), { weight }));
}

export function pool(targets: readonly TargetState[], proxy: Partial<PoolProxy> = {}): PoolState {
  return { name: 'www', proxy: { ...DEFAULT_PROXY, ...proxy }, targets };
}

export function balancerOf(
  targets: readonly TargetState[],
  proxy: Partial<PoolProxy> = {},
  random: Random = seededRandom(1),
): Balancer {
  return createBalancer(pool(targets, proxy), { random, nowMs: 0 });
}

export function keyOf(random: Random): PickKey {
  return { hash: random.integer(2 ** 32) };
}

/** The one that is picked; nobody is a failure of the test. */
export function pickOf(balancer: Balancer, key = KEY, nowMs = 0, tried: string[] = []): Place {
  const place = balancer.pick(key, tried, nowMs);
  if (place === undefined) throw new Error('nobody was picked');
  return place;
}

/** Whom `count` requests met that each ended before the next one. */
export function sequence(balancer: Balancer, count: number, nowMs = 0): string {
  return Array.from({ length: count }, () => {
    const place = pickOf(balancer, KEY, nowMs);
    place.end(WELL, nowMs);
    return place.target.id;
  }).join('');
}

/**
 * Requests that come and end in a random order, `concurrency` open; how many each target got.
 */
export function load(
  balancer: Balancer,
  { requests = 20_000, concurrency = 1, seed = 7, nowMs = 0 } = {},
): Map<string, number> {
  const random = seededRandom(seed);
  const open: Place[] = [];
  const counts = new Map<string, number>();
  for (let at = 0; at < requests; at++) {
    const place = pickOf(balancer, keyOf(random), nowMs);
    counts.set(place.target.id, (counts.get(place.target.id) ?? 0) + 1);
    open.push(place);
    if (open.length >= concurrency)
      open.splice(random.integer(open.length), 1)[0]?.end(WELL, nowMs);
  }
  for (const place of open) place.end(WELL, nowMs);
  return counts;
}
