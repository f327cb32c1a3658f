import { expect, test } from 'vitest';
import type { ServingState } from '../../../dns/answer/types.ts';
import { Serving } from '../../../dns/serving.ts';
import type { Transport } from '../../../dns/transports/types.ts';

const FIRST = { zones: [], lines: {}, smart: [], settings: {} } as unknown as Omit<
  ServingState,
  'generation'
>;
const zones = (count: number) => new Array(count).fill({}) as ServingState['zones'];

test('what changes in one turn is one state; what changes meanwhile is the next', async () => {
  const seen: ServingState[] = [];
  let release = Promise.withResolvers<void>();
  const transport: Transport = {
    open: async () => {},
    adopt: async (state) => {
      seen.push(state);
      await release.promise;
    },
    drain() {},
    close: async () => {},
  };
  const serving = new Serving({ first: FIRST, adopt: () => {}, transports: [transport] });
  const first = serving.update({ zones: zones(1) });
  void serving.update({ smart: [] });
  await new Promise((resolve) => setImmediate(resolve));
  expect(seen.length).toBe(1);
  const second = serving.update({ zones: zones(2) });
  void serving.update({ zones: zones(3) });
  expect(seen.length).toBe(1);
  const held = release;
  release = Promise.withResolvers();
  release.resolve();
  held.resolve();
  await Promise.all([first, second]);
  expect(seen.map((state) => [state.generation, state.zones.length])).toEqual([
    [2, 1],
    [3, 3],
  ]);
  expect(serving.state.zones.length).toBe(3);
});

test('a transport that fails fails the update, and the next is tried again', async () => {
  let fails = true;
  const transport = {
    adopt: async () => {
      if (fails) throw new Error('worker ended');
    },
  } as unknown as Transport;
  const serving = new Serving({ first: FIRST, adopt: () => {}, transports: [transport] });
  await expect(serving.update({ zones: zones(1) })).rejects.toThrow('worker ended');
  fails = false;
  await serving.update({ smart: [] });
  expect(serving.state.zones.length).toBe(1);
});
