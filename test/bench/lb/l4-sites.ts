// Three namespaces a contender: client – balancer – targets; only `direct` has no balancer between.
// Next hops are written down, so that no ARP disturbs.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execute } from '../../../lab/exec.ts';
import {
  configure,
  connect,
  createNodes,
  deleteNetns,
  type End,
  netnsPath,
  permanentNeighbour,
  ROUTER_SYSCTLS,
  sysctl,
} from '../../../lab/netns.ts';
import { LabProcess } from '../../../lab/process.ts';
import { instanceName, netnsName, RUN_VARIABLE, type Run } from '../../../lab/run.ts';
import { newDirectory } from '../dhcpd/site.ts';
import { CLIENT, MACS, ROUTER, VM_SIDE } from '../natter/addresses.ts';
import { CONNTRACK_SYSCTLS } from '../natter/peers.ts';

export const EDGE = 'edge-lb';
export const CONTENDERS = [EDGE, 'haproxy', 'nft', 'plain', 'direct'] as const;
export type Contender = (typeof CONTENDERS)[number];

export const VIP = '198.51.100.10';
export const PORTS = { http: 80, iperf: 5201 } as const;
export const TARGETS = ['10.0.0.1', '10.0.0.2', '10.0.0.3', '10.0.0.4'] as const;
const TARGET_PREFIX = '10.0.0.0/24';
const CPUS = { client: '0', target: '1' } as const;
const ATTACH = join(import.meta.dirname, 'l4-attach.ts');

const LETTERS: Record<Contender, string> = {
  [EDGE]: 'e',
  haproxy: 'h',
  nft: 'n',
  plain: 'p',
  direct: 'd',
};

const nodesOf = (contender: Contender) => {
  const letter = LETTERS[contender];
  return { client: `c${letter}`, balancer: `b${letter}`, targets: `t${letter}` };
};

/** Where the client asks: the VIP, or a target itself where nobody translates. */
export const addressOf = (contender: Contender): string =>
  contender === 'plain' || contender === 'direct' ? TARGETS[0] : VIP;

function inside(run: Run, node: string, argv: readonly string[]): [string, ...string[]] {
  return ['nsenter', `--net=${netnsPath(run, node)}`, '--', ...argv];
}

/** By node, what was started there. */
const started = new Map<string, LabProcess[]>();

function spawnIn(run: Run, node: string, name: string, argv: readonly string[]): LabProcess {
  const process = new LabProcess(run, inside(run, node, argv), { name: `${name}-${node}` });
  started.set(node, [...(started.get(node) ?? []), process]);
  return process;
}

const end = (node: string, name: string, mac: string, address: string): End => {
  return { node, name, mac, addresses: [`${address}/24`] };
};

/** `target` is the next hop of the client's, `client` the targets': the balancer, or each other. */
async function buildLinks(run: Run, contender: Contender): Promise<void> {
  const { client, balancer, targets } = nodesOf(contender);
  const toClient = end(client, 'eth0', MACS.client, CLIENT);
  await sysctlEnds(run, [client, targets]);
  if (contender === 'direct') {
    const other = end(targets, 'eth0', MACS.vm, ROUTER.up0);
    await connect(run, [{ ends: [toClient, other] }]);
    await buildEnds(run, contender, ROUTER.up0, MACS.vm, CLIENT, MACS.client);
    return;
  }
  const up = end(balancer, 'up0', MACS.up0, ROUTER.up0);
  const down = end(balancer, 'in0', MACS.in0, ROUTER.in0);
  await connect(run, [
    { ends: [toClient, up] },
    { ends: [end(targets, 'eth0', MACS.vm, VM_SIDE), down] },
  ]);
  await buildEnds(run, contender, ROUTER.up0, MACS.up0, ROUTER.in0, MACS.in0);
  await sysctl(run, balancer, [...ROUTER_SYSCTLS, 'net.ipv4.ip_local_port_range=10000 65000']);
  await configure(run, balancer, [
    permanentNeighbour(CLIENT, MACS.client, 'up0'),
    permanentNeighbour(VM_SIDE, MACS.vm, 'in0'),
    `route add ${TARGET_PREFIX} via ${VM_SIDE}`,
    ...(contender === 'haproxy' ? [`address add ${VIP}/32 dev lo`] : []),
  ]);
}

async function sysctlEnds(run: Run, nodes: readonly string[]): Promise<void> {
  const settings = ['net.ipv4.ip_local_port_range=10000 65000', 'net.core.somaxconn=65536'];
  for (const node of nodes) await sysctl(run, node, settings);
}

async function buildEnds(
  run: Run,
  contender: Contender,
  clientHop: string,
  clientHopMac: string,
  targetHop: string,
  targetHopMac: string,
): Promise<void> {
  const { client, targets } = nodesOf(contender);
  await configure(run, client, [
    permanentNeighbour(clientHop, clientHopMac, 'eth0'),
    `route add default via ${clientHop}`,
  ]);
  await configure(run, targets, [
    permanentNeighbour(targetHop, targetHopMac, 'eth0'),
    ...TARGETS.map((address) => `address add ${address}/32 dev lo`),
    ...(contender === 'direct' ? [] : [`route add default via ${targetHop}`]),
  ]);
}

export const nftRules = (targets: readonly string[]): string => `
table ip lb {
  chain prerouting {
    type nat hook prerouting priority dstnat; policy accept;
    ip daddr ${VIP} dnat to jhash ip saddr . tcp sport mod ${targets.length} map { ${targets
      .map((address, at) => `${at} : ${address}`)
      .join(', ')} }
  }
}`;

export async function runNft(run: Run, rules: string): Promise<void> {
  const [command, ...args] = inside(run, nodesOf('nft').balancer, ['nft', '-f', '-']);
  await execute(command, args, { input: rules });
}

/** Runs one of our scripts in the balancer's namespace; what it printed. */
export async function runOwn(run: Run, site: Site, script: string, args: readonly string[]) {
  const { balancer } = nodesOf(site.contender);
  const [command, ...rest] = inside(run, balancer, [process.execPath, script, ...args]);
  const env = { [RUN_VARIABLE]: run.id };
  return (await execute(command, rest, { timeoutMs: 120_000, env })).stdout;
}

const haproxyConfig = `global
  nbthread 1
  maxconn 8000
defaults
  mode tcp
  timeout connect 3s
  timeout client 30s
  timeout server 30s
listen http
  bind ${VIP}:${PORTS.http}
${TARGETS.map((address, at) => `  server s${at} ${address}:${PORTS.http}\n`).join('')}listen iperf
  bind ${VIP}:${PORTS.iperf}
  server s ${TARGETS[0]}:${PORTS.iperf}
`;

/** What balances; only HAProxy's CPU time is that of a process. */
async function startBalancer(run: Run, contender: Contender): Promise<number[]> {
  const { balancer } = nodesOf(contender);
  if (contender === 'haproxy') {
    const file = join(newDirectory(run), 'haproxy.cfg');
    writeFileSync(file, haproxyConfig);
    const haproxy = spawnIn(run, balancer, 'haproxy', ['haproxy', '-db', '-f', file]);
    await haproxy.ready('listens', () => isListening(run, balancer, PORTS.http));
    return [haproxy.pid];
  }
  if (contender === 'nft') {
    // Connections that are over stay for a second, not two minutes: the table does not fill up.
    const soon = ['time_wait', 'close', 'fin_wait', 'last_ack'].map(
      (state) => `net.netfilter.nf_conntrack_tcp_timeout_${state}=1`,
    );
    await runNft(run, nftRules(TARGETS));
    await sysctl(run, balancer, [...CONNTRACK_SYSCTLS, ...soon]);
  }
  if (contender === EDGE) {
    const argv = [process.execPath, ATTACH, instanceName(run, 'bench')];
    const attached = spawnIn(run, balancer, 'attach', argv);
    await attached.ready('is attached', () => attached.output().includes('attached'));
  }
  return [];
}

export async function isListening(run: Run, node: string, port: number): Promise<boolean> {
  const [command, ...args] = inside(run, node, ['ss', '-Hltn', `sport = :${port}`]);
  return (await execute(command, args)).stdout.trim() !== '';
}

export interface Site {
  contender: Contender;
  /** Of the proxy, where there is one. */
  pids: readonly number[];
  runClient(
    argv: readonly string[],
    timeoutMs: number,
  ): Promise<{ stdout: string; stderr: string }>;
  spawnTarget(name: string, argv: readonly string[]): LabProcess;
  isTargetListening(port: number): Promise<boolean>;
  /** Ends what runs in it, and takes it away. */
  remove(): Promise<void>;
}

/** `idle`: without what balances. */
export async function buildSite(
  run: Run,
  contender: Contender,
  how: 'serving' | 'idle' = 'serving',
): Promise<Site> {
  const nodes = nodesOf(contender);
  const all = [nodes.client, nodes.targets];
  await createNodes(run, contender === 'direct' ? all : [...all, nodes.balancer]);
  await buildLinks(run, contender);
  const pids = how === 'idle' ? [] : await startBalancer(run, contender);
  return {
    contender,
    pids,
    runClient(argv, timeoutMs) {
      const words = inside(run, nodes.client, ['taskset', '-c', CPUS.client, ...argv]);
      const [command, ...args] = words;
      return execute(command, args, { timeoutMs, env: { [RUN_VARIABLE]: run.id } });
    },
    spawnTarget: (name, argv) =>
      spawnIn(run, nodes.targets, name, ['taskset', '-c', CPUS.target, ...argv]),
    isTargetListening: (port) => isListening(run, nodes.targets, port),
    remove: () => removeSite(run, contender),
  };
}

async function removeSite(run: Run, contender: Contender): Promise<void> {
  const nodes = Object.values(nodesOf(contender));
  const running = nodes.flatMap((node) => started.get(node) ?? []);
  await Promise.all(running.map((process) => process.kill9()));
  for (const node of nodes) started.delete(node);
  await deleteNetns(nodes.map((node) => netnsName(run, node)));
}
