import { expect, test } from 'vitest';
import { BoundedMap } from '../../../../dhcpd/engine/bounded-map.ts';

test('keeps the latest half at least, and never more than it has room for', () => {
  const map = new BoundedMap<number, number>(100);
  for (let key = 0; key < 1000; key += 1) {
    map.set(key, key);
    expect(map.size).toBeLessThanOrEqual(100);
    for (let back = 0; back < Math.min(50, key + 1); back += 1) {
      expect(map.get(key - back)).toBe(key - back);
    }
  }
  expect(map.get(0)).toBeUndefined();
});

test('what is written again is the latest, what is deleted is gone', () => {
  const map = new BoundedMap<string, number>(4);
  map.set('a', 1);
  for (const key of ['b', 'c', 'd', 'e', 'f', 'g']) {
    map.set(key, 0);
    map.set('a', 2);
  }
  expect(map.get('a')).toBe(2);
  map.delete('a');
  expect(map.get('a')).toBeUndefined();
});
