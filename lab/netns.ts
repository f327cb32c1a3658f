// Network namespaces and the veth links between them, made by batched `ip`. Interfaces are born in
// their namespace, so the host never sees one.
import { execute } from './exec.ts';
import { netnsName, RUN_VARIABLE, type Run } from './run.ts';

export type Offloads = 'default' | 'off';

export type End = {
  node: string;
  name: string;
  mac: string;
  addresses?: readonly string[]; // with prefix length
  mtu?: number;
  bridge?: string; // the bridge of its node that it is a port of
};

export type Link = { ends: readonly [End, End]; offloads?: Offloads };

const QUIET = [
  'net.ipv6.conf.all.disable_ipv6=1',
  'net.ipv6.conf.default.disable_ipv6=1',
  'net.ipv6.conf.default.accept_dad=0',
  'net.ipv4.conf.all.rp_filter=0',
  'net.ipv4.conf.default.rp_filter=0',
  'net.ipv4.conf.all.accept_redirects=0',
  'net.ipv4.conf.default.accept_redirects=0',
  'net.ipv4.conf.all.send_redirects=0',
  'net.ipv4.conf.default.send_redirects=0',
  // traceroute asks a node for many errors at once.
  'net.ipv4.icmp_ratelimit=0',
];

/** What a router adds: forwards, and spreads flows by their ports too. */
export const ROUTER_SYSCTLS = ['net.ipv4.ip_forward=1', 'net.ipv4.fib_multipath_hash_policy=1'];

export const netnsPath = (run: Run, node: string): string => `/run/netns/${netnsName(run, node)}`;

const owned = ({ id, signal }: Run) => ({
  env: { [RUN_VARIABLE]: id },
  ...(signal ? { signal } : {}),
});

async function batch(run: Run, lines: readonly string[], netns?: string): Promise<void> {
  const args = [...(netns ? ['-n', netns] : []), '-batch', '-'];
  await execute('ip', args, { input: `${lines.join('\n')}\n`, ...owned(run) });
}

/** Runs `ip` commands (without the word `ip`) in a node, all in one process. */
export async function configure(run: Run, node: string, lines: readonly string[]): Promise<void> {
  if (lines.length > 0) await batch(run, lines, netnsName(run, node));
}

export async function sysctl(run: Run, node: string, settings: readonly string[]): Promise<void> {
  const inside = `--net=${netnsPath(run, node)}`;
  await execute('nsenter', [inside, '--', 'sysctl', '-q', '-w', ...settings], owned(run));
}

/** Makes the namespaces of nodes, loopback up, and silent until something is asked of them. */
export async function createNodes(run: Run, nodes: readonly string[]): Promise<void> {
  await batch(
    run,
    nodes.map((node) => `netns add ${netnsName(run, node)}`),
  );
  const prepare = async (node: string): Promise<void> => {
    await sysctl(run, node, QUIET);
    await configure(run, node, ['link set lo up']);
  };
  await Promise.all(nodes.map(prepare));
}

const create = (run: Run, [a, b]: readonly [End, End]): string =>
  [
    `link add name ${a.name} netns ${netnsName(run, a.node)} address ${a.mac} mtu ${a.mtu ?? 1500}`,
    `type veth peer name ${b.name} netns ${netnsName(run, b.node)} address ${b.mac}`,
    `mtu ${b.mtu ?? 1500}`,
  ].join(' ');

const bringUp = (end: End): string[] => [
  ...(end.bridge ? [`link set ${end.name} master ${end.bridge}`] : []),
  ...(end.addresses ?? []).map((address) => `address add ${address} dev ${end.name}`),
  `link set ${end.name} up`,
];

async function withoutOffloads(run: Run, end: End): Promise<void> {
  const features = ['tx', 'rx', 'sg', 'tso', 'gso', 'gro'].flatMap((feature) => [feature, 'off']);
  const inside = `--net=${netnsPath(run, end.node)}`;
  await execute('nsenter', [inside, '--', 'ethtool', '-K', end.name, ...features], owned(run));
}

const byNode = (ends: readonly End[]): Map<string, End[]> => Map.groupBy(ends, (end) => end.node);

/** Makes links between existing nodes, with addresses, and up. */
export async function connect(run: Run, links: readonly Link[]): Promise<void> {
  await batch(
    run,
    links.map((link) => create(run, link.ends)),
  );
  const ends = links.flatMap((link) => [...link.ends]);
  const plain = links.filter((link) => link.offloads === 'off').flatMap((link) => [...link.ends]);
  await Promise.all(plain.map((end) => withoutOffloads(run, end)));
  const nodes = [...byNode(ends)];
  await Promise.all(nodes.map(([node, own]) => configure(run, node, own.flatMap(bringUp))));
}

/** `ip` lines that write the neighbours of a link down, instead of asking by ARP. */
export const permanentNeighbour = (address: string, mac: string, device: string): string =>
  `neighbour replace ${address} lladdr ${mac} dev ${device} nud permanent`;

export async function deleteNetns(names: readonly string[]): Promise<void> {
  for (const name of names) {
    // Another runner may clean the same remains at the same time: what counts is that it is gone.
    await execute('ip', ['netns', 'delete', name], { allowFailure: true });
  }
}
