import { describe, expect, test } from 'vitest';
import { ManualClock, systemClock } from '../../../shared/clock.ts';

describe('ManualClock', () => {
  test('fires what comes due, in order of time and then of asking', async () => {
    const clock = new ManualClock();
    const fired: string[] = [];
    clock.after(20, () => fired.push(`c@${clock.monotonicMs()}`));
    clock.after(10, () => fired.push(`a@${clock.monotonicMs()}`));
    clock.after(10, () => fired.push(`b@${clock.monotonicMs()}`));
    await clock.advance(19);
    expect(fired).toEqual(['a@10', 'b@10']);
    await clock.advance(1);
    expect(fired).toEqual(['a@10', 'b@10', 'c@20']);
    expect(clock.pending).toBe(0);
  });

  test('runs a loop of sleeps within one advance', async () => {
    const clock = new ManualClock();
    const stop = new AbortController();
    let rounds = 0;
    const loop = (async () => {
      for (;;) {
        await clock.sleep(100, stop.signal);
        rounds++;
      }
    })();
    await clock.advance(1000);
    expect(rounds).toBe(10);
    stop.abort(new Error('enough'));
    await expect(loop).rejects.toThrow('enough');
    expect(clock.pending).toBe(0);
  });

  test('cancels by the returned function and by the signal', async () => {
    const clock = new ManualClock();
    const stop = new AbortController();
    const fired: string[] = [];
    clock.after(5, () => fired.push('cancelled'))();
    clock.after(5, () => fired.push('aborted'), stop.signal);
    stop.abort();
    clock.after(5, () => fired.push('late'), stop.signal);
    await clock.advance(10);
    expect(fired).toEqual([]);
  });

  test('the wall jumps alone', async () => {
    const clock = new ManualClock(1000);
    clock.jumpWall(-500);
    await clock.advance(1);
    expect(clock.nowMs()).toBe(501);
    expect(clock.monotonicMs()).toBe(1);
  });
});

describe('systemClock', () => {
  test('fires and sleeps; an abort ends a sleep with its reason', async () => {
    await new Promise<void>((resolve) => systemClock.after(0, resolve));
    await systemClock.sleep(0);
    const stop = new AbortController();
    const sleeping = systemClock.sleep(3_600_000, stop.signal);
    stop.abort(new Error('stop'));
    await expect(sleeping).rejects.toThrow('stop');
    await expect(systemClock.sleep(0, AbortSignal.abort(new Error('was')))).rejects.toThrow('was');
  });

  test('does not call back after a cancel', async () => {
    let fired = false;
    systemClock.after(0, () => {
      fired = true;
    })();
    await systemClock.sleep(5);
    expect(fired).toBe(false);
  });
});
