// Health as a service has it: three instances, their probes by real sockets, their votes in a real
// Redis that dies and comes back; and what 1,000 targets cost.
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { until } from '../../lab/ready.ts';
import { systemClock } from '../../shared/clock.ts';
import { Health } from '../../shared/health/health.ts';
import { createProbes } from '../../shared/health/probes.ts';
import { RedisVotes } from '../../shared/health/redis-votes.ts';
import type { CheckSettings, Measured, Target } from '../../shared/health/types.ts';
import { silentLog } from '../../shared/log.ts';
import { systemRandom } from '../../shared/random.ts';
import { type RedisProcess, startRedis } from '../support/redis.ts';

const [INTERVAL_MS, FALL] = [500, 3];

let redis: RedisProcess;
const instances: Health[] = [];
const services = new Map<number, Server>();

beforeEach(async () => {
  redis = await startRedis();
});

afterEach(async () => {
  await Promise.all(instances.splice(0).map((each) => each.stop()));
  for (const port of [...services.keys()]) await endService(port);
  await redis.stop();
});

/** Where it listens, at that port of its last life if told. */
async function startService(port = 0): Promise<number> {
  const server = createServer((_, response) => response.end('all is well'));
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const bound = (server.address() as AddressInfo).port; // of a TCP server
  services.set(bound, server);
  return bound;
}

async function endService(port: number): Promise<void> {
  const server = services.get(port);
  services.delete(port);
  server?.closeAllConnections();
  await new Promise((closed) => server?.close(closed));
}

function targetAt(port: number, settings: Partial<CheckSettings> = {}): Target {
  const timing = { intervalMs: INTERVAL_MS, timeoutMs: 400, rise: 2, fall: FALL };
  const kind = { type: 'http', path: '/', status: [200, 399], expect: 'well', verify: false };
  const check = { ...timing, ...kind, port, ...settings } as CheckSettings; // of one kind
  return { address: '127.0.0.1', check };
}

async function join(self: string, targets: readonly Target[]): Promise<Health> {
  const health = new Health({
    self,
    board: new RedisVotes({ url: redis.url, commandTimeoutMs: 500 }),
    prober: createProbes({ clock: systemClock, random: systemRandom }),
    clock: systemClock,
    random: systemRandom,
    log: silentLog,
    concurrency: 100,
  });
  instances.push(health);
  health.setTargets(targets);
  await health.start(new AbortController().signal);
  return health;
}

const stateOf = (health: Health, { address, check }: Target): Measured =>
  health.view.ofAddress(address, check).measured;

const statesOf = (target: Target): Measured[] => instances.map((each) => stateOf(each, target));

async function all(target: Target, state: Measured, timeoutMs?: number): Promise<void> {
  const options = timeoutMs === undefined ? {} : { timeoutMs };
  const isSo = () => statesOf(target).every((each) => each === state);
  await until(`the target is ${state} everywhere`, isSo, options);
}

async function allIn(mode: string): Promise<void> {
  const isSo = () => instances.every((each) => each.status().mode === mode);
  await until(`all are ${mode}`, isSo, { timeoutMs: 40_000 });
}

/** All that anybody saw of the targets since. */
function watch(targets: readonly Target[]): Set<string> {
  const seen = new Set<string>();
  for (const [at, health] of instances.entries()) {
    const look = () => {
      for (const target of targets) {
        seen.add(`${at} ${target.check.type} ${stateOf(health, target)}`);
      }
    };
    health.onChange(look);
    look();
  }
  return seen;
}

describe('three instances', () => {
  test('see a target die within interval × fall and a second, and live again', async () => {
    const port = await startService();
    const target = targetAt(port);
    for (const name of ['a', 'b', 'c']) await join(name, [target]);
    await until('all three vote', () =>
      instances.every(
        ({ view }) => view.ofAddress(target.address, target.check).votes.length === 3,
      ),
    );
    expect(statesOf(target)).toEqual(['up', 'up', 'up']);

    await endService(port);
    await all(target, 'down', INTERVAL_MS * FALL + 1000);
    const { votes } = instances[0]?.view.ofAddress(target.address, target.check) ?? {};
    expect(new Set(votes?.map(({ reason }) => reason))).toContain('refused');

    await startService(port);
    await all(target, 'up');
  });

  test('do not mind that Redis dies, and comes back with nothing', async () => {
    const [living, dead] = [await startService(), await startService()];
    const [up, down] = [targetAt(living), targetAt(dead, { type: 'tcp' } as CheckSettings)];
    await endService(dead);
    for (const name of ['a', 'b', 'c']) await join(name, [up, down]);
    await all(up, 'up');
    await all(down, 'down');
    const seen = watch([up, down]);
    const before = new Set(seen);

    const killedMs = performance.now();
    await redis.kill();
    await allIn('alone');
    await until('12 s have passed', () => performance.now() - killedMs > 12_000);
    expect(seen).toEqual(before);

    // Each decides by its own probes now.
    const gone = await startService();
    const third = targetAt(gone, { type: 'readyz' } as CheckSettings);
    for (const each of instances) each.setTargets([up, down, third]);
    await all(third, 'up');
    await endService(gone);
    await all(third, 'down');

    await redis.start();
    await allIn('shared');
    await until('all three vote', () =>
      instances.every(({ view }) => view.ofAddress(up.address, up.check).votes.length === 3),
    );
    await all(third, 'down');
    expect(seen).toEqual(before);
  });

  test('go on when Redis stands still for a moment', async () => {
    const port = await startService();
    const target = targetAt(port);
    for (const name of ['a', 'b', 'c']) await join(name, [target]);
    await all(target, 'up');
    const seen = watch([target]);
    redis.freeze();
    await allIn('frozen');
    redis.thaw();
    await allIn('shared');
    expect(seen).toEqual(new Set([0, 1, 2].map((at) => `${at} http up`)));
    await endService(port);
    await all(target, 'down');
  });
});
