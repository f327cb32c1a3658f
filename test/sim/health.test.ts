// Instances of health in simulated time: targets fail, for all or for some; instances die, join and
// stand still; the board fails, freezes, loses replies and its memory. Whatever happens, the rules
// of docs/health.md hold, and in the end all see the same.
import { describe, expect, test } from 'vitest';
import type { LinkMode } from '../../shared/health/memory-votes.ts';
import { SETTLE_MS } from '../../shared/health/mode.ts';
import { LEASE_MS } from '../../shared/health/replica.ts';
import type { CheckSettings, Target } from '../../shared/health/types.ts';
import { pick, type Random, seededRandom } from '../../shared/random.ts';
import { type Answer, Cluster } from '../support/health/cluster.ts';

const NAMES = ['a', 'b', 'c', 'd', 'e'];
/** Never anything but good, or not probed: nothing may ever call it down. */
const WELL = '192.0.2.1';
/** Besides, those of which an instance may fail to ask; the others then decide without it. */
const HARD_TO_ASK = '192.0.2.2';

function targetsOf(random: Random): Target[] {
  return Array.from({ length: 6 }, (_, at): Target => {
    const timeoutMs = pick(random, [200, 500, 1000]);
    const check: CheckSettings = {
      type: 'tcp',
      port: 80,
      intervalMs: pick(random, [1000, 2000, 5000]),
      timeoutMs,
      rise: 1 + random.integer(3),
      fall: 1 + random.integer(4),
    };
    return { address: `192.0.2.${at + 1}`, check };
  });
}

function someAnswer(random: Random, address: string): Answer {
  if (address === WELL) return pick(random, ['good', 'not-probed']);
  const askable: Answer[] = ['good', 'good', 'refused', 'silent'];
  return pick(random, address === HARD_TO_ASK ? [...askable, 'not-probed'] : askable);
}

async function start(seed: number): Promise<Cluster> {
  const cluster = new Cluster(seed, targetsOf(seededRandom(seed)));
  const count = 3 + cluster.random.integer(3);
  for (const name of NAMES.slice(0, count)) await cluster.join(name);
  await cluster.run(15_000);
  return cluster;
}

async function targetsChange({ random, targets, members, answers }: Cluster): Promise<void> {
  const { address } = pick(random, targets);
  const whose = random.next() < 0.5 ? answers : pick(random, members).answers;
  whose.set(address, someAnswer(random, address));
}

async function deathOrBirth(cluster: Cluster): Promise<void> {
  const { random, members } = cluster;
  const missing = NAMES.filter((name) => !members.some((each) => each.name === name));
  const isDeath = members.length > 2 && (missing.length === 0 || random.next() < 0.5);
  if (isDeath) await cluster.kill(pick(random, members));
  else if (missing.length > 0) await cluster.join(pick(random, missing));
}

async function standstill({ random, members }: Cluster): Promise<void> {
  if (random.next() < 0.5) pick(random, members).clock.pause();
  else for (const each of members) each.clock.resume();
}

async function boardChanges({ random, members, server }: Cluster): Promise<void> {
  const modes: LinkMode[] = ['up', 'up', 'failing', 'frozen', 'lost-replies'];
  const chance = random.integer(8);
  if (chance === 0) server.wipe();
  else if (chance < 3) {
    const mode = pick(random, modes);
    for (const each of members) each.link = mode;
  } else pick(random, members).link = pick(random, modes);
}

/** As it was at first: all is well with members and board; each target answers all alike. */
async function calm({ random, targets, members, answers }: Cluster): Promise<Map<string, string>> {
  const truth = new Map<string, string>();
  for (const member of members) {
    member.clock.resume();
    member.link = 'up';
    member.answers.clear();
  }
  for (const { address } of targets) {
    const isUp = address === WELL || random.next() < 0.5;
    answers.set(address, isUp ? 'good' : 'refused');
    truth.set(address, isUp ? 'up' : 'down');
  }
  return truth;
}

/** What it takes until all see what is: the probes, the telling, and who lives. */
function settlingMs({ targets }: Cluster): number {
  const slowest = targets.map(({ check: { rise, fall, intervalMs, timeoutMs } }) => {
    return (Math.max(rise, fall) + 1) * intervalMs + timeoutMs;
  });
  return Math.max(...slowest) + 2000;
}

async function endsWell(cluster: Cluster, untilMs: number): Promise<void> {
  const truth = await calm(cluster);
  await cluster.run(untilMs);
  for (const target of cluster.targets) {
    const all = new Set(cluster.states(target));
    expect([...all], target.address).toEqual([truth.get(target.address)]);
  }
  for (const { health, name } of cluster.members) expect(health.status().mode, name).toBe('shared');
  const wrong = cluster.flips.filter(({ target, to }) => target.address === WELL && to === 'down');
  expect(wrong, 'called down, and was well').toEqual([]);
  expect(cluster.flips.length).toBeGreaterThan(0);
  await cluster.end();
  expect(cluster.clock.pending, 'timers left behind').toBe(0);
}

async function happen(cluster: Cluster, steps: readonly ((on: Cluster) => Promise<void>)[]) {
  for (let turn = 0; turn < 25; turn++) {
    await pick(cluster.random, steps)(cluster);
    await cluster.run(cluster.random.integer(12_000));
  }
}

const START_MS = new Cluster(0, []).clock.nowMs();
const seeds = (count: number) => Array.from({ length: count }, (_, seed) => seed + 1);

describe('targets fail', () => {
  test.each(seeds(10))('seed %i', async (seed) => {
    const cluster = await start(seed);
    await happen(cluster, [targetsChange]);
    const byFew = cluster.flips.filter(({ target, to, atMs }) => {
      const isAsked = target.address !== HARD_TO_ASK;
      return isAsked && cluster.votersFor(target, to, atMs - START_MS) < 2;
    });
    expect(
      byFew.map(({ target, to }) => `${target.address} to ${to}`),
      'flips that no two probers wanted',
    ).toEqual([]);
    expect(cluster.broken, 'flips before their time').toEqual([]);
    for (const [address, ms] of cluster.differedMs) expect(ms, address).toBeLessThan(1000);
    await endsWell(cluster, settlingMs(cluster));
  });
});

describe('targets fail, instances die and join', () => {
  test.each(seeds(10))('seed %i', async (seed) => {
    const cluster = await start(seed);
    await happen(cluster, [targetsChange, targetsChange, deathOrBirth]);
    expect(cluster.broken, 'flips before their time').toEqual([]);
    await endsWell(cluster, settlingMs(cluster) + LEASE_MS);
  });
});

describe('targets fail, instances stand still', () => {
  test.each(seeds(10))('seed %i', async (seed) => {
    const cluster = await start(seed);
    await happen(cluster, [targetsChange, targetsChange, standstill]);
    await endsWell(cluster, settlingMs(cluster) + LEASE_MS);
  });
});

describe('everything fails, the board, too', () => {
  test.each(seeds(10))('seed %i', async (seed) => {
    const cluster = await start(seed);
    await happen(cluster, [targetsChange, targetsChange, deathOrBirth, standstill, boardChanges]);
    await endsWell(cluster, settlingMs(cluster) + LEASE_MS + SETTLE_MS);
  });
});
