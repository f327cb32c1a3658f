import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { ServingState } from '../../../../dns/answer/types.ts';
import { applyDelta, deltaOf, listDelta, listOf } from '../../../../dns/transports/state-delta.ts';
import { imageOf, stateOf } from '../../../support/dns/resolve-rig.ts';

test('a list made of the one before and what was added is the one after', () => {
  const items = Array.from({ length: 12 }, (_, id) => ({ id }));
  const list = fc.array(fc.constantFrom(...items), { maxLength: 20 });
  fc.assert(
    fc.property(list, list, (before, after) => {
      const delta = listDelta(before, after);
      const made = listOf(before, structuredClone(delta));
      expect(made).toEqual(after);
      // What was there is the same object, and is not sent.
      for (const [index, item] of after.entries()) {
        if (before.includes(item)) expect(made[index]).toBe(item);
      }
      expect(delta.added.every((item) => !before.includes(item))).toBe(true);
    }),
  );
});

const zone = (name: string) => imageOf(`${name}.`, `$ORIGIN ${name}.\n@ 60 SOA . . 1 2 3 4 5\n`);
const smart = (ttlSeconds: number) => ({
  choiceOfLine: Uint16Array.of(0),
  choices: [{ ttlSeconds, answers: [[Uint8Array.of(1, 2, 3, 4)]], steps: ['why'] }],
});

test('of a state only what changed is sent', () => {
  const [a, b, c] = [zone('a'), zone('b'), zone('c')];
  const one = smart(60);
  const first = stateOf([a, b], [one, smart(61)]);
  const next: ServingState = { ...first, generation: 2, zones: [a, c], smart: [one, smart(62)] };
  const delta = deltaOf(first, next);
  expect(delta).toMatchObject({ generation: 2, zones: { added: [c] } });
  expect(delta.smart?.added).toHaveLength(1);
  expect(delta).not.toHaveProperty('lines');
  expect(delta).not.toHaveProperty('settings');
  expect(deltaOf(next, { ...next, generation: 3 })).toEqual({ generation: 3 });
});

test('a thread has what the main thread has, but for the words', () => {
  const first = stateOf([zone('a')], [smart(60)]);
  const there = applyDelta(undefined, structuredClone(deltaOf(undefined, first)));
  expect(there.zones[0]?.memory).toEqual(first.zones[0]?.memory);
  expect(there.smart[0]?.choices[0]).toEqual({ ...first.smart[0]?.choices[0], steps: [] });
  const next = { ...first, generation: 2, settings: { ...first.settings, udpBytes: 512 } };
  const then = applyDelta(there, structuredClone(deltaOf(first, next)));
  expect(then).toMatchObject({ generation: 2, settings: { udpBytes: 512 } });
  expect(then.zones).toBe(there.zones);
});

test('a change of another state is refused', () => {
  const first = stateOf([zone('a')]);
  const delta = deltaOf(first, { ...first, generation: 2, zones: [...first.zones, zone('b')] });
  expect(() => applyDelta(undefined, delta)).toThrow(/a change of/);
  expect(() => applyDelta(stateOf([]), delta)).toThrow(/another list/);
});

test('addresses of aliases elsewhere go to threads, one by one', () => {
  const known = (last: number) => ({
    target: Uint8Array.of(1, 97, 0),
    type: 1,
    addresses: [Uint8Array.of(192, 0, 2, last)],
    freshUntilSeconds: 60,
    ttlSeconds: 60,
  });
  const [one, two] = [known(1), known(2)];
  const first = { ...stateOf([]), aliases: [one] };
  const next = { ...first, generation: 2, aliases: [two, one] };
  const there = applyDelta(undefined, structuredClone(deltaOf(undefined, first)));
  const delta = deltaOf(first, next);
  expect(delta.aliases?.added).toEqual([two]);
  expect(applyDelta(there, structuredClone(delta)).aliases).toEqual([two, one]);
});
