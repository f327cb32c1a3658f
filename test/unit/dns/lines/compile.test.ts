// The tree of lines: corner cases of net lists, and what holds of any.
import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { compileLines } from '../../../../dns/lines/compile.ts';
import { nameLines } from '../../../../dns/lines/fallback.ts';
import { eachLeaf, lineOf, lookup, scopeOf } from '../../../../dns/lines/lookup.ts';
import type { LineTree } from '../../../../dns/lines/types.ts';
import { ipv4, ipv4ToBytes } from '../../../../shared/net/ipv4.ts';
import { ipv6, ipv6ToBytes } from '../../../../shared/net/ipv6.ts';
import type { Prefix } from '../../../../shared/net/prefix.ts';
import {
  bytesOf,
  listOf,
  type NamedPrefix,
  naiveLine,
  named,
  settingsOf,
} from '../../../support/dns/lines-naive.ts';

function compiled(files: readonly NamedPrefix[], operator: readonly NamedPrefix[] = []) {
  const list = listOf(files);
  const settings = settingsOf(operator);
  const names = nameLines(settings, list.lines);
  if ('problems' in names) throw new Error(names.problems[0]?.message);
  return compileLines([list], settings, names.lines);
}

function found(tree: LineTree, text: string): string {
  const { family, bytes } = bytesOf(text);
  const result = lookup(tree, family, bytes);
  return `${tree.lines[lineOf(result)]}/${scopeOf(result)}`;
}

describe('the tree of lines', () => {
  const nested = ['10.0.0.0/8 A', '10.1.2.0/24 B'];
  const cases: [what: string, files: string[], operator: string[], asked: [string, string][]][] = [
    [
      'nothing',
      [],
      [],
      [
        ['192.0.2.1', 'default/0'],
        ['2001:db8::1', 'default/0'],
      ],
    ],
    [
      'nested prefixes, with disjoint scopes (notes: ECS)',
      nested,
      [],
      [
        ['10.1.2.0', 'B/24'],
        ['10.1.3.0', 'A/24'],
        ['10.1.0.0', 'A/23'],
        ['10.8.0.0', 'A/13'],
        ['10.128.0.0', 'A/9'],
        ['11.0.0.0', 'default/8'],
        ['128.0.0.0', 'default/1'],
        ['::', 'default/0'],
      ],
    ],
    [
      'siblings of one line as one leaf, again and again',
      ['192.0.2.0/26 A', '192.0.2.64/26 A', '192.0.2.128/25 A', '192.0.3.0/24 A'],
      [],
      [
        ['192.0.2.77', 'A/23'],
        ['192.0.3.1', 'A/23'],
        ['192.0.4.1', 'default/22'],
      ],
    ],
    [
      'a subnet of the same line as nothing',
      ['10.0.0.0/8 A', '10.1.0.0/16 A'],
      [],
      [
        ['10.1.0.1', 'A/8'],
        ['10.2.0.1', 'A/8'],
      ],
    ],
    [
      'halves of both lines that cover a third one whole',
      ['10.0.0.0/8 A', '10.0.0.0/9 B', '10.128.0.0/9 B'],
      [],
      [
        ['10.0.0.1', 'B/8'],
        ['10.200.0.1', 'B/8'],
      ],
    ],
    [
      'everything',
      ['0.0.0.0/0 A', '::/0 B'],
      [],
      [
        ['1.2.3.4', 'A/0'],
        ['2001::', 'B/0'],
      ],
    ],
    [
      'everything in halves',
      ['0.0.0.0/1 A', '128.0.0.0/1 A'],
      [],
      [
        ['1.2.3.4', 'A/0'],
        ['200.0.0.1', 'A/0'],
      ],
    ],
    [
      'single addresses at the ends',
      [
        '0.0.0.0/32 A',
        '255.255.255.255/32 B',
        '::/128 A',
        'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/128 B',
      ],
      [],
      [
        ['0.0.0.0', 'A/32'],
        ['0.0.0.1', 'default/32'],
        ['255.255.255.255', 'B/32'],
        ['255.255.255.254', 'default/32'],
        ['::', 'A/128'],
        ['::1', 'default/128'],
        ['ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff', 'B/128'],
        ['8000::', 'default/2'],
      ],
    ],
    [
      'lengths on either side of each stride',
      ['10.1.0.0/15 A', '10.4.0.0/16 B', '10.6.0.0/17 A', '10.7.16.0/20 B', '10.7.40.0/21 A'].map(
        (text) => text.replace('10.1.0.0/15', '10.2.0.0/15'),
      ),
      [],
      [
        ['10.3.255.255', 'A/15'],
        ['10.4.1.1', 'B/16'],
        ['10.6.127.1', 'A/17'],
        ['10.6.128.1', 'default/17'],
        ['10.7.17.1', 'B/20'],
        ['10.7.47.1', 'A/21'],
        ['10.7.32.1', 'default/21'],
      ],
    ],
    [
      'the operator over a longer prefix of a file',
      nested,
      ['10.0.0.0/8 C'],
      [
        ['10.1.2.3', 'C/8'],
        ['11.0.0.1', 'default/8'],
      ],
    ],
    [
      'the operator inside of what a file says, and of itself',
      nested,
      ['10.1.0.0/16 C', '10.1.2.128/25 A'],
      [
        ['10.1.2.1', 'C/25'],
        ['10.1.2.129', 'A/25'],
        ['10.0.0.1', 'A/16'],
      ],
    ],
    [
      'the operator naming the line that it would be anyway',
      nested,
      ['10.1.2.0/25 B'],
      [
        ['10.1.2.1', 'B/24'],
        ['10.1.3.1', 'A/24'],
      ],
    ],
    [
      'a hole of `default`',
      nested,
      ['10.1.2.0/24 default'],
      [
        ['10.1.2.1', 'default/24'],
        ['10.1.3.1', 'A/24'],
      ],
    ],
    [
      'the first of two that say the same prefix',
      ['10.0.0.0/8 A', '10.0.0.0/8 B'],
      [],
      [['10.1.2.3', 'A/8']],
    ],
    [
      'IPv6',
      ['2001:db8::/32 A', '2001:db8:1::/48 B'],
      ['2001:db8:1:1::/64 C'],
      [
        ['2001:db8:1:1::5', 'C/64'],
        ['2001:db8:1::5', 'B/64'],
        ['2001:db8:1:8000::', 'B/49'],
        ['2001:db8::5', 'A/48'],
        ['2001:db9::', 'default/32'],
      ],
    ],
    ['a mapped prefix as IPv4', ['::ffff:192.0.2.0/120 A'], [], [['192.0.2.9', 'A/24']]],
  ];
  it.each(cases)('has %s', (_, files, operator, asked) => {
    const { tree } = compiled(files.map(named), operator.map(named));
    expect(asked.map(([address]) => [address, found(tree, address)])).toEqual(asked);
  });

  it('numbers no line that it cannot pack', () => {
    const many = Array.from({ length: 65_535 }, (_, index) => `line-${index}`);
    const names = nameLines([], many);
    if ('problems' in names) throw new Error('refused');
    const last = names.lines.at(-1) ?? '';
    const list = listOf([named(`192.0.2.0/24 ${last}`)]);
    const { tree } = compileLines([list], [], names.lines);
    expect(found(tree, '192.0.2.1')).toBe(`${last}/24`);
    expect(nameLines([], [...many, 'more'])).toHaveProperty('problems');
  });
});

/** Few bits that vary, so that prefixes meet. */
const prefixV4 = fc
  .tuple(fc.integer({ min: 0, max: 32 }), fc.integer({ min: 0, max: 0xffff }), fc.boolean())
  .map(([bits, low, left]): Prefix => {
    const address = ((low << 11) | (left ? 0x0a00_0000 : 0)) >>> 0;
    const mask = bits === 0 ? 0 : (0xffff_ffff << (32 - bits)) >>> 0;
    return { family: 4, address: ipv4((address & mask) >>> 0), bits };
  });
const prefixV6 = fc
  .tuple(fc.integer({ min: 0, max: 128 }), fc.integer({ min: 0, max: 0xfff }))
  .map(([bits, low]): Prefix => {
    const wide = (0x2001n << 112n) | (BigInt(low) << 84n) | (BigInt(low) << 58n) | BigInt(low);
    const shift = BigInt(128 - bits);
    return { family: 6, address: ipv6((wide >> shift) << shift), bits };
  });
const entries = fc.array(
  fc.record({
    prefix: fc.oneof(prefixV4, prefixV6),
    line: fc.constantFrom('A', 'B', 'C', 'default'),
  }),
  { maxLength: 40 },
);

/** Addresses around the edges of the prefixes, and some that are anywhere. */
function edges(list: readonly NamedPrefix[], extra: readonly bigint[]) {
  const near = list.flatMap(({ prefix: { family, address, bits } }) => {
    const width = family === 4 ? 32n : 128n;
    const first = BigInt(address);
    const last = first | ((1n << (width - BigInt(bits))) - 1n);
    return [first - 1n, first, last, last + 1n].map((value) => ({
      family,
      value: BigInt.asUintN(Number(width), value),
    }));
  });
  const anywhere = extra.flatMap((value) => [
    { family: 4 as const, value: value & 0xffff_ffffn },
    { family: 6 as const, value },
  ]);
  return [...near, ...anywhere].map(({ family, value }) => ({
    family,
    value,
    bytes: family === 4 ? ipv4ToBytes(ipv4(Number(value))) : ipv6ToBytes(ipv6(value)),
  }));
}

describe('for any lists', () => {
  const addresses = fc.array(fc.bigInt({ min: 0n, max: (1n << 128n) - 1n }), { maxLength: 20 });

  it('the line is that of the naive longest match, operator first', () => {
    const property = fc.property(entries, entries, addresses, (files, operator, extra) => {
      const { tree } = compiled(files, operator);
      const own = [...Map.groupBy(operator, ({ line }) => line).values()].flat(); // by object
      for (const { family, value, bytes } of edges([...files, ...operator], extra)) {
        const line = tree.lines[lineOf(lookup(tree, family, bytes))];
        expect(line, `${family} ${value.toString(16)}`).toBe(naiveLine(files, own, family, value));
      }
    });
    fc.assert(property, { numRuns: 300 });
  });

  it('scopes are disjoint, and no two siblings could be one', () => {
    const property = fc.property(entries, entries, addresses, (files, operator, extra) => {
      const { tree } = compiled(files, operator);
      for (const { family, value, bytes } of edges([...files, ...operator], extra)) {
        const result = lookup(tree, family, bytes);
        const width = family === 4 ? 32 : 128;
        const shift = BigInt(width - scopeOf(result));
        // Whoever is in the same prefix of that length gets the very same leaf.
        for (const other of [(value >> shift) << shift, value | ((1n << shift) - 1n)]) {
          const same = family === 4 ? ipv4ToBytes(ipv4(Number(other))) : ipv6ToBytes(ipv6(other));
          expect(lookup(tree, family, same)).toBe(result);
        }
        if (scopeOf(result) === 0) continue;
        const sibling = value ^ (1n << shift);
        const next = family === 4 ? ipv4ToBytes(ipv4(Number(sibling))) : ipv6ToBytes(ipv6(sibling));
        const beside = lookup(tree, family, next);
        expect(beside === result, `two halves of one line, /${scopeOf(result)}`).toBe(false);
      }
    });
    fc.assert(property, { numRuns: 300 });
  });

  test('the leaves fill the space of addresses, each found by its first address', () => {
    const property = fc.property(entries, entries, (files, operator) => {
      const { tree } = compiled(files, operator);
      for (const family of [4, 6] as const) {
        const width = family === 4 ? 32n : 128n;
        let next = 0n;
        eachLeaf(tree, family, (words, depth, line) => {
          let address = 0n;
          for (let at = 0; at < Number(width / 32n); at++)
            address = (address << 32n) | BigInt(words[at] ?? 0);
          expect(address).toBe(next);
          next += 1n << (width - BigInt(depth));
          const bytes =
            family === 4 ? ipv4ToBytes(ipv4(Number(address))) : ipv6ToBytes(ipv6(address));
          expect(lookup(tree, family, bytes)).toBe(line * 256 + depth);
        });
        expect(next).toBe(1n << width);
      }
    });
    fc.assert(property, { numRuns: 100 });
  });
});
