// Three lease books on one modelled Redis, with crashes, failovers, partitions and freezes, and a
// checker that knows every promise ever made. The seed is printed with a failure. Two planted bugs
// show that the checker sees.
import { describe, expect, test } from 'vitest';
import type { LeaseBackend } from '../../../dhcpd/leases/types.ts';
import { formatIpv4 } from '../../../shared/net/ipv4.ts';
import { BookSimulation } from '../../support/dhcp/book-simulation.ts';

const steps = Number(process.env.EDGE_SIM_STEPS ?? 700);

async function violationsOf(
  seed: number,
  wrap?: (backend: LeaseBackend) => LeaseBackend,
  faults: 'all' | 'failovers' = 'all',
) {
  const simulation = new BookSimulation(seed, wrap, faults);
  await simulation.run(wrap === undefined ? steps : 1500);
  return simulation;
}

describe('no address is held by two clients', () => {
  test.each([11, 12, 13, 14])('seed %i', { timeout: 60_000 }, async (seed) => {
    const { violations, counts } = await violationsOf(seed);
    expect(violations.map((each) => `${formatIpv4(each.address)} ${each.text}`)).toEqual([]);
    // That nothing is promised is no proof of anything.
    expect(counts.bound).toBeGreaterThan(steps / 20);
    expect(counts.renewed).toBeGreaterThan(steps / 20);
    expect(counts.faults).toBeGreaterThan(steps / 100);
  });
});

describe('a planted bug is found', () => {
  test('an ACK before its write is durable', { timeout: 60_000 }, async () => {
    const lie = (backend: LeaseBackend): LeaseBackend =>
      wrapped(backend, {
        run: async (items) => {
          const reply = await backend.run(items);
          return 'fenced' in reply ? reply : { ...reply, durable: true };
        },
      });
    expect(await foundWithin([21, 22, 23, 24, 25, 26, 27, 28], lie)).toBe(true);
  });

  test('no quarantine and no teaching after a failover', { timeout: 60_000 }, async () => {
    const careless = (backend: LeaseBackend): LeaseBackend =>
      wrapped(backend, {
        adopt: (blocks, from) => backend.adopt(blocks, from, 0),
        lengthen: async () => {},
        run: async (items) => {
          const reply = await backend.run(items.filter(({ op }) => op !== 'teach'));
          if ('fenced' in reply) return reply;
          const results = items.map(({ op, record }) =>
            op === 'teach' ? { code: 0, record } : (reply.results.shift() ?? { code: 6, record }),
          );
          return { ...reply, results, durable: true };
        },
      });
    expect(await foundWithin([31, 32, 33, 34, 35, 36, 37, 38], careless)).toBe(true);
  });
});

async function foundWithin(
  seeds: readonly number[],
  wrap: (backend: LeaseBackend) => LeaseBackend,
): Promise<boolean> {
  for (const seed of seeds)
    if ((await violationsOf(seed, wrap, 'failovers')).violations.length > 0) return true;
  return false;
}

function wrapped(backend: LeaseBackend, changed: Partial<LeaseBackend>): LeaseBackend {
  return {
    lineage: () => backend.lineage(),
    run: (items) => backend.run(items),
    adopt: (blocks, from, seconds) => backend.adopt(blocks, from, seconds),
    lengthen: (block, seconds) => backend.lengthen(block, seconds),
    prove: (blocks, lineage) => backend.prove(blocks, lineage),
    blocks: () => backend.blocks(),
    read: (blocks) => backend.read(blocks),
    details: (addresses) => backend.details(addresses),
    offer: (key, address, ttlMs) => backend.offer(key, address, ttlMs),
    offered: (key) => backend.offered(key),
    logTail: () => backend.logTail(),
    follow: (afterId, blockMs, signal) => backend.follow(afterId, blockMs, signal),
    close: () => backend.close(),
    ...changed,
  };
}
