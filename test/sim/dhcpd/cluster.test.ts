// The whole cluster: real servers over real lease books, a modelled Redis that fails in every way,
// a bad network, many clients, some of them hostile; and a checker that knows every promise.
// A fault prints its seed and what to set to see it again: EDGE_SCENE, EDGE_SEED, EDGE_STEPS.
import { describe, expect, test } from 'vitest';
import { report } from '../../support/dhcp/sim/report.ts';
import { scenes } from '../../support/dhcp/sim/scenes.ts';
import { type RunOptions, simulate } from '../../support/dhcp/sim/simulate.ts';

const { EDGE_SCENE, EDGE_SEED, EDGE_STEPS } = process.env;
const STEPS = Number(EDGE_STEPS ?? 8000);
const seeds = EDGE_SEED === undefined ? [1, 2] : [Number(EDGE_SEED)];
const played = Object.entries(scenes).filter(([name]) => (EDGE_SCENE ?? name) === name);
const runs = played.flatMap(([name, scene]) => seeds.map((seed) => ({ name, scene, seed })));

async function run(name: string, options: RunOptions) {
  const result = await simulate({ ...options, isShort: true });
  expect(result.faults, report(name, options, result)).toEqual([]);
  return result;
}

describe('no address is held by two clients, and everybody is served in the end', () => {
  test.each(runs)('$name, seed $seed', { timeout: 120_000 }, async ({ name, scene, seed }) => {
    const result = await run(name, { seed, steps: STEPS, scene });
    expect(result.steps).toBeGreaterThanOrEqual(STEPS);
    expect(result.acks).toBeGreaterThan(100);
  });
});

test.each(played)('%s: where nothing fails, nobody is refused', async (name, scene) => {
  const peaceful = { ...scene, hostile: 0, clients: Math.min(scene.clients, scene.addresses / 2) };
  const options = { seed: 5, steps: 1000, scene: peaceful, faults: [], isGoodNetwork: true };
  expect((await run(name, options)).naks).toBe(0);
});

test('one seed, one course of events', async () => {
  const scene = scenes.ecmp;
  if (scene === undefined) throw new Error('no such scene');
  const options = { seed: 11, steps: 1500, scene };
  const [first, second] = [await simulate(options), await simulate(options)];
  expect(second.digest).toBe(first.digest);
});
