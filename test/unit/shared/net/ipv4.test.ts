import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  formatIpv4,
  ipv4,
  ipv4FromBytes,
  ipv4ToBytes,
  isUnicastIpv4,
  parseIpv4,
} from '../../../../shared/net/ipv4.ts';

const addresses = fc.integer({ min: 0, max: 0xffffffff }).map(ipv4);

describe('ipv4', () => {
  test.each([
    ['0.0.0.0', 0],
    ['1.2.3.4', 0x01020304],
    ['198.51.100.7', 0xc6336407],
    ['255.255.255.255', 0xffffffff],
  ])('%s reads as %i', (text, value) => {
    expect(parseIpv4(text)).toBe(value);
  });

  test.each([
    '',
    '1.2.3',
    '1.2.3.4.5',
    '1.2.3.256',
    '01.2.3.4',
    '1.2.3.00',
    ' 1.2.3.4',
    '1.2.3.4 ',
    '1.2.3.4\n',
    '0x1.2.3.4',
    '1.2.3.-4',
    '1..3.4',
    '+1.2.3.4',
    '1.2.3.4/32',
    '16909060',
    '١.2.3.4',
  ])('%j is refused', (text) => {
    expect(parseIpv4(text)).toBeUndefined();
  });

  test('text and bytes round trip', () => {
    fc.assert(
      fc.property(addresses, (address) => {
        expect(parseIpv4(formatIpv4(address))).toBe(address);
        expect(ipv4FromBytes(ipv4ToBytes(address))).toBe(address);
      }),
    );
  });

  test('bytes are in network order and read at an offset', () => {
    expect([...ipv4ToBytes(ipv4(0xc6336407))]).toEqual([198, 51, 100, 7]);
    expect(ipv4FromBytes(Uint8Array.of(9, 9, 198, 51, 100, 7).subarray(1), 1)).toBe(0xc6336407);
    expect(() => ipv4FromBytes(new Uint8Array(3))).toThrow(RangeError);
  });

  test.each([
    ['0.1.2.3', false],
    ['127.0.0.1', false],
    ['224.0.0.1', false],
    ['240.0.0.1', false],
    ['255.255.255.255', false],
    ['1.0.0.0', true],
    ['223.255.255.255', true],
  ])('%s can be a host: %s', (text, unicast) => {
    expect(isUnicastIpv4(parseIpv4(text) ?? ipv4(0))).toBe(unicast);
  });

  test('a number that is no address is not branded', () => {
    for (const value of [-1, 2 ** 32, 1.5, Number.NaN])
      expect(() => ipv4(value)).toThrow(RangeError);
  });
});
