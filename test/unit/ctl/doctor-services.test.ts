// doctor on hosts of natter, dhcpd and dns: each trouble of a service is found, with a remedy.
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { CHECKS, checkRows, SERVICE_CHECKS } from '../../../shared/ctl/doctor/checks.ts';
import { listenersOf } from '../../../shared/ctl/doctor/ports.ts';
import { OperationalError } from '../../../shared/errors.ts';
import type { Service } from '../../../shared/site/place.ts';
import { type Change, CONFIGS, examine, filters, NOW_MS, PID, STATUSES } from './doctor-rig.ts';

const { natter, dhcpd, dns } = STATUSES;
const gone = new OperationalError('EDGE_NOT_RUNNING', 'no daemon answers', { exitCode: 3 });
const LIMITS = `/proc/${PID}/limits`;
const capabilities = (hex: string, ids = 'Uid:\t997\t997\nGid:\t996\t996\nGroups:\t995\n') => ({
  files: { [`/proc/${PID}/status`]: `${ids}CapEff:\t${hex}\n` },
});
const open = (limit: number, count: number) => ({
  files: { [LIMITS]: `Max open files            ${limit}          ${limit}          files\n` },
  directories: { [`/proc/${PID}/fd`]: Array.from({ length: count }, (_, at) => `${at}`) },
});
const sockets = (line: string): Change => ({ commands: { 'ss -Hlntup': line } });
const RESOLVED =
  'udp UNCONN 0 0 127.0.0.53%lo:53 0.0.0.0:* users:(("systemd-resolve",pid=9,fd=12))\n';
const DNSMASQ = 'udp UNCONN 0 0 0.0.0.0:67 0.0.0.0:* users:(("dnsmasq",pid=9,fd=4))\n';
const network = (free: number) => ({
  status: { ...dhcpd, networks: [{ network: 'lab', bound: 100 - free, free, total: 100 }] },
});
const zone = (problem: string) => ({
  status: { ...dns, zones: [{ zone: 'example.com', problems: [problem], warnings: [] }] },
});
const list = (facts: object | undefined) => ({ stats: { '/etc/edge/telecom.txt': facts } });

const RELAYED = [
  { kind: 'subnet', id: '10.1.0.0/24', value: '{"relays":["10.9.9.2","10.9.9.1"]}' },
  { kind: 'subnet', id: '10.2.0.0/24', value: '{}' },
];

const troubles: [Service, string, string, Change, string, string][] = [
  ['natter', 'fail', 'natter.socket', { error: gone }, 'no daemon answers', 'systemctl start'],
  [
    'natter',
    'fail',
    'natter.config',
    { files: { '/nonexistent/natter.yaml': 'links: {\n' } },
    '/nonexistent/natter.yaml:2:',
    '--check-config',
  ],
  [
    'natter',
    'warn',
    'natter.ready',
    { status: { node: 'a', state: 'starting' } },
    'starting',
    'log',
  ],
  [
    'natter',
    'warn',
    'natter.ready',
    { status: { ...natter, state: 'drained' } },
    'drained',
    'undrain',
  ],
  [
    'natter',
    'fail',
    'natter.ready',
    { status: { ...natter, state: 'not-ready', checks: [{ name: 'table', problem: 'none' }] } },
    'not-ready: table: none',
    'its log',
  ],
  [
    'natter',
    'fail',
    'natter.store',
    { status: { ...natter, store: { up: false, lastContactMs: 9000 } } },
    'for 9 s',
    'Redis',
  ],
  ['natter', 'fail', 'natter.rights', capabilities('0'), 'CAP_NET_ADMIN, CAP_BPF', 'Ambient'],
  [
    'natter',
    'fail',
    'natter.links',
    { status: { ...natter, links: [{ ...natter.links[0], ifindex: null, up: false }] } },
    'there is no link eth0',
    'natter.yaml',
  ],
  [
    'natter',
    'fail',
    'natter.links',
    { status: { ...natter, links: [{ ...natter.links[0], up: false }] } },
    'eth0 is down',
    'ip link set eth0 up',
  ],
  [
    'natter',
    'fail',
    'natter.links',
    { commands: { 'tc -json filter show dev eth1 ingress': filters('lb_inside') } },
    'the programs are not on eth1',
    'tc filter show',
  ],
  [
    'natter',
    'warn',
    'natter.announced',
    { status: { ...natter, announce: { state: 'withdrawn' } } },
    'withdrawn',
    'undrain',
  ],
  ['dhcpd', 'warn', 'dhcpd.files', open(100, 85), '85 of 100 files', 'LimitNOFILE'],
  ['dhcpd', 'fail', 'dhcpd.files', open(100, 96), '96 of 100 files', 'LimitNOFILE'],
  ['dhcpd', 'fail', 'dhcpd.rights', capabilities('1000'), 'CAP_NET_RAW', 'Ambient'],
  ['dhcpd', 'warn', 'dhcpd.rights', capabilities('2400'), 'CAP_NET_ADMIN', 'Ambient'],
  ['dhcpd', 'warn', 'dhcpd.ports', sockets(DNSMASQ), 'dnsmasq (0.0.0.0:67)', 'stop it'],
  [
    'dhcpd',
    'fail',
    'dhcpd.ports',
    { ...sockets(DNSMASQ), error: gone },
    'port is taken',
    'stop it',
  ],
  [
    'dhcpd',
    'fail',
    'dhcpd.links',
    { status: { ...dhcpd, links: [{ name: 'eth1', addresses: [], problem: 'is down' }] } },
    'eth1 is not served: is down',
    'ip link show eth1',
  ],
  [
    'dhcpd',
    'warn',
    'dhcpd.links',
    { status: { ...dhcpd, links: [{ name: 'eth1', addresses: [], problem: null }] } },
    'eth1 has no address',
    'ip address add',
  ],
  ['dhcpd', 'warn', 'dhcpd.pools', network(9), 'lab has 9 of 100', 'enlarge'],
  ['dhcpd', 'fail', 'dhcpd.pools', network(0), 'lab has 0 of 100', 'enlarge'],
  [
    'dhcpd',
    'fail',
    'dhcpd.relays',
    { store: (site) => site.server.connect().apply('dhcpd', RELAYED) },
    'no route to the relays 10.9.9.1, 10.9.9.2',
    'ip route get 10.9.9.1',
  ],
  [
    'dhcpd',
    'warn',
    'dhcpd.durability',
    { status: { ...dhcpd, leases: { durability: 'none' } } },
    'promised by nothing',
    'store.aof',
  ],
  ['dns', 'warn', 'dns.ports', sockets(RESOLVED), 'systemd-resolve (127.0.0.53:53)', 'DNSStub'],
  ['dns', 'fail', 'dns.ports', { ...sockets(RESOLVED), error: gone }, 'is taken', 'DNSStub'],
  [
    'dns',
    'warn',
    'dns.ports',
    { commands: { 'ss -Hlntup': undefined } },
    'cannot list',
    'iproute2',
  ],
  ['dns', 'warn', 'dns.buffers', capabilities('2400'), '212992 bytes at most', 'rmem_max'],
  ['dns', 'fail', 'dns.zones', zone('example.com.zone:3:1: no SOA'), 'no SOA', 'zone check'],
  ['dns', 'fail', 'dns.zones', { stats: { '/etc/edge/net.zone': undefined } }, 'no file', 'chmod'],
  [
    'dns',
    'fail',
    'dns.zones',
    { stats: { '/etc/edge/zones': undefined } },
    'no directory',
    'mkdir',
  ],
  [
    'dns',
    'fail',
    'dns.zones',
    { ...capabilities('3400'), stats: { '/etc/edge/net.zone': { uid: 0, gid: 0 } } },
    'edge-dns may not read /etc/edge/net.zone',
    'chmod',
  ],
  ['dns', 'fail', 'dns.lines', list(undefined), 'there is no list', 'lines'],
  ['dns', 'fail', 'dns.lines', list({ bytes: 0 }), 'is empty', 'fetch'],
  [
    'dns',
    'warn',
    'dns.lines',
    list({ changedMs: NOW_MS - 91 * 86_400_000 }),
    'is 91 days old',
    'fetch',
  ],
  [
    'dns',
    'fail',
    'dns.lines',
    { status: { ...dns, lineFiles: [{ file: 'a.txt', line: 3, message: 'no prefix' }] } },
    'a.txt:3: no prefix',
    'correct',
  ],
  [
    'dns',
    'warn',
    'dns.lines',
    { pages: { '/lines': { report: { conflicts: { count: 4 } } } } },
    '4 prefixes are in two lines',
    'line report',
  ],
];

describe('each trouble is found, with a remedy', () => {
  it.each(troubles)('%s: %s %s (%#)', async (service, level, check, change, message, remedy) => {
    const { lines, code } = await examine(service, change);
    expect(lines.filter((line) => line.check === check)).toContainEqual({
      level,
      check,
      message: expect.stringContaining(message),
      remedy: expect.stringContaining(remedy),
    });
    if (level === 'fail') expect(code).toBe(1);
  });
});

it('asks a daemon at the socket that its configuration names', async () => {
  const { site } = await examine('dhcpd', {
    files: { '/nonexistent/dhcpd.yaml': `${CONFIGS.dhcpd}control: { socket: /run/d.sock }\n` },
  });
  expect(site.sockets).toEqual(['/run/d.sock']);
});

it('lets the group of the daemon read a zone file', async () => {
  const { lines } = await examine('dns', capabilities('3400'));
  expect(lines.filter(({ check, level }) => check === 'dns.zones' && level !== 'ok')).toEqual([]);
});

describe('who listens', () => {
  it.each([
    ['udp UNCONN 0 0 127.0.0.53%lo:53 0.0.0.0:* users:(("a",pid=9,fd=1))', '127.0.0.53', 53],
    ['tcp LISTEN 0 511 [::]:53 [::]:* users:(("a",pid=9,fd=1))', '::', 53],
    ['tcp LISTEN 0 511 *:8080 *:* users:(("a",pid=9,fd=1))', '*', 8080],
  ])('%s', (line, host, port) => {
    expect(listenersOf(line)).toEqual([{ host, port, process: 'a', pid: 9 }]);
  });

  it.each([
    ['another port', DNSMASQ],
    ['dns itself', RESOLVED.replace('pid=9', `pid=${PID}`)],
    ['one that may not be seen', 'udp UNCONN 0 0 0.0.0.0:53 0.0.0.0:*\n'],
  ])('does not mind %s', async (_, line) => {
    const { lines } = await examine('dns', sockets(line));
    expect(lines).toContainEqual(expect.objectContaining({ check: 'dns.ports', level: 'ok' }));
  });
});

describe('the console', () => {
  const well = { node: 'console-1', store: 'answers' };
  const consoleOf = async (change: Change) => {
    const directories = { '/run/edge': ['console.sock'] };
    const { lines } = await examine('dns', { directories, status: well, ...change });
    return lines
      .filter(({ check }) => check.startsWith('console.'))
      .map(({ level, check, message }) => `${level} ${check}: ${message}`);
  };
  const config = (text: string) => ({ files: { '/nonexistent/console.yaml': text } });

  it.each<[string, Change, string[]]>([
    [
      'all is well',
      {},
      [
        'ok console.token: the page is for this host, or who has the token',
        'ok console.socket: console answers: console-1',
      ],
    ],
    [
      'everybody may look',
      config('listen: 10.0.0.1:9180\n'),
      [
        'warn console.token: whoever reaches 10.0.0.1:9180 sees the site: no token is asked for',
        'ok console.socket: console answers: console-1',
      ],
    ],
    [
      'it does not reach the store',
      {
        ...config('{ listen: "10.0.0.1:9180", tokenFile: /t }\n'),
        status: { ...well, store: 'no' },
      },
      [
        'ok console.token: the page is for this host, or who has the token',
        'ok console.socket: console answers: console-1',
        'fail console.store: no',
      ],
    ],
    [
      'its file is wrong, and it has ended',
      { ...config('listen: {\n'), error: gone },
      [
        expect.stringContaining('fail console.config: /nonexistent/console.yaml:2:'),
        'ok console.token: the page is for this host, or who has the token',
        'fail console.socket: no daemon answers',
      ],
    ],
  ])('%s', async (_, change, expected) => {
    expect(await consoleOf(change)).toEqual(expected);
  });
});

it('finds the way to relays', async () => {
  const way = '[{"dst":"10.9.9.1","dev":"eth1"}]';
  const { lines } = await examine('dhcpd', {
    store: (site) => site.server.connect().apply('dhcpd', RELAYED),
    commands: {
      'ip -json route get 10.9.9.1': way,
      'ip -json route get 10.9.9.2': way,
    },
  });
  expect(lines).toContainEqual(expect.objectContaining({ check: 'dhcpd.relays', level: 'ok' }));
});

describe('docs/edgectl.md', () => {
  const text = readFileSync(new URL('../../../docs/edgectl.md', import.meta.url), 'utf8');

  it('has every check, as the code says it', () => {
    const own = Object.keys(CHECKS);
    const prefixes = new Set(['SERVICE', ...own.map((id) => id.split('.')[0])]);
    const rows = text.split('\n').filter((line) => {
      const [, id = ''] = /^\| `([A-Za-z]+)\.[a-z_0-9]+` \|/.exec(line) ?? [];
      return prefixes.has(id);
    });
    expect(rows).toEqual(checkRows());
    expect(rows).toHaveLength(own.length + Object.keys(SERVICE_CHECKS).length);
  });
});
