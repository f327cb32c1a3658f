// Buckets, alone and counted by several together.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Buckets, limitOf } from '../../../../lb/limits/gcra.ts';
import { LimitHub } from '../../../../lb/limits/hub.ts';
import { silentLog } from '../../../../shared/log.ts';

const TEN_A_SECOND = limitOf({ requests: 10, perMs: 1000, burst: 5 });

test('in any time t no more than burst + t × rate are taken', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 300 }), { maxLength: 200 }), (gaps) => {
      const buckets = new Buckets();
      const taken: number[] = [];
      let nowMs = 0;
      for (const gapMs of gaps) {
        nowMs += gapMs;
        if (buckets.take('a', TEN_A_SECOND, nowMs) === 0) taken.push(nowMs);
      }
      for (const [at, from] of taken.entries()) {
        for (let to = at; to < taken.length; to++) {
          const most = 5 + ((taken[to] ?? 0) - from) / 100;
          expect(to - at + 1).toBeLessThanOrEqual(most + 1e-6);
        }
      }
    }),
  );
});

test('what is refused costs nothing, and the wait that is told is enough', () => {
  const buckets = new Buckets();
  for (let n = 0; n < 5; n++) expect(buckets.take('a', TEN_A_SECOND, 0)).toBe(0);
  const waitMs = buckets.take('a', TEN_A_SECOND, 0);
  expect(waitMs).toBeCloseTo(100);
  expect(buckets.take('a', TEN_A_SECOND, waitMs)).toBe(0);
});

test('two that tell each other exceed the limit by no more than they spend in between', () => {
  const [one, two] = [new Buckets(), new Buckets()];
  let nowMs = 0;
  const hub = new LimitHub({
    shared: { spend: () => Promise.reject(new Error('not asked')), close() {} },
    tell: (own) => {
      for (const { key, aheadMs } of own) for (const b of [one, two]) b.hear(key, aheadMs, nowMs);
    },
    monotonicMs: () => nowMs,
    log: silentLog,
  });
  let taken = 0;
  for (; nowMs < 60_000; nowMs += 1) {
    for (const buckets of [one, two]) {
      if (buckets.take('a', TEN_A_SECOND, nowMs) === 0) taken++;
    }
    if (nowMs % 50 === 0) for (const buckets of [one, two]) hub.heard(buckets.spent(), []);
  }
  // 600 in a minute, the burst, and a telling's worth of a second one's burst.
  expect(taken).toBeGreaterThan(600);
  expect(taken).toBeLessThanOrEqual(600 + 5 + 5 + 2);
});

test('many clients are forgotten, those that are ahead last', () => {
  const buckets = new Buckets();
  for (let n = 0; n < 5; n++) buckets.take('busy', TEN_A_SECOND, 0);
  for (let n = 0; n < 199_999; n++) buckets.take(`c${n}`, TEN_A_SECOND, 0);
  buckets.spent();
  expect(buckets.size).toBe(200_000);
  buckets.take('busy', TEN_A_SECOND, 150);
  buckets.spent();
  buckets.take('new', TEN_A_SECOND, 300);
  expect(buckets.size).toBeLessThan(10);
  expect(buckets.take('busy', TEN_A_SECOND, 300)).toBe(0);
});

test('shared buckets go on alone while Redis is away', async () => {
  const told: { key: string; aheadMs: number }[] = [];
  let isAway = true;
  const hub = new LimitHub({
    shared: {
      spend: (spent) =>
        isAway
          ? Promise.reject(new Error('away'))
          : Promise.resolve(spent.map(({ key }) => ({ key, aheadMs: 7 }))),
      close() {},
    },
    tell: (_, shared) => told.push(...shared),
    monotonicMs: () => 0,
    log: silentLog,
  });
  const spent = { key: 'a', spentMs: 100, roomMs: 500 };
  hub.heard([], [spent]);
  await new Promise(setImmediate);
  expect(told).toEqual([{ key: 'a', aheadMs: 100 }]);
  expect(hub.isAlone).toBe(true);
  isAway = false;
  hub.heard([], [spent]);
  await new Promise(setImmediate);
  expect(told.at(-1)).toEqual({ key: 'a', aheadMs: 7 });
  expect(hub.isAlone).toBe(false);
});
