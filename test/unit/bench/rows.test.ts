// The bench's rows: medians, ratios that mean "better" above 1, the JSON that tools read, a table.
import { describe, expect, test } from 'vitest';
import { formatJson, formatTable, median, ratioOf } from '../../bench/frame/rows.ts';
import type { Row } from '../../bench/frame/types.ts';

const faster: Row = {
  case: 'udp64-established/1k',
  unit: 'packets per CPU second',
  better: 'higher',
  ours: 1_500_000,
  peer: 'plain',
  theirs: 1_000_000,
};
const alone: Row = { case: 'change/100k', unit: 'ms', better: 'lower', ours: 0.43211 };

describe('median', () => {
  test.each([
    { values: [7], middle: 7 },
    { values: [9, 1, 5], middle: 5 },
    { values: [10, 1, 2, 4], middle: 3 },
  ])('of $values is $middle', ({ values, middle }) => {
    expect(median(values)).toBe(middle);
  });

  test('leaves its argument as it was, and refuses nothing', () => {
    const values = [3, 1, 2];
    median(values);
    expect(values).toEqual([3, 1, 2]);
    expect(() => median([])).toThrow(RangeError);
  });
});

describe('ratio', () => {
  test('is above 1 when ours is better, whichever way the unit runs', () => {
    expect(ratioOf(faster)).toBe(1.5);
    expect(ratioOf({ ...faster, better: 'lower', ours: 200, theirs: 300 })).toBe(1.5);
  });

  test('is absent without a peer, and where it would be infinite', () => {
    expect(ratioOf(alone)).toBeUndefined();
    expect(ratioOf({ ...faster, better: 'lower', ours: 0, theirs: 3 })).toBeUndefined();
  });
});

describe('JSON', () => {
  test('has the fields of the contract, in its order', () => {
    expect(formatJson('natter', faster)).toBe(
      '{"bench":"natter","case":"udp64-established/1k","unit":"packets per CPU second",' +
        '"ours":1500000,"peer":"plain","theirs":1000000,"ratio":1.5}',
    );
  });

  test('leaves the last three out without a peer', () => {
    expect(formatJson('natter', alone)).toBe(
      '{"bench":"natter","case":"change/100k","unit":"ms","ours":0.4321}',
    );
  });
});

test('the table lines its columns up and groups digits', () => {
  expect(formatTable([faster, alone]).split('\n')).toEqual([
    'case                  unit                         ours  peer      theirs  ratio',
    'udp64-established/1k  packets per CPU second  1,500,000  plain  1,000,000   1.50',
    'change/100k           ms                         0.4321  -              -      -',
  ]);
});
