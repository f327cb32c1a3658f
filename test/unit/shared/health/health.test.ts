import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { targetId } from '../../../../shared/health/fingerprint.ts';
import type { CheckSettings, Target } from '../../../../shared/health/types.ts';
import { Cluster, type Member } from '../../../support/health/cluster.ts';

const usual: CheckSettings = {
  type: 'tcp',
  port: 80,
  intervalMs: 5000,
  timeoutMs: 2000,
  rise: 2,
  fall: 3,
};
const at = (address: string, other: Partial<CheckSettings> = {}): Target => {
  return { address, check: { ...usual, ...other } as CheckSettings }; // of the same type
};
const [web, mail] = [at('192.0.2.1'), at('192.0.2.2')];

let cluster: Cluster;

afterEach(async () => {
  await cluster.end();
  expect(cluster.clock.pending, 'timers left behind').toBe(0);
});

async function begin(names: string, targets: readonly Target[] = [web]): Promise<Member[]> {
  cluster = new Cluster(1, targets);
  for (const name of names) await cluster.join(name);
  await cluster.run(15_000);
  return [...cluster.members];
}

const healthIn = ({ health }: Member, { address, check }: Target, pool?: string) =>
  health.view.ofAddress(address, check, pool);

function voters(member: Member, target: Target): string[] {
  return healthIn(member, target)
    .votes.map(({ node }) => node)
    .sort();
}

describe('votes', () => {
  test('of three decide by majority, and back', async () => {
    const [a] = await begin('abc');
    expect(cluster.states(web)).toEqual(['up', 'up', 'up']);
    expect(a && voters(a, web)).toEqual(['a', 'b', 'c']);
    cluster.answers.set(web.address, 'refused');
    await cluster.run(22_000);
    expect(cluster.states(web)).toEqual(['down', 'down', 'down']);
    cluster.answers.delete(web.address);
    await cluster.run(17_000);
    expect(cluster.states(web)).toEqual(['up', 'up', 'up']);
  });

  test('of one alone do as well', async () => {
    await begin('a');
    cluster.answers.set(web.address, 'silent');
    await cluster.run(22_000);
    expect(cluster.states(web)).toEqual(['down']);
  });

  test('of who cannot reach a target that others reach leave it up', async () => {
    const [a] = await begin('abc');
    a?.answers.set(web.address, 'silent');
    await cluster.run(60_000);
    expect(cluster.states(web)).toEqual(['up', 'up', 'up']);
    expect(a && healthIn(a, web).votes).toContainEqual(
      expect.objectContaining({ node: 'a', state: 'down', reason: 'silent' }),
    );
  });

  test('that are two against each other leave it as it was', async () => {
    const [a, b] = await begin('ab');
    a?.answers.set(web.address, 'refused');
    await cluster.run(30_000);
    expect(cluster.states(web)).toEqual(['up', 'up']);
    b?.answers.set(web.address, 'refused');
    await cluster.run(30_000);
    b?.answers.delete(web.address);
    await cluster.run(30_000);
    expect(cluster.states(web)).toEqual(['down', 'down']);
  });

  test('the promise is gone before the flip comes', async () => {
    const [a] = await begin('abc');
    const toFlip = () => (a === undefined ? undefined : healthIn(a, web).toFlipMs);
    expect(toFlip()).toBe(2 * 5000 - 2000 - 1000);
    cluster.answers.set(web.address, 'refused');
    const seen = new Set<number | undefined>();
    while (cluster.states(web)[0] === 'up') {
      seen.add(toFlip());
      await cluster.run(250);
    }
    expect([...seen]).toEqual([7000, 2000, 0]);
    expect(cluster.broken).toEqual([]);
  });
});

describe('of five', () => {
  test('three probe a target, and the others know of it', async () => {
    const members = await begin('abcde');
    const probers = members.filter(({ health }) => health.status().probing === 1);
    expect(probers.map(({ name }) => name)).toEqual(members[0] && voters(members[0], web));
    cluster.answers.set(web.address, 'refused');
    await cluster.run(22_000);
    expect(cluster.states(web)).toEqual(Array(5).fill('down'));
  });

  test('another stands in for one that cannot probe it, until it can', async () => {
    const members = await begin('abcde');
    const [first] = members.filter(({ health }) => health.status().probing === 1);
    const before = first && voters(first, web);
    first?.answers.set(web.address, 'not-probed');
    await cluster.run(25_000);
    const after = first === undefined ? [] : voters(first, web);
    expect(after).toHaveLength(3);
    expect(after).not.toContain(first?.name);
    first?.answers.delete(web.address);
    await cluster.run(15_000);
    expect(first && voters(first, web)).toEqual(before);
  });

  test('another stands in for one that does not know it', async () => {
    const members = await begin('abcde');
    const strangers = members.filter(({ health }) => health.status().probing === 1).slice(0, 2);
    for (const { health } of strangers) health.setTargets([]);
    await cluster.run(25_000);
    const [one] = members.filter((each) => !strangers.includes(each));
    const now = one === undefined ? [] : voters(one, web);
    expect(now).toHaveLength(3);
    for (const { name } of strangers) expect(now).not.toContain(name);
  });

  test('another stands in for one that has died', async () => {
    const members = await begin('abcde');
    const [first] = members.filter(({ health }) => health.status().probing === 1);
    if (first !== undefined) await cluster.kill(first);
    await cluster.run(25_000);
    const [one] = cluster.members;
    expect(one && voters(one, web)).toHaveLength(3);
    expect(one && voters(one, web)).not.toContain(first?.name);
    expect(cluster.flips.filter(({ to }) => to === 'down')).toEqual([]);
  });
});

describe('without the board', () => {
  test('nothing changes, then each decides for itself, and back by majority', async () => {
    const [a, b] = await begin('abc');
    a?.answers.set(web.address, 'silent');
    await cluster.run(60_000);
    for (const each of cluster.members) each.link = 'failing';
    await cluster.run(7000);
    expect(a?.health.status().mode).toBe('frozen');
    expect(a && healthIn(a, web)).toMatchObject({ measured: 'up', toFlipMs: 0 });
    await cluster.run(5000);
    expect(a?.health.status().mode).toBe('alone');
    expect(cluster.states(web), 'its own vote has to be earned anew').toEqual(['up', 'up', 'up']);
    await cluster.run(30_000);
    expect(cluster.states(web)).toEqual(['down', 'up', 'up']);
    cluster.server.wipe();
    for (const each of cluster.members) each.link = 'up';
    await cluster.run(3000);
    expect(b?.health.status().mode).toBe('settling');
    await cluster.run(20_000);
    expect(cluster.states(web)).toEqual(['up', 'up', 'up']);
    expect(b?.health.counts.flips.down).toBe(0);
  });

  test('a target that is new is probed, too', async () => {
    const [a] = await begin('a');
    if (a === undefined) throw new Error('nobody');
    a.link = 'frozen';
    await cluster.run(15_000);
    cluster.answers.set(mail.address, 'refused');
    a.health.setTargets([web, mail]);
    await cluster.run(3000);
    expect(healthIn(a, mail).measured).toBe('down');
  });

  test('one that starts decides alone after a while', async () => {
    await begin('a');
    const [a] = cluster.members;
    if (a !== undefined) await cluster.kill(a);
    cluster.server.wipe();
    const again = cluster.join('b', 'failing');
    await again;
    await cluster.run(9000);
    expect(cluster.states(web)).toEqual(['unknown']);
    await cluster.run(5000);
    expect(cluster.states(web)).toEqual(['up']);
  });
});

describe('a restart', () => {
  test('takes over what the others hold, and lets nothing flap', async () => {
    const [, b] = await begin('abc');
    cluster.answers.set(web.address, 'refused');
    await cluster.run(22_000);
    if (b !== undefined) await cluster.kill(b);
    const flips = cluster.flips.length;
    await cluster.join('b');
    expect(cluster.states(web)).toEqual(['down', 'down', 'down']);
    await cluster.run(30_000);
    expect(cluster.flips.slice(flips).filter(({ from }) => from !== 'unknown')).toEqual([]);
  });

  test('of all of them, with the votes of before', async () => {
    await begin('abc');
    cluster.answers.set(web.address, 'refused');
    await cluster.run(22_000);
    for (const each of [...cluster.members]) await cluster.kill(each);
    await cluster.run(60_000);
    await cluster.join('a');
    expect(cluster.states(web)).toEqual(['down']);
  });

  test('without a board, with what the disk has', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'edge-health-'));
    try {
      cluster = new Cluster(1, [web], join(directory, 'health.snapshot'));
      cluster.answers.set(web.address, 'refused');
      const a = await cluster.join('a');
      await cluster.run(20_000);
      await cluster.kill(a);
      cluster.server.wipe();
      await cluster.join('a', 'failing');
      expect(cluster.states(web)).toEqual(['down']);
    } finally {
      rmSync(directory, { recursive: true });
    }
  });
});

test('who stood still for long does not count with what it voted before', async () => {
  const [a, b, c] = await begin('abc');
  a?.clock.pause();
  for (const each of [a, b, c]) each?.answers.set(web.address, 'refused');
  await cluster.run(40_000);
  b?.answers.delete(web.address);
  await cluster.run(20_000);
  a?.clock.resume();
  await cluster.run(30_000);
  expect(cluster.states(web)).toEqual(['down', 'down', 'down']);
  const flips = cluster.flips.filter(({ from }) => from !== 'unknown').map(({ to }) => to);
  expect(flips).toEqual(['down', 'down', 'down']);
});

describe('targets', () => {
  test('that are no more are forgotten, and their votes', async () => {
    const [a] = await begin('a', [web, mail]);
    expect(cluster.server.votesOf('a').votes.size).toBe(2);
    a?.health.setTargets([mail]);
    await cluster.run(1000);
    expect([...cluster.server.votesOf('a').votes.keys()]).toEqual([targetId(mail)]);
    expect(a && healthIn(a, web)).toMatchObject({ measured: 'unknown', toFlipMs: 0, votes: [] });
  });

  test('of another check are others', async () => {
    const [a] = await begin('a');
    const other = at(web.address, { fall: 5 });
    expect(a && healthIn(a, other).measured).toBe('unknown');
    a?.health.setTargets([other]);
    await cluster.run(3000);
    expect(a && healthIn(a, other).measured).toBe('up');
  });

  test('without a check are up, until an operator says otherwise', async () => {
    const [a] = await begin('a', []);
    const health = () => a?.health.view.ofAddress('192.0.2.9', undefined, 'pool');
    expect(health()).toMatchObject({ effective: 'up', toFlipMs: Number.POSITIVE_INFINITY });
    a?.health.setOverrides([{ address: '192.0.2.9', state: 'drain', who: 'eve', why: 'work' }]);
    expect(health()).toMatchObject({ measured: 'up', effective: 'down' });
  });

  test('come twice and are one', async () => {
    const [a] = await begin('a', [web, at(web.address)]);
    expect(a?.health.status().targets).toEqual({ up: 1, down: 0, unknown: 0 });
  });
});

describe('an override', () => {
  test('of a pool is for that pool, and ends by itself; readers are told', async () => {
    const [a] = await begin('a');
    if (a === undefined) throw new Error('nobody');
    let calls = 0;
    a.health.onChange(() => calls++);
    const untilMs = cluster.clock.nowMs() + 60_000;
    const said = { state: 'down', who: 'eve', why: 'work', untilMs } as const;
    a.health.setOverrides([{ address: web.address, pool: 'www', ...said }]);
    await cluster.run(500);
    expect(calls).toBe(1);
    expect(healthIn(a, web, 'www')).toMatchObject({
      measured: 'up',
      effective: 'down',
      override: said,
      toFlipMs: Number.POSITIVE_INFINITY,
    });
    expect(healthIn(a, web, 'mail').effective).toBe('up');
    expect(a.health.status().overrides).toBe(1);
    await cluster.run(60_000);
    expect(calls).toBe(2);
    expect(healthIn(a, web, 'www').effective).toBe('up');
    expect(a.health.status().overrides).toBe(0);
  });
});

test('many changes at once are told once', async () => {
  const targets = Array.from({ length: 200 }, (_, n) => at(`198.51.100.${n}`, { fall: 1 }));
  const [a] = await begin('a', targets);
  let calls = 0;
  a?.health.onChange(() => calls++);
  for (const { address } of targets) cluster.answers.set(address, 'refused');
  await cluster.run(10_000);
  expect(a?.health.status().targets.down).toBe(200);
  expect(calls).toBeLessThan(100);
});

test('who sets the same targets whenever it is told is not told of that', async () => {
  const [a] = await begin('a', [web, mail]);
  if (a === undefined) throw new Error('it has joined');
  let calls = 0;
  a.health.onChange(() => {
    calls++;
    a.health.setTargets([web, mail]);
  });
  cluster.answers.set(web.address, 'refused');
  await cluster.run(22_000);
  expect(cluster.states(web)).toEqual(['down']);
  const settled = calls;
  expect(settled).toBeGreaterThan(0);
  await cluster.run(60_000);
  expect(calls).toBe(settled);
});
