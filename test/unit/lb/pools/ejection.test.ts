import { describe, expect, test } from 'vitest';
import type { Balancer, Outcome, Place } from '../../../../lb/pools/types.ts';
import type { PoolProxy } from '../../../../shared/site/lb-objects.ts';
import { balancerOf, FAILED, KEY, pickOf, pool, target, WELL, weighted } from './rig.ts';

const passive = { failures: 3, ejectMs: 1000, maxPercent: 50 };
const CANCELLED: Outcome = { kind: 'cancelled' };

/** The place at that target, if it can be had: those of others are given back. */
function placeAt(balancer: Balancer, id: string, nowMs: number): Place | undefined {
  const others: Place[] = [];
  let found: Place | undefined;
  for (let turn = 0; turn < 20 && found === undefined; turn++) {
    const place = balancer.pick(KEY, [], nowMs);
    if (place?.target.id === id) found = place;
    else if (place !== undefined) others.push(place);
  }
  for (const place of others) place.end(CANCELLED, nowMs);
  return found;
}

function meet(balancer: Balancer, id: string, outcome: Outcome, nowMs: number, times = 1): void {
  for (let time = 0; time < times; time++) {
    const place = placeAt(balancer, id, nowMs);
    if (place === undefined) throw new Error(`${id} takes nobody`);
    place.end(outcome, nowMs);
  }
}

const serves = (balancer: Balancer, id: string, nowMs: number): boolean =>
  balancer.explain(KEY, nowMs).some(({ target, skipped }) => target.id === id && !skipped);

function rig(proxy: Partial<PoolProxy> = {}): Balancer {
  return balancerOf(weighted(1, 1, 1, 1), { passive, ...proxy });
}

/** What happens to target a, and whether it serves after that. */
type Step = [atMs: number, what: Outcome | Outcome[] | undefined, serves: boolean];

const status = (code: number): Outcome => ({ kind: 'response', status: code, latencyMs: 1 });
const REFUSED: Outcome = { kind: 'connect-failed' };
const three = [FAILED, FAILED, FAILED];

test.each<[string, Step[]]>([
  [
    'failures in a row',
    [
      [0, [FAILED, FAILED], true],
      [1, FAILED, false],
    ],
  ],
  [
    'any kind of them',
    [
      [0, [FAILED, REFUSED], true],
      [1, status(503), false],
    ],
  ],
  [
    'not in a row',
    [
      [0, [FAILED, FAILED, WELL, FAILED, FAILED], true],
      [1, FAILED, false],
    ],
  ],
  [
    'a client that left says nothing',
    [
      [0, [FAILED, FAILED, CANCELLED, CANCELLED], true],
      [1, FAILED, false],
    ],
  ],
  ['500 is the application’s', [[0, [status(500), status(500), status(500)], true]]],
  ['502, 503 and 504 are failures', [[0, [status(502), status(503), status(504)], false]]],
  [
    'for its time',
    [
      [0, three, false],
      [999, undefined, false],
      [1000, undefined, true],
    ],
  ],
  [
    'then one that is well',
    [
      [0, three, false],
      [1000, WELL, true],
      [1001, [FAILED, FAILED], true],
    ],
  ],
  [
    'then one that fails: twice as long',
    [
      [0, three, false],
      [1000, FAILED, false],
      [2999, undefined, false],
      [3000, undefined, true],
    ],
  ],
  [
    'and three times',
    [
      [0, three, false],
      [1000, FAILED, false],
      [3000, FAILED, false],
      [5999, undefined, false],
      [6000, WELL, true],
    ],
  ],
  [
    'a cancelled probe makes room for another',
    [
      [0, three, false],
      [1000, CANCELLED, true],
      [1000, WELL, true],
    ],
  ],
  [
    'back, and soon again: longer',
    [
      [0, three, false],
      [1000, WELL, true],
      [1500, three, false],
      [3499, undefined, false],
      [3500, undefined, true],
    ],
  ],
  [
    'well for a while: forgotten',
    [
      [0, three, false],
      [1000, WELL, true],
      [2000, three, false],
      [3000, undefined, true],
    ],
  ],
])('%s', (_what, steps) => {
  const balancer = rig();
  for (const [atMs, what, expected] of steps) {
    for (const outcome of [what ?? []].flat()) meet(balancer, 'a', outcome, atMs);
    expect(serves(balancer, 'a', atMs), `at ${atMs} ms`).toBe(expected);
  }
});

test('exactly one request tries', () => {
  const balancer = rig();
  meet(balancer, 'a', FAILED, 0, 3);
  const probe = placeAt(balancer, 'a', 1000);
  expect(probe).toBeDefined();
  expect(placeAt(balancer, 'a', 1500)).toBeUndefined();
  expect(balancer.explain(KEY, 1500)[0]?.skipped).toBe('ejected');
  probe?.end(WELL, 1600);
  expect(placeAt(balancer, 'a', 1600)).toBeDefined();
});

test('requests of before say nothing during the ejection', () => {
  const balancer = rig();
  const [old, older] = [placeAt(balancer, 'a', 0), placeAt(balancer, 'a', 0)];
  meet(balancer, 'a', FAILED, 0, 3);
  old?.end(WELL, 10);
  older?.end(FAILED, 10);
  expect(serves(balancer, 'a', 999)).toBe(false);
  expect(serves(balancer, 'a', 1000)).toBe(true);
});

test('the tenth time is the longest', () => {
  const balancer = rig();
  meet(balancer, 'a', FAILED, 0, 3);
  let nowMs = 1000;
  for (let count = 2; count <= 14; count++) {
    meet(balancer, 'a', FAILED, nowMs);
    const forMs = Math.min(10, count) * 1000;
    expect(serves(balancer, 'a', nowMs + forMs - 1)).toBe(false);
    nowMs += forMs;
    expect(serves(balancer, 'a', nowMs)).toBe(true);
  }
  expect(balancer.statistics(nowMs).targets[0]?.ejections).toBe(14);
});

describe('who is never ejected', () => {
  test('the only target', () => {
    const balancer = balancerOf(weighted(1), { passive: { ...passive, maxPercent: 100 } });
    meet(balancer, 'a', FAILED, 0, 20);
    expect(serves(balancer, 'a', 1)).toBe(true);
    expect(balancer.statistics(1).targets[0]?.ejections).toBe(0);
  });

  test('more than the share', () => {
    const balancer = rig();
    for (const id of ['a', 'b', 'c']) meet(balancer, id, FAILED, 0, 3);
    expect(['a', 'b', 'c', 'd'].map((id) => serves(balancer, id, 1))).toEqual([
      false,
      false,
      true,
      true,
    ]);
    meet(balancer, 'a', WELL, 1000);
    meet(balancer, 'c', FAILED, 1001);
    expect(serves(balancer, 'c', 1002)).toBe(false);
  });

  test('anybody, with failures 0', () => {
    const balancer = rig({ passive: { ...passive, failures: 0 } });
    meet(balancer, 'a', FAILED, 0, 20);
    expect(serves(balancer, 'a', 1)).toBe(true);
  });

  test('all: where the others are gone, the ejected serve', () => {
    const balancer = balancerOf(weighted(1, 1), { passive, failOpenPercent: 0 });
    meet(balancer, 'a', FAILED, 0, 3);
    balancer.update(
      pool([target('a'), target('b', { health: 'down' })], { passive, failOpenPercent: 0 }),
      10,
    );
    const place = pickOf(balancer, KEY, 10);
    expect(place.target.id).toBe('a');
    place.end(WELL, 20);
    balancer.update(pool(weighted(1, 1), { passive }), 30);
    expect(serves(balancer, 'a', 30)).toBe(true);
  });
});

test('an ejected tier gives way to the next one', () => {
  const targets = [target('a'), target('b', { tier: 1 })];
  const balancer = balancerOf(targets, { passive });
  meet(balancer, 'a', FAILED, 0, 3);
  expect(pickOf(balancer, KEY, 1).target.id).toBe('b');
  expect(pickOf(balancer, KEY, 1000).target.id).toBe('a');
});

test('a sticky client leaves an ejected target', () => {
  const balancer = rig();
  meet(balancer, 'a', FAILED, 0, 3);
  expect(pickOf(balancer, { hash: 0, sticky: 'a' }, 1).target.id).not.toBe('a');
});

test('down and up again ends it; so does turning it off', () => {
  const balancer = rig();
  meet(balancer, 'a', FAILED, 0, 3);
  const [, ...others] = weighted(1, 1, 1, 1);
  balancer.update(pool([target('a', { health: 'down' }), ...others], { passive }), 10);
  balancer.update(pool([target('a'), ...others], { passive }), 20);
  expect(serves(balancer, 'a', 20)).toBe(true);
  meet(balancer, 'a', FAILED, 30, 3);
  expect(serves(balancer, 'a', 30)).toBe(false);
  balancer.update(pool([target('a'), ...others], { passive: { ...passive, failures: 0 } }), 40);
  expect(serves(balancer, 'a', 40)).toBe(true);
});
