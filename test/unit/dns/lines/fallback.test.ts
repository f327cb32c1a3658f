import { describe, expect, it } from 'vitest';
import { nameLines } from '../../../../dns/lines/fallback.ts';
import type { LineSettings } from '../../../../dns/lines/types.ts';

const line = (name: string, ...fallback: string[]): LineSettings => ({
  name,
  fallback,
  prefixes: [],
});

describe('the names of lines', () => {
  it('are numbered by name after default, wherever they come from', () => {
    const settings = [line('unicom'), line('default'), line('gd-telecom', 'telecom', 'default')];
    const expected = {
      lines: ['default', 'gd-telecom', 'mobile', 'telecom', 'unicom'],
      fallbacks: new Map([['gd-telecom', ['telecom']]]),
    };
    expect(nameLines(settings, ['telecom', 'mobile', 'unicom'])).toEqual(expected);
    expect(nameLines(settings.toReversed(), ['mobile', 'unicom', 'telecom'])).toEqual(expected);
  });

  it.each<[what: string, settings: LineSettings[], problems: string[]]>([
    [
      'a line that nobody names',
      [line('a', 'b', 'c')],
      ['line a falls back to b, which no object and no list file names'],
    ],
    ['itself', [line('a', 'a')], ['line a falls back to itself']],
    ['one line twice', [line('a', 'c', 'c')], ['line a falls back to c twice']],
    ['lines after default', [line('a', 'default', 'c')], ['line a has lines after default']],
    ['what default has after it', [line('default', 'c')], ['line default falls back to c']],
    ['two objects of one name', [line('a'), line('a')], ['line a is there twice']],
    [
      'everything at once',
      [line('a', 'a', 'b'), line('c', 'x')],
      [
        'line a falls back to itself',
        'line a falls back to b, which no object and no list file names',
        'line c falls back to x, which no object and no list file names',
      ],
    ],
  ])('refuse %s', (_, settings, expected) => {
    const names = nameLines(settings, ['c']);
    expect('problems' in names ? names.problems.map(({ message }) => message) : names).toEqual(
      expected,
    );
  });
});
