// Every check of doctor: what it looks at, and what mends it in general. docs/edgectl.md shows this
// table, and a test keeps it there. Pure.
import { SERVICES, type Service } from '../../site/place.ts';

type Row = readonly [looksAt: string, remedy: string];

/** Of each service: `natter.socket`, `dns.drift` and so on. */
export const SERVICE_CHECKS = {
  config: ['that its file in `/etc/edge` can be read as YAML', 'correct the place that is named'],
  socket: ['its control socket (`control.socket`) answers', 'start it; its log says why it ended'],
  ready: ['its own checks and state, as `/readyz` says them', 'see what is named, and its log'],
  rights: ['capabilities of the running process', 'the unit of `deploy/systemd`'],
  files: ['open files of the process and their limit', '`LimitNOFILE=` of its unit'],
  store: [
    'whether it reaches its store, and since when not',
    'is Redis running, is the URL right?',
  ],
  live: ['heartbeats: at least one instance lives', 'start one'],
  silent: ['heartbeats that ended within a day', 'look after the host'],
  versions: ['instances run one version', 'finish the upgrade'],
  drift: ['each live instance has applied what is stored', '`edgectl nodes`, and its log'],
  state: ['live instances that carry no traffic', '`edgectl undrain`, or `/readyz` there'],
  clocks: ['clocks of the instances agree within 500 ms', 'chrony or systemd-timesyncd'],
} as const satisfies Record<string, Row>;

export const CHECKS = {
  'host.services': ['which services are set up here', 'none needed'],
  'host.rights': ["doctor's own capabilities: without them it sees less", 'run it as root'],
  'host.libbpf': ['libbpf 1 is installed', '`apt install libbpf1`'],
  'host.iproute': ['`ip` and `tc` of iproute2, `tc` with libbpf', '`apt install iproute2`'],
  'host.clock': ['the clock is synchronized (timesyncd, chrony)', 'run one of them'],
  'kernel.version': ['Linux 5.15 or newer', 'upgrade the kernel'],
  'kernel.btf': ['`/sys/kernel/btf/vmlinux`', 'a kernel with CONFIG_DEBUG_INFO_BTF'],
  'kernel.bpf': ['the BPF system call', 'a kernel with CONFIG_BPF_SYSCALL'],
  'kernel.cls_bpf': ['the BPF classifier of tc', 'a kernel with CONFIG_NET_CLS_BPF'],
  'kernel.clsact': ['the clsact queueing discipline', 'a kernel with CONFIG_NET_SCH_INGRESS'],
  'kernel.tcx': ['whether `hook: tcx` may be used', 'none needed'],
  'kernel.bpffs': ['the bpf file system is mounted', '`mount -t bpf bpf /sys/fs/bpf`'],
  'net.forwarding': ['IPv4 forwarding', '`sysctl -w net.ipv4.ip_forward=1`'],
  'net.rp_filter': ['strict reverse-path filters', '2 or 0 on the links of the service'],
  'net.firewall': ['nftables chains that drop what is forwarded', 'accept rules there'],
  'net.conntrack': ['how full the table of tracked flows is', '`net.netfilter.nf_conntrack_max`'],
  'net.offloads': [
    'LRO, list GRO, GRO and checksum offloads of network cards',
    '`ethtool -K LINK …`',
  ],
  'net.mtu': [
    'MTU of uplinks and inside links, of tunnels against what carries them, PMTU discovery',
    '`ip link set LINK mtu …`; option 26 for the VMs',
  ],
  'natter.links': [
    'links are there and up, and the filters of natter on them, by tc itself',
    '`ip link show`; the log of natter',
  ],
  'natter.announced': ['routes of the EIP prefixes are in the kernel', 'see `natter.ready`'],
  'dhcpd.links': ['served links are there, up and have an address', '`ip link`, `ip address add`'],
  'dhcpd.ports': ['who else has port 67', 'stop the other DHCP server'],
  'dhcpd.relays': ['a way to every relay that subnets name', 'a route'],
  'dhcpd.pools': ['networks with less than a tenth of their addresses free', 'larger pools'],
  'dhcpd.durability': ['what the running dhcpd rests its promises on', '`store.aof`'],
  'dns.ports': ['who else has port 53: systemd-resolved', '`DNSStubListener=no`'],
  'dns.buffers': ['`net.core.rmem_max`, where it bounds the sockets', 'CAP_NET_ADMIN, or raise it'],
  'dns.zones': ['zones that are refused; files that the daemon may not read', 'correct them'],
  'dns.lines': ['prefix lists: wrong, empty, older than 90 days, contradicting', 'new lists'],
  'lb.links': ['links of L4 are there and up, with the programs', '`ip link show`; the log of lb'],
  'lb.vips': ['addresses of servers and listeners are on a link', '`vips: { link: lo }`'],
  'lb.routes': ['a way to every target', 'routes'],
  'lb.dsr': ['targets of mode dsr are on a link of this host', 'mode nat'],
  'lb.workers': ['workers run, and how often they were started again', 'its log'],
  'lb.listeners': ['listeners are bound', 'who has the port? `ss -ltnp`'],
  'lb.kernel': ['`somaxconn` and `ip_local_port_range`', 'the sysctl that is named'],
  'lb.secret': ['`secretFile` where there are several lbs; its mode', '`openssl rand -hex 32`'],
  'lb.keys': ['the key of each certificate is there, for its user alone', 'copy it, mode 0600'],
  'lb.certificates': ['certificates of the site that end within 14 days', 'renew, `edgectl apply`'],
  'console.config': ['that console.yaml can be read as YAML', 'correct the place that is named'],
  'console.socket': ['the console answers at its control socket', 'start it; see its log'],
  'console.store': ['whether it reaches the store', 'is Redis running, is the URL right?'],
  'console.token': ['a page for others than this host wants a token', '`tokenFile`, or loopback'],
  'store.reach': ['the store answers', 'is Redis running, is the URL right?'],
  'store.settings': ['everything below is well', 'none needed'],
  'store.version': ['Redis 6.2 (7.0 for support), without known holes', 'upgrade Redis'],
  'store.eviction': ['`maxmemory-policy`, and keys that were evicted', 'noeviction'],
  'store.aof': [
    'the append-only file; with a dhcpd, whether what is acknowledged is kept',
    '`appendonly yes`, `appendfsync always`, or replicas',
  ],
  'store.disk': ['whether the last writes to disk failed', 'space on the disk of Redis'],
  'store.memory': ['how full `maxmemory` is', 'raise it'],
  'store.replicas': [
    'this is a primary; replicas are connected; `min-replicas-to-write`',
    'see what is named',
  ],
  'store.rights': ['whether Redis tells its settings', 'rights of the user of edgectl'],
  'store.latency': ['the slowest of five answers', 'another place for Redis'],
  'store.clock': ['the clock of Redis and of this host agree', 'chrony or systemd-timesyncd'],
  'store.host': ['overcommit and huge pages, where Redis is on this host', 'the sysctl'],
} as const satisfies Record<string, Row>;

export type CheckId = keyof typeof CHECKS | `${Service}.${keyof typeof SERVICE_CHECKS}`;

/** The table as docs/edgectl.md has it. */
export function checkRows(): string[] {
  const own = Object.entries(CHECKS);
  const shared = Object.entries(SERVICE_CHECKS).map(([id, row]) => [`SERVICE.${id}`, row] as const);
  return [...shared, ...own].map(
    ([id, [looksAt, remedy]]) => `| \`${id}\` | ${looksAt} | ${remedy} |`,
  );
}

export function isCheckId(text: string): text is CheckId {
  const [service, ...rest] = text.split('.');
  const id = rest.join('.');
  return text in CHECKS || (SERVICES.some((each) => each === service) && id in SERVICE_CHECKS);
}
