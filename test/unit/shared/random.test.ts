import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { jitter, pick, seededRandom, shuffle, systemRandom } from '../../../shared/random.ts';

describe('random', () => {
  test('a seed gives its stream again, another seed another', () => {
    const draw = (seed: number) => [...seededRandom(seed).bytes(32)];
    expect(draw(7)).toEqual(draw(7));
    expect(draw(7)).not.toEqual(draw(8));
  });

  test.each([
    ['seeded', seededRandom(1)],
    ['system', systemRandom],
  ])('%s integers fill their range and nothing beyond', (_, random) => {
    const seen = new Set(Array.from({ length: 1000 }, () => random.integer(8)));
    expect([...seen].sort()).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  });

  test('next is in [0, 1), with a mean near one half', () => {
    const random = seededRandom(3);
    const draws = Array.from({ length: 10_000 }, () => random.next());
    expect(draws.every((value) => value >= 0 && value < 1)).toBe(true);
    expect(draws.reduce((sum, value) => sum + value) / draws.length).toBeCloseTo(0.5, 1);
  });

  test('jitter stays within its share', () => {
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        const value = jitter(seededRandom(seed), 1000, 0.1);
        expect(value >= 900 && value <= 1100).toBe(true);
      }),
    );
  });

  test('a shuffle keeps the items; pick gives one of them', () => {
    const random = seededRandom(5);
    expect(shuffle(random, [1, 2, 3, 4]).sort()).toEqual([1, 2, 3, 4]);
    expect([1, 2, 3]).toContain(pick(random, [1, 2, 3]));
    expect(() => pick(random, [])).toThrow(RangeError);
    expect(() => random.integer(0)).toThrow(RangeError);
  });
});
