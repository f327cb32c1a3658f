// The site of a soak: a whole one of the lab, a relay with DHCP clients of its own beside it, so
// that the VMs' leases are left in peace; and what each node's loads are.

import type { LabDaemon } from '../../lab/daemon.ts';
import { DNS_EIPS, LAB_ZONE, type LabDns } from '../../lab/dns.ts';
import { VIPS } from '../../lab/lb.ts';
import { WWW } from '../../lab/lb-objects.ts';
import { connect, createNodes } from '../../lab/netns.ts';
import { LabNode } from '../../lab/node.ts';
import { type Site, site } from '../../lab/site.ts';
import { EIP, siteObjects } from '../../lab/site-objects.ts';
import { insideLink } from '../../lab/topology.ts';
import type { LoadPlan } from './loads/main.ts';
import { startAppliance } from './small-disk.ts';

const KB = 1000;
const RELAY_ADDRESS = '10.0.0.240';
/** Where it is in the two subnets behind it: of own clients, and of perfdhcp. */
export const GIADDR = { own: '10.50.255.254', perfdhcp: '10.60.255.254' } as const;
const HTTP_PORT = 8080;
const LEASE_SECONDS = 60;

export type SoakSite = {
  lab: Site;
  relay: LabNode;
  /** It stands alone, with an embedded store. */
  appliance: LabDns;
  daemons: readonly LabDaemon[];
};

type Objects = Record<string, unknown[]>;

/** Sections of several site files, one after the other. */
function merged(...parts: readonly Objects[]): Objects {
  const sections = new Map<string, unknown[]>();
  for (const part of parts) {
    for (const [section, objects] of Object.entries(part)) {
      sections.set(section, [...(sections.get(section) ?? []), ...objects]);
    }
  }
  return Object.fromEntries(sections);
}

/** What the soak adds: HTTP without TLS, and the relayed subnets, whose leases are short. */
function ownObjects(): Objects {
  const lease = { default: `${LEASE_SECONDS}s`, min: `${LEASE_SECONDS}s`, max: '2m' };
  return {
    listeners: [{ name: 'plain', at: `0.0.0.0:${HTTP_PORT}`, protocol: 'http' }],
    routes: [{ name: 'plain', listeners: ['plain'], hosts: [WWW], pool: 'web-2' }],
    subnets: [
      { subnet: '10.50.0.0/16', pools: ['10.50.0.1-10.50.0.250'], lease },
      { subnet: '10.60.0.0/16', pools: ['10.60.0.1-10.60.31.254'], lease },
    ],
  };
}

type Host = { name: string; address: string; mac: string; port: string };

async function plugIn(lab: Site, host: Host): Promise<void> {
  const wires = { arp: 'real', offloads: 'default', insideMtu: 1500, clientMtu: 1500 } as const;
  await createNodes(lab.run, [host.name]);
  await connect(lab.run, [insideLink(host, { ...wires, uplinkVlan: undefined })]);
}

async function addRelay(lab: Site): Promise<LabNode> {
  const host = { name: 'relay', address: RELAY_ADDRESS, mac: '02:ed:00:0f:01:01', port: 'relay' };
  await plugIn(lab, host);
  const relay = new LabNode(lab.run, host.name, host.address);
  await relay.ip(...Object.values(GIADDR).map((address) => `address add ${address}/32 dev eth0`));
  const behind = ['10.50.0.0/16', '10.60.0.0/16'];
  const routes = behind.map((subnet) => `route add ${subnet} via ${RELAY_ADDRESS}`);
  await Promise.all(lab.dhcpds.map((dhcpd) => dhcpd.ip(...routes)));
  return relay;
}

async function addAppliance(lab: Site): Promise<LabDns> {
  const mac = '02:ed:00:0f:02:01';
  const host = { name: 'appliance', address: '10.0.0.241', mac, port: 'appliance' };
  await plugIn(lab, host);
  return await startAppliance(lab.run, host);
}

/** Stands when this resolves, with all that its loads need. */
export async function soakSite(): Promise<SoakSite> {
  const lab = await site({ natters: 2, dhcpds: 2, dnses: 2, lbs: 2, vms: 5, redis: 'replicated' });
  try {
    const relay = await addRelay(lab);
    // The run waits until clients are served.
    await lab.apply(merged(siteObjects(lab) as Objects, ownObjects()), '--no-wait');
    await lab.converged();
    const appliance = await addAppliance(lab);
    const daemons = [...lab.natters, ...lab.dhcpds, ...lab.dnses, ...lab.lbs, appliance];
    return { lab, relay, appliance, daemons };
  } catch (error) {
    await lab.down();
    throw error;
  }
}

const ISPS = ['telecom', 'unicom', 'mobile'] as const;
/** As dnsObjects has it: to whom a line's clients are sent when their own endpoint is down. */
const OVERFLOW = { telecom: [1], unicom: [0], mobile: [1, 0] } as const;

/** Of a client of each ISP, and of what VMs ask for outside. */
export function loadPlans({ lab, relay }: SoakSite): [LabNode, LoadPlan][] {
  const plans: [LabNode, LoadPlan][] = ISPS.map((isp, at) => [
    lab.client(isp),
    clientPlan(isp, at),
  ]);
  const vm = lab.vm(2);
  const [telecom, mobile] = [lab.client('telecom'), lab.client('mobile')];
  const out = { load: 'vm-flows', port: 80, bytes: 6000 * KB, bytesPerSecond: 200 * KB } as const;
  plans.push([
    vm,
    {
      client: vm.name,
      flows: [
        { ...out, host: telecom.address, direction: 'download' },
        { ...out, host: mobile.address, direction: 'upload' },
      ],
    },
  ]);
  const servers = lab.dhcpds.map(({ address }) => address);
  const leases = { relay: GIADDR.own, servers, clients: 40, pauseMs: 10_000 };
  plans.push([relay, { client: relay.name, leases }]);
  return plans;
}

function clientPlan(isp: (typeof ISPS)[number], at: number): LoadPlan {
  const eips = [EIP.first, EIP.second, EIP.third];
  const eip = eips[at] ?? '';
  const vip = VIPS.isps[at] ?? '';
  const flow = { port: 80, bytes: 10_000 * KB, bytesPerSecond: 250 * KB };
  const request = { host: WWW, bytes: 10 * KB, perSecond: 4 };
  const others = OVERFLOW[isp];
  return {
    client: isp,
    flows: [
      { ...flow, load: 'eip-flows', host: eip, direction: 'download' },
      { ...flow, load: 'eip-flows', host: eip, direction: 'upload' },
      {
        ...flow,
        load: 'eip-flows',
        host: EIP.shared,
        port: 8003 + (at % 2),
        direction: 'download',
      },
      { ...flow, load: 'l4-flows', host: vip, direction: 'download' },
      { ...flow, load: 'l4-flows', host: vip, direction: 'upload' },
    ],
    requests: [
      { ...request, load: 'eip-requests', address: eip, port: 80, scheme: 'http', isFresh: true },
      { ...request, load: 'l4-requests', address: vip, port: 80, scheme: 'http', isFresh: true },
      { ...request, load: 'l7-http', address: vip, port: HTTP_PORT, scheme: 'http' },
      { ...request, load: 'l7-https', address: vip, port: 443, scheme: 'https' },
    ],
    queries: {
      servers: DNS_EIPS,
      names: [
        { name: `vm.${LAB_ZONE}`, own: eip, overflow: others.map((other) => eips[other] ?? '') },
        { name: WWW, own: vip, overflow: [] },
      ],
      perSecond: 8,
    },
  };
}
