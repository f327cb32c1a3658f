// docs/appliance.md, followed: its commands in their order, in namespaces that play the host, a
// client and a VM; services run as their units say. So the page does what it says.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Machines } from '../support/docs/machines.ts';
import { difference, stepsOf } from '../support/docs/page.ts';

const PAGE = join(import.meta.dirname, '../../docs/appliance.md');
const STEP_MS = 150_000; // a busy machine must not decide

const machines = new Machines();
let broken: number | undefined;

beforeAll(() => machines.up());
afterAll(() => machines.down());

const steps = stepsOf(readFileSync(PAGE, 'utf8')).map((step) => ({
  ...step,
  title: `line ${step.line}, on the ${step.on}: ${step.script.split('\n')[0]}`,
}));

test.each(steps)('$title', { timeout: STEP_MS }, (step) => {
  expect(broken, 'the line of a block before this one that failed').toBeUndefined();
  broken = step.line;
  if (step.inBackground) {
    machines.start(step.on, step.script);
  } else {
    const { code, output } = machines.run(step.on, step.script, STEP_MS);
    expect(step.anyExit ? 0 : code, output).toBe(0);
    expect(difference(step.output, output)).toBeUndefined();
  }
  broken = undefined;
});
