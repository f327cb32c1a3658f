// Differences, their order, and the plan that applies them.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Difference } from '../../../../shared/site/diff.ts';
import { changesOf, diffSite } from '../../../../shared/site/diff.ts';
import { planApply } from '../../../../shared/site/plan.ts';
import type { ObjectRecord } from '../../../../shared/store/types.ts';

const all = ['node', 'group', 'eip', 'forward'] as const;

function record(text: string): ObjectRecord {
  const [kind = '', id = '', value = '{}'] = text.split(' ');
  return { kind, id, value };
}

function signs(differences: readonly Difference[]): string[] {
  return differences.map(({ sign, kind, id }) => `${sign} ${kind} ${id}`);
}

test('what is free comes first, what is referred to before what refers', () => {
  const stored = ['group old', 'eip 1', 'eip 2 {"private":"a"}', 'forward 1:80'].map(record);
  const wanted = ['forward 3:80', 'eip 3', 'eip 2 {"private":"b"}', 'group new'].map(record);
  expect(signs(diffSite(stored, wanted, all))).toEqual([
    '- forward 1:80',
    '- eip 1',
    '+ group new',
    '~ eip 2',
    '+ eip 3',
    '+ forward 3:80',
    '- group old',
  ]);
});

test('kinds that are not covered stay as they are', () => {
  const stored = ['eip 1', 'group g'].map(record);
  expect(signs(diffSite(stored, [record('group h')], ['eip']))).toEqual(['- eip 1']);
});

test('applying the changes to what is stored gives what is wanted', () => {
  const site = fc
    .uniqueArray(fc.tuple(fc.constantFrom(...all), fc.integer({ min: 0, max: 9 }), fc.nat(2)), {
      selector: ([kind, id]) => `${kind} ${id}`,
    })
    .map((rows) => rows.map(([kind, id, value]) => ({ kind, id: `${id}`, value: `${value}` })));
  fc.assert(
    fc.property(site, site, (stored, wanted) => {
      const differences = diffSite(stored, wanted, all);
      const result = new Map(stored.map(({ kind, id, value }) => [`${kind} ${id}`, value]));
      for (const { kind, id, value } of changesOf(differences)) {
        if (value === null) expect(result.delete(`${kind} ${id}`)).toBe(true);
        else result.set(`${kind} ${id}`, value);
      }
      expect(result).toEqual(
        new Map(wanted.map(({ kind, id, value }) => [`${kind} ${id}`, value])),
      );
      for (const { before, after } of differences) expect(before).not.toBe(after);
    }),
  );
});

describe('a plan', () => {
  const eips = (count: number) => Array.from({ length: count }, (_, i) => record(`eip ${i}`));
  const plan = (stored: ObjectRecord[], wanted: ObjectRecord[]) =>
    planApply(stored, diffSite(stored, wanted, all));

  test('has calls of at most 1000 changes, in order', () => {
    const { calls } = plan([], eips(2500));
    expect(calls.map(({ changes }) => changes.length)).toEqual([1000, 1000, 500]);
    expect(plan([], []).calls).toEqual([]);
  });

  test.each([
    [10, 5, []],
    [10, 4, [{ kind: 'eip', deleted: 6, stored: 10 }]],
    [2, 0, [{ kind: 'eip', deleted: 2, stored: 2 }]],
    [3, 1, [{ kind: 'eip', deleted: 2, stored: 3 }]],
    [1, 0, []],
    [0, 0, []],
  ])('of %i objects that keeps %i asks for confirmation: %j', (stored, kept, expected) => {
    expect(plan(eips(stored), eips(kept)).massDeletes).toEqual(expected);
  });

  test('counts each kind for itself', () => {
    const stored = [...eips(100), record('group a'), record('group b')];
    const { massDeletes } = plan(stored, eips(100));
    expect(massDeletes).toEqual([{ kind: 'group', deleted: 2, stored: 2 }]);
  });
});
