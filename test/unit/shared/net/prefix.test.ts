import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ipv4, parseIpv4 } from '../../../../shared/net/ipv4.ts';
import { ipv6 } from '../../../../shared/net/ipv6.ts';
import {
  firstAddress,
  formatPrefix,
  lastAddress,
  networkOf,
  type Prefix,
  parseInterfaceAddress,
  parsePrefix,
  prefixContains,
  prefixesOverlap,
  prefixProblem,
} from '../../../../shared/net/prefix.ts';

const interfaceAddresses: fc.Arbitrary<Prefix> = fc.oneof(
  fc.record({
    family: fc.constant(4 as const),
    address: fc.integer({ min: 0, max: 0xffffffff }).map(ipv4),
    bits: fc.integer({ min: 0, max: 32 }),
  }),
  fc.record({
    family: fc.constant(6 as const),
    address: fc.bigInt({ min: 0n, max: (1n << 128n) - 1n }).map(ipv6),
    bits: fc.integer({ min: 0, max: 128 }),
  }),
);

function prefix(text: string): Prefix {
  const parsed = parsePrefix(text);
  if (parsed === undefined) throw new Error(`${text} is no prefix`);
  return parsed;
}

describe('prefix', () => {
  test.each(['0.0.0.0/0', '192.0.2.0/24', '192.0.2.1/32', '::/0', '2001:db8::/32', '::1/128'])(
    '%s',
    (text) => {
      expect(formatPrefix(prefix(text))).toBe(text);
      expect(prefixProblem(text)).toBeUndefined();
    },
  );

  test.each([
    '',
    '/',
    '192.0.2.0',
    '192.0.2.0/',
    '192.0.2.0/33',
    '192.0.2.0/024',
    '192.0.2.0/-1',
    '192.0.2.0/24/24',
    '::/129',
    '192.0.2.0 /24',
    '192.0.2/24',
  ])('%j is refused', (text) => {
    expect(parsePrefix(text)).toBeUndefined();
    expect(prefixProblem(text)).toContain('is not a prefix');
  });

  test('host bits are refused in a prefix and welcome on an interface', () => {
    expect(parsePrefix('192.0.2.5/24')).toBeUndefined();
    expect(prefixProblem('192.0.2.5/24')).toBe(
      '"192.0.2.5/24" has bits set beyond /24: write 192.0.2.0/24',
    );
    expect(prefixProblem('2001:db8::1/32')).toContain('write 2001:db8::/32');
    expect(parseInterfaceAddress('192.0.2.5/24')).toMatchObject({ bits: 24 });
  });

  test('round trips, and a network holds its address and its ends', () => {
    fc.assert(
      fc.property(interfaceAddresses, (address) => {
        expect(parseInterfaceAddress(formatPrefix(address))).toEqual(address);
        const network = networkOf(address);
        expect(parsePrefix(formatPrefix(network))).toEqual(network);
        for (const each of [address.address, firstAddress(address), lastAddress(address)]) {
          expect(prefixContains(network, each)).toBe(true);
        }
      }),
    );
  });

  test.each([
    ['10.0.0.0/8', '10.1.0.0/16', true],
    ['10.1.0.0/16', '10.0.0.0/8', true],
    ['10.0.0.0/9', '10.128.0.0/9', false],
    ['0.0.0.0/0', '255.255.255.255/32', true],
    ['0.0.0.0/0', '::/0', false],
    ['2001:db8::/33', '2001:db8:8000::/33', false],
  ])('%s and %s overlap: %s', (a, b, overlap) => {
    expect(prefixesOverlap(prefix(a), prefix(b))).toBe(overlap);
  });

  test('does not hold its neighbours', () => {
    const network = prefix('192.0.2.128/25');
    expect(prefixContains(network, parseIpv4('192.0.2.127') ?? (0n as never))).toBe(false);
    expect(prefixContains(network, parseIpv4('192.0.3.0') ?? (0n as never))).toBe(false);
  });
});
