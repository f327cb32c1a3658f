import { expect, test } from 'vitest';
import { bucketConfig } from '../../../natter/limits.ts';

test('a byte at 8 bit/s costs a second; the burst is time', () => {
  const config = bucketConfig(8, 100, 20);
  expect(config.costPerByte).toBe(1_000_000_000 * 2 ** 20);
  expect(config.burstNs).toBe(100 * 1_000_000_000);
  expect(config.reserveNs).toBe(25 * 1_000_000_000);
});

test('100 ms of the rate without being asked, at least 64 KiB', () => {
  expect(bucketConfig(100_000_000, undefined, 20).burstNs).toBe(100_000_000);
  expect(bucketConfig(1_000_000, undefined, 20).burstNs).toBe(65_536 * 8 * 1000);
});

test('the cost is within a ten-thousandth at the highest rate', () => {
  const { costPerByte } = bucketConfig(1e12, undefined, 20);
  expect(Math.abs(costPerByte / 2 ** 20 / 0.008 - 1)).toBeLessThan(1e-4);
});
