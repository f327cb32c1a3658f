import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { recordsOf } from '../../../../dns/image/records.ts';
import type { ZoneImage } from '../../../../dns/image/types.ts';
import { diffImages } from '../../../../dns/transfer/diff.ts';
import { JOURNAL_BOUNDS, Journal } from '../../../../dns/transfer/journal.ts';
import { formatName, lowerName } from '../../../../shared/dns/names.ts';
import { canonicalRdata, typeName } from '../../../../shared/dns/rdata.ts';
import { applyDiffs, type ZoneDiff } from '../../../../shared/dns/zone/diff.ts';
import { RecordList } from '../../../../shared/dns/zone/record-list.ts';
import { imageOf, nameOf } from '../../../support/dns/resolve-rig.ts';

const ZONE = 'example.com';
const origin = nameOf(ZONE);

const imageText = (serial: number, lines: readonly string[]) =>
  imageOf(ZONE, `$TTL 300\n@ SOA ns host ${serial} 1 2 3 4\n@ NS ns\n${lines.join('\n')}\n`);

function diffOf(before: ZoneImage, after: ZoneImage, max = Number.POSITIVE_INFINITY) {
  const pieces = diffImages(before, after, max);
  for (;;) {
    const piece = pieces.next();
    if (piece.done === true) return piece.value;
  }
}

function listOf(image: ZoneImage): RecordList {
  const list = new RecordList();
  for (const each of recordsOf(image)) {
    list.add(each.owner, each.type, each.ttlSeconds, each.rdata);
  }
  return list;
}

function told(list: RecordList): string[] {
  const lines = Array.from({ length: list.count }, (_, index) => {
    const type = list.type(index);
    const data = Buffer.from(canonicalRdata(type, list.rdata(index))).toString('hex');
    const owner = formatName(lowerName(list.owner(index)));
    return `${owner} ${list.ttlSeconds(index)} ${typeName(type)} ${data}`;
  });
  return lines.sort();
}

const applied = (image: ZoneImage, diffs: readonly ZoneDiff[]) =>
  applyDiffs({ origin, serial: image.serial, records: listOf(image) }, diffs);

const owner = fc.constantFrom('a', 'B', 'b.a', '*.a', 'c', '@', 'x\\000y', 'zz.b.a', 'ns');
const record = fc.tuple(
  owner,
  fc.constantFrom('300', '60'),
  fc.oneof(
    fc.integer({ min: 1, max: 4 }).map((last) => `A 192.0.2.${last}`),
    fc.constantFrom('MX 10 a', 'MX 10 A', 'MX 20 b.a', 'TXT "x"', 'TXT "X"', 'AAAA ::1'),
    fc.constantFrom('TYPE65280 \\# 1 00', 'TYPE65280 \\# 0'),
  ),
);
/** One TTL for each name and type, nothing twice. */
const lines = fc.array(record, { maxLength: 14 }).map((rows) => {
  const ttls = new Map<string, string>();
  const unique = new Map<string, string>();
  for (const [name, ttl, data] of rows) {
    const set = `${name.toLowerCase()} ${data.split(' ')[0]}`;
    ttls.set(set, ttls.get(set) ?? ttl);
    const key = `${name} ${data.startsWith('TXT') ? data : data.toLowerCase()}`.replace('B', 'b');
    unique.set(key, `${name} ${ttls.get(set)} ${data}`);
  }
  return [...unique.values()];
});

describe('the difference of two images', () => {
  test('makes the later of the earlier', () => {
    fc.assert(
      fc.property(lines, lines, (olds, news) => {
        const [before, after] = [imageText(1, olds), imageText(2, news)];
        const diff = diffOf(before, after);
        const { zone, problems } = applied(before, diff === undefined ? [] : [diff]);
        expect(problems).toEqual([]);
        expect(told(zone?.records ?? new RecordList())).toEqual(told(listOf(after)));
        expect([diff?.deleted.type(0), diff?.added.type(0)]).toEqual([6, 6]);
      }),
      { numRuns: 300 },
    );
  });

  test('of the same records is the SOA', () => {
    fc.assert(
      fc.property(lines, (same) => {
        const diff = diffOf(imageText(1, same), imageText(2, same.toReversed()));
        expect([diff?.deleted.count, diff?.added.count]).toEqual([1, 1]);
      }),
    );
  });

  test('is nothing when it is longer than is allowed', () => {
    const many = ['a A 192.0.2.1', 'b A 192.0.2.1', 'c A 192.0.2.1'];
    expect(diffOf(imageText(1, []), imageText(2, many), 4)).toBeUndefined();
    expect(diffOf(imageText(1, []), imageText(2, many), 5)?.added.count).toBe(4);
  });

  test('is made in pieces', () => {
    const many = Array.from({ length: 4000 }, (_, index) => `h${index} A 192.0.2.1`);
    const pieces = [...diffImages(imageText(1, many), imageText(2, many), 100)];
    expect(pieces.length).toBeGreaterThan(5);
  });
});

const padding = Array.from({ length: 30 }, (_, index) => `p${index} A 192.0.2.9`);
/** A host for each version. */
const version = (serial: number) => imageText(serial, [...padding, `h${serial} A 192.0.2.1`]);

async function journalOf(images: readonly ZoneImage[], bounds = JOURNAL_BOUNDS): Promise<Journal> {
  const journal = new Journal(bounds);
  for (const [index, image] of images.slice(1).entries()) {
    journal.changed(ZONE, images[index] ?? image, image);
    await journal.settled(ZONE);
  }
  return journal;
}

describe('the journal', () => {
  const images = [1, 2, 3, 4].map(version);
  const [first, , , last = imageText(0, [])] = images;

  test.each([1, 2, 3])('has the way from %i', async (serial) => {
    const journal = await journalOf(images);
    const diffs = await journal.since(ZONE, serial, last);
    expect(diffs).toHaveLength(4 - serial);
    const { zone } = applied(version(serial), diffs ?? []);
    expect(told(zone?.records ?? new RecordList())).toEqual(told(listOf(last)));
  });

  test('knows nothing of other serials, zones and images', async () => {
    const journal = await journalOf(images);
    expect(await journal.since(ZONE, 9, last)).toBeUndefined();
    expect(await journal.since('example.net', 1, last)).toBeUndefined();
    expect(await journal.since(ZONE, 1, version(7))).toBeUndefined();
    expect(await journal.since(ZONE, 3, version(2))).toBeUndefined();
  });

  test('makes one step of versions that come at once', async () => {
    const journal = new Journal();
    for (const [index, image] of images.slice(1).entries()) {
      journal.changed(ZONE, images[index] ?? image, image);
    }
    expect(await journal.since(ZONE, 1, last)).toHaveLength(1);
  });

  test('keeps so many versions, the newest', async () => {
    const journal = await journalOf(images, { ...JOURNAL_BOUNDS, versions: 2 });
    expect(await journal.since(ZONE, 1, last)).toBeUndefined();
    expect(await journal.since(ZONE, 2, last)).toHaveLength(2);
  });

  test('keeps so many bytes, those of what changed last', async () => {
    const all = await journalOf(images);
    const bounds = { ...JOURNAL_BOUNDS, maxBytes: all.bytes - 1 };
    const journal = await journalOf(images, bounds);
    expect(journal.bytes).toBeLessThanOrEqual(bounds.maxBytes);
    expect(await journal.since(ZONE, 1, last)).toBeUndefined();
    expect(await journal.since(ZONE, 2, last)).toHaveLength(2);
  });

  test('begins anew after a serial that went back, a gap, and what is forgotten', async () => {
    const back = await journalOf([...images, version(3), version(5)]);
    expect(await back.since(ZONE, 1, version(5))).toBeUndefined();
    expect(await back.since(ZONE, 3, version(5))).toHaveLength(1);

    const gap = await journalOf(images);
    gap.changed(ZONE, version(7), version(8));
    expect(await gap.since(ZONE, 1, version(8))).toBeUndefined();
    expect(await gap.since(ZONE, 7, version(8))).toHaveLength(1);

    const gone = new Journal();
    gone.changed(ZONE, first ?? last, last);
    gone.forget(ZONE);
    expect(await gone.since(ZONE, 1, last)).toBeUndefined();
    expect(gone.bytes).toBe(0);
  });
});
