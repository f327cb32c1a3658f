import { describe, expect, it } from 'vitest';
import { memberChecks } from '../../../shared/ctl/doctor/cluster.ts';
import type { Host } from '../../../shared/ctl/doctor/host.ts';
import type { Heard } from '../../../shared/ctl/members.ts';
import { BARE_HOST, Harness } from './harness.ts';

const FILES: Record<string, string> = {
  '/proc/self/status': 'Name:\tnode\nCapEff:\t000001ffffffffff\n',
  '/proc/sys/net/ipv4/ip_forward': '1\n',
  '/proc/sys/net/ipv4/conf/all/rp_filter': '0\n',
  '/proc/sys/net/ipv4/conf/eth0/rp_filter': '2\n',
  '/sys/class/net/eth0/type': '1\n',
};
const DIRECTORIES: Record<string, string[]> = {
  '/run/edge': ['natter.sock'],
  '/sys/kernel/btf': ['vmlinux'],
  '/proc/sys/net/ipv4/conf': ['all', 'default', 'eth0', 'lo'],
  '/sys/class/net': ['eth0', 'lo'],
  '/sys/class/net/eth0': ['device', 'type'],
};
const COMMANDS: Record<string, string> = {
  'zcat /proc/config.gz': 'CONFIG_BPF_SYSCALL=y\nCONFIG_NET_CLS_BPF=y\nCONFIG_NET_SCH_INGRESS=y\n',
  'ldconfig -p': '\tlibbpf.so.1 (libc6,x86-64) => /lib/x86_64-linux-gnu/libbpf.so.1\n',
  'nft --json list ruleset': '{"nftables":[]}',
  'ethtool -k eth0': 'generic-receive-offload: on\nlarge-receive-offload: off\n',
};

/** A host on which all is well, but for what the test changes; `undefined` takes a thing away. */
function host(
  change: {
    files?: Record<string, string | undefined>;
    commands?: Record<string, string | undefined>;
    directories?: Record<string, string[]>;
    kernel?: string;
    bpffs?: false;
  } = {},
): Host {
  const files = { ...FILES, ...change.files };
  const commands = { ...COMMANDS, ...change.commands };
  const directories = { ...DIRECTORIES, ...change.directories };
  return {
    ...BARE_HOST,
    read: async (path) => files[path],
    list: async (path) => directories[path] ?? [],
    fileSystemType: async () => (change.bpffs === false ? 0x62656572 : 0xcafe4a11),
    run: async (command, args) => commands[[command, ...args].join(' ')],
    kernelRelease: () => change.kernel ?? '6.1.0-18-amd64',
  };
}

type Line = { level: string; check: string; message: string; remedy: string | null };

async function examine(change?: Parameters<typeof host>[0]): Promise<Line[]> {
  const site = new Harness();
  site.host = host(change);
  await site.natter('natter-1');
  const { out } = await site.run('doctor', '--json', '--store', 'memory:');
  return JSON.parse(out);
}

it('finds nothing where nothing is wrong', async () => {
  const lines = await examine();
  expect(lines.filter(({ level }) => level !== 'ok')).toEqual([]);
  expect(lines.length).toBeGreaterThan(12);
});

it.each([
  ['6.5.0', 'no tcx before Linux 6.6'],
  ['6.6.1-1-amd64', 'tcx may be used'],
  ['7.0.0', 'tcx may be used'],
])('Linux %s: %s', async (kernel, text) => {
  const found = (await examine({ kernel })).filter(({ check }) => check === 'kernel.tcx');
  expect(found).toEqual([expect.objectContaining({ level: 'ok' })]);
  expect(found[0]?.message).toContain(text);
});

const NFT_DROP = JSON.stringify({
  nftables: [
    { chain: { family: 'inet', table: 'f', name: 'fwd', hook: 'forward', policy: 'drop' } },
  ],
});

describe('each trouble is found, with a remedy', () => {
  const troubles: [string, string, Parameters<typeof host>[0], string][] = [
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
      'GRO is off at eth0',
    ],
  ];

  it.each(troubles)('%s %s', async (level, check, change, text) => {
    const found = (await examine(change)).filter((line) => line.check === check);
    expect(found).toContainEqual({
      level,
      check,
      message: expect.stringContaining(text),
      remedy: expect.stringMatching(/./),
    });
  });
});

it('prints one line a check, the remedy below, and exit 1 for a failure', async () => {
  const site = new Harness();
  site.host = host({ files: { '/proc/sys/net/ipv4/ip_forward': '0\n' } });
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
    site.host = host({ directories });
    if (service !== undefined) await site.natter(`${service}-1`, { service, applied: {} });
    const { out } = await site.run('doctor', '--json', '--store', 'memory:');
    const lines: Line[] = JSON.parse(out);
    const own = lines.filter(({ check }) => /^(host|kernel|net|lb)\./.test(check));
    return { checks: own.map(({ check }) => check), services: own[0]?.message };
  };
  const dhcpd = { '/run/edge': ['dhcpd.sock'] };
  const nothing = { '/run/edge': [] };

  it('asks of a host of dhcpd nothing that natter needs', async () => {
    const found = await checksOn(dhcpd, 'dhcpd');
    expect(found.checks).toEqual(['host.services', 'kernel.version']);
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
    expect(found.checks).toEqual(['host.services', 'kernel.version']);
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
