// Names: text and wire form, comparison, order, and reading them out of messages.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  compareNames,
  displayName,
  formatName,
  hashName,
  isSubdomain,
  isWildcard,
  labelCount,
  labelOffsets,
  lowerName,
  nameFrom,
  nameLength,
  parentOf,
  parseName,
  ROOT,
  sameName,
} from '../../../../shared/dns/names.ts';

function named(text: string, origin = ROOT) {
  const name = parseName(text, origin);
  if (name === undefined) throw new RangeError(`${text} is no name`);
  return name;
}

const origin = named('Example.COM.');

/** Any labels of any bytes, up to 255 in all. */
const anyName = fc
  .array(fc.uint8Array({ minLength: 1, maxLength: 63 }), { maxLength: 8 })
  .map((labels) => Uint8Array.from([...labels.flatMap((each) => [each.length, ...each]), 0]))
  .filter((name) => name.length <= 255);

const label = (length: number) => 'x'.repeat(length);
/** 255 bytes in wire form. */
const longest = `${label(63)}.${label(63)}.${label(63)}.${label(61)}.`;

describe('text', () => {
  test.each([
    ['.', '.', 1],
    ['a', 'a.Example.COM.', 15],
    ['a.', 'a.', 3],
    ['A.b', 'A.b.Example.COM.', 17],
    ['*.a.', '*.a.', 5],
    ['@', '\\@.Example.COM.', 15],
    ['\\046x.y\\.z.', '\\.x.y\\.z.', 8],
    ['\\000\\255.', '\\000\\255.', 4],
    ['a b.', 'a\\032b.', 5],
    ['\\(\\;\\"\\$\\\\.', '\\(\\;\\"\\$\\\\.', 7],
    ['_dmarc.x-y.', '_dmarc.x-y.', 12],
    ['\u00e4.', '\\228.', 3],
    [longest, longest, 255],
  ])('%j', (text, formatted, length) => {
    const name = named(text, origin);
    expect(formatName(name)).toBe(formatted);
    expect(name.length).toBe(length);
    expect(parseName(formatted)).toEqual(name);
  });

  test.each([
    '',
    '..',
    '.a',
    'a..b',
    'a..',
    '\\',
    'a\\',
    '\\25',
    '\\2x5',
    '\\256',
    '\u0100',
    label(64),
    `${label(64)}.`,
    `x${longest}`,
    longest.slice(0, -1),
    'a.'.repeat(128),
  ])('%j is no name', (text) => expect(parseName(text, origin)).toBeUndefined());

  test('of any name leads back to it, and is printable', () => {
    fc.assert(
      fc.property(anyName, (name) => {
        const text = formatName(name);
        expect(parseName(text)).toEqual(name);
        expect(text).toMatch(/^[!-~]+$/);
        expect(nameLength(name, 0)).toBe(name.length);
      }),
    );
  });

  test('any text is a name or none', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (text) => {
        const name = parseName(text, origin);
        if (name !== undefined) expect(nameLength(name, 0)).toBe(name.length);
      }),
    );
  });

  test('for people is lower case without the final dot', () => {
    expect(displayName(origin)).toBe('example.com');
    expect(displayName(ROOT)).toBe('.');
    expect(displayName(named('a\\..'))).toBe('a\\.');
  });
});

describe('comparison', () => {
  test('has no case for A to Z alone', () => {
    expect(sameName(origin, named('eXAMPLE.com.'))).toBe(true);
    expect(sameName(named('[.'), named('{.'))).toBe(false);
    expect(sameName(named('\\228.'), named('\\196.'))).toBe(false);
    expect(hashName(origin)).toBe(hashName(named('example.com.')));
    expect(hashName(named('www.example.com.'), 4)).toBe(hashName(origin));
    expect(formatName(lowerName(named('AZ[a.')))).toBe('az[a.');
    const name = named('AB.');
    expect(lowerName(name, name)).toBe(name);
    expect(formatName(name)).toBe('ab.');
  });

  test('knows what is below what, by whole labels', () => {
    expect(isSubdomain(named('www.example.com.'), origin)).toBe(true);
    expect(isSubdomain(origin, origin)).toBe(true);
    expect(isSubdomain(origin, ROOT)).toBe(true);
    expect(isSubdomain(named('com.'), origin)).toBe(false);
    expect(isSubdomain(named('notexample.com.'), origin)).toBe(false);
    // The same bytes at the end, from amid a label.
    expect(isSubdomain(named('x\\007example\\003com.'), named('com.'))).toBe(false);
  });

  test('counts and cuts labels', () => {
    expect(labelCount(ROOT)).toBe(0);
    expect(labelCount(named('*.a.b.'))).toBe(3);
    expect(labelOffsets(named('*.aa.b.'))).toEqual([0, 2, 5]);
    expect(isWildcard(named('*.a.'))).toBe(true);
    expect(isWildcard(named('**.a.'))).toBe(false);
    expect(isWildcard(ROOT)).toBe(false);
    expect(parentOf(ROOT)).toBeUndefined();
    expect(parentOf(named('a.Example.com.'))).toEqual(named('Example.com.'));
  });

  test('orders as RFC 4034 §6.1 does', () => {
    const sorted = [
      'example.',
      'a.example.',
      'yljkjljk.a.example.',
      'Z.a.example.',
      'zABC.a.EXAMPLE.',
      'z.example.',
      '\\001.z.example.',
      '*.z.example.',
      '\\200.z.example.',
    ];
    const names = sorted.map((text) => named(text));
    expect(names.toReversed().sort(compareNames).map(formatName)).toEqual(sorted);
    expect(compareNames(ROOT, origin)).toBeLessThan(0);
  });

  test('is an order that agrees with sameness', () => {
    fc.assert(
      fc.property(anyName, anyName, (one, other) => {
        expect(Math.sign(compareNames(one, other))).toBe(-Math.sign(compareNames(other, one)) + 0);
        expect(compareNames(one, other) === 0).toBe(sameName(one, other));
        expect(compareNames(one, lowerName(one))).toBe(0);
      }),
    );
  });
});

describe('in messages', () => {
  const read = (bytes: number[], at: number) => {
    const found = nameFrom(Uint8Array.from(bytes), at);
    return found === undefined ? undefined : [formatName(found.name), found.next];
  };

  test.each<[string, number[], number, unknown]>([
    ['plain', [1, 97, 0], 0, ['a.', 3]],
    ['a pointer', [1, 97, 0, 1, 98, 0xc0, 0], 3, ['b.a.', 7]],
    ['a pointer to a pointer', [1, 97, 0, 0xc0, 0, 1, 98, 0xc0, 3], 5, ['b.a.', 9]],
    ['a pointer into a name', [1, 97, 1, 98, 0, 0xc0, 2], 5, ['b.', 7]],
    ['a pointer to itself', [0xc0, 0], 0, undefined],
    ['a pointer forwards', [0xc0, 2, 1, 97, 0], 0, undefined],
    ['two that lead to each other', [0xc0, 2, 0xc0, 0], 2, undefined],
    ['a label before a pointer to itself', [1, 97, 0xc0, 0], 0, undefined],
    ['a pointer that is cut off', [1, 97, 0xc0], 0, undefined],
    ['a label that is cut off', [2, 97], 0, undefined],
    ['no end', [1, 97], 0, undefined],
    ['nothing', [], 0, undefined],
    ['label type 0x40', [0x41, 97, 0], 0, undefined],
    ['label type 0x80', [0x81, 97, 0], 0, undefined],
  ])('%s', (_, bytes, at, expected) => expect(read(bytes, at)).toEqual(expected));

  test('a name has 255 bytes at most, with what pointers lead to', () => {
    const name = named(longest);
    const bytes = [...name, 1, 97, 0xc0, 0];
    expect(read(bytes, 0)).toEqual([longest, 255]);
    expect(read(bytes, 255)).toBeUndefined();
    expect(nameLength(Uint8Array.from([1, 97, ...name]), 0)).toBe(-1);
  });

  test('an uncompressed name ends where what holds it does', () => {
    expect(nameLength(Uint8Array.of(1, 97, 0, 0), 0)).toBe(3);
    expect(nameLength(Uint8Array.of(1, 97, 0), 0, 2)).toBe(-1);
    expect(nameLength(Uint8Array.of(1, 97, 0xc0, 0), 0)).toBe(-1);
    expect(nameLength(Uint8Array.of(9, 97), 0)).toBe(-1);
    expect(nameLength(new Uint8Array(0), 0)).toBe(-1);
  });

  test('any bytes have a name or none, at any place', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat(300), (bytes, at) => {
        const found = nameFrom(bytes, at);
        if (found === undefined) return;
        expect(nameLength(found.name, 0)).toBe(found.name.length);
        expect(found.next).toBeGreaterThan(at);
        expect(found.next).toBeLessThanOrEqual(bytes.length);
      }),
      { numRuns: 2000 },
    );
  });
});
