// Whose a run is: only a process with the same pid and the same start owns it.
import { describe, expect, it } from 'vitest';
import { isLive, isRunId, runOf, startTicks } from '../../../lab/run.ts';

const own = `${process.pid}-${startTicks(process.pid)}-00ff`;

describe('isLive', () => {
  it.each([
    { what: 'this process', id: own, live: true },
    { what: 'a pid that was given to another process', id: `${process.pid}-1-00ff`, live: false },
    { what: 'a pid that no process has', id: '4194305-abc-00ff', live: false },
    { what: 'no run id at all', id: 'default', live: false },
  ])('$what: $live', ({ id, live }) => {
    expect(isLive(id)).toBe(live);
  });
});

describe('runOf', () => {
  it.each([
    { name: `edge-${own}-natter-1`, run: own },
    { name: `lab-${own}-n12`, run: own },
    { name: `edge-${own}`, run: undefined },
    { name: 'edge-natter', run: undefined },
    { name: 'default', run: undefined },
    { name: `other-${own}-vm-1`, run: undefined },
  ])('$name', ({ name, run }) => {
    expect(runOf(name)).toBe(run);
  });
});

it('tells a run directory from any other', () => {
  expect(isRunId(own)).toBe(true);
  expect(isRunId('12-ab')).toBe(false);
});
