// A host of one service on which all is well, but for what a test changes, and doctor on it.
import { ManualClock } from '../../../shared/clock.ts';
import type { FileFacts, Host } from '../../../shared/ctl/doctor/host.ts';
import type { OperationalError } from '../../../shared/errors.ts';
import type { Service } from '../../../shared/site/place.ts';
import { BARE_HOST, Harness } from './harness.ts';

/** `undefined` takes a thing away. */
export type Change = {
  files?: Record<string, string | undefined>;
  commands?: Record<string, string | undefined>;
  directories?: Record<string, string[]>;
  stats?: Record<string, Partial<FileFacts> | undefined>;
  kernel?: string;
  bpffs?: false;
  status?: object;
  /** Of the control socket besides /status. */
  pages?: Record<string, unknown>;
  /** The daemon answers with it. */
  error?: OperationalError;
  store?: (site: Harness) => Promise<unknown>;
};

export type Line = { level: string; check: string; message: string; remedy: string | null };

export const PID = 42;
export const NOW_MS = new ManualClock().nowMs();

/** As iproute2 shows it. */
export function linksOf(links: Record<string, object>): string {
  return JSON.stringify(Object.entries(links).map(([ifname, row]) => ({ ifname, ...row })));
}

export function filters(name: string): string {
  const options = { handle: '0x1', bpf_name: name, 'direct-action': true };
  return JSON.stringify([
    { kind: 'bpf', chain: 0 },
    { kind: 'bpf', chain: 0, options },
  ]);
}

export const onLo = (...addresses: string[]) =>
  JSON.stringify([{ ifname: 'lo', addr_info: addresses.map((local) => ({ local })) }]);

const RUNNING = {
  version: '0.1.0',
  state: 'running',
  checks: [{ name: 'state' }],
  store: { up: true, lastContactMs: 3 },
};
const UNIT = { version: 3, storeUp: true, lastContactMs: 5 };

export const STATUSES = {
  natter: {
    ...RUNNING,
    node: 'natter-1',
    links: [
      { name: 'eth0', role: 'uplink', ifindex: 2, up: true, attached: true, hook: 'tc' },
      { name: 'eth1', role: 'inside', ifindex: 3, up: true, attached: true, hook: 'tc' },
    ],
    announce: { state: 'announced' },
  },
  dhcpd: {
    ...RUNNING,
    node: 'dhcpd-1',
    links: [{ name: 'eth1', addresses: ['10.0.0.1/24'], problem: null }],
    networks: [
      { network: '10.0.0.0/24', bound: 40, free: 60, total: 100 },
      { network: '10.9.0.0/24', bound: 0, free: 0, total: 0 },
    ],
    leases: { durability: 'fsync' },
  },
  dns: {
    ...RUNNING,
    node: 'dns-1',
    store: undefined,
    units: { dns: UNIT, pools: UNIT },
    zones: [{ zone: 'example.com', problems: [], warnings: [] }],
    lineFiles: [],
  },
  lb: {
    ...RUNNING,
    node: 'lb-1',
    store: undefined,
    units: { lb: UNIT, pools: UNIT },
    servers: [
      { server: '198.51.100.10:53/udp', pool: 'dns', mode: 'nat' },
      { server: '198.51.100.10:80/tcp', pool: 'media', mode: 'dsr' },
    ],
    listeners: [{ listener: 'web', at: ['198.51.100.11:443', '[::]:80'], problem: null }],
    targets: [
      { pool: 'dns', target: '10.0.0.5:53' },
      { pool: 'media', target: '10.0.0.6' },
      { pool: 'www', target: '[2001:db8::7]:8080' },
    ],
    workers: [{ worker: 0, pid: 43, restarts: 0 }],
    vips: { addresses: ['198.51.100.10', '198.51.100.11'], problem: null },
    l4: {
      links: [
        { link: 'eth0', role: 'uplink', attached: true, up: true, hook: 'tc' },
        { link: 'eth1', role: 'inside', attached: true, up: true, hook: 'tc' },
      ],
    },
  },
} as const satisfies Record<Service, object>;

export const CONFIGS: Record<Service, string> = {
  natter: `links: { uplink: [eth0], inside: [eth1] }
announce: { prefixes: [198.51.100.0/24] }
`,
  dhcpd: 'links: [eth1]\n',
  dns: `zones: [{ zone: example.net, file: /etc/edge/net.zone }]
zoneDirectory: /etc/edge/zones
lines: [{ file: /etc/edge/telecom.txt, line: telecom }]
`,
  lb: `l4: { uplink: [eth0], inside: [eth1] }
secretFile: /etc/edge/lb.secret
`,
};

const ALL_RIGHTS =
  'Uid:\t0\t997\t0\t0\nGid:\t0\t996\t0\t0\nGroups:\t995\nCapEff:\t000001ffffffffff\n';
const LIMITS = 'Max open files            1048576              1048576              files\n';
const FILES: Record<string, string> = {
  '/proc/self/status': 'Name:\tnode\nCapEff:\t000001ffffffffff\n',
  [`/proc/${PID}/status`]: ALL_RIGHTS,
  [`/proc/${PID}/limits`]: LIMITS,
  '/proc/43/limits': LIMITS,
  '/proc/sys/net/ipv4/ip_forward': '1\n',
  '/proc/sys/net/ipv4/ip_no_pmtu_disc': '0\n',
  '/proc/sys/net/ipv4/ip_local_port_range': '1024\t65535\n',
  '/proc/sys/net/ipv4/conf/all/rp_filter': '0\n',
  '/proc/sys/net/ipv4/conf/eth0/rp_filter': '2\n',
  '/proc/sys/net/core/rmem_max': '212992\n',
  '/proc/sys/net/core/somaxconn': '4096\n',
  '/proc/sys/net/netfilter/nf_conntrack_count': '10\n',
  '/proc/sys/net/netfilter/nf_conntrack_max': '100\n',
  '/proc/sys/vm/overcommit_memory': '1\n',
  '/sys/kernel/mm/transparent_hugepage/enabled': 'always [madvise] never\n',
  '/sys/class/net/eth0/type': '1\n',
};
const DIRECTORIES: Record<string, string[]> = {
  '/sys/kernel/btf': ['vmlinux'],
  '/proc/sys/net/ipv4/conf': ['all', 'default', 'eth0', 'lo'],
  '/sys/class/net': ['eth0', 'lo'],
  '/sys/class/net/eth0': ['device', 'type'],
  '/etc/edge/zones': ['example.com.zone', 'README'],
};
const GOOD_OFFLOADS =
  'rx-checksumming: on\ntx-checksumming: on\ngeneric-receive-offload: on\n' +
  'large-receive-offload: off\n\trx-gro-list: off\n';
const COMMANDS: Record<string, string> = {
  'zcat /proc/config.gz': 'CONFIG_BPF_SYSCALL=y\nCONFIG_NET_CLS_BPF=y\nCONFIG_NET_SCH_INGRESS=y\n',
  'ldconfig -p': '\tlibbpf.so.1 (libc6,x86-64) => /lib/x86_64-linux-gnu/libbpf.so.1\n',
  'nft --json list ruleset': '{"nftables":[]}',
  'ethtool -k eth0': GOOD_OFFLOADS,
  'ethtool -k eth1': GOOD_OFFLOADS,
  'ip -Version': 'ip utility, iproute2-6.1.0',
  'tc -Version': 'tc utility, iproute2-6.1.0, libbpf 1.1.0',
  'timedatectl show --property=NTPSynchronized --value': 'yes\n',
  'ip -json -details link show': linksOf({ eth0: { mtu: 1500 }, eth1: { mtu: 1500 } }),
  'ip -json address show': onLo('127.0.0.1', '198.51.100.10', '198.51.100.11'),
  'ip -json route get 10.0.0.5': '[{"dst":"10.0.0.5","gateway":"10.9.0.1","dev":"eth1"}]',
  'ip -json route get 10.0.0.6': '[{"dst":"10.0.0.6","dev":"eth1"}]',
  'ip -json route get 2001:db8::7': '[{"dst":"2001:db8::7","dev":"eth1"}]',
  'ss -Hlntup': '',
};
const WELL: FileFacts = { mode: 0o640, uid: 997, gid: 996, bytes: 100, changedMs: NOW_MS };
const STATS: Record<string, Partial<FileFacts>> = {
  '/etc/edge/net.zone': {},
  '/etc/edge/zones': {},
  '/etc/edge/zones/example.com.zone': { uid: 0, gid: 995 },
  '/etc/edge/telecom.txt': {},
  '/etc/edge/lb.secret': {},
};

export function wellHost(change: Change = {}, service: Service = 'natter'): Host {
  const program = { natter: 'natter_', lb: 'lb_', dns: '', dhcpd: '' }[service];
  const users = `users:(("node",pid=${PID},fd=21))`;
  const socket = `u_str LISTEN 0 511 /run/edge/${service}.sock 9971 * 0 ${users}`;
  const files = { ...FILES, [`/nonexistent/${service}.yaml`]: CONFIGS[service], ...change.files };
  const commands: Record<string, string | undefined> = {
    ...COMMANDS,
    'ss -Hxlp': socket,
    'tc -json filter show dev eth0 ingress': filters(`${program}uplink`),
    'tc -json filter show dev eth1 ingress': filters(`${program}inside`),
    ...change.commands,
  };
  const directories: Record<string, string[]> = {
    ...DIRECTORIES,
    '/run/edge': [`${service}.sock`],
    ...change.directories,
  };
  const stats = { ...STATS, ...change.stats };
  return {
    ...BARE_HOST,
    read: async (path) => files[path],
    list: async (path) => directories[path] ?? [],
    stat: async (path) => {
      const facts = stats[path];
      return facts === undefined ? undefined : { ...WELL, ...facts };
    },
    fileSystemType: async () => (change.bpffs === false ? 0x62656572 : 0xcafe4a11),
    run: async (command, args) => commands[[command, ...args].join(' ')],
    kernelRelease: () => change.kernel ?? '6.1.0-18-amd64',
  };
}

/** What doctor says where an instance of the service runs, and its harness. */
export async function examine(service: Service, change: Change = {}, ...flags: string[]) {
  const site = new Harness();
  site.host = wellHost(change, service);
  site.control.get = async (path) => {
    if (change.error !== undefined) throw change.error;
    if (path === '/status') return change.status ?? STATUSES[service];
    return change.pages?.[path] ?? {};
  };
  await site.natter(`${service}-1`, { service, applied: {} });
  await change.store?.(site);
  const { code, out } = await site.run('doctor', '--json', '--store', 'unix:/redis.sock', ...flags);
  return { code, lines: JSON.parse(out) as Line[], site };
}
