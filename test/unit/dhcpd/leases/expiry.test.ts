import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Expiry } from '../../../../dhcpd/leases/expiry.ts';

function wheel() {
  const due = new Map<number, number>();
  const expiry = new Expiry({
    dueAt: (address) => due.get(address) ?? 0,
    setDueAt: (address, second) => due.set(address, second),
  });
  return { expiry, due };
}

function take(expiry: Expiry, now: number, budget = 1e6): number[] {
  const taken: number[] = [];
  expiry.due(now, budget, (address) => taken.push(address));
  return taken;
}

describe('the order of expiry', () => {
  test('hands out what is over, and not the second that is not', () => {
    const { expiry } = wheel();
    expiry.add(1, 1000);
    expiry.add(2, 1001);
    expect(take(expiry, 1000)).toEqual([]);
    expect(take(expiry, 1001)).toEqual([1]);
    expect(take(expiry, 5000)).toEqual([2]);
  });

  test('an earlier end counts, a later one is looked up by the owner', () => {
    const { expiry } = wheel();
    expiry.add(1, 5000);
    expiry.add(1, 2000);
    expiry.add(1, 9000);
    expect(take(expiry, 3000)).toEqual([1]);
    expect(take(expiry, 99_999)).toEqual([]);
  });

  test('does no more than it may in one go', () => {
    const { expiry } = wheel();
    for (let address = 1; address <= 100; address++) expiry.add(address, 1000);
    expect(take(expiry, 2000, 110).length).toBeLessThan(100);
    let rest = 0;
    for (let i = 0; i < 5; i++) rest += take(expiry, 2000, 60).length;
    expect(rest).toBeGreaterThan(0);
    expect(take(expiry, 2000)).toEqual([]);
  });

  test('all that is due comes once and in order (property)', () => {
    const entry = fc.tuple(fc.integer({ min: 1, max: 60 }), fc.integer({ min: 1, max: 3000 }));
    const moves = fc.array(fc.integer({ min: 1, max: 700 }), { maxLength: 8 });
    fc.assert(
      fc.property(fc.array(entry, { maxLength: 120 }), moves, (entries, steps) => {
        const { expiry, due } = wheel();
        let now = 0;
        for (const [i, [address, second]] of entries.entries()) {
          expiry.add(address, now + second);
          if (i % 15 !== 14) continue;
          now += steps[(i / 15) | 0] ?? 0;
          const seconds = new Map(due);
          const taken = take(expiry, now);
          const wanted = [...seconds]
            .filter(([, at]) => at !== 0 && at < now)
            .map(([each]) => each);
          expect(taken.toSorted()).toEqual(wanted.toSorted());
          const order = taken.map((each) => seconds.get(each) ?? 0);
          expect(order).toEqual(order.toSorted((a, b) => a - b));
        }
      }),
      { numRuns: 60 },
    );
  });
});
