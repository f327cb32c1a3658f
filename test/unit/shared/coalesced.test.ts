// Many askers, one run at a time.
import { expect, test } from 'vitest';
import { Coalesced } from '../../../shared/coalesced.ts';

/** Runs that end when told to. */
function controlled(signal = new AbortController().signal) {
  const ends: (() => void)[] = [];
  const task = new Coalesced(() => new Promise((resolve) => ends.push(resolve)), signal);
  return { task, ends };
}

test('however often it is asked for during a run, it runs once more', async () => {
  const { task, ends } = controlled();
  task.soon();
  for (let asked = 0; asked < 5; asked++) task.soon();
  expect(ends).toHaveLength(1);
  const idle = task.idle();
  ends[0]?.();
  await Promise.resolve();
  await Promise.resolve();
  expect(ends).toHaveLength(2);
  ends[1]?.();
  await idle;
  task.soon();
  expect(ends).toHaveLength(3);
});

test('after the signal a run ends, and none begins', async () => {
  const stop = new AbortController();
  const { task, ends } = controlled(stop.signal);
  task.soon();
  task.soon();
  stop.abort();
  ends[0]?.();
  await task.idle();
  task.soon();
  expect(ends).toHaveLength(1);
});

test('what a run throws reaches who waits, and the next may run', async () => {
  let runs = 0;
  const task = new Coalesced(async () => {
    if (++runs === 1) throw new Error('broken');
  }, new AbortController().signal);
  task.soon();
  await expect(task.idle()).rejects.toThrow('broken');
  task.soon();
  await task.idle();
  expect(runs).toBe(2);
});
