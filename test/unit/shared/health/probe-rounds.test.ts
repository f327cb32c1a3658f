import { beforeEach, describe, expect, test } from 'vitest';
import { ManualClock } from '../../../../shared/clock.ts';
import { targetId } from '../../../../shared/health/fingerprint.ts';
import { ProbeRounds } from '../../../../shared/health/probe-rounds.ts';
import { phaseOf } from '../../../../shared/health/schedule.ts';
import type { Target } from '../../../../shared/health/types.ts';

const INTERVAL_MS = 5000;
let clock: ManualClock;
let tookMs: number;
let running: number;
let most: number;
let starts: Map<string, number[]>;
let results: string[];

function target(at: number): Target {
  const times = { intervalMs: INTERVAL_MS, timeoutMs: 2000, rise: 2, fall: 3 };
  return { address: `192.0.2.${at}`, check: { ...times, type: 'tcp', port: 80 } };
}

function rounds(concurrency = 10): ProbeRounds {
  const prober = {
    async probe({ address }: Target) {
      starts.set(address, [...(starts.get(address) ?? []), clock.monotonicMs()]);
      most = Math.max(most, ++running);
      await clock.sleep(tookMs);
      running--;
      return { verdict: 'good', reason: 'ok', latencyMs: tookMs } as const;
    },
  };
  const onResult = (id: string) => results.push(id);
  return new ProbeRounds({ self: 'a', prober, clock, concurrency, onResult });
}

beforeEach(() => {
  clock = new ManualClock();
  tookMs = 10;
  running = 0;
  most = 0;
  starts = new Map();
  results = [];
});

function gaps(times: readonly number[]): number[] {
  return times.slice(1).map((each, at) => each - (times[at] ?? 0));
}

describe('rounds of probes', () => {
  test('the first comes soon, the others at the phase, an interval apart', async () => {
    const all = rounds();
    const ids = Array.from({ length: 20 }, (_, at) => targetId(target(at)));
    for (const [at, id] of ids.entries()) all.add(id, target(at), false);
    await clock.advance(60_000);
    for (const [at, id] of ids.entries()) {
      const times = starts.get(`192.0.2.${at}`) ?? [];
      expect(times[0]).toBeLessThan(1000);
      const [first = 0, ...others] = gaps(times);
      expect(first).toBeGreaterThanOrEqual(INTERVAL_MS);
      expect(first).toBeLessThan(2 * INTERVAL_MS);
      for (const gap of others) expect(gap).toBeCloseTo(INTERVAL_MS);
      expect((times[1] ?? 0) % INTERVAL_MS).toBeCloseTo(phaseOf(id, 'a') * INTERVAL_MS);
    }
    all.stop();
    await clock.advance(tookMs);
    expect(clock.pending).toBe(0);
  });

  test('no more at a time than allowed; the others wait, and are counted', async () => {
    const all = rounds(3);
    tookMs = 400;
    for (let at = 0; at < 20; at++) all.add(`t${at}`, target(at), false);
    await clock.advance(30_000);
    expect(most).toBe(3);
    expect(all.delayed).toBeGreaterThan(0);
    expect(starts.size).toBe(20);
    for (const times of starts.values()) {
      for (const gap of gaps(times)) expect(gap).toBeGreaterThanOrEqual(INTERVAL_MS);
    }
    all.stop();
    await clock.advance(tookMs);
    expect(all.running).toBe(0);
  });

  test('a probe that takes longer than its interval is not made twice at once', async () => {
    const all = rounds();
    tookMs = 12_000;
    all.add('one', target(1), false);
    await clock.advance(60_000);
    expect(most).toBe(1);
    all.stop();
    await clock.advance(tookMs);
  });

  test('what is taken away is not heard of any more, and may come back', async () => {
    const all = rounds();
    tookMs = 1000;
    all.add('one', target(1), true);
    await clock.advance(phaseOf('one', 'a') * INTERVAL_MS + 1);
    expect(all.running).toBe(1);
    all.remove('one');
    all.add('one', target(1), true);
    await clock.advance(1000);
    expect(results).toEqual([]);
    await clock.advance(INTERVAL_MS + 1000);
    expect(results[0]).toBe('one');
    expect(all.size).toBe(1);
    all.stop();
    await clock.advance(tookMs);
    expect(clock.pending).toBe(0);
  });
});
