// Links that go down, packets that get lost, and daemons cut off from Redis alone. A link goes down
// at its far end, so that the victim's own addresses and routes stay, as when a cable is pulled.
// Loss is drawn by nft for each packet: the kernel has no netem.
import type { LabDaemon } from '../../../lab/daemon.ts';
import { LabLb, targetRoute } from '../../../lab/lb.ts';
import { LabNatter } from '../../../lab/natter.ts';
import type { LabNode } from '../../../lab/node.ts';
import { planDhcpd, planDns } from '../../../lab/plan.ts';
import type { Site } from '../../../lab/site.ts';
import { type Strike, victimOf } from './strike.ts';

const TABLE = 'soak';
const LOST_PERCENT = 3;
const REDIS_PORTS = '{ 6379, 26379 }';

type Port = { node: LabNode; link: string };

/** Where the victim is plugged in inside. */
function insidePort(lab: Site, daemon: LabDaemon, which: number): Port {
  const own = daemon.service.name === 'dns' ? planDns(which) : planDhcpd(which);
  const isEdge = daemon instanceof LabNatter || daemon instanceof LabLb;
  return { node: lab.switch, link: isEdge ? daemon.plan.inside.port : own.port };
}

const uplinkPort = (lab: Site, daemon: LabDaemon): Port => {
  if (!(daemon instanceof LabNatter || daemon instanceof LabLb)) {
    throw new RangeError(`${daemon.name} has no uplink`);
  }
  return { node: lab.tor, link: daemon.plan.router.link };
};

/** VMs answer through the lbs that their router knows of; the lab has none that would notice. */
async function repliesWithout(lab: Site, lost: LabDaemon | undefined): Promise<void> {
  const plans = lab.lbs.filter((lb) => lb !== lost).map((lb) => lb.plan);
  await Promise.all(lab.vms.map((vm) => vm.ip(targetRoute(plans))));
}

async function pull({ node, link }: Port): Promise<() => Promise<void>> {
  await node.ip(`link set ${link} down`);
  return () => node.ip(`link set ${link} up`);
}

export const uplinkDown: Strike = async (site, planned) => {
  const { lab } = site;
  const daemon = victimOf(site, planned);
  const plug = await pull(uplinkPort(lab, daemon));
  if (planned.kind === 'lb') await repliesWithout(lab, daemon);
  const heal = async (): Promise<void> => {
    await plug();
    if (planned.kind === 'lb') await repliesWithout(lab, undefined);
  };
  return { victim: daemon.name, struck: [], heal };
};

export const insideDown: Strike = async (site, planned) => {
  const daemon = victimOf(site, planned);
  const heal = await pull(insidePort(site.lab, daemon, planned.which));
  return { victim: daemon.name, struck: [], heal };
};

async function rules(node: LabNode, chains: readonly string[]): Promise<() => Promise<void>> {
  await node.exec('nft', ['-f', '-'], {
    input: `table inet ${TABLE} {\n${chains.join('\n')}\n}\n`,
  });
  return async () => {
    await node.exec('nft', ['delete', 'table', 'inet', TABLE]);
  };
}

/** Nothing but Redis and its Sentinels. */
export const redisCut: Strike = async (site, planned) => {
  const daemon = victimOf(site, planned);
  const heal = await rules(daemon, [
    `chain out { type filter hook output priority 0; tcp dport ${REDIS_PORTS} drop; }`,
    `chain in { type filter hook input priority 0; tcp sport ${REDIS_PORTS} drop; }`,
  ]);
  return { victim: daemon.name, struck: [], heal };
};

/** Both ways; of natters and lbs on their uplinks, of Redis at its first server. */
export const loss: Strike = async (site, planned) => {
  const { lab } = site;
  const { kind } = planned;
  const daemon = kind === 'redis' ? undefined : victimOf(site, planned);
  const isEdge = kind === 'natter' || kind === 'lb';
  const port: Port =
    daemon !== undefined && isEdge
      ? uplinkPort(lab, daemon)
      : { node: daemon ?? lab.store, link: 'eth0' };
  const drop = `numgen random mod 100 < ${LOST_PERCENT} drop`;
  const heal = await rules(port.node, [
    `chain in { type filter hook prerouting priority -300; iifname ${port.link} ${drop}; }`,
    `chain out { type filter hook postrouting priority -300; oifname ${port.link} ${drop}; }`,
  ]);
  return { victim: daemon?.name ?? 'redis', struck: [], heal };
};
