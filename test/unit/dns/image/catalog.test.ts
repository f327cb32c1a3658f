import { expect, test } from 'vitest';
import { Catalog, catalogOf as sharedCatalog } from '../../../../dns/image/catalog.ts';
import { NameWalk } from '../../../../dns/image/name-walk.ts';
import { emptyZone } from '../../../../dns/image/view.ts';
import { nameOf } from '../../../support/dns/resolve-rig.ts';

// A1: which zone a name lies in.

const find = (catalog: Catalog, text: string, depth = 127): number => {
  const walk = new NameWalk();
  walk.take(nameOf(text));
  return catalog.find(nameOf(text), walk, Math.min(depth, walk.depth));
};
const catalogOf = (...origins: readonly string[]) =>
  new Catalog(origins.map((origin) => emptyZone(nameOf(origin))));

test.each([
  ['www.example.com.', 0],
  ['EXAMPLE.com.', 0],
  ['a.b.c.sub.example.com.', 1],
  ['sub.example.com.', 1],
  ['notsub.example.com.', 0],
  ['xexample.com.', -1],
  ['com.', -1],
  ['.', -1],
  ['a.org.', 2],
])('%s is in zone %i', (name, zone) => {
  expect(find(catalogOf('example.com.', 'Sub.Example.com.', 'org.'), name)).toBe(zone);
});

test('with the root everything is somebody’s; with fewer labels allowed, the parent’s', () => {
  const catalog = catalogOf('.', 'example.');
  expect(find(catalog, 'com.')).toBe(0);
  expect(find(catalog, '.')).toBe(0);
  expect(find(catalog, 'example.')).toBe(1);
  expect(find(catalog, 'example.', 0)).toBe(0);
});

test('of two zones of one origin the first', () => {
  expect(find(catalogOf('example.', 'EXAMPLE.'), 'a.example.')).toBe(0);
});

test('no zones', () => expect(find(catalogOf(), 'a.example.')).toBe(-1));

test('a list’s catalog is made once, a zone’s view too', () => {
  const zones = ['example.', 'other.'].map((origin) => emptyZone(nameOf(origin)));
  expect(sharedCatalog(zones)).toBe(sharedCatalog(zones));
  const changed = [zones[0], emptyZone(nameOf('other.'))].filter((zone) => zone !== undefined);
  expect(sharedCatalog(changed).views[0]).toBe(sharedCatalog(zones).views[0]);
  expect(sharedCatalog(changed).views[1]).not.toBe(sharedCatalog(zones).views[1]);
});

test('ten thousand zones', () => {
  const catalog = catalogOf(...Array.from({ length: 10_000 }, (_, n) => `z${n}.example.`));
  for (let n = 0; n < 10_000; n += 7) expect(find(catalog, `www.z${n}.example.`)).toBe(n);
  expect(find(catalog, 'www.z10000.example.')).toBe(-1);
});
