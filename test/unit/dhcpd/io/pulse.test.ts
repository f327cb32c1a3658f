import { expect, test } from 'vitest';
import { Pulse } from '../../../../dhcpd/io/pulse.ts';

type Case = {
  what: string;
  /** The last sign of life is at 10,000. */
  beats?: readonly number[];
  readMs: number;
  receivedMs: number;
  isOld?: true;
};

const cases: readonly Case[] = [
  { what: 'at once', readMs: 10_050, receivedMs: 10_050 },
  { what: 'in a loop that was busy', readMs: 10_900, receivedMs: 10_900 },
  {
    what: 'after a gap that no timer has seen yet',
    readMs: 40_000,
    receivedMs: 10_000,
    isOld: true,
  },
  {
    what: 'after a gap that the timer saw first',
    beats: [40_000],
    readMs: 40_001,
    receivedMs: 10_000,
    isOld: true,
  },
  {
    what: 'in the first moments after it',
    beats: [40_000, 40_100, 40_200],
    readMs: 40_950,
    receivedMs: 10_000,
    isOld: true,
  },
  { what: 'later', beats: [40_000, 40_500, 41_000], readMs: 41_001, receivedMs: 41_001 },
  {
    what: 'after a second gap before all of the first was read',
    beats: [40_000, 40_100],
    readMs: 60_000,
    receivedMs: 10_000,
    isOld: true,
  },
  {
    what: 'after a second gap',
    beats: [40_000, 40_900, 41_000, 41_100],
    readMs: 60_000,
    receivedMs: 41_100,
    isOld: true,
  },
];

test.each(cases)('$what', ({ beats = [], readMs, receivedMs, isOld }) => {
  const pulse = new Pulse(0);
  for (let ms = 0; ms <= 10_000; ms += 100) pulse.beat(ms);
  for (const ms of beats) pulse.beat(ms);
  expect(pulse.read(readMs)).toEqual({ receivedMs, ...(isOld ? { isOld } : {}) });
});
