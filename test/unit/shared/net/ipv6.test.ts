import { isIPv6 } from 'node:net';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  formatIpv6,
  ipv6,
  ipv6FromBytes,
  ipv6ToBytes,
  isMappedIpv4,
  parseIpv6,
} from '../../../../shared/net/ipv6.ts';

// Groups of mostly zeros, so that runs of all lengths and places come up.
const group = fc.oneof(fc.constant(0), fc.constant(0), fc.integer({ min: 0, max: 0xffff }));
const addresses = fc
  .array(group, { minLength: 8, maxLength: 8 })
  .map((groups) => ipv6(groups.reduce((value, each) => (value << 16n) | BigInt(each), 0n)));

describe('ipv6', () => {
  test.each([
    ['::', 0n, '::'],
    ['::1', 1n, '::1'],
    ['1::', 1n << 112n, '1::'],
    ['2001:DB8::0001', 0x20010db8000000000000000000000001n, '2001:db8::1'],
    ['2001:db8:0:0:1:0:0:1', 0x20010db8000000000001000000000001n, '2001:db8::1:0:0:1'],
    ['2001:db8:0:1:1:1:1:1', 0x20010db8000000010001000100010001n, '2001:db8:0:1:1:1:1:1'],
    ['::ffff:192.0.2.1', 0xffffc0000201n, '::ffff:192.0.2.1'],
    ['::ffff:c000:201', 0xffffc0000201n, '::ffff:192.0.2.1'],
    ['64:ff9b::192.0.2.1', 0x64ff9b0000000000000000c0000201n, '64:ff9b::c000:201'],
    ['1:2:3:4:5:6:7::', 0x00010002000300040005000600070000n, '1:2:3:4:5:6:7:0'],
  ])('%s', (text, value, canonical) => {
    expect(parseIpv6(text)).toBe(value);
    expect(formatIpv6(ipv6(value))).toBe(canonical);
  });

  test.each([
    '',
    ':',
    ':::',
    '1::2::3',
    '1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:8:9',
    '1:2:3:4:5:6:7:8::',
    '12345::',
    'g::',
    '::1%eth0',
    ' ::1',
    '::1 ',
    '[::1]',
    '::1.2.3',
    '::01.2.3.4',
    '1.2.3.4',
    '1.2.3.4::',
    '::1.2.3.4:5',
    '1:',
    ':1',
    '1:2:3:4:5:6:7:1.2.3.4',
    '::1/128',
  ])('%j is refused', (text) => {
    expect(parseIpv6(text)).toBeUndefined();
  });

  test('text and bytes round trip, and the text is what others accept', () => {
    fc.assert(
      fc.property(addresses, (address) => {
        expect(parseIpv6(formatIpv6(address))).toBe(address);
        expect(isIPv6(formatIpv6(address))).toBe(true);
        expect(ipv6FromBytes(ipv6ToBytes(address))).toBe(address);
      }),
    );
  });

  test('any text is accepted exactly when node:net accepts it without a zone', () => {
    const soup = fc.string({
      unit: fc.constantFrom(':', '::', '0', '1', 'ab', '.', '1.2.3.4'),
      maxLength: 12,
    });
    fc.assert(
      fc.property(soup, (text) => {
        expect(parseIpv6(text) !== undefined, text).toBe(isIPv6(text));
      }),
      { numRuns: 2000 },
    );
  });

  test('knows a mapped IPv4 address', () => {
    expect(isMappedIpv4(ipv6(0xffffc0000201n))).toBe(true);
    expect(isMappedIpv4(ipv6(0xc0000201n))).toBe(false);
  });
});
