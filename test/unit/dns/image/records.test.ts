import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { buildImage } from '../../../../dns/image/build.ts';
import { digestOf, type ImageRecord, recordsOf } from '../../../../dns/image/records.ts';
import { compareNames, formatName, lowerName } from '../../../../shared/dns/names.ts';
import { canonicalRdata, typeName, typeOf } from '../../../../shared/dns/rdata.ts';
import type { Name } from '../../../../shared/dns/types.ts';
import type { RecordList } from '../../../../shared/dns/zone/record-list.ts';
import { imageOf, nameOf, recordsOfText } from '../../../support/dns/resolve-rig.ts';
import { signed } from '../../../support/dns/sign.ts';

// An image gives its records back, whatever was compressed in it.

const origin = nameOf('example.');
const SOA = '@ 900 SOA ns host 1 2 3 4 300\n@ 900 NS ns\n';

const lineOf = (owner: Name, type: number, ttl: number, rdata: Uint8Array): string => {
  const data = Buffer.from(canonicalRdata(type, rdata)).toString('hex');
  return `${formatName(lowerName(owner))} ${ttl} ${typeName(type)} ${data}`;
};
const listed = (list: RecordList): string[] =>
  Array.from({ length: list.count }, (_, index) =>
    lineOf(list.owner(index), list.type(index), list.ttlSeconds(index), list.rdata(index)),
  );
const told = (records: Iterable<ImageRecord>): string[] =>
  [...records].map((each) => lineOf(each.owner, each.type, each.ttlSeconds, each.rdata));

const bytesLabel = fc.uint8Array({ minLength: 1, maxLength: 3 });
const plainLabel = fc
  .constantFrom('a', 'b', 'www', '*', 'A', 'x-1')
  .map((text) => Buffer.from(text));
const label = fc.oneof({ weight: 5, arbitrary: plainLabel }, { weight: 1, arbitrary: bytesLabel });
const nameUnder = (end: Name) =>
  fc
    .array(label, { maxLength: 4 })
    .map((parts) => Uint8Array.from([...parts.flatMap((part) => [part.length, ...part]), ...end]));
const owner = nameUnder(origin);
const target = fc.oneof(owner, nameUnder(nameOf('other.')), fc.constant(nameOf('.')));

/** Type and data; names anywhere in it. */
const typed = fc.oneof(
  fc.tuple(fc.constant(1), fc.uint8Array({ minLength: 4, maxLength: 4 })),
  fc.tuple(fc.constantFrom(2, 12, 39), target),
  fc.tuple(
    fc.constant(15),
    target.map((name) => Uint8Array.from([0, 9, ...name])),
  ),
  fc.tuple(
    fc.constant(33),
    target.map((name) => Uint8Array.from([0, 1, 0, 2, 0, 80, ...name])),
  ),
  fc.tuple(
    fc.constant(14),
    fc.tuple(target, target).map(([one, two]) => Uint8Array.from([...one, ...two])),
  ),
  fc.tuple(fc.constant(65280), fc.uint8Array({ maxLength: 20 })),
);
const lists = fc.array(fc.tuple(owner, typed), { maxLength: 25 }).map((rows) => {
  const records = recordsOfText('example.', SOA);
  const seen = new Set(listed(records));
  for (const [name, [type, rdata]] of rows) {
    const line = lineOf(name, type, 900, rdata);
    if (!seen.has(line)) records.add(name, type, 900, rdata);
    seen.add(line);
  }
  return records;
});

describe('recordsOf', () => {
  test('gives back what was built, by canonical order of owners, the SOA first', () => {
    fc.assert(
      fc.property(lists, (records) => {
        const image = buildImage({ origin, records, smart: [] });
        expect(image.recordCount).toBe(records.count);
        const all = [...recordsOf(image)];
        expect(told(all).toSorted()).toEqual(listed(records).toSorted());
        expect(all[0]?.type).toBe(6);
        for (const [index, { owner: name }] of all.entries()) {
          const next = all[index + 1];
          if (next !== undefined) expect(compareNames(name, next.owner)).toBeLessThanOrEqual(0);
        }
      }),
      { numRuns: 200 },
    );
  });

  test('RRSIGs come behind what they cover, chains of NSEC and NSEC3 are among them', () => {
    const text = `${SOA}www 900 A 192.0.2.1\nsub 900 NS ns.sub\nns.sub 900 A 192.0.2.2\n`;
    for (const nsec3 of [undefined, { salt: 'ab', iterations: 1, optOut: false }]) {
      const records = signed(recordsOfText('example.', text), origin, nsec3);
      const image = buildImage({ origin, records, smart: [] });
      const all = [...recordsOf(image)];
      expect(told(all).toSorted()).toEqual(listed(records).toSorted());
      const at = all.findIndex((each) => formatName(each.owner) === 'www.example.');
      expect(all[at + 1]).toMatchObject({ type: 46 });
      expect(typeOf(46).format(all[at + 1]?.rdata ?? new Uint8Array(0))).toMatch(/^A /);
    }
  });

  test('letters stay as they were written, also of a name that was an ancestor first', () => {
    const image = imageOf('example.', `${SOA}a.Www 900 A 192.0.2.1\nwWW 900 A 192.0.2.2\n`);
    const owners = [...recordsOf(image)].map((each) => formatName(each.owner));
    expect(owners).toEqual(['example.', 'example.', 'wWW.example.', 'a.Www.example.']);
  });

  test('an RRset that no answer could hold', () => {
    const records = recordsOfText('example.', SOA);
    for (let n = 0; n < 5000; n++) {
      const host = nameOf(`host-number-${n}.example.`);
      records.add(nameOf('big.example.'), 2, 900, host);
    }
    const image = buildImage({ origin, records, smart: [] });
    expect(told(recordsOf(image)).toSorted()).toEqual(listed(records).toSorted());
  });
});

describe('digestOf', () => {
  const text = `${SOA}www 900 A 192.0.2.1\nwww 900 A 192.0.2.2\nmail 900 MX 1 www\n`;

  test('does not depend on the order or the letters of what was written', () => {
    const shuffled = text.trim().split('\n').toReversed().join('\n').replaceAll('www', 'WWW');
    expect(digestOf(imageOf('example.', `${shuffled}\n`))).toBe(
      digestOf(imageOf('example.', text)),
    );
  });

  test.each([
    ['data', text.replace('192.0.2.2', '192.0.2.3')],
    ['a TTL', text.replace('mail 900', 'mail 901')],
    ['an owner', text.replace('mail', 'mail2')],
    ['a record more', `${text}a 900 A 192.0.2.1\n`],
  ])('differs with %s', (_, changed) => {
    expect(digestOf(imageOf('example.', changed))).not.toBe(digestOf(imageOf('example.', text)));
  });
});
