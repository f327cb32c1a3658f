import { describe, expect, test } from 'vitest';
import { format } from '../../../console/html/format.ts';
import type { Kind, Value } from '../../../console/views/types.ts';

const plain = (value: Value, kind: Kind) => format(value, kind).replaceAll('\u202f', ' ');

describe('figures', () => {
  test.each<[Value, Kind, string]>([
    [null, 'count', '–'],
    ['', 'text', '–'],
    [Number.NaN, 'rate', '–'],
    [0, 'rate', '0/s'],
    [0.0123, 'rate', '0.01/s'],
    [1.25, 'rate', '1.25/s'],
    [999.7, 'rate', '1.0 k/s'],
    [12_345, 'rate', '12.3 k/s'],
    [1e9, 'bits', '1 Gbit/s'],
    [38_000_000, 'bits', '38 Mbit/s'],
    [999_949, 'bits', '1.0 Mbit/s'],
    [1536, 'bytes', '1.5 KiB'],
    [200 * 2 ** 20, 'bytes', '200 MiB'],
    [1234567, 'count', '1 234 567'],
    [0.0042, 'seconds', '4.2 ms'],
    [2.5, 'seconds', '2.5 s'],
    [0.00001, 'milliseconds', '< 0.1 ms'],
    [0.5, 'bar', '50.0 %'],
    [0.9999, 'bar', '99.9 %'],
    [1, 'fill', '100 %'],
    [0, 'bar', '0 %'],
    [0.00001, 'bar', '< 0.1 %'],
    [0, 'age', '0 s'],
    [0.84, 'age', '0.8 s'],
    [75, 'age', '1 min 15 s'],
    [3600, 'age', '1 h'],
    [90_061, 'age', '1 d 1 h'],
    [40 * 86_400 + 3600, 'age', '40 d'],
    [0, 'time', '00:00:00'],
    [1e20, 'time', '–'],
  ])('%s as %s is %s', (value, kind, text) => expect(plain(value, kind)).toBe(text));
});
