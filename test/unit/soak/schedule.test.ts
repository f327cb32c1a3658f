import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CATALOGUE, kindOf } from '../../soak/catalogue.ts';
import { STRIKES } from '../../soak/faults/index.ts';
import { CALM_MS, END_MS, PEACE_MS, type ScheduleOptions, schedule } from '../../soak/schedule.ts';

const ALL = CATALOGUE.map(({ name }) => name);
const counts = { natter: 2, dhcpd: 2, dns: 2, lb: 2, redis: 1, appliance: 1 };
const options = (more: Partial<ScheduleOptions> = {}): ScheduleOptions => ({
  seed: 1,
  durationMs: 1_800_000,
  faults: ALL,
  counts,
  ...more,
});
const pairs = CATALOGUE.flatMap(({ name, victims }) => victims.map((kind) => `${name} ${kind}`));

describe('a schedule', () => {
  test('is a function of the seed', () => {
    fc.assert(
      fc.property(fc.nat(), (seed) => {
        expect(schedule(options({ seed }))).toEqual(schedule(options({ seed })));
      }),
    );
    expect(schedule(options({ seed: 1 }))).not.toEqual(schedule(options({ seed: 2 })));
  });

  test('strikes whom there is, for as long as the catalogue says, one after the other', () => {
    fc.assert(
      fc.property(fc.nat(), fc.integer({ min: 1, max: 12 }), (seed, minutes) => {
        const durationMs = minutes * 60_000;
        let freeMs = CALM_MS;
        for (const { atMs, fault, kind, which, holdMs } of schedule(
          options({ seed, durationMs }),
        )) {
          const { victims, holdMs: bounds } = kindOf(fault);
          expect(victims).toContain(kind);
          expect(which).toBeGreaterThanOrEqual(1);
          expect(which).toBeLessThanOrEqual(counts[kind]);
          expect(holdMs).toBeGreaterThanOrEqual(bounds[0]);
          expect(holdMs).toBeLessThanOrEqual(bounds[1]);
          expect(atMs).toBeGreaterThanOrEqual(freeMs);
          expect(atMs + holdMs).toBeLessThanOrEqual(durationMs - END_MS);
          freeMs = atMs + holdMs + 1;
        }
      }),
    );
  });

  test('has each fault of each kind of victim before any comes again', () => {
    const planned = schedule(options({ durationMs: 7_200_000 }));
    const first = planned.slice(0, pairs.length).map(({ fault, kind }) => `${fault} ${kind}`);
    expect(first.toSorted()).toEqual(pairs.toSorted());
  });

  test('that may overlap has some that do', () => {
    const planned = schedule(options({ isOverlapping: true }));
    const doOverlap = planned.some((one, index) => {
      const next = planned[index + 1];
      return next !== undefined && next.atMs < one.atMs + one.holdMs;
    });
    expect(doOverlap).toBe(true);
  });

  test('that may overlap leaves who was struck in peace for a while', () => {
    const planned = schedule(options({ isOverlapping: true, durationMs: 3_600_000 }));
    const free = new Map<string, number>();
    for (const { kind, which, atMs, holdMs } of planned) {
      const victim = `${kind} ${which}`;
      expect(atMs).toBeGreaterThanOrEqual(free.get(victim) ?? 0);
      free.set(victim, atMs + holdMs + PEACE_MS);
    }
  });

  test.each([
    ['no faults', { faults: [] }],
    ['no victims', { counts: { natter: 0, dhcpd: 0, dns: 0, lb: 0, redis: 0, appliance: 0 } }],
    ['no time', { durationMs: 1000 }],
  ])('of %s is empty', (_, more) => {
    expect(schedule(options(more))).toEqual([]);
  });
});

test('what the catalogue names can be done', () => {
  expect([...STRIKES.keys()].toSorted()).toEqual(ALL.toSorted());
});
