import { describe, expect, test } from 'vitest';
import { type Availability, Pool } from '../../../../dhcpd/leases/pool.ts';
import { poolOf } from '../../../support/dhcp/book-rig.ts';

/** Whatever was handed out is in use from then on. */
function ground(used: Set<number>, calls = { count: 0 }): Availability {
  return {
    unused: (address) => {
      calls.count++;
      return used.has(address) ? 'no' : 'yes';
    },
    usedIn: () => 0,
    freed: () => 'yes',
  };
}

describe('a pool', () => {
  test.each([
    { what: 'a /24', pools: poolOf('10.0.0.0', '10.0.0.255'), start: 77, size: 256 },
    { what: 'one address', pools: poolOf('10.0.0.9', '10.0.0.9'), start: 5, size: 1 },
    {
      what: 'ranges without what is excluded',
      pools: {
        ...poolOf('10.0.0.250', '10.0.1.5', ['10.0.1.1']),
        ranges: [
          ...poolOf('10.0.9.0', '10.0.9.3').ranges,
          ...poolOf('10.0.0.250', '10.0.1.5').ranges,
        ],
      },
      start: 3,
      size: 15,
    },
  ])('$what: every address once, then none', ({ pools, start, size }) => {
    const pool = new Pool(pools, start);
    const used = new Set<number>();
    for (let round = 0; round < 300; round++) {
      for (const address of pool.pick(3, 0, ground(used))) {
        expect(used.has(address)).toBe(false);
        used.add(address);
      }
    }
    expect(used.size).toBe(size);
    expect(pool.counts.total).toBe(size);
    expect(pool.mayHaveUnused).toBe(false);
  });

  test('a /8: no more looks than addresses, from wherever it starts', () => {
    const pool = new Pool(poolOf('10.0.0.0', '10.255.255.255'), 12_345_678);
    const calls = { count: 0 };
    const used = new Set<number>();
    for (let i = 0; i < 1000; i++)
      for (const each of pool.pick(64, 0, ground(used, calls))) used.add(each);
    expect(used.size).toBe(64_000);
    expect(calls.count).toBe(64_000);
  });

  test('freed long ago comes first, freed lately only when there is nothing else', () => {
    const pool = new Pool(poolOf('10.0.0.1', '10.0.0.4'), 0);
    const [one, two, three, four] = [1, 2, 3, 4].map((each) => 0x0a000000 + each);
    pool.freed.push(three ?? 0, 100);
    pool.freed.push(four ?? 0, 900);
    const used = new Set([three ?? 0, four ?? 0]);
    expect(pool.pick(2, 500, ground(used))).toEqual([three, one]);
    used.add(one ?? 0);
    expect(pool.pick(5, 500, ground(used))).toEqual([two, four]);
  });

  test('what waits in quarantine stays, and costs no more than a few looks', () => {
    const pool = new Pool(poolOf('10.0.0.0', '10.0.3.255'), 0);
    for (let i = 0; i < 1000; i++) pool.freed.push(0x0a000000 + i, 100);
    let looks = 0;
    const waiting: Availability = {
      unused: () => 'no',
      usedIn: () => 256,
      freed: () => {
        looks++;
        return 'later';
      },
    };
    expect(pool.pick(8, 500, waiting)).toEqual([]);
    expect(looks).toBeLessThan(200);
    expect(pool.freed.length).toBe(1000);
  });
});
