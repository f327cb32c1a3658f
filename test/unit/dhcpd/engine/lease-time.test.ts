import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { renewalTimes, scarce } from '../../../../dhcpd/engine/lease-time.ts';

const counts = (free: number, total = 1000) => ({ bound: total - free, free, total, declined: 0 });

describe('a scarce pool', () => {
  test.each([
    { what: 'half free', free: 500, seconds: 3600 },
    { what: 'a tenth free', free: 100, seconds: 3600 },
    { what: 'a twentieth free', free: 50, seconds: 2100 },
    { what: 'none free', free: 0, seconds: 600 },
  ])('$what: $seconds s', ({ free, seconds }) => {
    expect(scarce(3600, 600, counts(free))).toBe(seconds);
  });

  test('never makes a lease longer, nor shorter than the least', () => {
    const seconds = fc.integer({ min: 1, max: 0xffffffff });
    fc.assert(
      fc.property(seconds, seconds, fc.nat(1000), (wanted, least, free) => {
        const told = scarce(wanted, least, counts(free));
        expect(told).toBeLessThanOrEqual(wanted);
        expect(told).toBeGreaterThanOrEqual(Math.min(wanted, least));
      }),
    );
  });

  test('without pools nothing is scarce', () => expect(scarce(3600, 600, counts(0, 0))).toBe(3600));
});

describe('renewal times', () => {
  test('67 are half and seven eighths', () => {
    expect(renewalTimes(3600)).toEqual({ t1: 1800, t2: 3150 });
  });
  test('67 are in order whatever the lease, or not there', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 0xfffffffe }), (seconds) => {
        const times = renewalTimes(seconds);
        if (times === undefined) expect(seconds).toBeLessThan(4);
        else expect(0 < times.t1 && times.t1 < times.t2 && times.t2 < seconds).toBe(true);
      }),
    );
  });
  test('67 do not exist without an end', () => expect(renewalTimes(0xffffffff)).toBeUndefined());
});
