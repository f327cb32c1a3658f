import { describe, expect, test } from 'vitest';
import type { TargetState } from '../../../../lb/pools/types.ts';
import { seededRandom } from '../../../../shared/random.ts';
import { ALGORITHMS } from '../../../../shared/site/lb-objects.ts';
import { balancerOf, keyOf, load, pickOf, sequence, target, WELL, weighted } from './rig.ts';

const HASHED = ['ring', 'maglev'] as const;

function expectShares(counts: ReadonlyMap<string, number>, targets: readonly TargetState[]): void {
  const total = [...counts.values()].reduce((sum, count) => sum + count, 0);
  const weights = targets.reduce((sum, { weight }) => sum + weight, 0);
  for (const { id, weight } of targets) {
    const share = (counts.get(id) ?? 0) / total;
    const wanted = weight / weights;
    expect(Math.abs(share / wanted - 1), `${id}: ${share} of ${wanted}`).toBeLessThan(0.05);
  }
}

describe.each(ALGORITHMS)('%s', (algorithm) => {
  test.each([
    { what: 'equal', weights: [1, 1, 1, 1] },
    { what: 'two', weights: [1, 1] },
    { what: 'two unlike', weights: [3, 1] },
    { what: 'small and great', weights: [1, 2, 3, 4] },
    { what: 'fractions', weights: [0.5, 1, 1.5] },
    { what: 'in hundreds', weights: [100, 200, 100, 300] },
  ])('weights hold within 5 %: $what', ({ weights }) => {
    const targets = weighted(...weights);
    const proxy = { algorithm, boundPercent: 0 };
    expectShares(load(balancerOf(targets, proxy), { requests: 40_000 }), targets);
    const busy = load(balancerOf(targets, proxy), { requests: 40_000, concurrency: 200 });
    expectShares(busy, targets);
  });

  test('a target that nobody can use is passed over, and the others keep their shares', () => {
    const targets = [...weighted(1, 2, 1), target('x', { health: 'down', weight: 4 })];
    const balancer = balancerOf(targets, { algorithm, boundPercent: 0 });
    expectShares(load(balancer, { requests: 40_000 }), targets.slice(0, 3));
  });

  test('tried targets come last', () => {
    const balancer = balancerOf(weighted(1, 1, 1), { algorithm });
    for (let hash = 0; hash < 50; hash++) {
      expect(pickOf(balancer, { hash: hash * 85_899_345 }, 0, ['a', 'c']).target.id).toBe('b');
    }
    expect(['a', 'b', 'c']).toContain(pickOf(balancer, { hash: 5 }, 0, ['a', 'b', 'c']).target.id);
  });
});

test('round robin spreads the turns of a heavy target', () => {
  const turns = sequence(balancerOf(weighted(4, 1, 1)), 60);
  expect(turns).not.toContain('aaaa');
  expect(turns.slice(0, 6)).toBe(turns.slice(6, 12));
});

test('workers do not begin with the same target', () => {
  const first = (seed: number) =>
    sequence(balancerOf(weighted(1, 1, 1, 1), {}, seededRandom(seed)), 1);
  const firsts = new Set(Array.from({ length: 32 }, (_, seed) => first(seed)));
  expect(firsts.size).toBe(4);
});

describe.each(HASHED)('%s', (algorithm) => {
  const names = (count: number) =>
    Array.from({ length: count }, (_, at) => target(`10.0.0.${at + 1}:80`));
  const ownersOf = (targets: readonly TargetState[]) => {
    const balancer = balancerOf(targets, { algorithm, boundPercent: 0 }, seededRandom(3));
    const random = seededRandom(5);
    return Array.from({ length: 20_000 }, () => {
      const place = pickOf(balancer, keyOf(random));
      place.end(WELL, 0);
      return place.target.id;
    });
  };
  const moved = (before: readonly string[], after: readonly string[]) =>
    before.filter((id, at) => id !== after[at]).length / before.length;

  test.each([2, 5, 10, 40])('of %i targets one goes: its share moves, and 2 %', (count) => {
    const targets = names(count);
    const before = ownersOf(targets);
    const share = before.filter((id) => id === targets[1]?.id).length / before.length;
    const gone = ownersOf(targets.filter((_, at) => at !== 1));
    expect(moved(before, gone)).toBeLessThanOrEqual(share + 0.02);
    const down = ownersOf(
      targets.map((each, at) => (at === 1 ? { ...each, health: 'down' } : each)),
    );
    expect(moved(before, down)).toBeCloseTo(share, 10);
  });

  test('the keys of one that goes spread over all others', () => {
    const targets = names(10);
    const before = ownersOf(targets);
    const after = ownersOf(targets.slice(1));
    const heirs = new Set(after.filter((_, at) => before[at] === targets[0]?.id));
    expect(heirs.size).toBe(9);
  });

  test('a heavy one that goes moves its share, and 2 %', () => {
    const targets = [target('heavy', { weight: 5 }), ...names(5)];
    const before = ownersOf(targets);
    const share = before.filter((id) => id === 'heavy').length / before.length;
    expect(moved(before, ownersOf(targets.slice(1)))).toBeLessThanOrEqual(share + 0.02);
  });

  test('the same in every process, in whatever order the targets come', () => {
    const targets = names(6);
    expect(ownersOf([...targets].reverse())).toEqual(ownersOf(targets));
    const first = ownersOf(targets).slice(0, 12);
    const digits = first.map((id) => id.replace('10.0.0.', '').replace(':80', ''));
    expect(digits.join('')).toBe(algorithm === 'ring' ? '241333635335' : '361644266353');
  });

  test('nobody has more than the bound', () => {
    const random = seededRandom(11);
    const targets = names(8);
    const balancer = balancerOf(targets, { algorithm, boundPercent: 125 });
    const hot = Array.from({ length: 3 }, () => keyOf(random));
    let bounded = 0;
    for (let open = 1; open <= 800; open++) {
      // Three keys are all the load: without a bound, three targets at most would have it.
      const { target } = pickOf(balancer, hot[random.integer(3)]);
      expect(target.open).toBeLessThanOrEqual(Math.ceil((1.25 * open) / 8));
      const skipped = balancer.explain({ hash: 0 }, 0).map((each) => each.skipped);
      if (skipped.includes('bound')) bounded++;
    }
    expect(bounded).toBeGreaterThan(400);
  });

  test('below the mean nobody is free by the bound: it does not refuse', () => {
    const balancer = balancerOf(names(3), { algorithm, boundPercent: 10 });
    for (let open = 0; open < 30; open++) pickOf(balancer, { hash: 0 });
  });
});
