import { describe, expect, test } from 'vitest';
import { createBalancer } from '../../../../lb/pools/balancer.ts';
import type { Skipped, TargetState } from '../../../../lb/pools/types.ts';
import { seededRandom } from '../../../../shared/random.ts';
import type { PoolProxy } from '../../../../shared/site/lb-objects.ts';
import { balancerOf, KEY, pickOf, pool, sequence, target, WELL } from './rig.ts';

/** Who serves, in a few turns of round robin. */
function servingOf(targets: readonly TargetState[], proxy: Partial<PoolProxy> = {}): string {
  const balancer = balancerOf(targets, proxy);
  if (balancer.pick(KEY, [], 0) === undefined) return '';
  return [...new Set(sequence(balancer, 60))].sort().join('');
}

const t = target;
const down = { health: 'down' } as const;
const drain = { health: 'drain' } as const;

test.each<[string, TargetState[], Partial<PoolProxy>, string]>([
  ['all up', [t('a'), t('b')], {}, 'ab'],
  ['a target that is down', [t('a'), t('b', down), t('c')], {}, 'ac'],
  ['a target that drains', [t('a'), t('b', drain)], {}, 'a'],
  ['weight 0 beside others', [t('a'), t('b', { weight: 0 })], {}, 'a'],
  ['weight 0, all others down', [t('a', down), t('b', { weight: 0 })], {}, 'b'],
  ['weight 0 beside a backup', [t('a', { weight: 0 }), t('b', { tier: 1 })], {}, 'b'],
  ['all weights 0', [t('a', { weight: 0 }), t('b', { weight: 0 })], {}, 'ab'],
  ['the lowest tier', [t('a', { tier: 2 }), t('b', { tier: 1 }), t('c', { tier: 1 })], {}, 'bc'],
  ['a tier that is down', [t('a', down), t('b', down), t('c', { tier: 1 })], {}, 'c'],
  ['a tier that drains', [t('a', drain), t('c', { tier: 1 })], {}, 'c'],
  ['half of a tier', [t('a', down), t('b'), t('c', { tier: 1 })], {}, 'b'],
  ['less than half: fail-open', [t('a', down), t('b'), t('c', down)], {}, 'abc'],
  ['fail-open off', [t('a', down), t('b'), t('c', down)], { failOpenPercent: 0 }, 'b'],
  ['nobody up: fail-open', [t('a', down), t('b', down), t('c', { ...down, tier: 1 })], {}, 'ab'],
  ['nobody up, fail-open off', [t('a', down)], { failOpenPercent: 0 }, ''],
  ['fail-open spares the drained', [t('a', down), t('b', drain), t('c', down)], {}, 'ac'],
  [
    'the drained are nobody’s failure',
    [t('a', down), t('b'), t('c', drain), t('d', drain)],
    {},
    'b',
  ],
  ['drained all', [t('a', drain)], {}, ''],
  ['none', [], {}, ''],
  ['a failed tier is not brought back', [t('a', down), t('b', down), t('c', { tier: 1 })], {}, 'c'],
])('%s', (_what, targets, proxy, serving) => {
  expect(servingOf(targets, proxy)).toBe(serving);
});

test('fail-open is told', () => {
  const balancer = balancerOf([t('a', down), t('b')], { failOpenPercent: 51 });
  expect(balancer.isFailOpen).toBe(true);
  balancer.update(pool([t('a'), t('b')]), 1);
  expect(balancer.isFailOpen).toBe(false);
});

describe('sticky', () => {
  test.each<[string, TargetState[], string]>([
    ['its target', [t('a'), t('b')], 'b'],
    ['a target that drains', [t('a'), t('b', drain)], 'b'],
    ['a target of weight 0', [t('a'), t('b', { weight: 0 })], 'b'],
    ['a target of another tier', [t('a'), t('b', { tier: 1 })], 'b'],
    ['a target that is down', [t('a'), t('b', down)], 'a'],
    ['a target that is gone', [t('a')], 'a'],
  ])('%s', (_what, targets, expected) => {
    const balancer = balancerOf(targets);
    for (let turn = 0; turn < 4; turn++) {
      const place = pickOf(balancer, { hash: 0, sticky: 'b' });
      expect(place.target.id).toBe(expected);
      place.end(WELL, 0);
    }
  });

  test('not where it was tried, or is full', () => {
    const balancer = balancerOf([t('a'), t('b')], { maxRequests: 1 });
    expect(pickOf(balancer, { hash: 0, sticky: 'b' }, 0, ['b']).target.id).toBe('a');
    expect(pickOf(balancer, { hash: 0, sticky: 'a' }, 0).target.id).toBe('b');
  });
});

test('maxRequests of a target; an agent’s in its place', () => {
  const balancer = balancerOf([t('a', { maxRequests: 3 }), t('b')], { maxRequests: 1 });
  const places = Array.from({ length: 4 }, () => pickOf(balancer));
  expect(
    places
      .map((place) => place.target.id)
      .sort()
      .join(''),
  ).toBe('aaab');
  expect(balancer.pick(KEY, [], 0)).toBeUndefined();
  places[0]?.end(WELL, 0);
  expect(balancer.pick(KEY, [], 0)?.target.id).toBe(places[0]?.target.id);
});

describe('slow start', () => {
  const startedMs = 5000;
  const wallMs = 1_790_000_000_000;
  const weightAt = (elapsedMs: number, upSinceMs: number) => {
    const options = { random: seededRandom(1), nowMs: startedMs, wallMs: wallMs };
    const targets = [t('a'), t('b', { weight: 10, upSinceMs })];
    const balancer = createBalancer(pool(targets, { slowStartMs: 10_000 }), options);
    return balancer.explain(KEY, startedMs + elapsedMs)[1]?.weight;
  };

  test.each([
    [0, 1],
    [999, 1],
    [1999, 1],
    [2000, 2],
    [5500, 5],
    [9999, 9],
    [10_000, 10],
    [99_000, 10],
  ])('after %i ms the weight is %i of 10', (elapsedMs, weight) => {
    expect(weightAt(elapsedMs, wallMs)).toBeCloseTo(weight);
  });

  test('a target that was up before the worker began', () => {
    expect(weightAt(0, wallMs - 5000)).toBeCloseTo(5);
    expect(weightAt(0, wallMs - 50_000)).toBe(10);
  });

  test('a wall clock that jumped back does not stop it', () => {
    expect(weightAt(10_000, wallMs + 3_600_000)).toBe(10);
  });

  test('the share rises while requests come', () => {
    const balancer = balancerOf([t('a'), t('b')], { slowStartMs: 10_000 });
    const shareOf = (nowMs: number) => sequence(balancer, 110, nowMs).split('b').length - 1;
    balancer.update(pool([t('a'), t('b', { upSinceMs: 1 })], { slowStartMs: 10_000 }), 1);
    expect(shareOf(1)).toBe(10);
    expect(shareOf(10_001)).toBeCloseTo(55, -1);
  });
});

test.each<[string, TargetState, Skipped | undefined]>([
  ['up', t('x'), undefined],
  ['down', t('x', down), 'down'],
  ['drain', t('x', drain), 'drain'],
  ['weight 0', t('x', { weight: 0 }), 'weight-0'],
  ['tier', t('x', { tier: 1 }), 'tier'],
  ['full', t('x', { maxRequests: 1 }), 'full'],
])('explain and statistics say why: %s', (_what, state, skipped) => {
  const balancer = balancerOf([t('a'), t('b'), state]);
  if (skipped === 'full') for (let turn = 0; turn < 3; turn++) pickOf(balancer);
  expect(balancer.explain(KEY, 0)[2]?.skipped).toBe(skipped);
  expect(balancer.statistics(0).targets[2]?.skipped).toBe(skipped);
});

test.each<[string, Partial<PoolProxy>]>([
  ['ring', { algorithm: 'ring' }],
  ['maglev', { algorithm: 'maglev' }],
  ['round-robin', { algorithm: 'round-robin' }],
])('explain names whom a hash or a cookie means, and takes nothing: %s', (algorithm, proxy) => {
  const balancer = balancerOf([t('a'), t('b', drain), t('c')], proxy);
  const pickedOf = (key = KEY) =>
    balancer.explain(key, 0).flatMap(({ target: { id }, isPicked }) => (isPicked ? [id] : []));
  for (let hash = 0; hash < 20; hash++) {
    const told = pickedOf({ hash });
    const place = pickOf(balancer, { hash });
    expect(told).toEqual(algorithm === 'round-robin' ? [] : [place.target.id]);
    place.end(WELL, 0);
  }
  expect(pickedOf({ hash: 0, sticky: 'b' })).toEqual(['b']);
  expect(balancer.explain(KEY, 0).map(({ target }) => target.open)).toEqual([0, 0, 0]);
});

test('an update keeps open places and counts of targets that stay', () => {
  const balancer = balancerOf([t('a'), t('b')], { maxRequests: 1 });
  const [one, other] = [pickOf(balancer), pickOf(balancer)];
  balancer.update(pool([t('b'), t('c')], { maxRequests: 1 }), 1);
  expect(balancer.statistics(1).targets.map(({ id, open }) => `${id}${open}`)).toEqual([
    'b1',
    'c0',
  ]);
  expect(pickOf(balancer).target.id).toBe('c');
  expect(balancer.pick(KEY, [], 1)).toBeUndefined();
  for (const place of [one, other]) place?.end(WELL, 2);
  expect(balancer.statistics(2).targets.map(({ id, open }) => `${id}${open}`)).toEqual([
    'b0',
    'c1',
  ]);
});
