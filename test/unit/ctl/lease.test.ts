// edgectl's verbs of DHCP, on the store's fake and a control socket that the test answers for.
import { describe, expect, test } from 'vitest';
import { formatTime } from '../../../shared/ctl/lease.ts';
import { OperationalError } from '../../../shared/errors.ts';
import { Harness } from './harness.ts';

const NOW = 1_790_000_000;
const LEASE = {
  address: '10.1.0.17',
  state: 'bound',
  mac: '02:00:00:00:00:17',
  hostname: 'printer',
  toldUntil: NOW + 3600,
  holdUntil: NOW + 5430,
  boundAt: NOW - 90,
  leaseSeconds: 3600,
  generation: 3,
};

function withLeases(pages: readonly object[]): Harness {
  const harness = new Harness();
  let page = 0;
  harness.control = { get: async () => pages[page++] };
  return harness;
}

describe('lease list', () => {
  test('a table, times from now, page after page', async () => {
    const free = { address: '10.1.0.18', state: 'free', mac: '02:00:00:00:00:18', holdUntil: NOW };
    const harness = withLeases([
      { now: NOW, next: '10.1.0.17', leases: [LEASE] },
      { now: NOW, leases: [free] },
    ]);
    const { code, out } = await harness.run('lease', 'list', '--state', 'bound');
    expect(code).toBe(0);
    expect(harness.asked.map(({ path }) => path)).toEqual([
      '/leases?state=bound',
      '/leases?state=bound&after=10.1.0.17',
    ]);
    expect(out.split('\n').map((line) => line.replace(/ {2,}/g, '|'))).toEqual([
      'ADDRESS|STATE|MAC|CLIENT-ID|HOSTNAME|EXPIRES|HELD',
      '10.1.0.17|bound|02:00:00:00:00:17|-|printer|in 60m|in 91m',
      '10.1.0.18|free|02:00:00:00:00:18|-|-|-|in 0s',
      '',
    ]);
  });

  test('--json gives what the daemon said', async () => {
    const harness = withLeases([{ now: NOW, leases: [LEASE] }]);
    expect(JSON.parse((await harness.run('lease', 'list', '--json')).out)).toEqual([LEASE]);
  });

  test('a MAC is written as the daemon writes it', async () => {
    const harness = withLeases([{ now: NOW, leases: [] }]);
    await harness.run('lease', 'list', '--mac', '02:AB:00:00:00:01');
    expect(harness.asked[0]?.path).toBe('/leases?mac=02%3Aab%3A00%3A00%3A00%3A01');
  });

  test('an answer of another version is told so', async () => {
    const { code, err } = await withLeases([{ leases: [] }]).run('lease', 'list');
    expect(code).toBe(1);
    expect(err).toContain('of the same version?');
  });
});

describe('lease show', () => {
  test('each field on a line', async () => {
    const { out } = await withLeases([{ now: NOW, leases: [LEASE] }]).run(
      ...['lease', 'show', '10.1.0.17'],
    );
    expect(out).toContain('mac           02:00:00:00:00:17\n');
    expect(out).toContain(`toldUntil     ${NOW + 3600} (in 60m)\n`);
    expect(out).toContain(`boundAt       ${NOW - 90} (90s ago)\n`);
  });

  test('an address that nobody had is exit code 1', async () => {
    const harness = withLeases([{ now: NOW, leases: [] }]);
    const { code, err } = await harness.run('lease', 'show', '10.1.0.99');
    expect(code).toBe(1);
    expect(err).toContain('nobody ever had 10.1.0.99');
  });

  test('what is no address is a wrong call', async () => {
    expect((await new Harness().run('lease', 'show', '10.1')).code).toBe(2);
  });
});

test('times', () => {
  const shown = [0, 99, 100, 5999, 7200, 359_999, 400_000].map((s) => formatTime(NOW + s, NOW));
  expect(shown).toEqual(['in 0s', 'in 99s', 'in 2m', 'in 100m', 'in 2h', 'in 100h', 'in 5d']);
  expect(formatTime(NOW - 30, NOW)).toBe('30s ago');
  expect(formatTime(0xffffffff, NOW)).toBe('never');
});

test('lease release says what it did; --force is passed on', async () => {
  const harness = new Harness();
  harness.control = { post: async () => ({ released: true, lease: LEASE }) };
  const { code, out } = await harness.run('lease', 'release', '10.1.0.17', '--force');
  expect({ code, out }).toEqual({ code: 0, out: '10.1.0.17 released\n' });
  const body = { address: '10.1.0.17', force: true };
  expect(harness.asked).toEqual([{ path: '/lease/release', body }]);
});

describe('lease names', () => {
  const one = { name: 'web', address: '10.1.0.17', until: NOW + 3600, reserved: false };
  const two = { name: 'db', address: '10.1.0.5', until: 0xffffffff, reserved: true };

  test('every zone, page after page, by address, each name once', async () => {
    const harness = withLeases([
      { zones: ['a.example', 'b.example'] },
      { zone: 'a.example', now: NOW, next: '7', names: [one] },
      { zone: 'a.example', now: NOW, names: [two, one] },
      { zone: 'b.example', now: NOW, names: [] },
    ]);
    const { code, out } = await harness.run('lease', 'names');
    expect(code).toBe(0);
    expect(harness.asked.map(({ path }) => path)).toEqual([
      '/names',
      '/names?zone=a.example',
      '/names?zone=a.example&after=7',
      '/names?zone=b.example',
    ]);
    expect(out.split('\n').map((line) => line.replace(/ {2,}/g, '|'))).toEqual([
      'NAME|ADDRESS|ENDS|RESERVED',
      'db.a.example|10.1.0.5|never|yes',
      'web.a.example|10.1.0.17|in 60m|-',
      '',
    ]);
  });

  test('of one zone, as JSON', async () => {
    const harness = withLeases([{ zone: 'a.example', now: NOW, names: [one] }]);
    const { out } = await harness.run('lease', 'names', 'A.example', '--json');
    expect(JSON.parse(out)).toEqual([{ zone: 'a.example', ...one }]);
    expect(harness.asked[0]?.path).toBe('/names?zone=a.example');
  });
});

describe('lease history', () => {
  const event = { time: '2026-11-21T09:00:00Z', type: 'bind', address: '10.1.0.17' };

  test.each([
    [['10.1.0.17'], '/lease/history?address=10.1.0.17'],
    [
      ['02:00:00:00:00:17', '--limit', '5'],
      '/lease/history?mac=02%3A00%3A00%3A00%3A00%3A17&limit=5',
    ],
    [[], '/lease/history?'],
  ])('%j asks %s', async (args, path) => {
    const harness = new Harness();
    harness.control = { get: async () => ({ events: [event] }) };
    const { out } = await harness.run('lease', 'history', ...args);
    expect(harness.asked.map((one) => one.path)).toEqual([path]);
    expect(out).toContain('2026-11-21T09:00:00Z  bind   10.1.0.17');
  });

  test.each([['x'], ['10.1.0.17', '--limit', '0']])('%j is a wrong call', async (...args) => {
    expect((await new Harness().run('lease', 'history', ...args)).code).toBe(2);
  });
});

describe('explain MAC', () => {
  test('asks dhcpd, with all that the client brings, and prints the steps', async () => {
    const harness = new Harness();
    const last = {
      time: '2026-11-21T09:00:00Z',
      type: 'ACK',
      reason: 'bound',
      address: '10.1.0.7',
    };
    const steps = ['10.1.0.1 is in 10.1.0.0/24', 'it had 10.1.0.7 before'];
    harness.control = {
      post: async () => ({ verdict: 'offered', reason: 'known', address: '10.1.0.7', steps, last }),
    };
    const client = ['--relay', '10.1.0.1', '--circuit-id', '0102', '--requested', '10.1.0.7'];
    const { code, out } = await harness.run('explain', '02:00:00:00:00:07', ...client);
    expect(code).toBe(0);
    const mac = '02:00:00:00:00:07';
    const body = { mac, relay: '10.1.0.1', circuitId: '0102', requested: '10.1.0.7' };
    expect(harness.asked).toEqual([{ path: '/explain', body }]);
    expect(out.split('\n')).toEqual([
      'a DISCOVER of 02:00:00:00:00:07',
      '  10.1.0.1 is in 10.1.0.0/24',
      '  it had 10.1.0.7 before',
      'offered 10.1.0.7: known',
      'last heard 2026-11-21T09:00:00Z: ACK 10.1.0.7, bound',
      '',
    ]);
  });

  test.each([
    ['02:00:00:00:00:07', '02:00:00:00:00:08'],
    ['02:00:00:00:00:07', '--relay', 'x'],
  ])('%s %s is a wrong call', async (...args) => {
    expect((await new Harness().run('explain', ...args)).code).toBe(2);
  });

  test.each([
    [['02:00:00:00:00:0'], '"02:00:00:00:00:0" is no MAC such as 02:00:00:00:00:01'],
    [['02-00-00-00-00-07-08'], '"02-00-00-00-00-07-08" is no MAC such as 02:00:00:00:00:01'],
    [
      ['02:00:00:00:00:07', '--circuit-id', 'eth0/7'],
      '--circuit-id "eth0/7" is not hexadecimal; if it is a text, write 657468302f37',
    ],
  ])('%j is told what is wrong with it', async (args, message) => {
    const { code, err } = await new Harness().run('explain', ...args);
    expect(code).toBe(2);
    expect(err).toContain(message);
  });
});

describe('l3addnet', () => {
  const CALL = ['l3addnet', '10.64.0.0/16', 'compute-1', '10.0.0.53', '10.0.0.54', '--no-wait'];

  test('stores one record, and the same again is no change', async () => {
    const harness = new Harness();
    const first = await harness.run(...CALL, '--store', 'memory:');
    expect(first.err).toBe('');
    const store = harness.server.connect();
    expect(JSON.parse((await store.get('dhcpd', 'l3net', '10.64.0.0/16')) ?? '')).toEqual({
      dns: ['10.0.0.53', '10.0.0.54'],
      host: 'compute-1',
    });
    expect((await harness.run(...CALL, '--store', 'memory:')).out).toContain('unchanged');
    expect((await store.head('dhcpd')).version).toBe(1);
  });

  test('one that overlaps is refused', async () => {
    const harness = new Harness();
    await harness.run(...CALL, '--store', 'memory:');
    const inside = CALL.with(1, '10.64.4.0/24');
    const { code, err } = await harness.run(...inside, '--store', 'memory:');
    expect(code).not.toBe(0);
    expect(err).toContain('10.64.0.0/16');
  });

  test.each([
    [CALL.with(1, '10.64.0.1/16'), 'write 10.64.0.0/16'],
    [CALL.with(1, '10.64.0.0/31'), 'is not an IPv4 prefix of /8 to /30'],
    [CALL.with(3, 'dns'), 'DNS "dns"'],
    [CALL.slice(0, 4), 'DNS2'],
  ])('%j is a wrong call', async (args, message) => {
    const { code, err } = await new Harness().run(...args, '--store', 'memory:');
    expect(err).toContain(message);
    expect(code).toBe(2);
  });
});

describe('diff', () => {
  const SITE = 'subnets: [{ subnet: 10.1.0.0/24, pools: [10.1.0.10-10.1.0.20] }]';

  async function diffed(leases: readonly object[] | undefined) {
    const harness = new Harness();
    const flags = ['-f', '-', '--store', 'memory:'];
    harness.stdin = SITE;
    expect((await harness.run('apply', ...flags, '--no-wait')).code).toBe(0);
    harness.stdin = SITE.replace('.20]', '.15]');
    if (leases !== undefined) harness.control = { get: async () => ({ now: NOW, leases }) };
    else harness.control = { get: () => Promise.reject(new OperationalError('EDGE_X', 'gone')) };
    return harness.run('diff', ...flags);
  }

  test('names the live leases that the change would break', async () => {
    const { code, err } = await diffed([{ ...LEASE, address: '10.1.0.12' }, LEASE]);
    expect(code).toBe(1);
    expect(err).toContain('breaks the lease of 10.1.0.17: in no pool of subnet 10.1.0.0/24');
    expect(err).toContain('breaks 1 of 2 live leases');
  });

  test('without a dhcpd to ask it says so, and is no failure of its own', async () => {
    const { code, err } = await diffed(undefined);
    expect(code).toBe(1);
    expect(err).toContain('live leases were not looked at: gone');
  });
});
