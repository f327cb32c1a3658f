import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  formatDuration,
  formatRate,
  formatSize,
  parseDuration,
  parseRate,
  parseSize,
} from '../../../../shared/net/units.ts';

describe('units', () => {
  test.each([
    [parseRate, '100mbit', 100_000_000],
    [parseRate, '1gbit', 1_000_000_000],
    [parseRate, '1.5gbit', 1_500_000_000],
    [parseRate, '1.1kbit', 1100],
    [parseRate, '64kbit', 64_000],
    [parseRate, '0bit', 0],
    [parseSize, '64kb', 65_536],
    [parseSize, '1mb', 1_048_576],
    [parseSize, '0.5kb', 512],
    [parseSize, '100b', 100],
    [parseDuration, '100ms', 100],
    [parseDuration, '30s', 30_000],
    [parseDuration, '5m', 300_000],
    [parseDuration, '1.5h', 5_400_000],
    [parseDuration, '7d', 604_800_000],
  ])('%o of %s', (parse, text, value) => {
    expect(parse(text)).toBe(value);
  });

  test.each([
    '',
    '100',
    'mbit',
    '-1mbit',
    '+1mbit',
    '1 mbit',
    '1mbit ',
    '1Mbit',
    '1mb',
    '1mbps',
    '.5gbit',
    '1.gbit',
    '1e3bit',
    '1.5bit',
    '99999999999tbit',
  ])('rate %j is refused', (text) => {
    expect(parseRate(text)).toBeUndefined();
  });

  test.each(['', '30', '1.5ms', '1min', '30sec', '1h30m', 's', '-1s', '1.0001s0'])(
    'duration %j is refused',
    (text) => {
      expect(parseDuration(text)).toBeUndefined();
    },
  );

  test('what is formatted reads back as the same quantity', () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), (value) => {
        expect(parseRate(formatRate(value))).toBe(value);
        expect(parseSize(formatSize(value))).toBe(value);
        expect(parseDuration(formatDuration(value))).toBe(value);
      }),
    );
  });

  test('the largest exact unit is written', () => {
    expect(formatRate(1_500_000_000)).toBe('1500mbit');
    expect(formatSize(262_144)).toBe('256kb');
    expect(formatDuration(90_000)).toBe('90s');
    expect(formatDuration(0)).toBe('0ms');
  });
});
