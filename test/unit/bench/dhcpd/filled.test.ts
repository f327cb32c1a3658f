// A pool that is nearly full: as many addresses as were asked for, spread, the same for everyone.
import { expect, test } from 'vitest';
import { FILLED_POOL, isFilled, LARGE_POOL, rangeOf } from '../../../bench/dhcpd/addresses.ts';
import { leaseFile } from '../../../bench/dhcpd/lease-file.ts';

test.each([0, 1, 900, 999, 1000])('%i of each thousand are taken', (perMille) => {
  for (const start of [0, 123_456]) {
    const thousand = Array.from({ length: 1000 }, (_, index) => start + index);
    expect(thousand.filter((index) => isFilled(index, perMille))).toHaveLength(perMille);
  }
});

test('free addresses are not next to each other', () => {
  const free = Array.from({ length: 1000 }, (_, index) => index).filter((i) => !isFilled(i, 900));
  const gaps = free.slice(1).map((each, index) => each - (free[index] ?? 0));
  expect(Math.min(...gaps)).toBeGreaterThan(1);
});

test('the pools are inside of the prefix', () => {
  expect(rangeOf(LARGE_POOL)).toEqual(['10.16.0.0', '10.254.255.255']);
  expect(rangeOf(FILLED_POOL)).toEqual(['10.16.0.0', '10.31.255.255']);
});

test('a lease file names what is taken, once', () => {
  const text = [...leaseFile({ ...FILLED_POOL, count: 20_000 }, 900, 1_000_000)].join('');
  const [header, ...lines] = text.trimEnd().split('\n');
  expect(header).toMatch(/^address,hwaddr,client_id,valid_lifetime,expire,subnet_id/);
  expect(lines).toHaveLength(18_000);
  expect(new Set(lines.map((line) => line.split(',')[0])).size).toBe(18_000);
  expect(lines[0]).toBe('10.16.0.0,02:f1:00:00:00:00,01:02:f1:00:00:00:00,7200,1007200,1,0,0,,0,');
});
