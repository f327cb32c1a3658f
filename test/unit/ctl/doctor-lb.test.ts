// doctor on a host of lb: what it asks of the daemon and of the host, and what it says is wrong.
import { describe, expect, it } from 'vitest';
import { OperationalError } from '../../../shared/errors.ts';
import { BARE_HOST, Harness } from './harness.ts';

type Line = { level: string; check: string; message: string; remedy: string | null };

const STATUS = {
  node: 'lb-1',
  state: 'running',
  checks: [{ name: 'site' }, { name: 'workers' }, { name: 'l4' }],
  servers: [
    { server: '198.51.100.10:53/udp', pool: 'dns', mode: 'nat' },
    { server: '198.51.100.10:80/tcp', pool: 'media', mode: 'dsr' },
  ],
  listeners: [{ listener: 'web', at: ['198.51.100.11:443', '[::]:80'] }],
  targets: [
    { pool: 'dns', target: '10.0.0.5:53' },
    { pool: 'media', target: '10.0.0.6' },
    { pool: 'www', target: '[2001:db8::7]:8080' },
  ],
  vips: { addresses: ['198.51.100.10', '198.51.100.11'], problem: null },
  l4: {
    links: [
      { link: 'eth0', role: 'uplink', attached: true, up: true },
      { link: 'eth1', role: 'inside', attached: true, up: true },
    ],
  },
};
const L7_ONLY = { ...STATUS, servers: [], l4: null };
const onLo = (...addresses: string[]) =>
  JSON.stringify([{ ifname: 'lo', addr_info: addresses.map((local) => ({ local })) }]);

const COMMANDS: Record<string, string | undefined> = {
  'ip -json address show': onLo('127.0.0.1', '198.51.100.10', '198.51.100.11'),
  'ip -json route get 10.0.0.5': '[{"dst":"10.0.0.5","gateway":"10.9.0.1","dev":"eth1"}]',
  'ip -json route get 10.0.0.6': '[{"dst":"10.0.0.6","dev":"eth1"}]',
  'ip -json route get 2001:db8::7': '[{"dst":"2001:db8::7","dev":"eth1"}]',
};

type Change = {
  status?: object;
  commands?: Record<string, string | undefined>;
  error?: OperationalError;
  config?: string;
};

/** The lines about this host, and all of them about lb. */
async function examine({ status = STATUS, commands = {}, error, config = '' }: Change = {}) {
  const site = new Harness();
  const files: Record<string, string> = {
    '/nonexistent/lb.yaml': config,
    '/proc/sys/net/ipv4/ip_forward': '0\n',
    '/proc/sys/net/ipv4/conf/eth0/rp_filter': '1\n',
  };
  site.host = {
    ...BARE_HOST,
    read: async (path) => files[path],
    list: async (path) =>
      path === '/run/edge' ? ['lb.sock'] : path.endsWith('/conf') ? ['all', 'eth0'] : [],
    run: async (command, args) => ({ ...COMMANDS, ...commands })[[command, ...args].join(' ')],
  };
  site.control.get = () => (error === undefined ? Promise.resolve(status) : Promise.reject(error));
  await site.natter('lb-1', { service: 'lb', applied: {} });
  const { code, out } = await site.run('doctor', '--json', '--store', 'memory:');
  return { code, lines: JSON.parse(out) as Line[], site };
}

it('finds nothing of lb where all is well', async () => {
  const { lines, site } = await examine();
  const own = lines.filter(({ check }) => check.startsWith('lb.') || check === 'host.services');
  expect(own.map(({ level, message }) => `${level} ${message}`)).toEqual([
    'ok set up on this host: lb',
    'ok lb answers: lb-1',
    'ok lb is ready',
    'ok the programs are on eth0',
    'ok the programs are on eth1',
    'ok this host has 198.51.100.10, 198.51.100.11',
    'ok there is a route to every target',
    'ok 1 live lb',
    'ok all run version 0.1.0',
  ]);
  expect(site.asked).toEqual([{ path: '/status' }]);
  expect(site.sockets).toEqual(['/run/edge/lb.sock']);
});

it.each<[string, Change, string[]]>([
  ['L4 with nat', {}, ['kernel.bpffs', 'net.rp_filter', 'net.forwarding', 'net.firewall']],
  [
    'dsr alone',
    { status: { ...STATUS, servers: STATUS.servers.slice(1) } },
    ['kernel.bpffs', 'net.rp_filter'],
  ],
  ['L7 alone', { status: L7_ONLY }, []],
  [
    'one that does not answer, with links in its file',
    {
      error: new OperationalError('EDGE_NOT_RUNNING', 'no daemon'),
      config: 'l4:\n  uplink: [a]\n',
    },
    ['kernel.bpffs', 'net.rp_filter'],
  ],
  ['one that does not answer', { error: new OperationalError('EDGE_NOT_RUNNING', 'none') }, []],
])('%s needs of the host what it uses', async (_, change, expected) => {
  const asked = ['kernel.bpffs', 'net.rp_filter', 'net.forwarding', 'net.firewall'];
  const checks = (await examine(change)).lines.map(({ check }) => check);
  expect(asked.filter((check) => checks.includes(check))).toEqual(expected);
});

const refused = (code: 'EDGE_NOT_RUNNING' | 'EDGE_NO_PERMISSION', exitCode: number) =>
  new OperationalError(code, '/run/edge/lb.sock: no', { exitCode });

describe('each trouble is found, with a remedy', () => {
  const troubles: [string, string, Change, string, string][] = [
    ['fail', 'lb.socket', { error: refused('EDGE_NOT_RUNNING', 3) }, 'no', 'systemctl start'],
    ['warn', 'lb.socket', { error: refused('EDGE_NO_PERMISSION', 77) }, 'no', 'as root'],
    ['warn', 'lb.ready', { status: { node: 'lb-1', state: 'starting' } }, 'is starting', 'log'],
    [
      'fail',
      'lb.ready',
      { status: { ...STATUS, state: 'not-ready', checks: [{ name: 'l4', problem: 'not on a' }] } },
      'lb is not-ready: l4: not on a',
      'edgectl lb list',
    ],
    ['warn', 'lb.ready', { status: { ...STATUS, state: 'drained' } }, 'is drained', 'undrain lb-1'],
    [
      'fail',
      'lb.links',
      { status: { ...STATUS, l4: { links: [{ link: 'eth0', attached: false, up: false }] } } },
      'the programs are not on eth0',
      'ip link show eth0',
    ],
    [
      'fail',
      'lb.links',
      { status: { ...STATUS, l4: { links: [{ link: 'eth0', attached: true, up: false }] } } },
      'eth0 is down',
      'ip link set eth0 up',
    ],
    ['warn', 'lb.links', { status: { ...STATUS, l4: null } }, 'has no links', 'l4.uplink'],
    [
      'fail',
      'lb.vips',
      { commands: { 'ip -json address show': onLo('198.51.100.10') } },
      'listeners cannot be bound to 198.51.100.11',
      'ip address add 198.51.100.11/32 dev lo',
    ],
    [
      'warn',
      'lb.vips',
      { commands: { 'ip -json address show': onLo('198.51.100.11') } },
      '198.51.100.10 on no link',
      'vips: { link: lo }',
    ],
    [
      'warn',
      'lb.vips',
      { commands: { 'ip -json address show': undefined } },
      'cannot read the addresses',
      'iproute2',
    ],
    [
      'fail',
      'lb.vips',
      { status: { ...STATUS, vips: { addresses: [], problem: 'ip failed' } } },
      'ip failed',
      'log',
    ],
    [
      'fail',
      'lb.routes',
      { commands: { 'ip -json route get 10.0.0.5': undefined } },
      'there is no route to target 10.0.0.5 of pool dns',
      'ip route get 10.0.0.5',
    ],
    [
      'fail',
      'lb.dsr',
      { commands: { 'ip -json route get 10.0.0.6': '[{"gateway":"10.9.0.1"}]' } },
      'target 10.0.0.6 of pool media is behind 10.9.0.1',
      'mode nat',
    ],
    ['fail', 'net.forwarding', {}, 'IPv4 forwarding is off', 'sysctl'],
    ['warn', 'net.rp_filter', {}, 'strict reverse-path filter on eth0', 'sysctl'],
  ];

  it.each(troubles)('%s %s', async (level, check, change, message, remedy) => {
    const { lines, code } = await examine(change);
    expect(lines.filter((line) => line.check === check)).toContainEqual({
      level,
      check,
      message: expect.stringContaining(message),
      remedy: expect.stringContaining(remedy),
    });
    if (level === 'fail') expect(code).toBe(1);
  });
});
