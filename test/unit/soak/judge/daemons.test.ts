import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Sample } from '../../../soak/facts.ts';
import * as judges from '../../../soak/judge/daemons.ts';
import { at, facts, fault, sample } from '../facts.ts';

describe('who was not struck keeps its process', () => {
  const twoPids = (victim: string) => {
    const samples = [sample({ pid: 1, atMs: at(18) }), sample({ pid: 2, atMs: at(28) })];
    return judges.judgePids({ samples, faults: [fault({ victim, struck: [victim] })] });
  };

  test('a new one of whom a fault struck', () => expect(twoPids('dns-1').breaches).toEqual([]));
  test('a new one of somebody else breaks', () => {
    expect(twoPids('lb-1').breaches).toHaveLength(1);
  });
  test('a new one long after the fault breaks', () => {
    const samples = [sample({ pid: 1, atMs: at(100) }), sample({ pid: 2, atMs: at(105) })];
    const faults = [fault({ victim: 'dns-1', struck: ['dns-1'] })];
    expect(judges.judgePids({ samples, faults }).breaches).toHaveLength(1);
  });
});

describe('what has to be flat', () => {
  const SECONDS = 600;
  /** One sample every five seconds. */
  const series = (of: (seconds: number) => Partial<Sample>): Sample[] =>
    Array.from({ length: SECONDS / 5 }, (_, index) =>
      sample({ atMs: at(5 * index), ...of(5 * index) }),
    );
  const grown = (of: (seconds: number) => Partial<Sample>, faults = [fault()]) =>
    judges.judgeGrowth({ samples: series(of), faults }).breaches;

  test('is looked at', () => {
    expect(judges.judgeGrowth({ samples: series(() => ({})), faults: [] }).checked).toBe(3);
  });

  test.each([
    ['memory', (seconds: number) => ({ rssMb: 90 + seconds })],
    ['files', (seconds: number) => ({ files: 40 + seconds / 20 })],
    ['map entries', (seconds: number) => ({ entries: 10 + seconds })],
    ['lag', (seconds: number) => ({ lagMs: seconds })],
  ])('%s that grow break', (_, of) => {
    expect(grown(of)).toHaveLength(1);
  });

  test.each([
    ['what stays', () => ({})],
    ['what goes up and down', (seconds: number) => ({ rssMb: 90 + (seconds % 50) })],
    ['what falls', (seconds: number) => ({ rssMb: 900 - seconds })],
    ['a start', (seconds: number) => ({ rssMb: seconds < 45 ? 20 + 2 * seconds : 110 })],
    ['single peaks', (seconds: number) => ({ lagMs: seconds % 60 === 0 ? 5000 : 3 })],
    ['a restart', (seconds: number) => (seconds < 300 ? {} : { pid: 101, rssMb: 150 })],
  ])('%s does not', (_, of) => {
    expect(grown(of)).toEqual([]);
  });

  test('what it holds while it is struck does not count', () => {
    const own = fault({ victim: 'dns-1', struckAtMs: at(100), recoveredAtMs: at(300) });
    const of = (seconds: number) => ({ rssMb: seconds >= 100 && seconds < 300 ? 400 : 90 });
    expect(grown(of, [own])).toEqual([]);
  });

  test('the slope of a line is its slope, with some odd values, too', () => {
    fc.assert(
      fc.property(fc.integer({ min: -50, max: 50 }), fc.nat({ max: 1000 }), (by, odd) => {
        const points = Array.from({ length: 21 }, (_, x) => [x, by * x] as const);
        expect(judges.slope(points)).toBeCloseTo(by);
        const spoilt = points.map(([x, y]) => [x, x === 3 ? y + odd : y] as const);
        expect(judges.slope(spoilt)).toBeCloseTo(by);
      }),
    );
  });
});

describe('errors in logs', () => {
  const error = { daemon: 'lb-1', atMs: at(22), event: 'worker-ended', message: 'it ended' };
  const unexplained = (errors: (typeof error)[], faults = [fault()]) =>
    judges.judgeErrors(facts({ errors, faults })).breaches;

  test('that a fault explains are no breach', () => expect(unexplained([error])).toEqual([]));
  test.each([
    ['of another event', { ...error, event: 'answer-failed' }],
    ['with nothing the matter', { ...error, atMs: at(5) }],
    ['on stderr, of a daemon that nobody struck', { ...error, event: 'stderr', daemon: 'dns-1' }],
  ])('%s break', (_, own) => {
    expect(unexplained([own])).toHaveLength(1);
  });
});

test('a fault that was not got over, or could not be done, breaks', () => {
  const stuck = fault({ trouble: 'not well again: lb-1 is not ready' });
  expect(judges.judgeRecovery([fault(), stuck]).breaches).toHaveLength(1);
});
