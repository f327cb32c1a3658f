import { describe, expect, test } from 'vitest';
import { NO_END } from '../../../../dhcpd/leases/record.ts';
import { RedisTime } from '../../../../dhcpd/leases/time.ts';
import { holdSeconds, isWorthTelling, tellable } from '../../../../dhcpd/leases/told.ts';
import { ManualClock } from '../../../../shared/clock.ts';

describe('what may be told', () => {
  test.each([
    { what: 'all of a fresh hold', hold: 1930, now: 1000, lease: 600, told: 600 },
    { what: 'what is left less the grace', hold: 1930, now: 1500, lease: 600, told: 400 },
    { what: 'nothing at the end', hold: 1930, now: 1900, lease: 600, told: 0 },
    { what: 'nothing after it', hold: 1930, now: 5000, lease: 600, told: 0 },
    { what: 'no end of no end', hold: NO_END, now: 1000, lease: NO_END, told: NO_END },
    { what: 'a lease of no end', hold: NO_END, now: 1000, lease: 600, told: 600 },
    { what: 'an end of what has one', hold: 1930, now: 1000, lease: NO_END, told: 900 },
  ])('$what', ({ hold, now, lease, told }) => {
    expect(tellable(hold, now, lease)).toBe(told);
  });

  test('a hold is written for a renewal at half the lease', () => {
    expect(holdSeconds(600)).toBe(930);
    expect(holdSeconds(NO_END)).toBe(NO_END);
    const hold = 1000 + holdSeconds(600);
    expect(isWorthTelling(tellable(hold, 1300, 600), 600)).toBe(true);
    expect(isWorthTelling(tellable(hold, 1400, 600), 600)).toBe(false);
    expect(isWorthTelling(900, NO_END)).toBe(false);
  });
});

describe("the estimate of Redis' time", () => {
  test('holds the true time between its bounds, whatever the replies', async () => {
    const clock = new ManualClock(0);
    const time = new RedisTime(clock);
    const start = 5000.7;
    const trueNow = () => start + clock.monotonicMs() / 1000;
    for (const delayMs of [3, 900, 40, 2, 700, 1]) {
      const sentMs = clock.monotonicMs();
      await clock.advance(delayMs / 3);
      const nowSeconds = Math.floor(trueNow());
      await clock.advance(delayMs);
      time.sample(nowSeconds, sentMs, clock.monotonicMs());
      await clock.advance(137);
      expect(time.earliest).toBeLessThanOrEqual(trueNow());
      expect(time.latest).toBeGreaterThanOrEqual(trueNow());
    }
    expect(time.uncertaintySeconds).toBeLessThan(1.1);
    await clock.advance(1000_000);
    expect(time.uncertaintySeconds).toBeGreaterThan(1.9);
  });

  test('a clock that jumped counts as it is now', () => {
    const time = new RedisTime(new ManualClock(0));
    time.sample(5000, 0, 0);
    time.sample(9000, 0, 0);
    expect(time.earliest).toBe(9000);
    time.sample(4000, 0, 0);
    expect(time.latest).toBe(4001);
  });
});
