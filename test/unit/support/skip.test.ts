import { describe, expect, test } from 'vitest';
import { kernel, needs, program } from '../../support/skip.ts';

function run(...requirements: Parameters<typeof needs> extends [unknown, ...infer R] ? R : never) {
  const skips: (string | undefined)[] = [];
  // The part of a test context that is used; the real one throws to end the test.
  const skip = ((note?: string) => skips.push(note)) as unknown as Parameters<
    typeof needs
  >[0]['skip'];
  needs({ skip }, ...requirements);
  return skips;
}
const rootless = { what: 'root', met: false, owed: false };

describe('needs', () => {
  test('what is met does not skip', () => {
    expect(run(kernel('feature', true), program('sh'))).toEqual([]);
  });

  test('what the machine cannot have skips with the reason', () => {
    expect(run(kernel('fq', false, false))).toEqual(["needs the kernel's fq"]);
  });

  test('what the machine should have had fails', () => {
    expect(() => run(program('edge-no-such-program'))).toThrow(/edge-no-such-program.*should have/);
  });

  test('without root the rest is excused', () => {
    expect(run(rootless, kernel('bpf', false))).toEqual(["needs root, the kernel's bpf"]);
  });
});
