import { describe, expect, test } from 'vitest';
import { seededRandom } from '../../../../shared/random.ts';
import type { Algorithm } from '../../../../shared/site/lb-objects.ts';
import { balancerOf, target } from './rig.ts';
import { type Server, simulate } from './simulation.ts';

const noEjection = { failures: 0, ejectMs: 1000, maxPercent: 50 };

function run(
  algorithm: Algorithm,
  servers: readonly Server[],
  { ratePerMs = 1, lengthMs = 20_000, workers = 1 } = {},
) {
  const named = new Map(servers.map((server, at) => [`s${at}`, server]));
  const targets = [...named.keys()].map((id) => target(id));
  const random = seededRandom(42);
  const balancers = Array.from({ length: workers }, (_, worker) =>
    balancerOf(targets, { algorithm, passive: noEjection }, seededRandom(worker)),
  );
  return simulate(balancers, named, { random, ratePerMs, lengthMs });
}

const servers = (count: number, server: Server): Server[] =>
  Array.from({ length: count }, () => server);

describe.each(['least-requests', 'peak-ewma'] as const)('%s', (algorithm) => {
  test.each([
    { what: 'busy', ratePerMs: 1 },
    { what: 'idle', ratePerMs: 0.05 },
  ])('a target that fails at once attracts no load, not ejected either: $what', ({ ratePerMs }) => {
    const good = servers(4, { serviceMs: 20, slots: 20 });
    const { served, failed } = run(
      algorithm,
      [...good, { serviceMs: 0, slots: 1, failsAtOnce: true }],
      { ratePerMs },
    );
    const total = [...served.values()].reduce((sum, count) => sum + count, 0);
    // Its even share would be 20 %; by open requests alone it would have nearly all.
    expect(failed / total).toBeLessThan(0.05);
    expect(failed).toBeGreaterThan(0);
  });

  test('a slow target has less', () => {
    const good = servers(3, { serviceMs: 20, slots: 40 });
    const { served } = run(algorithm, [...good, { serviceMs: 100, slots: 40 }]);
    expect((served.get('s3') ?? 0) / (served.get('s0') ?? 1)).toBeLessThan(0.5);
  });
});

test('workers that know nothing of each other do not herd by the choice of two', () => {
  // Eight workers, ten servers at 70 % of what they can do.
  const many = servers(10, { serviceMs: 20, slots: 4 });
  const load = { ratePerMs: 1.4, workers: 8 };
  const chosen = run('peak-ewma', many, load);
  const drawn = run('random', many, load);
  const p99 = ({ latencies }: typeof chosen) => latencies[Math.floor(latencies.length * 0.99)] ?? 0;
  expect(p99(chosen)).toBeLessThan(p99(drawn));
  expect(chosen.deepest).toBeLessThan(30);
  expect(drawn.deepest).toBeGreaterThan(chosen.deepest);
});
