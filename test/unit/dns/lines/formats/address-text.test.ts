// Addresses and ranges of list files, held against shared/net and against each other.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { wordsOfPrefix } from '../../../../../dns/lines/columns.ts';
import {
  type ReadPrefix,
  readAddress,
  readPrefix,
} from '../../../../../dns/lines/formats/address-text.ts';
import { prefixesOfRange } from '../../../../../dns/lines/formats/ranges.ts';
import { parseIpv4 } from '../../../../../shared/net/ipv4.ts';
import { formatIpv6, ipv6, parseIpv6 } from '../../../../../shared/net/ipv6.ts';
import { parseInterfaceAddress } from '../../../../../shared/net/prefix.ts';

const words = new Uint32Array(4);

function numberRead(family: 4 | 6 | undefined): bigint | undefined {
  if (family === undefined) return undefined;
  return words
    .slice(0, family === 4 ? 1 : 4)
    .reduce((value, word) => (value << 32n) | BigInt(word), 0n);
}

function byNet(text: string): bigint | undefined {
  const address = parseIpv4(text) ?? parseIpv6(text);
  return address === undefined ? undefined : BigInt(address);
}

describe('an address', () => {
  it('is what shared/net takes it for, whatever the text', () => {
    const pieces = fc.constantFrom(
      ':',
      '::',
      '.',
      '0',
      '00',
      '1',
      '255',
      '256',
      'ffff',
      'g',
      '10000',
      '1.2.3.4',
      '/',
      ' ',
    );
    const texts = fc.oneof(
      fc.array(pieces, { maxLength: 16 }).map((parts) => parts.join('')),
      fc.ipV4(),
      fc.ipV6(),
      fc.bigInt({ min: 0n, max: (1n << 128n) - 1n }).map((value) => formatIpv6(ipv6(value))),
      fc
        .array(fc.constantFrom('0', '1', 'abcd'), { minLength: 7, maxLength: 9 })
        .map((groups) => groups.join(':')),
    );
    const property = fc.property(texts, (text) => {
      expect(numberRead(readAddress(text, words)), text).toBe(byNet(text));
    });
    fc.assert(property, { numRuns: 3000 });
  });

  it.each([
    '',
    ':',
    ':::',
    '1::2::3',
    '::1.2.3.4:5',
    '1:2:3:4:5:6:7:1.2.3.4',
    '1:2:3:4:5:6:7:8::',
    '::1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7::',
  ])('%j is what shared/net takes it for', (text) =>
    expect(numberRead(readAddress(text, words))).toBe(byNet(text)),
  );
});

describe('a prefix', () => {
  it('has the length that is written', () => {
    const lengths = fc.constantFrom(
      '0',
      '8',
      '08',
      '32',
      '33',
      '128',
      '129',
      '',
      '-1',
      '1e1',
      '1000',
    );
    const property = fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), lengths, (address, length) => {
      const result: ReadPrefix = { family: 4, bits: 0 };
      const isPrefix = readPrefix(`${address}/${length}`, words, result);
      const expected = parseInterfaceAddress(`${address}/${length}`);
      expect(isPrefix).toBe(expected !== undefined);
      if (expected === undefined) return;
      expect([result.family, result.bits]).toEqual([expected.family, expected.bits]);
      const other = new Uint32Array(4);
      wordsOfPrefix(expected, other);
      expect(words.slice(0, expected.family === 4 ? 1 : 4)).toEqual(
        other.slice(0, expected.family === 4 ? 1 : 4),
      );
    });
    fc.assert(property, { numRuns: 500 });
  });
});

describe('a range', () => {
  const inRange = (family: 4 | 6, a: bigint, b: bigint) => {
    const width = family === 4 ? 32n : 128n;
    const toWords = (value: bigint) =>
      Uint32Array.from({ length: Number(width) / 32 }, (_, at) =>
        Number((value >> (width - 32n - 32n * BigInt(at))) & 0xffff_ffffn),
      );
    const [first, last] = a < b ? [a, b] : [b, a];
    let next = first;
    let before = -1;
    prefixesOfRange(family, toWords(first), toWords(last), (at, bits) => {
      const value = at
        .slice(0, Number(width) / 32)
        .reduce((sum, word) => (sum << 32n) | BigInt(word), 0n);
      expect(value).toBe(next);
      const size = 1n << (width - BigInt(bits));
      expect(value % size, 'is aligned').toBe(0n);
      // Two neighbours of one length that could be one prefix would be one too many.
      expect(bits === before && (value / size) % 2n === 1n, 'could be one').toBe(false);
      before = bits;
      next += size;
    });
    expect(next).toBe(last + 1n);
  };

  it('is covered without a gap, by the fewest prefixes', () => {
    const v4 = fc.bigInt({ min: 0n, max: 0xffff_ffffn });
    const v6 = fc.bigInt({ min: 0n, max: (1n << 128n) - 1n });
    fc.assert(fc.property(v4, v4, (a, b) => inRange(4, a, b)));
    fc.assert(fc.property(v6, v6, (a, b) => inRange(6, a, b)));
    inRange(6, 0n, (1n << 128n) - 1n);
    inRange(4, 0n, 0xffff_ffffn);
    inRange(4, 0xffff_ffffn, 0xffff_ffffn);
  });

  it('the wrong way round is none', () => {
    expect(prefixesOfRange(4, Uint32Array.of(2), Uint32Array.of(1), () => {})).toBe(false);
  });
});
