import { describe, expect, test } from 'vitest';
import { until } from '../../../lab/ready.ts';
import { ManualClock } from '../../../shared/clock.ts';
import { Lifecycle, type LifecycleOptions, type Part } from '../../../shared/lifecycle.ts';

/** A lifecycle whose parts, log and notifications write into one trace. */
function setUp(parts: Record<string, Partial<Part>> = {}, options: Partial<LifecycleOptions> = {}) {
  const trace: string[] = [];
  const clock = new ManualClock();
  const record = (event: string, message: string) => {
    if (event === 'state-changed') trace.push(message);
    else trace.push(`log ${event}`);
  };
  const traced = Object.entries(parts).map(
    ([name, part]): Part => ({
      name,
      start: async (signal) => {
        trace.push(`start ${name}`);
        await part.start?.(signal);
      },
      stop: async () => {
        trace.push(`stop ${name}`);
        await part.stop?.();
      },
      ...(part.drain && {
        drain: async (signal: AbortSignal) => {
          trace.push(`drain ${name}`);
          await part.drain?.(signal);
        },
      }),
    }),
  );
  const lifecycle = new Lifecycle({
    parts: traced,
    clock,
    log: { debug: record, info: record, warn: record, error: record },
    notify: {
      ready: () => trace.push('READY'),
      status: () => {},
      stopping: () => trace.push('STOPPING'),
      reloading: () => trace.push('RELOADING'),
      keepWatchdog: () => {},
    },
    drainTimeoutMs: () => 1000,
    ...options,
  });
  return { lifecycle, trace, clock };
}

const forever = (signal: AbortSignal) =>
  new Promise<void>((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));

describe('a life', () => {
  test('starts in order, drains, stops in reverse', async () => {
    const { lifecycle, trace } = setUp({ a: {}, b: { drain: () => {} }, c: {} });
    await lifecycle.start();
    expect(lifecycle.state).toBe('ready');
    lifecycle.onSignal('SIGTERM');
    await lifecycle.ended;
    expect(trace).toEqual([
      'start a',
      'start b',
      'start c',
      'starting → ready',
      'READY',
      'ready → draining',
      'STOPPING',
      'drain b',
      'stop c',
      'stop b',
      'stop a',
      'draining → stopped',
      'STOPPING',
    ]);
  });

  test('a part that cannot start takes the others down, and the error comes out', async () => {
    const start = () => Promise.reject(new Error('no map'));
    const { lifecycle, trace } = setUp({ a: {}, b: { start }, c: {} });
    await lifecycle.start();
    await expect(lifecycle.ended).rejects.toThrow('no map');
    expect(trace).toEqual([
      'start a',
      'start b',
      'log daemon-failed',
      'stop b',
      'stop a',
      'starting → failed',
      'STOPPING',
    ]);
  });

  test('told to stop while starting, it aborts the start and does not fail', async () => {
    const { lifecycle, trace } = setUp({ a: {}, b: { start: forever }, c: {} });
    const starting = lifecycle.start();
    await until('b', () => trace.includes('start b'), { timeoutMs: 5000 });
    lifecycle.onSignal('SIGTERM');
    await Promise.all([starting, lifecycle.ended]);
    expect(trace).toEqual([
      'start a',
      'start b',
      'stop b',
      'stop a',
      'starting → stopped',
      'STOPPING',
    ]);
  });

  test('a drain that takes too long is cut at the deadline', async () => {
    const { lifecycle, trace, clock } = setUp({ a: { drain: forever } });
    await lifecycle.start();
    void lifecycle.stop();
    await clock.advance(999);
    expect(lifecycle.state).toBe('draining');
    await clock.advance(1);
    await lifecycle.ended;
    expect(trace.slice(-4)).toEqual([
      'log drain-timeout',
      'stop a',
      'draining → stopped',
      'STOPPING',
    ]);
    expect(clock.pending).toBe(0);
  });

  test('a second SIGTERM does not wait', async () => {
    const { lifecycle } = setUp({ a: { drain: forever } });
    await lifecycle.start();
    lifecycle.onSignal('SIGTERM');
    lifecycle.onSignal('SIGTERM');
    await expect(lifecycle.ended).rejects.toThrow('ended by a second SIGTERM');
  });

  test('a part that cannot stop does not keep the others', async () => {
    const stop = () => Promise.reject(new Error('busy'));
    const { lifecycle, trace } = setUp({ a: {}, b: { stop } });
    await lifecycle.start();
    await lifecycle.stop();
    await lifecycle.ended;
    expect(trace).toContain('log part-stop-failed');
    expect(trace).toContain('stop a');
  });

  test('fail stops without draining; while it stops already it only hurries', async () => {
    const failed = setUp({ a: { drain: forever } });
    await failed.lifecycle.start();
    await failed.lifecycle.fail(new Error('gone'));
    await expect(failed.lifecycle.ended).rejects.toThrow('gone');
    expect(failed.trace).not.toContain('drain a');
    const late = setUp({ a: { drain: forever } });
    await late.lifecycle.start();
    void late.lifecycle.stop();
    await late.lifecycle.fail(new Error('gone'));
    await late.lifecycle.ended;
    expect(late.lifecycle.state).toBe('stopped');
  });
});

describe('a reload', () => {
  test('is told to the service manager, and refused without harm', async () => {
    const outcomes = [undefined, new Error('wrong')];
    const reload = async () => {
      const outcome = outcomes.shift();
      if (outcome !== undefined) throw outcome;
    };
    const { lifecycle, trace } = setUp({}, { reload });
    await lifecycle.start();
    lifecycle.onSignal('SIGHUP');
    await lifecycle.reload();
    expect(trace.slice(2)).toEqual([
      'RELOADING',
      'log reload-done',
      'READY',
      'RELOADING',
      'log reload-refused',
      'READY',
    ]);
    expect(lifecycle.state).toBe('ready');
  });

  test('several at once become one more', async () => {
    let runs = 0;
    const gate = Promise.withResolvers<void>();
    const reload = async () => {
      runs++;
      await gate.promise;
    };
    const { lifecycle } = setUp({}, { reload });
    await lifecycle.start();
    const reloads = [
      lifecycle.reload(),
      lifecycle.reload(),
      lifecycle.reload(),
      lifecycle.reload(),
    ];
    gate.resolve();
    await Promise.all(reloads);
    expect(runs).toBe(2);
  });

  test('asked for while starting, it comes once ready; while stopping, never', async () => {
    let runs = 0;
    const { lifecycle } = setUp({ a: { drain: forever } }, { reload: async () => void runs++ });
    lifecycle.onSignal('SIGHUP');
    expect(runs).toBe(0);
    await lifecycle.start();
    await lifecycle.reload();
    expect(runs).toBeGreaterThan(0);
    const before = runs;
    void lifecycle.stop();
    await lifecycle.reload();
    expect(runs).toBe(before);
  });
});

test('SIGUSR1 writes what is known', () => {
  const { lifecycle, trace } = setUp({}, { dump: () => ({ entries: 3 }) });
  lifecycle.onSignal('SIGUSR1');
  expect(trace).toEqual(['log state-dump']);
});
