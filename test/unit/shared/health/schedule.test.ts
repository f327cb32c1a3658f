import fc from 'fast-check';
import { expect, test } from 'vitest';
import { firstDelayMs, nextProbeMs, phaseOf } from '../../../../shared/health/schedule.ts';

const somePhase = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
const someMs = fc.integer({ min: 0, max: 10_000_000 });
const someInterval = fc.integer({ min: 100, max: 3_600_000 });

test('phases lie evenly, and each prober has its own', () => {
  const tenths = new Array<number>(10).fill(0);
  for (let at = 0; at < 10_000; at++) {
    const phase = phaseOf(`${at}`, 'dns-1');
    const tenth = Math.floor(phase * 10);
    tenths[tenth] = (tenths[tenth] ?? 0) + 1;
  }
  for (const count of tenths) expect(Math.abs(count - 1000)).toBeLessThan(150);
  expect(phaseOf('1', 'dns-1')).not.toBe(phaseOf('1', 'dns-2'));
});

test('what is unknown is probed within a second, what is known within its interval', () => {
  const property = fc.property(somePhase, someInterval, (phase, intervalMs) => {
    expect(firstDelayMs(phase, intervalMs, false)).toBeLessThanOrEqual(Math.min(1000, intervalMs));
    expect(firstDelayMs(phase, intervalMs, true)).toBeLessThanOrEqual(intervalMs);
  });
  fc.assert(property);
});

// toFlipMs counts on it.
test('between two probes lies an interval at least, and less than two', () => {
  const args = [someMs, somePhase, someInterval, fc.boolean()] as const;
  const property = fc.property(...args, (startedMs, phase, intervalMs, isFirst) => {
    const waitMs = nextProbeMs(startedMs, { phase, intervalMs, isFirst }) - startedMs;
    expect(waitMs).toBeGreaterThanOrEqual(intervalMs - 0.001);
    expect(waitMs).toBeLessThan(2 * intervalMs);
  });
  fc.assert(property);
});

test('the second probe takes the phase, and the next ones keep it', () => {
  const pace = { phase: 0.25, intervalMs: 4000 };
  const second = nextProbeMs(500, { ...pace, isFirst: true });
  expect(second).toBe(5000);
  expect(nextProbeMs(second, { ...pace, isFirst: false })).toBe(9000);
});
