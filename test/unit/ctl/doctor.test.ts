import { describe, expect, it } from 'vitest';
import { memberChecks } from '../../../shared/ctl/doctor/cluster.ts';
import type { Heard } from '../../../shared/ctl/members.ts';
import { SERVICES } from '../../../shared/site/place.ts';
import { type Change, examine, type Line, linksOf, STATUSES, wellHost } from './doctor-rig.ts';
import { Harness } from './harness.ts';

const lines = async (change?: Change) => (await examine('natter', change)).lines;

it.each(SERVICES)('finds nothing where nothing is wrong with %s', async (service) => {
  const { lines: found, code } = await examine(service);
  expect(found.filter(({ level }) => level !== 'ok')).toEqual([]);
  expect(found.length).toBeGreaterThan(12);
  expect(code).toBe(0);
});

it('with --problems says only what is wrong', async () => {
  const change = { files: { '/proc/sys/net/ipv4/ip_forward': '0\n' } };
  const { lines: found, code } = await examine('natter', change, '--problems');
  expect(found.map(({ check }) => check)).toEqual(['net.forwarding']);
  expect(code).toBe(1);
  expect((await examine('natter', {}, '--problems')).lines).toEqual([]);
});

it.each([
  ['6.5.0', 'no tcx before Linux 6.6'],
  ['6.6.1-1-amd64', 'tcx may be used'],
  ['7.0.0', 'tcx may be used'],
])('Linux %s: %s', async (kernel, text) => {
  const found = (await lines({ kernel })).filter(({ check }) => check === 'kernel.tcx');
  expect(found).toEqual([expect.objectContaining({ level: 'ok' })]);
  expect(found[0]?.message).toContain(text);
});

const NFT_DROP = JSON.stringify({
  nftables: [
    { chain: { family: 'inet', table: 'f', name: 'fwd', hook: 'forward', policy: 'drop' } },
  ],
});

const NTP = 'timedatectl show --property=NTPSynchronized --value';
const TRACKED = '/proc/sys/net/netfilter/nf_conntrack_count';
const HUGE = '/sys/kernel/mm/transparent_hugepage/enabled';
const PMTU = '/proc/sys/net/ipv4/ip_no_pmtu_disc';
const mtus = (links: Record<string, object>) => ({
  commands: { 'ip -json -details link show': linksOf(links) },
});

describe('each trouble is found, with a remedy', () => {
  const troubles: [string, string, Change, string][] = [
    ['warn', 'host.rights', { files: { '/proc/self/status': 'CapEff:\t0\n' } }, 'CAP_BPF'],
    ['fail', 'kernel.version', { kernel: '5.10.0' }, '5.10.0 is older'],
    ['fail', 'kernel.btf', { directories: { '/sys/kernel/btf': [] } }, 'no /sys/kernel/btf'],
    [
      'fail',
      'kernel.cls_bpf',
      { commands: { 'zcat /proc/config.gz': 'CONFIG_BPF_SYSCALL=y\n' } },
      'the kernel lacks the BPF classifier',
    ],
    ['warn', 'kernel.bpf', { commands: { 'zcat /proc/config.gz': undefined } }, 'cannot tell'],
    ['fail', 'kernel.bpffs', { bpffs: false }, 'no bpf file system'],
    ['fail', 'host.libbpf', { commands: { 'ldconfig -p': '' } }, 'libbpf.so.1'],
    ['fail', 'net.forwarding', { files: { '/proc/sys/net/ipv4/ip_forward': '0\n' } }, 'is off'],
    [
      'warn',
      'net.rp_filter',
      { files: { '/proc/sys/net/ipv4/conf/eth0/rp_filter': '1\n' } },
      'strict reverse-path filter on eth0',
    ],
    ['warn', 'net.firewall', { commands: { 'nft --json list ruleset': NFT_DROP } }, 'inet f fwd'],
    [
      'fail',
      'net.offloads',
      { commands: { 'ethtool -k eth0': 'large-receive-offload: on\n' } },
      'LRO is on at eth0',
    ],
    [
      'warn',
      'net.offloads',
      { commands: { 'ethtool -k eth0': 'generic-receive-offload: off\n' } },
      'generic-receive-offload is off at eth0',
    ],
    [
      'warn',
      'net.offloads',
      { commands: { 'ethtool -k eth0': 'tx-checksumming: off\n' } },
      'tx-checksumming is off at eth0',
    ],
    [
      'fail',
      'net.offloads',
      { commands: { 'ethtool -k eth1': 'large-receive-offload: on\n' } },
      'LRO is on at eth1',
    ],
    [
      'warn',
      'net.offloads',
      { commands: { 'ethtool -k eth1': 'generic-receive-offload: on\n\trx-gro-list: on\n' } },
      'GRO makes lists at eth1',
    ],
    ['warn', 'net.offloads', { commands: { 'ethtool -k eth0': undefined } }, 'cannot read'],
    ['fail', 'host.iproute', { commands: { 'ip -Version': undefined } }, 'there is no ip'],
    ['warn', 'host.iproute', { commands: { 'tc -Version': undefined } }, 'there is no tc'],
    ['warn', 'host.iproute', { commands: { 'tc -Version': 'tc utility' } }, 'without libbpf'],
    ['warn', 'host.clock', { commands: { [NTP]: 'no\n' } }, 'is not synchronized'],
    ['warn', 'host.clock', { commands: { [NTP]: undefined } }, 'cannot tell'],
    [
      'warn',
      'host.clock',
      { commands: { 'chronyc -c tracking': '7F,ntp,3,0.1,0.0,Not synchronised\n' } },
      'chrony has not',
    ],
    ['warn', 'net.conntrack', { files: { [TRACKED]: '81\n' } }, '81 of 100 flows'],
    ['fail', 'net.conntrack', { files: { [TRACKED]: '99\n' } }, '99 of 100 flows'],
    ['warn', 'store.host', { files: { '/proc/sys/vm/overcommit_memory': '0\n' } }, 'fork'],
    ['warn', 'store.host', { files: { [HUGE]: '[always] madvise never\n' } }, 'huge pages'],
    [
      'warn',
      'net.mtu',
      mtus({ eth0: { mtu: 1500 }, eth1: { mtu: 1400 } }),
      'eth1 has an MTU of 1400',
    ],
    ['fail', 'net.mtu', mtus({ eth0: { mtu: 500 }, eth1: { mtu: 500 } }), 'eth0 is 500'],
    [
      'fail',
      'net.mtu',
      mtus({
        eth0: { mtu: 1500, linkinfo: { info_kind: 'vxlan', info_data: { link: 'eth2' } } },
        eth1: { mtu: 1500 },
        eth2: { mtu: 1500 },
      }),
      'the MTU of eth0 is 1500, but eth2 has room for 1450',
    ],
    [
      'fail',
      'net.mtu',
      mtus({
        eth0: { mtu: 1500 },
        eth1: { mtu: 1500, link: 'eth2', linkinfo: { info_kind: 'vlan' } },
        eth2: { mtu: 1480 },
      }),
      'eth2 has room for 1480',
    ],
    ['warn', 'net.mtu', { files: { [PMTU]: '1\n' } }, 'discovery is off'],
    ['warn', 'net.mtu', { commands: { 'ip -json -details link show': undefined } }, 'cannot list'],
  ];

  it.each(troubles)('%s %s', async (level, check, change, text) => {
    const found = (await lines(change)).filter((line) => line.check === check);
    expect(found).toContainEqual({
      level,
      check,
      message: expect.stringContaining(text),
      remedy: expect.stringMatching(/./),
    });
  });
});

it.each<[string, Change]>([
  ['systemd-timesyncd', { directories: { '/run/systemd/timesync': ['synchronized'] } }],
  ['chrony', { commands: { 'chronyc -c tracking': '7F,ntp,3,0.1,0.0,Normal\n' } }],
])('believes %s about the clock', async (name, change) => {
  const commands = { [NTP]: undefined, ...change.commands };
  const found = (await lines({ ...change, commands })).find(({ check }) => check === 'host.clock');
  expect(found).toMatchObject({ level: 'ok', message: expect.stringContaining(name) });
});

it('takes a tunnel that has room', async () => {
  const vxlan = { mtu: 1500, linkinfo: { info_kind: 'vxlan', info_data: { link: 'eth2' } } };
  const found = await lines(mtus({ eth0: { mtu: 1500 }, eth1: vxlan, eth2: { mtu: 9000 } }));
  expect(found).toContainEqual(expect.objectContaining({ level: 'ok', check: 'net.mtu' }));
});

it('prints one line a check, the remedy below, and exit 1 for a failure', async () => {
  const site = new Harness();
  site.host = wellHost({ files: { '/proc/sys/net/ipv4/ip_forward': '0\n' } });
  site.control.get = async () => STATUSES.natter;
  const { code, out } = await site.run('doctor', '--store', 'memory:');
  expect(code).toBe(1);
  expect(out).toMatch(/^fail {2}net\.forwarding +IPv4 forwarding is off$/m);
  expect(out).toContain('-> sysctl -w net.ipv4.ip_forward=1\n');
  expect(out).toMatch(/^warn {2}natter\.live +no live natter instance$/m);
  expect(out).toMatch(/\n1 failed, 1 to look at, \d+ ok\n$/);
});

describe('what is judged is what is set up on this host', () => {
  const checksOn = async (directories: Record<string, string[]>, service?: 'natter' | 'dhcpd') => {
    const site = new Harness();
    site.host = wellHost({ directories });
    if (service !== undefined) await site.natter(`${service}-1`, { service, applied: {} });
    const { out } = await site.run('doctor', '--json', '--store', 'memory:');
    const found: Line[] = JSON.parse(out);
    const own = found.filter(({ check }) => /^(host|kernel|net)\./.test(check));
    return { checks: own.map(({ check }) => check), services: own[0]?.message };
  };
  const EVERYWHERE = [
    'host.services',
    'kernel.version',
    'host.iproute',
    'host.clock',
    'net.conntrack',
  ];
  const dhcpd = { '/run/edge': ['dhcpd.sock'] };
  const nothing = { '/run/edge': [] };

  it('asks of a host of dhcpd nothing that natter needs', async () => {
    const found = await checksOn(dhcpd, 'dhcpd');
    expect(found.checks).toEqual(EVERYWHERE);
    expect(found.services).toBe('set up on this host: dhcpd');
    expect((await checksOn(dhcpd, 'natter')).checks).toEqual(found.checks);
  });

  it('judges a service that shall run, by its configuration', async () => {
    const configured = { '/run/edge': [], '/nonexistent': ['edgectl.yaml', 'natter.yaml'] };
    const { checks } = await checksOn(configured);
    expect(checks).toContain('net.forwarding');
    expect(checks).toContain('kernel.bpffs');
  });

  it('judges a host of nothing by natter only as long as the site is new', async () => {
    const found = await checksOn(nothing, 'natter');
    expect(found.checks).toEqual(EVERYWHERE);
    expect(found.services).toContain('none is set up on this host: no /nonexistent/<service>.yaml');
    expect((await checksOn(nothing)).checks).toContain('net.forwarding');
  });

  it('does not ask for an lb, or a dns, because the site has pools', async () => {
    const site = new Harness();
    await site.natter('dns-1', { service: 'dns', applied: {} });
    await site.server.connect().apply('pools', [{ kind: 'pool', id: 'www', value: '{}' }], {});
    const { out } = await site.run('doctor', '--json', '--store', 'memory:');
    const checks = (JSON.parse(out) as Line[]).map(({ check }) => check);
    expect(checks).toContain('dns.live');
    expect(checks).not.toContain('lb.live');
  });
});

describe('the cluster', () => {
  const member = (node: string, more: Partial<Heard> = {}): Heard => ({
    service: 'natter',
    node,
    version: '0.1.0',
    state: 'running',
    applied: { natter: 5 },
    startedAt: 0,
    ageMs: 100,
    clockMs: 1_000_000,
    ...more,
  });
  const check = (...members: Heard[]) =>
    memberChecks('natter', members, [{ unit: 'natter', head: { version: 5, count: 1 } }])
      .filter(({ level }) => level !== 'ok')
      .map(({ level, message }) => `${level} ${message}`);

  it.each<[string, Heard[], string[]]>([
    ['all is well', [member('a'), member('b')], []],
    [
      'one is silent',
      [member('a'), member('b', { ageMs: 60_000 })],
      ['warn b has been silent for 60s'],
    ],
    [
      'versions differ',
      [member('a'), member('b', { version: '0.2.0' })],
      ['warn different versions'],
    ],
    ['one is drained', [member('a', { state: 'drained' })], ['warn a is drained']],
    ['one is not ready', [member('a', { state: 'not-ready' })], ['warn a is not-ready']],
    ['one drifts', [member('a', { applied: { natter: 3 } })], ['fail a: 2 versions behind']],
    [
      'clocks differ',
      [member('a'), member('b', { clockMs: 1_000_000 + 7000, ageMs: 100 })],
      ['fail clocks differ by 7.0s between a and b'],
    ],
    [
      'an older heartbeat is no skew',
      [member('a'), member('b', { clockMs: 998_100, ageMs: 2000 })],
      [],
    ],
  ])('%s', (_, members, expected) => {
    const found = check(...members);
    expect(found).toHaveLength(expected.length);
    for (const [at, text] of expected.entries()) expect(found[at]).toContain(text);
  });
});
