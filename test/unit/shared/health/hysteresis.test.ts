import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  beginning,
  checksToLeave,
  type Hysteresis,
  missed,
  probed,
  restartedFrom,
  type Verdict,
} from '../../../../shared/health/hysteresis.ts';

const thresholds = { rise: 2, fall: 3 };

/** `g` good, `b` bad, `-` not probed. */
function follow(begun: Hysteresis, probes: string, of = thresholds): Hysteresis {
  return [...probes].reduce<Hysteresis>(
    (held, each) => (each === '-' ? missed(held, of) : probed(held, each === 'g', of)),
    begun,
  );
}

const nothing = beginning('unknown');
const known = { up: beginning('up'), down: beginning('down') };

describe('a vote', () => {
  test.each<[string, Hysteresis, string, Verdict | undefined]>([
    ['there is none before a probe', nothing, '', undefined],
    ['the first probe decides', nothing, 'g', 'up'],
    ['the first probe decides', nothing, 'b', 'down'],
    ['`fall` bad ones in a row turn it', nothing, 'gbbb', 'down'],
    ['fewer do not', nothing, 'gbb', 'up'],
    ['a good one begins the count anew', nothing, 'gbbgbb', 'up'],
    ['`rise` good ones turn it back', nothing, 'bgg', 'up'],
    ['fewer do not', nothing, 'bg', 'down'],
    ['a bad one begins the count anew', nothing, 'bgbg', 'down'],
    ['to agree with what is known takes one', known.up, 'g', 'up'],
    ['to agree with what is known takes one', known.down, 'b', 'down'],
    ['to contradict it takes `fall`', known.up, 'bb', undefined],
    ['to contradict it takes `fall`', known.up, 'bbb', 'down'],
    ['to contradict it takes `rise`', known.down, 'g', undefined],
    ['to contradict it takes `rise`', known.down, 'gg', 'up'],
    ['a probe that was not made changes nothing', nothing, 'gb-b-b', 'down'],
    ['`fall` of those in a row take it away', nothing, 'g---', undefined],
    ['fewer do not', nothing, 'g--', 'up'],
    ['what it was stays known', nothing, 'g---bb', undefined],
    ['what it was stays known', nothing, 'g---bbb', 'down'],
  ])('%s: from %o by %s', (_, begun, probes, vote) => {
    expect(follow(begun, probes).vote).toBe(vote);
  });

  test('is never turned by fewer in a row than it takes', () => {
    const someProbes = fc.stringMatching(/^[gb-]{0,40}$/);
    const some = fc.integer({ min: 1, max: 5 });
    const property = fc.property(someProbes, some, some, (probes, rise, fall) => {
      let held: Hysteresis = nothing;
      let run = '';
      for (const each of probes) {
        const before = held.vote ?? held.assumed;
        held = follow(held, each, { rise, fall });
        if (each !== '-') run = run.startsWith(each) ? run + each : each;
        const turned = before !== undefined && held.vote !== undefined && held.vote !== before;
        if (turned) expect(run.length).toBeGreaterThanOrEqual(held.vote === 'up' ? rise : fall);
      }
    });
    fc.assert(property);
  });
});

describe('checks to leave', () => {
  test.each<[Hysteresis, string, Verdict, number]>([
    [nothing, '', 'up', 1],
    [nothing, 'g', 'up', 3],
    [nothing, 'gb', 'up', 2],
    [nothing, 'gbb', 'up', 1],
    [nothing, 'gbbg', 'up', 3],
    [nothing, 'b', 'down', 2],
    [nothing, 'bg', 'down', 1],
    [nothing, 'b', 'up', 1],
    [known.up, '', 'up', 1],
    [known.up, 'g', 'up', 3],
    [nothing, 'g-', 'up', 2],
    [nothing, 'g--', 'up', 1],
    [nothing, 'g-b', 'up', 2],
    [known.up, 'bb', 'up', 1],
    [known.down, '', 'down', 1],
  ])('of %o after %s, of %s: %i', (begun, probes, state, checks) => {
    expect(checksToLeave(follow(begun, probes), state, thresholds)).toBe(checks);
  });

  test('are never more than it takes, whatever is probed', () => {
    const someProbes = fc.stringMatching(/^[gb-]{0,20}$/);
    const some = fc.integer({ min: 1, max: 5 });
    const args = [someProbes, someProbes, fc.constantFrom('up', 'down'), some, some] as const;
    const property = fc.property(...args, (before, later, state: Verdict, rise, fall) => {
      const of = { rise, fall };
      let held = follow(nothing, before, of);
      const promised = checksToLeave(held, state, of);
      for (const each of later.slice(0, promised - 1)) {
        held = follow(held, each, of);
        expect(held.vote).toBe(state);
      }
    });
    fc.assert(property);
  });
});

describe('restarted', () => {
  test.each<[Hysteresis, Verdict | 'unknown', Verdict | undefined]>([
    [follow(nothing, 'g'), 'up', 'up'],
    [follow(nothing, 'g'), 'unknown', 'up'],
    [follow(nothing, 'g'), 'down', undefined],
    [follow(nothing, 'b'), 'up', undefined],
  ])('%o from %s votes %s', (held, state, vote) => {
    const begun = restartedFrom(held, state);
    expect(begun.vote).toBe(vote);
    const other = state === 'up' ? 'b' : 'g';
    const toTurn = other === 'b' ? thresholds.fall : thresholds.rise;
    if (vote === undefined) expect(follow(begun, other.repeat(toTurn - 1)).vote).toBeUndefined();
  });
});
