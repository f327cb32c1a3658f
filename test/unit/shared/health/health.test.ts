import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { HealthRig, targetAt } from '../../../support/health/rig.ts';

const web = targetAt('192.0.2.1');
let rig: HealthRig;

beforeEach(() => {
  rig = new HealthRig();
  rig.targets = [web];
});

afterEach(async () => {
  await rig.end();
  expect(rig.clock.pending, 'timers left behind').toBe(0);
});

async function three(): Promise<void> {
  for (const name of ['a', 'b', 'c']) await rig.add(name);
  await rig.clock.advance(10_000);
}

describe('three instances', () => {
  test('take a target for up that answers', async () => {
    await three();
    expect(rig.states(web)).toEqual(['up', 'up', 'up']);
    const [a] = rig.instances;
    expect(a?.health.view.ofAddress(web.address, web.check).votes).toHaveLength(3);
  });

  test('take it for down by majority, and up again', async () => {
    await three();
    rig.answers.set(web.address, 'refused');
    await rig.clock.advance(22_000);
    expect(rig.states(web)).toEqual(['down', 'down', 'down']);
    rig.answers.delete(web.address);
    await rig.clock.advance(17_000);
    expect(rig.states(web)).toEqual(['up', 'up', 'up']);
  });

  test('leave it up when one of them cannot reach it', async () => {
    await three();
    rig.instances[0]?.answers.set(web.address, 'silent');
    await rig.clock.advance(60_000);
    expect(rig.states(web)).toEqual(['up', 'up', 'up']);
  });

  test('change nothing when the board is gone, and decide alone later', async () => {
    await three();
    const [a, b] = rig.instances;
    a?.answers.set(web.address, 'silent');
    await rig.clock.advance(60_000);
    for (const each of rig.instances) each.link = 'failing';
    await rig.clock.advance(7000);
    expect(a?.health.status().mode).toBe('frozen');
    expect(rig.states(web)).toEqual(['up', 'up', 'up']);
    await rig.clock.advance(40_000);
    expect(rig.states(web)).toEqual(['down', 'up', 'up']);
    rig.server.wipe();
    for (const each of rig.instances) each.link = 'up';
    await rig.clock.advance(3000);
    expect(b?.health.status().mode).toBe('settling');
    await rig.clock.advance(20_000);
    expect(rig.states(web)).toEqual(['up', 'up', 'up']);
    expect(b?.health.counts.flips).toMatchObject({ down: 0 });
  });
});
