// doctor on a host of lb: what it asks of the daemon and of the host, and what it says is wrong.
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { factsOf } from '../../../shared/ctl/certificates.ts';
import { expiries } from '../../../shared/ctl/doctor/lb-parts.ts';
import { OperationalError } from '../../../shared/errors.ts';
import { type Change, examine as examineHost, filters, onLo, STATUSES } from './doctor-rig.ts';

const STATUS = STATUSES.lb;
const L7_ONLY = { ...STATUS, servers: [], l4: null };

/** A host that is not made for forwarding. */
const examine = (change: Change = {}) => {
  const files = {
    '/proc/sys/net/ipv4/ip_forward': '0\n',
    '/proc/sys/net/ipv4/conf/eth0/rp_filter': '1\n',
    ...change.files,
  };
  return examineHost('lb', { ...change, files });
};

it('finds nothing of lb where all is well', async () => {
  const { lines, site } = await examine();
  const own = lines.filter(({ check }) => check.startsWith('lb.') || check === 'host.services');
  expect(own.map(({ level, message }) => `${level} ${message}`)).toEqual([
    'ok set up on this host: lb',
    'ok lb answers: lb-1',
    'ok lb is ready',
    'ok lb reaches its store',
    'ok process 42 has the rights it needs',
    'ok process 42 has 0 of 1048576 files open',
    'ok process 43 has 0 of 1048576 files open',
    'ok the programs are on eth0',
    'ok the programs are on eth1',
    'ok this host has 198.51.100.10, 198.51.100.11',
    'ok there is a route to every target',
    'ok 1 workers run',
    'ok every listener is bound',
    'ok backlog and local ports suffice',
    'ok /etc/edge/lb.secret is there, not for everybody',
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
      files: { '/nonexistent/lb.yaml': 'l4:\n  uplink: [a]\n' },
    },
    ['kernel.bpffs', 'net.rp_filter'],
  ],
  [
    'one that does not answer',
    {
      error: new OperationalError('EDGE_NOT_RUNNING', 'none'),
      files: { '/nonexistent/lb.yaml': undefined },
    },
    [],
  ],
])('%s needs of the host what it uses', async (_, change, expected) => {
  const asked = ['kernel.bpffs', 'net.rp_filter', 'net.forwarding', 'net.firewall'];
  const checks = (await examine(change)).lines.map(({ check }) => check);
  expect(asked.filter((check) => checks.includes(check))).toEqual(expected);
});

const refused = (code: 'EDGE_NOT_RUNNING' | 'EDGE_NO_PERMISSION', exitCode: number) =>
  new OperationalError(code, '/run/edge/lb.sock: no', { exitCode });

/** One that no X.509 is. */
const withCertificate: NonNullable<Change['store']> = (site) => {
  const value = JSON.stringify({ chain: '-----BEGIN CERTIFICATE-----\nAAAA\n' });
  return site.server.connect().apply('lb', [{ kind: 'certificate', id: 'www', value }]);
};

it('says when a certificate ends', () => {
  const path = new URL('../../../deploy/examples/www.example.com.pem', import.meta.url);
  const chain = readFileSync(path, 'utf8');
  const endsMs = factsOf(chain)?.untilMs ?? 0;
  const before = (days: number) =>
    expiries(new Map([['www', chain]]), endsMs - days * 86_400_000).map(
      ({ level, message }) => `${level} ${message}`,
    );
  expect(before(15)).toEqual(['ok no certificate ends within 14 days']);
  expect(before(13)).toEqual(['warn certificate www ends within 14 days']);
  expect(before(-1)).toEqual(['fail certificate www has ended']);
  expect(expiries(new Map(), 0)).toEqual([]);
});

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
    [
      'fail',
      'lb.links',
      { commands: { 'tc -json filter show dev eth1 ingress': filters('other') } },
      'the programs are not on eth1',
      'log',
    ],
    [
      'fail',
      'lb.workers',
      { status: { ...STATUS, workers: [{ worker: 0, pid: null, restarts: 0 }] } },
      '1 of 1 workers do not run',
      'worker-failed',
    ],
    [
      'warn',
      'lb.workers',
      { status: { ...STATUS, workers: [{ worker: 0, pid: 43, restarts: 2 }] } },
      'workers ended 2 times',
      'worker-ended',
    ],
    [
      'fail',
      'lb.listeners',
      { status: { ...STATUS, listeners: [{ listener: 'web', at: [], problem: 'EADDRINUSE' }] } },
      'web: EADDRINUSE',
      'ss -ltnp',
    ],
    [
      'warn',
      'lb.kernel',
      { files: { '/proc/sys/net/core/somaxconn': '128\n' } },
      'net.core.somaxconn is 128',
      'somaxconn=4096',
    ],
    [
      'warn',
      'lb.kernel',
      { files: { '/proc/sys/net/ipv4/ip_local_port_range': '32768\t40000\n' } },
      '7233 local ports',
      'ip_local_port_range',
    ],
    [
      'fail',
      'lb.secret',
      { stats: { '/etc/edge/lb.secret': undefined } },
      'there is no',
      'openssl',
    ],
    [
      'fail',
      'lb.secret',
      { stats: { '/etc/edge/lb.secret': { mode: 0o644 } } },
      'everybody may read',
      'chmod 0640',
    ],
    [
      'warn',
      'lb.secret',
      {
        files: { '/nonexistent/lb.yaml': 'l4: { uplink: [eth0], inside: [eth1] }\n' },
        store: (site) => site.natter('lb-2', { service: 'lb', applied: {} }),
      },
      'no secretFile, and 2 lbs',
      'openssl',
    ],
    ['fail', 'lb.keys', { store: withCertificate }, 'www has no key here', '0600'],
    [
      'fail',
      'lb.keys',
      { store: withCertificate, stats: { '/etc/edge/keys/www.key': { mode: 0o644 } } },
      'everybody may read /etc/edge/keys/www.key',
      'chmod 0600',
    ],
    ['fail', 'lb.certificates', { store: withCertificate }, 'www cannot be read', 'renew'],
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
