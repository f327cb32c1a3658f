// K3: who is in the table.
import { describe, expect, test } from 'vitest';
import { servingOf, type TargetHealth } from '../../../../lb/l4/serving.ts';
import { type HealthByTarget, pool } from '../../../support/lb/l4-objects.ts';

const NOW = 1_000_000;

function serve(targets: string[], health: HealthByTarget = {}, proxy = {}) {
  const healthOf = (id: string): TargetHealth => {
    const said = health[id] ?? 'up';
    return typeof said === 'string' ? { state: said, upSinceMs: 0 } : said;
  };
  const serving = servingOf(pool('web', targets, proxy), healthOf, NOW);
  const weights = serving.targets.map(({ weight }) => weight);
  const gone = serving.targets.filter(({ isGone }) => isGone).map(({ id }) => id);
  return { kind: serving.kind, weights, gone, untilMs: serving.untilMs };
}

const CASES: [string, string[], HealthByTarget, object, object][] = [
  ['all that are up', ['a*2', 'b'], {}, {}, { kind: 'up', weights: [20, 10], gone: [] }],
  ['nobody has judged it: up', ['a'], { a: 'unknown' }, {}, { kind: 'up', weights: [10] }],
  ['not who is down', ['a', 'b'], { b: 'down' }, {}, { weights: [10, 0], gone: ['b'] }],
  [
    'not who drains, whose flows stay',
    ['a', 'b'],
    { b: 'drain' },
    {},
    { weights: [10, 0], gone: [] },
  ],
  [
    'an agent’s weight in place of its own',
    ['a', 'b*2', 'c'],
    {
      a: { state: 'up', upSinceMs: 0, weight: 0.5 },
      c: { state: 'up', upSinceMs: 0, weight: 0 },
    },
    {},
    { weights: [5, 20, 0], gone: [] },
  ],
  ['not a weight of 0, whose flows stay', ['a', 'b*0'], {}, {}, { weights: [10, 0], gone: [] }],
  ['the lowest tier', ['a/1', 'b/2'], {}, {}, { weights: [10, 0], gone: [] }],
  ['the next tier', ['a/1', 'b/2'], { a: 'down' }, {}, { weights: [0, 10], gone: ['a'] }],
  [
    'not a tier that has only a weight of 0',
    ['a*0/1', 'b/2'],
    {},
    {},
    { kind: 'up', weights: [0, 10] },
  ],
  [
    'a weight of 0 where all others are down',
    ['a', 'b*0'],
    { a: 'down' },
    {},
    { kind: 'last-resort', weights: [0, 10], gone: ['a'] },
  ],
  [
    'nobody up: all of the lowest tier but drained ones',
    ['a*2', 'b', 'c', 'd/1', 'e*0'],
    { a: 'down', b: 'down', c: 'drain', d: 'down', e: 'down' },
    {},
    { kind: 'fail-open', weights: [20, 10, 0, 0, 0], gone: ['d', 'e'] },
  ],
  [
    'nobody up and no fail-open: nobody',
    ['a', 'b'],
    { a: 'down', b: 'drain' },
    { failOpenPercent: 0 },
    { kind: 'empty', weights: [0, 0], gone: ['a'] },
  ],
  ['all drained: nobody', ['a'], { a: 'drain' }, {}, { kind: 'empty', weights: [0], gone: [] }],
  ['an empty pool: nobody', [], {}, {}, { kind: 'empty', weights: [] }],
  ['few up are enough', ['a', 'b', 'c'], { a: 'down', b: 'down' }, {}, { kind: 'up' }],
];

test.each(CASES)('%s', (_what, targets, health, proxy, wanted) => {
  expect(serve(targets, health, proxy)).toMatchObject(wanted);
});

describe('slow start', () => {
  const since = (elapsedMs: number): HealthByTarget => ({
    a: { state: 'up', upSinceMs: NOW - elapsedMs },
  });

  test.each([
    [0, 3, NOW + 1000],
    [999, 3, NOW + 1],
    [1000, 3, NOW + 1000],
    [2000, 6, NOW + 1000],
    [9999, 27, NOW + 1],
    [10_000, 30, Number.POSITIVE_INFINITY],
    [-5000, 3, NOW + 6000],
  ])('%i ms after it came up', (elapsedMs, weight, untilMs) => {
    const { weights, untilMs: until } = serve(['a*3'], since(elapsedMs), { slowStartMs: 10_000 });
    expect([weights[0], until]).toEqual([weight, untilMs]);
  });

  test('is over where nobody knows since when it is up', () => {
    expect(serve(['a'], {}, { slowStartMs: 10_000 })).toMatchObject({ weights: [10] });
  });

  test('does not slow who stands in while all are down', () => {
    const health = { a: { state: 'down', upSinceMs: NOW } } as const;
    expect(serve(['a'], health, { slowStartMs: 10_000 })).toMatchObject({
      kind: 'fail-open',
      weights: [10],
      untilMs: Number.POSITIVE_INFINITY,
    });
  });
});
