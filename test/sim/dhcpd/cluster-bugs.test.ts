// What the checker of the cluster's simulation is worth: bugs are planted, and it finds each.
import { expect, test } from 'vitest';
import * as bugs from '../../support/dhcp/sim/bugs.ts';
import type { FaultName } from '../../support/dhcp/sim/faults.ts';
import type { Bug } from '../../support/dhcp/sim/instance.ts';
import type { Scene } from '../../support/dhcp/sim/scene.ts';
import { scenes } from '../../support/dhcp/sim/scenes.ts';
import { simulate } from '../../support/dhcp/sim/simulate.ts';

const STEPS = 6000;
/** Each is found by a quarter of the seeds or more. */
const MOST_SEEDS = 24;
/** Not by what is merely missed: an answer, an address. */
const IS_BROKEN_PROMISE = / to two: | by two: | refuses /;

type Case = {
  what: string;
  bug: Bug;
  faults: readonly FaultName[];
  more?: Partial<Scene>;
};

const cases: readonly Case[] = [
  {
    what: 'a bind that does not look at the hold',
    bug: bugs.withoutHold,
    faults: ['redis lossy', 'cut', 'wipe', 'freeze', 'redis partition'],
  },
  {
    what: 'an ACK before its write is durable',
    bug: bugs.withoutWait,
    faults: ['redis power'],
  },
  {
    what: 'a renewal that is told more than the hold',
    bug: bugs.beyondHold,
    faults: ['redis gone', 'cut'],
    more: { way: 'lan', leaseSeconds: 40 },
  },
  {
    what: 'no quarantine and no teaching after a restored backup',
    bug: bugs.withoutFence,
    faults: ['redis restore', 'wipe'],
  },
  {
    what: 'a stale reply after a freeze',
    bug: bugs.sleepingClock,
    faults: ['freeze'],
    more: { leaseSeconds: 16, clients: 60, redisDelayMs: [100, 400] },
  },
  { what: 'a forged RELEASE that is believed', bug: bugs.anybodyReleases, faults: ['plan'] },
];

test.each(cases)('finds $what', { timeout: 120_000 }, async ({ bug, faults, more }) => {
  const { tight } = scenes;
  if (tight === undefined) throw new Error('no such scene');
  const scene = { ...tight, ...more };
  let found: readonly string[] = [];
  for (let seed = 1; seed <= MOST_SEEDS && found.length === 0; seed += 1) {
    const result = await simulate({ seed, steps: STEPS, scene, faults, bug, isShort: true });
    found = result.faults.filter((fault) => IS_BROKEN_PROMISE.test(fault));
  }
  expect(found).not.toEqual([]);
});
