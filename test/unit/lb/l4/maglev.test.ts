// K2: tables that all instances build alike, with shares by weight and little movement.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { MAGLEV_SLOTS, type MaglevTarget, maglevTable } from '../../../../lb/l4/maglev.ts';

const id = (number: number) => `10.0.${number >> 8}.${number & 255}:80`;
const anyTargets = (least: number, weight: fc.Arbitrary<number>) =>
  fc
    .uniqueArray(fc.record({ number: fc.nat(65_535), weight }), {
      selector: ({ number }) => number,
      minLength: least,
      maxLength: 100,
    })
    .map((list) => list.map(({ number, weight }) => ({ id: id(number), weight })));
const anyWeight = fc.integer({ min: 1, max: 1000 });

function counts(targets: readonly MaglevTarget[], table = maglevTable(targets)): number[] {
  const found = targets.map(() => 0);
  for (const index of table) found[index] = (found[index] ?? 0) + 1;
  return found;
}

test('is empty without targets, and all of one target', () => {
  expect(maglevTable([])).toHaveLength(0);
  expect(counts([{ id: 'a', weight: 7 }])).toEqual([MAGLEV_SLOTS]);
});

test('is the table that it always was', () => {
  const table = maglevTable([1, 2, 3].map((number) => ({ id: id(number), weight: number })));
  expect([...table.subarray(0, 16)]).toMatchInlineSnapshot(`
    [
      2,
      1,
      2,
      2,
      0,
      2,
      2,
      0,
      1,
      2,
      1,
      1,
      2,
      2,
      1,
      0,
    ]
  `);
});

test('shares are those of the weights within 1 %, up to 100 targets', () => {
  fc.assert(
    fc.property(anyTargets(1, anyWeight), (targets) => {
      const sum = targets.reduce((all, { weight }) => all + weight, 0);
      for (const [index, count] of counts(targets).entries()) {
        const wanted = (MAGLEV_SLOTS * (targets[index]?.weight ?? 0)) / sum;
        // A share of a few slots is as near as whole slots can be.
        expect(Math.abs(count - wanted)).toBeLessThanOrEqual(Math.max(wanted / 100, 2));
      }
    }),
    { numRuns: 30 },
  );
});

test.each([
  ['equal weights', fc.constant(1)],
  ['other weights', fc.integer({ min: 1, max: 10 })],
])('with %s, of 100 targets one goes and at most 2 %% of the others’ slots move', (_, weight) => {
  fc.assert(
    fc.property(anyTargets(100, weight), fc.nat(99), (targets, gone) => {
      const before = maglevTable(targets);
      const left = targets.filter((_target, index) => index !== gone);
      const after = maglevTable(left);
      let [others, moved] = [0, 0];
      for (const [slot, index] of before.entries()) {
        if (index === gone) continue;
        others += 1;
        if (left[after[slot] ?? -1]?.id !== targets[index]?.id) moved += 1;
      }
      expect(moved / others).toBeLessThanOrEqual(0.02);
    }),
    { numRuns: 20 },
  );
});

test('is the same whatever the order of targets and the scale of weights', () => {
  const ids = (targets: readonly MaglevTarget[]) =>
    [...maglevTable(targets)].map((index) => targets[index]?.id);
  fc.assert(
    fc.property(anyTargets(1, anyWeight), fc.integer({ min: 1, max: 10 }), (targets, scale) => {
      const other = targets.toReversed().map((one) => ({ ...one, weight: one.weight * scale }));
      expect(ids(other)).toEqual(ids(targets));
    }),
    { numRuns: 20 },
  );
});
