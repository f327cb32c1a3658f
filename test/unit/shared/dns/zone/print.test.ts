import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { TYPES } from '../../../../../shared/dns/constants.ts';
import { compareNames } from '../../../../../shared/dns/names.ts';
import type { Name } from '../../../../../shared/dns/types.ts';
import { canonicalOrder } from '../../../../../shared/dns/zone/order.ts';
import { parseZone } from '../../../../../shared/dns/zone/parse.ts';
import { printZone } from '../../../../../shared/dns/zone/print.ts';
import { RecordList } from '../../../../../shared/dns/zone/record-list.ts';
import { filesOf, HEAD, name, ORIGIN, recordLines, told, zoneOf } from './zone-text.ts';

/** Labels of few bytes, so that names meet, some with a meaning in zone files. */
const labels = fc
  .uint8Array({ minLength: 1, maxLength: 3 })
  .map((bytes) =>
    bytes.map((byte) =>
      byte < 200 ? (b('aAbB01*-_.\\"$@;() \t\n\0\x01\x02').at(byte % 25) ?? 0) : byte,
    ),
  );
const owners = fc.array(labels, { maxLength: 4 }).map((parts) => wire(parts, ORIGIN));
const anyNames = fc.array(labels, { maxLength: 4 }).map((parts) => wire(parts, Uint8Array.of(0)));
const texts = fc
  .array(fc.uint8Array({ maxLength: 20 }), { minLength: 1, maxLength: 3 })
  .map((parts) => Uint8Array.from(parts.flatMap((part) => [part.length, ...part])));

type Written = { owner: Name; type: number; ttlSeconds: number; rdata: Uint8Array };
const data: fc.Arbitrary<{ type: number; rdata: Uint8Array }> = fc.oneof(
  fc.record({ type: fc.constant(TYPES.A), rdata: fc.uint8Array({ minLength: 4, maxLength: 4 }) }),
  fc.record({
    type: fc.constant(TYPES.AAAA),
    rdata: fc.uint8Array({ minLength: 16, maxLength: 16 }),
  }),
  fc.record({ type: fc.constantFrom(TYPES.NS, TYPES.PTR, TYPES.DNAME), rdata: anyNames }),
  fc.record({
    type: fc.constant(TYPES.MX),
    rdata: anyNames.map((each) => Uint8Array.of(0, 10, ...each)),
  }),
  fc.record({ type: fc.constant(TYPES.TXT), rdata: texts }),
  fc.record({ type: fc.constantFrom(65280, 65535, 300), rdata: fc.uint8Array({ maxLength: 9 }) }),
);
const records: fc.Arbitrary<Written[]> = fc.array(
  fc
    .tuple(owners, fc.integer({ min: 0, max: 0xffffffff }), data)
    .map(([owner, ttlSeconds, each]) => ({ owner, ttlSeconds, ...each })),
  { maxLength: 40 },
);

function b(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

function wire(parts: readonly Uint8Array[], end: Name): Name {
  return Uint8Array.from([...parts.flatMap((part) => [part.length, ...part]), ...end]);
}

function listOf(written: readonly Written[]): RecordList {
  const list = new RecordList();
  for (const each of written) list.add(each.owner, each.type, each.ttlSeconds, each.rdata);
  return list;
}

/** Every record with all of its bytes, in canonical order. */
function exact(list: RecordList): string[] {
  return [...canonicalOrder(list, ORIGIN)].map((index) => {
    const [owner, rdata] = [list.owner(index), list.rdata(index)];
    return `${owner} ${list.type(index)} ${list.ttlSeconds(index)} ${rdata}`;
  });
}

describe('printing', () => {
  test.each(['absolute', 'relative'] as const)('%s: what is printed is read as it was', (form) => {
    fc.assert(
      fc.property(records, (written) => {
        const list = listOf(written);
        const text = [...printZone({ origin: ORIGIN, records: list }, { owners: form })].join('');
        expect(text).toMatch(/^[\t\n\x20-\x7e]*$/);
        const read = parseZone('z', ORIGIN, filesOf({ z: text }));
        expect(told(read.problems)).toEqual([]);
        expect(exact(read.records)).toEqual(exact(list));
      }),
      { numRuns: 300 },
    );
  });

  test('owners are in canonical order', () => {
    fc.assert(
      fc.property(records, (written) => {
        const list = listOf(written);
        const order = [...canonicalOrder(list, ORIGIN)].map((index) => list.owner(index));
        for (const [index, owner] of order.entries()) {
          expect(compareNames(order[index - 1] ?? owner, owner)).toBeLessThanOrEqual(0);
        }
      }),
    );
  });

  test('the SOA is first, data in canonical order, with and without the origin', () => {
    const zone = zoneOf(`${HEAD}@ A 192.0.2.9\n@ A 192.0.2.1\nz.y TXT x\nB MX 0 .\n`);
    expect([...printZone(zone, { owners: 'relative' })].join('')).toBe(
      [
        '$ORIGIN example.com.',
        '@\t300\tIN\tSOA\tns.example.com. hostmaster.example.com. 7 3600 600 1209600 60',
        '@\t300\tIN\tA\t192.0.2.1',
        '@\t300\tIN\tA\t192.0.2.9',
        '@\t300\tIN\tNS\tns.example.com.',
        'B\t300\tIN\tMX\t0 .',
        'ns\t300\tIN\tA\t192.0.2.53',
        'z.y\t300\tIN\tTXT\t"x"',
        '',
      ].join('\n'),
    );
    expect([...printZone(zone)].join('').split('\n').at(-3)).toBe(
      'ns.example.com.\t300\tIN\tA\t192.0.2.53',
    );
  });

  test('data that is none of its type is told in bytes', () => {
    const list = listOf([{ owner: ORIGIN, type: TYPES.A, ttlSeconds: 1, rdata: b('ab') }]);
    expect(recordLines(list)).toEqual(['example.com. 1 A \\# 2 6162']);
  });

  test('the root’s zone', () => {
    const list = new RecordList();
    list.add(name('com'), TYPES.NS, 1, name('a.gtld-servers.net'));
    list.add(name('.'), TYPES.NS, 1, name('a.root-servers.net'));
    const root = { origin: name('.'), records: list };
    expect([...printZone(root, { owners: 'relative' })].join('')).toBe(
      '$ORIGIN .\n@\t1\tIN\tNS\ta.root-servers.net.\ncom\t1\tIN\tNS\ta.gtld-servers.net.\n',
    );
  });

  test('a large zone comes in pieces', () => {
    const written = Array.from({ length: 5000 }, (_, index) => ({
      owner: wire([b(`host-${index}`)], ORIGIN),
      type: TYPES.A,
      ttlSeconds: 1,
      rdata: b('abcd'),
    }));
    const chunks = [...printZone({ origin: ORIGIN, records: listOf(written) })];
    expect(chunks.length).toBeGreaterThan(2);
    expect(Math.max(...chunks.map(({ length }) => length))).toBeLessThan(70_000);
    expect(chunks.join('').split('\n')).toHaveLength(5001);
  });
});
