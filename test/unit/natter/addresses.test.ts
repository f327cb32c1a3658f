import fc from 'fast-check';
import { expect, test } from 'vitest';
import { AddressMap } from '../../../natter/addresses.ts';
import { NumberPool } from '../../../natter/numbers.ts';

test('an AddressMap does what a Map does', () => {
  // Few keys, so that they are deleted and come back; high ones, so that they are no small
  // integers.
  const key = fc.oneof(
    fc.integer({ min: 1, max: 40 }),
    fc.integer({ min: 0xfffffff0, max: 0xffffffff }),
  );
  const step = fc.tuple(key, fc.option(fc.integer({ min: 0, max: 0xffffffff })));
  fc.assert(
    fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
      const [ours, model] = [new AddressMap(), new Map<number, number>()];
      for (const [address, value] of steps) {
        if (value === null) expect(ours.delete(address)).toBe(model.delete(address));
        else {
          ours.set(address, value);
          model.set(address, value);
        }
        expect(ours.size).toBe(model.size);
      }
      const byKey = (a: [number, number], b: [number, number]) => a[0] - b[0];
      expect([...ours.entries()].sort(byKey)).toEqual([...model].sort(byKey));
      for (const [address, value] of model) expect(ours.get(address)).toBe(value);
      expect(ours.get(0x7fffffff)).toBeUndefined();
      expect(ours.get(0)).toBeUndefined();
    }),
  );
});

test('a NumberPool gives no number twice and finds what is free', () => {
  const pool = new NumberPool(1, 4);
  expect(pool.claim(2)).toBe(true);
  expect(pool.claim(2)).toBe(false);
  expect(pool.claim(4)).toBe(false);
  expect([pool.allocate(), pool.allocate(), pool.allocate()]).toEqual([1, 3, undefined]);
  pool.release(3);
  expect(pool.claim(3)).toBe(true);
  expect(pool.allocate()).toBeUndefined();
  expect(() => pool.release(9)).toThrow('not taken');
});
