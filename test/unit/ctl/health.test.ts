// edgectl's verbs of health: what dns says of targets, and overrides in the store.
import { beforeEach, describe, expect, it } from 'vitest';
import { Harness } from './harness.ts';

let site: Harness;
const at = (...argv: string[]) => site.run(...argv, '--store', 'memory:');
const stored = (id: string) => site.server.connect().get('pools', 'override', id);

async function follow(): Promise<void> {
  const store = site.server.connect();
  const applied = {
    dns: (await store.head('dns')).version,
    pools: (await store.head('pools')).version,
  };
  await site.natter('dns-1', { service: 'dns', applied });
}

const POOLS = `
pools:
  - { name: www, targets: [{ address: 59.43.0.10 }, { address: 59.43.0.11 }] }
  - { name: api, targets: [{ address: 59.43.0.10 }] }
`;

beforeEach(async () => {
  site = new Harness();
  await follow();
  site.clock.onSleep = follow;
  site.stdin = POOLS;
  await at('apply', '-f', '-');
});

describe('health list', () => {
  const target = (pool: string, address: string, more: object) => ({
    ...{ pool, address, weight: 1, tier: 0, state: 'up', measured: 'up', override: null },
    ...{ why: 'dns-1 up (connected)', since: null },
    ...more,
  });

  function targets(): object[] {
    const since = new Date(site.clock.nowMs() - 180_000).toISOString();
    const override = { state: 'down', who: 'ann', why: 'moves' };
    const why = 'down by ann: moves, dns-1 up (connected)';
    return [
      target('api', '59.43.0.10', {}),
      target('www', '59.43.0.10', { state: 'down', override, why, since, weight: 30 }),
    ];
  }

  it('shows the targets and why they are so', async () => {
    site.control.get = async () => ({ targets: targets() });
    const { code, out, err } = await site.run('health', 'list');
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(site.asked).toEqual([{ path: '/health' }]);
    expect(out).toBe(
      [
        'POOL  ADDRESS     WEIGHT  TIER  STATE  MEASURED  FOR  WHY',
        'api   59.43.0.10       1     0  up     up          -  dns-1 up (connected)',
        'www   59.43.0.10      30     0  down   up         3m  down by ann: moves, dns-1 up (connected)',
        '',
      ].join('\n'),
    );
  });

  it('of one pool; one that no record uses is exit code 1', async () => {
    site.control.get = async () => ({ targets: targets() });
    expect(JSON.parse((await site.run('health', 'list', 'www', '--json')).out)).toEqual(
      targets().slice(1),
    );
    const { code, err } = await site.run('health', 'list', 'spare');
    expect({ code, err }).toEqual({ code: 1, err: 'edgectl: no record uses a pool spare\n' });
  });
});

describe('health override', () => {
  it('stores who says it and why, and waits for dns', async () => {
    const call = [
      'health',
      'override',
      '59.43.0.10',
      'drain',
      '--pool',
      'www',
      '--why',
      'it moves',
    ];
    expect(await at(...call)).toEqual({
      code: 0,
      out: 'override 59.43.0.10/www added\nversion 2: in force on 1 instance\n',
      err: '',
    });
    expect(await stored('59.43.0.10/www')).toBe(
      '{"state":"drain","who":"op@test","why":"it moves"}',
    );
    expect((await at(...call)).out).toBe(
      'override 59.43.0.10/www unchanged\nversion 2: in force on 1 instance\n',
    );
    expect((await at(...call.with(3, 'up'))).out).toBe(
      'override 59.43.0.10/www state drain -> up changed\nversion 3: in force on 1 instance\n',
    );
  });

  it('ends when it is told to', async () => {
    const call = ['health', 'override', '59.43.0.10', 'down', '--why', 'x'];
    const now = site.clock.nowMs();
    expect((await at(...call, '--for', '1h')).code).toBe(0);
    const { until } = JSON.parse((await stored('59.43.0.10')) ?? '');
    expect(until).toBeGreaterThanOrEqual(now + 3_600_000);
    expect(until % 1000).toBe(0);
    expect((await at(...call, '--until', '2099-01-01T00:00Z')).code).toBe(0);
    expect(await stored('59.43.0.10')).toContain('"until":4070908800000');
  });

  it('warns of an address that is no target, and stores it all the same', async () => {
    const { code, err } = await at('health', 'override', '192.0.2.9', 'up', '--why', 'x');
    expect(code).toBe(0);
    expect(err).toContain('warning: override 192.0.2.9: 192.0.2.9 is no target of any pool');
    const other = ['health', 'override', '59.43.0.11', 'up', '--pool', 'api', '--why', 'x'];
    expect((await at(...other)).err).toContain('59.43.0.11 is no target of api');
  });

  it('says when no dns is there', async () => {
    site = new Harness();
    const { code, err } = await at('health', 'override', '192.0.2.9', 'up', '--why', 'x');
    expect(code).toBe(3);
    expect(err).toContain('no live dns or lb is there to apply it');
  });

  it.each([
    [['59.43.0.10', 'down'], 'why? Give --why TEXT'],
    [['59.43.0.10', 'down', '--why', ' '], '--why is a text of 1 to 200 characters'],
    [['59.43.0.10', 'dwon', '--why', 'x'], 'STATE is one of up, down, drain, not "dwon" (did you'],
    [
      ['www', 'down', '--why', 'x'],
      'TARGET is an address such as 10.0.0.5 or 10.0.0.5:8080, not "www"',
    ],
    [['::ffff:59.43.0.10', 'down', '--why', 'x'], 'TARGET is an address such as'],
    [['59.43.0.10', 'down', '--why', 'x', '--pool', 'a b'], '--pool "a b" is no name of a pool'],
    [['59.43.0.10', 'down', '--why', 'x', '--until', 'noon'], '--until is a time such as'],
    [['59.43.0.10', 'down', '--why', 'x', '--until', '1999-01-01T00:00Z'], 'is over: it is 20'],
    [['59.43.0.10', 'down', '--why', 'x', '--for', 'ever'], '--for is a time such as'],
    [
      ['59.43.0.10', 'down', '--why', 'x', '--for', '1h', '--until', '2099-01-01T00:00Z'],
      'exclude each other',
    ],
  ])('%j is a wrong call', async (args, message) => {
    const { code, err } = await at('health', 'override', ...args);
    expect(err).toContain(message);
    expect(code).toBe(2);
    expect((await site.server.connect().head('pools')).version).toBe(1);
  });
});

describe('health clear', () => {
  it('deletes the one that is meant, and names those that stay', async () => {
    const call = ['health', 'override', '59.43.0.10', 'down', '--why', 'x'];
    await at(...call);
    await at(...call, '--pool', 'www');
    expect((await at('health', 'clear', '59.43.0.10')).out).toBe(
      [
        'override 59.43.0.10 deleted',
        'override 59.43.0.10/www stays: health clear 59.43.0.10 --pool www clears it',
        'version 4: in force on 1 instance',
        '',
      ].join('\n'),
    );
    expect((await at('health', 'clear', '59.43.0.10')).out).toContain(
      'override 59.43.0.10 was not there\noverride 59.43.0.10/www stays',
    );
    expect((await at('health', 'clear', '59.43.0.10', '--pool', 'www')).code).toBe(0);
    expect(await stored('59.43.0.10/www')).toBeUndefined();
  });

  it('may be said of one port alone', async () => {
    const call = ['health', 'override', '59.43.0.10:8080', 'drain', '--why', 'x'];
    expect((await at(...call)).out).toContain('override 59.43.0.10:8080 added');
    expect((await at(...call, '--pool', 'www')).code).toBe(0);
    expect(await stored('59.43.0.10:8080/www')).toContain('"state":"drain"');
    expect((await at('health', 'clear', '59.43.0.10')).out).toContain(
      [
        'override 59.43.0.10 was not there',
        'override 59.43.0.10:8080 stays: health clear 59.43.0.10:8080 clears it',
        'override 59.43.0.10:8080/www stays: health clear 59.43.0.10:8080 --pool www clears it',
      ].join('\n'),
    );
    expect((await at('health', 'clear', '59.43.0.10:8080')).out).toContain(
      'override 59.43.0.10:8080 deleted\noverride 59.43.0.10:8080/www stays',
    );
    expect((await at('get', 'override', '59.43.0.10:8080/www')).code).toBe(0);
  });
});
