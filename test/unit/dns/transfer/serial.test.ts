import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compareSerials, isNewerSerial } from '../../../../dns/transfer/serial.ts';

describe('serials (RFC 1982)', () => {
  test.each([
    [1, 0, 1],
    [0, 1, -1],
    [7, 7, 0],
    [0, 0xffffffff, 1],
    [0xffffffff, 0, -1],
    [100, 0xfffffff0, 1],
    [0x7fffffff, 0, 1],
    [0x80000000, 0, undefined],
    [0, 0x80000000, undefined],
    [0x80000001, 0, -1],
    [0x80000000, 1, 1],
    [2026010100, 2025123199, 1],
  ])('%i beside %i: %s', (one, other, expected) => {
    expect(compareSerials(one, other)).toBe(expected);
    expect(isNewerSerial(one, other)).toBe(expected === 1);
  });

  const serial = fc.integer({ min: 0, max: 0xffffffff });

  test('one is newer exactly when the other is older, and what is added is newer', () => {
    fc.assert(
      fc.property(serial, serial, (one, other) => {
        const back = compareSerials(other, one);
        expect(compareSerials(one, other)).toBe(back === undefined ? undefined : 0 - back);
      }),
    );
    fc.assert(
      fc.property(serial, fc.integer({ min: 1, max: 0x7fffffff }), (from, step) => {
        expect(isNewerSerial((from + step) >>> 0, from)).toBe(true);
      }),
    );
  });
});
