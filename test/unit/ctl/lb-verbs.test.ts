// The verbs of lb: what it serves and how its targets are, by a control socket that the test
// answers for; and drain, weight and virtual servers, by the store.
import { beforeEach, describe, expect, it } from 'vitest';
import { OperationalError } from '../../../shared/errors.ts';
import { Harness } from './harness.ts';

let site: Harness;
const at = (...argv: string[]) => site.run(...argv, '--store', 'memory:');
const stored = (unit: string, kind: string, id: string) =>
  site.server.connect().get(unit, kind, id);

async function follows(): Promise<void> {
  const store = site.server.connect();
  const applied = {
    lb: (await store.head('lb')).version,
    pools: (await store.head('pools')).version,
  };
  await site.natter('lb-1', { service: 'lb', applied });
}

const SITE = `
pools:
  - name: www
    targets: ["10.0.0.5:8080", "10.0.0.5:8081", { address: 10.0.0.6, port: 8080, weight: 3 }]
  - { name: sql, targets: ["10.0.0.7:5432"] }
listeners:
  - { name: web, at: "0.0.0.0:80", protocol: http }
  - { name: sql, at: "0.0.0.0:5432", protocol: tcp, pool: sql }
routes:
  - { name: www, pool: www }
`;

beforeEach(async () => {
  site = new Harness();
  await follows();
  site.clock.onSleep = follows;
  site.stdin = SITE;
  expect((await at('apply', '-f', '-')).code).toBe(0);
  site.sockets = [];
});

const ROWS: Record<string, object[]> = {
  servers: [
    {
      ...{ server: '198.51.100.10:53/udp', pool: 'sql', mode: 'nat', hash: 'flow', flows: 7 },
      ...{ packetsIn: 10, bytesIn: 1000, packetsOut: 9, bytesOut: 900 },
    },
  ],
  listeners: [
    {
      ...{ listener: 'web', protocol: 'http', at: ['0.0.0.0:80', '[::]:80'], open: 2 },
      ...{ accepted: 5, shed: 0, denied: 1, problem: 'EADDRINUSE' },
    },
  ],
  routes: [{ route: 'www', hosts: [], paths: ['/a'], to: 'www', requests: 9, errors: 1 }],
  pools: [
    {
      ...{ pool: 'www', algorithm: 'ring', targets: 3, up: 1, queued: 0 },
      ...{ isFailOpen: true, retries: 2 },
    },
  ],
};

describe('lb list', () => {
  beforeEach(() => {
    site.control.get = async (path) => ({ [path.slice(1)]: ROWS[path.slice(1)] });
  });

  it.each<[string, string[]]>([
    [
      'servers',
      [
        'SERVER                POOL  MODE  HASH  FLOWS  PACKETS IN  BYTES IN  PACKETS OUT  BYTES OUT',
        '198.51.100.10:53/udp  sql   nat   flow      7          10      1000            9        900',
      ],
    ],
    [
      'listeners',
      [
        'LISTENER  AT                   PROTOCOL  OPEN  ACCEPTED  SHED  DENIED  PROBLEM',
        'web       0.0.0.0:80, [::]:80  http         2         5     0       1  EADDRINUSE',
      ],
    ],
    [
      'routes',
      ['ROUTE  HOSTS  PATHS  TO   REQUESTS  ERRORS', 'www    -      /a     www         9       1'],
    ],
    [
      'pools',
      [
        'POOL  ALGORITHM  TARGETS  UP  QUEUED  RETRIES  FAIL-OPEN',
        'www   ring             3   1       0        2  yes',
      ],
    ],
  ])('%s', async (what, lines) => {
    const { code, out } = await site.run('lb', 'list', what);
    expect(code).toBe(0);
    expect(out.trimEnd().split('\n')).toEqual(lines);
    expect(site.asked).toEqual([{ path: `/${what}` }]);
    expect(site.sockets).toEqual(['/run/edge/lb.sock']);
    const json = await site.run('lb', 'list', what, '--json');
    expect(JSON.parse(json.out)).toEqual(ROWS[what]);
  });

  it('shows all of them, or says that there is nothing', async () => {
    const { out } = await site.run('lb', 'list');
    expect(out.match(/^(SERVER|LISTENER|ROUTE|POOL) /gm)).toHaveLength(4);
    expect(JSON.parse((await site.run('lb', 'list', '--json')).out)).toEqual(ROWS);
    site.control.get = async (path) => ({ [path.slice(1)]: [] });
    const { code, err } = await site.run('lb', 'list');
    expect({ code, err }).toEqual({
      code: 0,
      err: 'edgectl: the lb of this host serves nothing yet\n',
    });
  });

  it('knows what it lists, and says when no lb runs', async () => {
    const { code, err } = await site.run('lb', 'list', 'rotues');
    expect(code).toBe(2);
    expect(err).toContain('not "rotues" (did you mean "routes"?)');
    site.control = {};
    expect((await site.run('lb', 'list', 'pools')).code).toBe(3);
  });
});

describe('lb backends', () => {
  const target = (pool: string, name: string, more: object = {}) => ({
    ...{ pool, target: name, health: 'up', weight: 1, weightNow: 1, tier: 0, open: 0 },
    ...{ requests: 10, failures: 0, ejections: 0, latencyMs: 0, skipped: null, why: 'lb-1 up' },
    ...more,
  });
  const targets = [
    target('www', 'a:1', { weight: 10, weightNow: 2.5000000001, latencyMs: 3.14 }),
    target('www', 'b:1', { failures: 3, latencyMs: 251.7 }),
    target('www', 'c:1', { skipped: 'tier' }),
    target('www', 'd:1', { health: 'drain', skipped: 'drain' }),
    target('www', 'e:1', { skipped: 'ejected', ejections: 2, failures: 5 }),
    target('sql', 'f:1', { health: 'down', skipped: 'down', why: 'lb-1 down (refused)' }),
  ];
  const meter = { connections: 7, in_bytes: 4200, in_packets: 9, out_bytes: 1, out_packets: 1 };
  const answer = (l4: object | null) => async (path: string) =>
    path === '/status' ? { l4 } : { targets };

  it('shows the worst first, with the weight in force', async () => {
    site.control.get = answer({ targets: [{ pool: 'sql', id: 'f:1', weight: 1, meter }] });
    const { code, out } = await site.run('lb', 'backends');
    expect(code).toBe(0);
    const l7 = '      -         -';
    expect(out).toBe(
      [
        'POOL  TARGET  STATE    WEIGHT  OPEN  REQUESTS  FAILED  EJECTED  LATENCY  FLOWS  BYTES IN  WHY',
        'sql   f:1     down        1/1     0        10       0        0        -      7      4200  lb-1 down (refused)',
        `www   e:1     ejected     1/1     0        10       5        2        -${l7}  lb-1 up`,
        `www   d:1     drain       1/1     0        10       0        0        -${l7}  lb-1 up`,
        `www   c:1     tier        1/1     0        10       0        0        -${l7}  lb-1 up`,
        `www   b:1     up          1/1     0        10       3        0    252ms${l7}  lb-1 up`,
        `www   a:1     up       2.5/10     0        10       0        0    3.1ms${l7}  lb-1 up`,
        '',
      ].join('\n'),
    );
    expect(site.asked).toEqual([{ path: '/status' }, { path: '/targets' }]);
  });

  it('of one pool; one that nothing uses is exit code 1', async () => {
    site.control.get = answer(null);
    const { out } = await site.run('lb', 'backends', 'sql', '--json');
    expect(JSON.parse(out)).toEqual([{ ...targets[5], flows: null, bytesIn: null }]);
    const { code, err } = await site.run('lb', 'backends', 'wwww');
    expect(code).toBe(1);
    expect(err).toBe('edgectl: the lb of this host uses no pool wwww (did you mean "www"?)\n');
  });
});

describe('lb drain and undrain', () => {
  it.each([
    ['10.0.0.5:8080', '10.0.0.5:8080'],
    ['10.0.0.5', '10.0.0.5'],
    ['www/10.0.0.5:8080', '10.0.0.5:8080/www'],
    ['sql/10.0.0.7', '10.0.0.7/sql'],
  ])('of %s are the override %s', async (target, id) => {
    const { code, out } = await at('lb', 'drain', target, '--why', 'deploy');
    expect(code).toBe(0);
    expect(out).toBe(`override ${id} added\nversion 2: in force on 1 instance\n`);
    expect(await stored('pools', 'override', id)).toBe(
      '{"state":"drain","who":"op@test","why":"deploy"}',
    );
    expect((await at('lb', 'undrain', target)).out).toContain(`override ${id} deleted\n`);
    expect(await stored('pools', 'override', id)).toBeUndefined();
  });

  it('may end by itself, and says so without a reason given', async () => {
    expect((await at('lb', 'drain', '10.0.0.6:8080', '--for', '1h')).code).toBe(0);
    expect(await stored('pools', 'override', '10.0.0.6:8080')).toMatch(
      /"until":\d+,"who":"op@test","why":"edgectl lb drain"/,
    );
  });

  it.each([
    [['drain', 'www'], 'TARGET is an address'],
    [['drain', 'w w/10.0.0.5'], 'TARGET is like 10.0.0.5:8080 or www/10.0.0.5:8080'],
    [['undrain', '/10.0.0.5'], 'TARGET is like'],
    [['drain', '10.0.0.5', '--until', 'noon'], '--until is a time'],
  ])('%j is a wrong call', async (args, message) => {
    const { code, err } = await at('lb', ...args);
    expect(err).toContain(message);
    expect(code).toBe(2);
  });
});

describe('lb weight', () => {
  it("changes the pool's target and waits until it is in force", async () => {
    expect(await at('lb', 'weight', 'www', '10.0.0.6:8080', '0')).toEqual({
      code: 0,
      out: 'weight of 10.0.0.6:8080 in pool www: 0, 3 before\nversion 2: in force on 1 instance\n',
      err: '',
    });
    const value = JSON.parse((await stored('pools', 'pool', 'www')) ?? '');
    expect(value.targets).toEqual([
      { address: '10.0.0.5', port: 8080 },
      { address: '10.0.0.5', port: 8081 },
      { address: '10.0.0.6', port: 8080, weight: 0 },
    ]);
    expect((await at('lb', 'weight', 'www', '10.0.0.6', '0')).out).toBe(
      'weight of 10.0.0.6:8080 in pool www: 0, unchanged\nversion 2: in force on 1 instance\n',
    );
  });

  it.each<[string[], string, number]>([
    [['www', '10.0.0.5', '2'], '10.0.0.5 has several targets in pool www', 2],
    [['www', '10.0.0.9', '2'], 'there is no target 10.0.0.9 in pool www', 1],
    [['www', 'a', '2'], 'TARGET "a" is not like 10.0.0.5:8080', 2],
    [['wwww', '10.0.0.5', '2'], 'there is no pool wwww (did you mean "www"?)', 1],
    [['www', '10.0.0.6', '1001'], 'WEIGHT is 0 to 1000, not "1001"', 2],
    [['www', '10.0.0.6', '1.5'], 'WEIGHT is 0 to 1000', 2],
  ])('%j is refused', async (args, message, expected) => {
    const { code, err } = await at('lb', 'weight', ...args);
    expect(err).toContain(message);
    expect(code).toBe(expected);
    expect((await site.server.connect().head('pools')).version).toBe(1);
  });
});

describe('vserver', () => {
  const id = '198.51.100.10:80/tcp';

  it('is added, listed and deleted', async () => {
    const call = ['vserver', 'add', id, 'www', '--hash', 'source'];
    expect((await at(...call)).out).toBe(
      `vserver ${id} added\nversion 2: in force on 1 instance\n`,
    );
    expect(await stored('lb', 'vserver', id)).toBe('{"hash":"source","pool":"www"}');
    expect((await at(...call)).out).toContain(`vserver ${id} unchanged`);
    const other = await at('vserver', 'add', id, 'www', '--lost', 'leave');
    expect(other).toMatchObject({ code: 1 });
    expect(other.err).toContain('to overwrite it, repeat with --replace');
    expect((await at('vserver', 'list')).out).toContain(`${id}  www   nat   source  reset\n`);
    const [row] = JSON.parse((await at('vserver', 'list', '--json')).out);
    expect(row).toMatchObject({ address: '198.51.100.10', port: 80, protocol: 'tcp', pool: 'www' });
    expect((await at('vserver', 'del', id)).out).toContain(`vserver ${id} deleted`);
    expect((await at('vserver', 'del', id)).out).toContain(`vserver ${id} was not there`);
  });

  it.each<[string[], string, number]>([
    [['add', '198.51.100.10', 'www'], 'AT is like 198.51.100.10:80/tcp', 2],
    [['add', id, 'a b'], 'POOL "a b" is no name of a pool', 2],
    [['add', id, 'www', '--mode', 'tunnel'], '--mode is one of nat, dsr', 2],
    [['add', id, 'nobody'], 'there is no pool "nobody"', 1],
    [['del', 'x'], 'AT is like', 2],
  ])('%j is refused', async (args, message, expected) => {
    const { code, err } = await at('vserver', ...args);
    expect(err).toContain(message);
    expect(code).toBe(expected);
  });
});

describe('what a change would end', () => {
  const impact = [
    { listener: 'sql', why: 'its target 10.0.0.7:5432 is gone', connections: 1 },
    { listener: 'web', why: 'its listener is gone', connections: 12 },
  ];
  const WITHOUT = SITE.replace('"10.0.0.7:5432"', '"10.0.0.8:5432"');
  const question = () => site.asked.find(({ path }) => path === '/impact')?.body;
  type Question = {
    objects: { kind: string; id: string }[];
    pools: { id: string; value: string }[];
  };

  beforeEach(() => {
    site.control.post = async () => ({ impact });
    site.stdin = WITHOUT;
  });

  it('is asked of lb with the site as it would be, and nothing is stored', async () => {
    const { code, out, err } = await at('lb', 'impact', '-f', '-');
    expect({ code, err }).toEqual({
      code: 0,
      err: 'edgectl: ends 13 open connections of the lb on this host\n',
    });
    expect(out).toBe(
      [
        'LISTENER  CONNECTIONS  WHY',
        'web                12  its listener is gone',
        'sql                 1  its target 10.0.0.7:5432 is gone',
        '',
      ].join('\n'),
    );
    const { objects, pools } = question() as Question;
    expect(objects.map(({ kind, id }) => `${kind} ${id}`).sort()).toEqual([
      ...['listener sql', 'listener web', 'route www'],
    ]);
    expect(pools.find(({ id }) => id === 'sql')?.value).toContain('10.0.0.8');
    expect((await site.server.connect().head('pools')).version).toBe(1);
    expect(JSON.parse((await at('lb', 'impact', '-f', '-', '--json')).out)).toHaveLength(2);
  });

  it('counts what is pruned as gone', async () => {
    site.stdin = 'listeners: []\nroutes: []\n';
    expect((await at('lb', 'impact', '-f', '-', '--prune')).code).toBe(0);
    expect((question() as Question).objects).toEqual([]);
  });

  it('refuses a site that is wrong, and says when no lb runs', async () => {
    site.stdin = 'routes: [{ name: x, pool: nobody }]';
    expect((await at('lb', 'impact', '-f', '-')).code).toBe(78);
    site.control = {};
    site.stdin = WITHOUT;
    expect((await at('lb', 'impact', '-f', '-')).code).toBe(3);
  });

  const TOLD = [
    'edgectl: ends 12 open connections of listener web: its listener is gone',
    'edgectl: ends 1 open connection of listener sql: its target 10.0.0.7:5432 is gone',
    'edgectl: ends 13 open connections of the lb on this host',
  ];

  it.each([['diff'], ['apply'], ['apply', '--dry-run']])('is told by %s %s', async (...words) => {
    const { err } = await at(...words, '-f', '-');
    expect(err.split('\n')).toEqual(expect.arrayContaining(TOLD));
    expect(site.sockets).toContain('/run/edge/lb.sock');
  });

  it('is told before anything is stored', async () => {
    let version: number | undefined;
    site.control.post = async () => {
      version = (await site.server.connect().head('pools')).version;
      return { impact };
    };
    expect((await at('apply', '-f', '-')).code).toBe(0);
    expect(version).toBe(1);
    expect((await site.server.connect().head('pools')).version).toBe(2);
  });

  it('is no question where nothing is changed or deleted', async () => {
    site.stdin = `${SITE}  - { name: more, paths: [/more], pool: www }\n`;
    expect(await at('apply', '-f', '-')).toMatchObject({ code: 0, err: '' });
    expect(site.asked).toEqual([]);
  });

  it('is no word of apply where nothing ends', async () => {
    site.control.post = async () => ({ impact: [] });
    expect((await at('diff', '-f', '-')).err).toContain('ends 0 open connections of the lb');
    expect(await at('apply', '-f', '-')).toMatchObject({ code: 0, err: '' });
  });

  it('is no failure where no lb can be asked; diff says so', async () => {
    site.control = {};
    expect(await at('diff', '-f', '-')).toMatchObject({
      code: 1,
      err: expect.stringContaining('open connections were not looked at: no daemon answers on'),
    });
    expect(await at('apply', '-f', '-')).toMatchObject({ code: 0, err: '' });
    site.stdin = SITE;
    const denied = new OperationalError('EDGE_NO_PERMISSION', 'may not be opened');
    site.control.post = () => Promise.reject(denied);
    expect(await at('apply', '-f', '-')).toMatchObject({
      code: 0,
      err: 'edgectl: open connections were not looked at: may not be opened\n',
    });
  });
});
