import { expect, test } from 'vitest';
import { DrainWatch } from '../../../natter/drain.ts';

const plan = { quietMs: 2000, timeoutMs: 10_000 };

test('quiet once nothing came for long enough', () => {
  const watch = new DrainWatch(plan, 0, 100);
  expect(watch.sample(500, 600)).toBe('waiting');
  expect(watch.sample(1000, 600)).toBe('waiting');
  expect(watch.sample(2400, 600)).toBe('waiting');
  expect(watch.sample(2500, 600)).toBe('quiet');
});

test('a stray packet now and then is quiet', () => {
  const watch = new DrainWatch(plan, 0, 0);
  expect(watch.sample(500, 1)).toBe('waiting');
  expect(watch.sample(1500, 2)).toBe('waiting');
  expect(watch.sample(2000, 3)).toBe('quiet');
});

test('traffic that does not end runs into the timeout', () => {
  const watch = new DrainWatch(plan, 0, 0);
  let progress = watch.sample(500, 1000);
  for (let nowMs = 1000; nowMs < 10_000; nowMs += 500) {
    expect(progress).toBe('waiting');
    progress = watch.sample(nowMs, nowMs * 10);
  }
  expect(watch.sample(10_000, 200_000)).toBe('timeout');
});
