import { describe, expect, test } from 'vitest';
import { buildImage } from '../../../../dns/image/build.ts';
import { NameWalk } from '../../../../dns/image/name-walk.ts';
import { emptyZone, ZoneView } from '../../../../dns/image/view.ts';
import { RecordList } from '../../../../shared/dns/zone/record-list.ts';
import { imageOf, nameOf, recordsOfText } from '../../../support/dns/resolve-rig.ts';

const SOA = '@ 900 SOA ns host 77 2 3 4 300\n@ 900 NS ns\n';
const origin = nameOf('example.');

function placeOf(view: ZoneView, text: string): number {
  const walk = new NameWalk();
  const name = nameOf(text);
  walk.take(name);
  return view.find(name, walk, walk.depth);
}

describe('buildImage', () => {
  test('says what it is made of', () => {
    const image = imageOf('example.', `${SOA}a.b.c 60 A 192.0.2.1\n`);
    expect(image).toMatchObject({ serial: 77, names: 4, recordCount: 3 });
    expect(image.origin).toEqual(origin);
  });

  test('finds all of many names, and nothing else', () => {
    const records = recordsOfText('example.', SOA);
    const names = Array.from({ length: 20_000 }, (_, n) => nameOf(`h${n * 7919}.example.`));
    for (const [n, name] of names.entries()) {
      records.add(name, 1, 60, Uint8Array.of(10, n >> 16, n >> 8, n));
    }
    const view = new ZoneView(buildImage({ origin, records, smart: [] }));
    const walk = new NameWalk();
    for (const [n, name] of names.entries()) {
      walk.take(name);
      const rrset = view.rrset(view.find(name, walk, 2), 1);
      const at = view.recordsAt(rrset) + 12;
      expect(view.bytes[at + 3]).toBe(n & 255);
    }
    for (let n = 0; n < 1000; n++) expect(placeOf(view, `g${n}.example.`)).toBe(0);
    expect(view.image.memory.byteLength / names.length).toBeLessThan(160);
  });

  test('ancestors exist without records; the TTL of an RRset is its least; doubles are one', () => {
    const text = `${SOA}a.b 60 A 192.0.2.1\na.b 50 A 192.0.2.2\na.b 60 MX 1 X\na.b 60 MX 1 x\n`;
    const view = new ZoneView(imageOf('example.', text));
    expect(view.firstRrset(placeOf(view, 'b.example.'))).toBe(0);
    const node = placeOf(view, 'A.B.example.');
    expect(view.ttl(view.rrset(node, 1))).toBe(50);
    expect(view.word(view.rrset(node, 15) + 2)).toBe(1);
  });

  test.each([
    ['no SOA', 'a 60 A 192.0.2.1\n', /without SOA/],
    ['smart names in a signed zone (A11)', `${SOA}@ 60 DNSKEY 256 3 13 AQID\n`, /signed/],
  ])('throws: %s', (_, text, message) => {
    const smart = [{ owner: nameOf('geo.example.'), type: 1, index: 0 }];
    const records = recordsOfText('example.', text);
    expect(() => buildImage({ origin, records, smart })).toThrow(message);
  });

  test('throws: names outside of the zone', () => {
    const records = new RecordList();
    records.add(nameOf('a.other.'), 1, 60, Uint8Array.of(1, 2, 3, 4));
    expect(() => buildImage({ origin, records, smart: [] })).toThrow(/outside/);
    const smart = [{ owner: nameOf('geo.other.'), type: 1, index: 0 }];
    const own = recordsOfText('example.', SOA);
    expect(() => buildImage({ origin, records: own, smart })).toThrow(/outside/);
  });
});

describe('ZoneView', () => {
  test('refuses memory that is no image, and another layout', () => {
    const image = imageOf('example.', SOA);
    const other = structuredClone(image);
    new Int32Array(other.memory)[1] = 99;
    expect(() => new ZoneView(other)).toThrow(/layout 99/);
    const memory = new SharedArrayBuffer(64);
    expect(() => new ZoneView({ ...image, memory })).toThrow(/no image/);
  });

  test('an empty zone is not served', () => {
    expect(new ZoneView(emptyZone(origin)).isServed).toBe(false);
  });
});
