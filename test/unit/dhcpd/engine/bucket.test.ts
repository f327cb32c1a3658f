import { expect, test } from 'vitest';
import { bucketOf, placeOf } from '../../../../dhcpd/engine/bucket.ts';

const identities = Array.from({ length: 4096 }, (_, at) => {
  return Uint8Array.of(2, 0, 0, 0, at >> 8, at & 255);
});

test('the hash mixes from the last byte, beginning with the length (RFC 3074 §6)', () => {
  expect(bucketOf(new Uint8Array(0))).toBe(0);
  // The table has 251 at 0 and 175 at 1.
  expect(bucketOf(Uint8Array.of(1))).toBe(251);
  expect(bucketOf(Uint8Array.of(0))).toBe(175);
  // Length 2: table[2 ^ 2] = 251, then table[251 ^ 251] = 251.
  expect(bucketOf(Uint8Array.of(251, 2))).toBe(251);
});

test('every last byte leads to another bucket: the table is a permutation', () => {
  const buckets = Array.from({ length: 256 }, (_, byte) => bucketOf(Uint8Array.of(byte)));
  expect(new Set(buckets).size).toBe(256);
});

test('members have about the same share, and an order that all agree on', () => {
  const names = ['a', 'b', 'c'];
  const counts = new Map<string, number>();
  for (const identity of identities) {
    const places = names.map((own) => placeOf(bucketOf(identity), { names, own }));
    expect([...places].sort()).toEqual([0, 1, 2]);
    const first = names[places.indexOf(0)] ?? '';
    counts.set(first, (counts.get(first) ?? 0) + 1);
  }
  for (const count of counts.values()) expect(Math.abs(count / 4096 - 1 / 3)).toBeLessThan(0.03);
});

test('who is no member has no place', () => {
  expect(placeOf(1, { names: ['a'], own: 'b' })).toBeUndefined();
});
