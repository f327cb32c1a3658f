import { describe, expect, test } from 'vitest';
import { Overrides } from '../../../../shared/health/overrides.ts';
import type { HealthOverride } from '../../../../shared/site/pool-objects.ts';

const said = (override: Partial<HealthOverride>): HealthOverride => ({
  address: '192.0.2.1',
  state: 'down',
  who: 'ops',
  why: 'repair',
  ...override,
});

describe('an override', () => {
  test.each<[string, Partial<HealthOverride>[], string | undefined, number, string | undefined]>([
    ['there is none', [], 'web', 0, undefined],
    ['of an address holds in every pool', [{}], 'web', 0, 'down'],
    ['of an address holds without a pool', [{}], undefined, 0, 'down'],
    ['of another address does not', [{ address: '192.0.2.2' }], 'web', 0, undefined],
    ['of a pool holds in it', [{ pool: 'web' }], 'web', 0, 'down'],
    ['of a pool holds in no other', [{ pool: 'api' }], 'web', 0, undefined],
    ['of a pool is none of the address', [{ pool: 'web' }], undefined, 0, undefined],
    ['of the pool goes first', [{}, { pool: 'web', state: 'up' }], 'web', 0, 'up'],
    ['holds until its end', [{ untilMs: 1000 }], 'web', 999, 'down'],
    ['ends by itself', [{ untilMs: 1000 }], 'web', 1000, undefined],
    [
      'of a pool that has ended uncovers that of the address',
      [{ state: 'drain' }, { pool: 'web', untilMs: 1000 }],
      'web',
      1000,
      'drain',
    ],
  ])('%s', (_, all, pool, nowMs, state) => {
    const overrides = new Overrides(all.map(said));
    expect(overrides.of({ address: '192.0.2.1', pool }, nowMs)?.state).toBe(state);
  });

  const POOL_AND_PORT = { pool: 'web', port: 80, why: 'pool and port' };
  const POOL = { pool: 'web', why: 'pool' };
  const PORT = { port: 80, why: 'port' };
  const ADDRESS = { why: 'address' };

  test.each<
    [string, Partial<HealthOverride>[], { pool?: string; port?: number }, string | undefined]
  >([
    [
      'pool and port first',
      [ADDRESS, PORT, POOL, POOL_AND_PORT],
      { pool: 'web', port: 80 },
      'pool and port',
    ],
    ['then the pool', [ADDRESS, PORT, POOL], { pool: 'web', port: 80 }, 'pool'],
    ['then the port', [ADDRESS, PORT], { pool: 'web', port: 80 }, 'port'],
    ['then the address', [ADDRESS], { pool: 'web', port: 80 }, 'address'],
    ['of another port not', [PORT, POOL_AND_PORT], { pool: 'web', port: 81 }, undefined],
    ['of a port not where none is known', [PORT, POOL_AND_PORT], { pool: 'web' }, undefined],
    [
      'one that is over uncovers the next',
      [{ ...POOL, untilMs: 1 }, PORT],
      { pool: 'web', port: 80 },
      'port',
    ],
  ])('is found by pool and port: %s', (_, all, asked, why) => {
    const overrides = new Overrides(all.map(said));
    expect(overrides.of({ address: '192.0.2.1', ...asked }, 1)?.why).toBe(why);
  });

  test('is shown as it was said, without address, port and pool', () => {
    const shown = new Overrides([said({ pool: 'web', untilMs: 5 })]).of(
      { address: '192.0.2.1', pool: 'web', port: 80 },
      0,
    );
    expect(shown).toEqual({ state: 'down', who: 'ops', why: 'repair', untilMs: 5 });
  });
});

test('the next end is the soonest that is still to come', () => {
  const all = new Overrides([
    said({ pool: 'a', untilMs: 10 }),
    said({ pool: 'b', untilMs: 20 }),
    said({}),
  ]);
  expect([0, 10, 20].map((nowMs) => all.nextEndMs(nowMs))).toEqual([10, 20, Infinity]);
  expect([0, 10, 20].map((nowMs) => all.count(nowMs))).toEqual([3, 2, 1]);
});
