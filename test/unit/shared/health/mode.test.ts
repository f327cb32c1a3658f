import { expect, test } from 'vitest';
import { Contact, type Mode } from '../../../../shared/health/mode.ts';

type Step = { at: number; mode: Mode; heard?: true; lost?: true; failed?: true };

const cases: { what: string; steps: Step[] }[] = [
  {
    what: 'heard again and again',
    steps: [
      { at: 0, mode: 'joining' },
      { at: 100, heard: true, mode: 'shared' },
      { at: 2000, heard: true, mode: 'shared' },
      { at: 7000, mode: 'shared' },
    ],
  },
  {
    what: 'silent from the start: alone after a while, and it settles before votes decide',
    steps: [
      { at: 100, failed: true, mode: 'joining' },
      { at: 10_000, failed: true, mode: 'joining' },
      { at: 10_001, mode: 'alone' },
      { at: 60_000, heard: true, mode: 'settling' },
      { at: 64_999, heard: true, mode: 'settling' },
      { at: 65_000, heard: true, mode: 'shared' },
    ],
  },
  {
    what: 'lost: as it was, then alone',
    steps: [
      { at: 0, heard: true, mode: 'shared' },
      { at: 5000, failed: true, mode: 'shared' },
      { at: 5001, failed: true, mode: 'frozen' },
      { at: 10_000, failed: true, mode: 'frozen' },
      { at: 10_001, failed: true, mode: 'alone' },
      { at: 99_000, failed: true, mode: 'alone' },
    ],
  },
  {
    what: 'a call that fails now and then is nothing',
    steps: [
      { at: 0, heard: true, mode: 'shared' },
      { at: 2000, failed: true, mode: 'shared' },
      { at: 4900, heard: true, mode: 'shared' },
    ],
  },
  {
    what: 'back after a freeze: it settles',
    steps: [
      { at: 0, heard: true, mode: 'shared' },
      { at: 6000, failed: true, mode: 'frozen' },
      { at: 7000, heard: true, mode: 'settling' },
      { at: 9000, heard: true, mode: 'settling' },
      { at: 12_000, heard: true, mode: 'shared' },
    ],
  },
  {
    what: 'a board that has lost what it held: it settles',
    steps: [
      { at: 0, heard: true, mode: 'shared' },
      { at: 2000, heard: true, lost: true, mode: 'settling' },
      { at: 7000, heard: true, mode: 'shared' },
    ],
  },
  {
    what: 'who stood still has not heard, but is not alone',
    steps: [
      { at: 0, heard: true, mode: 'shared' },
      { at: 60_000, mode: 'frozen' },
      { at: 60_010, heard: true, mode: 'settling' },
    ],
  },
];

test.each(cases)('$what', ({ steps }) => {
  const contact = new Contact(0);
  for (const { at, heard, lost = false, failed, mode } of steps) {
    if (heard) contact.heard(at, lost);
    if (failed) contact.failed();
    expect(contact.mode(at), `at ${at}`).toBe(mode);
  }
});
