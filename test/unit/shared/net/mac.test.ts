import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatMac, mac, macFromBytes, macToBytes, parseMac } from '../../../../shared/net/mac.ts';

describe('mac', () => {
  test.each([
    ['00:00:00:00:00:00', 0],
    ['02:00:00:00:00:01', 0x020000000001],
    ['FF:ff:FF:ff:FF:ff', 0xffffffffffff],
  ])('%s', (text, value) => {
    expect(parseMac(text)).toBe(value);
    expect(formatMac(mac(value))).toBe(text.toLowerCase());
  });

  test.each([
    '',
    '02:00:00:00:00',
    '02:00:00:00:00:01:02',
    '2:0:0:0:0:1',
    '02-00-00-00-00-01',
    ' 02:00:00:00:00:01',
    '0g:00:00:00:00:01',
  ])('%j is refused', (text) => {
    expect(parseMac(text)).toBeUndefined();
  });

  test('text and bytes round trip', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 0xffffffffffff }).map(mac), (address) => {
        expect(parseMac(formatMac(address))).toBe(address);
        expect(macFromBytes(macToBytes(address))).toBe(address);
      }),
    );
    expect([...macToBytes(mac(0x0203040506ff))]).toEqual([2, 3, 4, 5, 6, 255]);
  });

  test('a number that is no address is not branded', () => {
    for (const value of [-1, 2 ** 48, 0.5]) expect(() => mac(value)).toThrow(RangeError);
  });
});
