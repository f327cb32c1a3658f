// The wires of a site: which namespaces there are, which links join them, and who routes where.
// Knows nothing of the services that run on it.
import { type End, type Link, type Offloads, permanentNeighbour } from './netns.ts';
import {
  type ClientPlan,
  CORE,
  CORE_ADDRESS,
  INSIDE_PREFIX,
  type InsidePlan,
  type NatterPlan,
  PLAIN,
} from './plan.ts';

export type WireOptions = {
  arp: 'real' | 'static';
  offloads: Offloads;
  insideMtu: number; // of the natters' inside links and the switch's ports to them
  clientMtu: number; // of both ends of the clients' links
  uplinkVlan: number | undefined;
};

export const TOR = 'tor';
export const SWITCH = 'switch';
const BRIDGE = 'lan';

export const switchLines = (): string[] => [
  `link add name ${BRIDGE} type bridge stp_state 0`,
  `link set ${BRIDGE} up`,
];

const port = (name: string, mac: string, mtu: number): End => ({
  node: SWITCH,
  name,
  // A port's own MAC is seen by nobody; it only has to differ from the host's behind it.
  mac: mac.replace(/^02/, '06'),
  bridge: BRIDGE,
  mtu,
});

export function clientLink(plan: ClientPlan, wires: WireOptions): Link {
  const { router, prefixLength } = plan;
  const mtu = wires.clientMtu;
  const near = { node: plan.name, name: 'eth0', mac: plan.mac, mtu };
  const far = { node: TOR, name: router.link, mac: router.mac, mtu };
  return {
    ends: [
      { ...near, addresses: [`${plan.address}/${prefixLength}`] },
      { ...far, addresses: [`${router.address}/${prefixLength}`] },
    ],
    offloads: wires.offloads,
  };
}

/** `bare`: it gets its address by DHCP. */
export function insideLink(plan: InsidePlan, wires: WireOptions, bare = false): Link {
  const length = INSIDE_PREFIX.split('/')[1];
  return {
    ends: [
      {
        node: plan.name,
        name: 'eth0',
        mac: plan.mac,
        addresses: bare ? [] : [`${plan.address}/${length}`],
      },
      port(plan.port, plan.mac, 1500),
    ],
    offloads: wires.offloads,
  };
}

export const uplinkName = (vlan: number | undefined): string => (vlan ? `up0.${vlan}` : 'up0');
const torLinkName = (plan: NatterPlan, vlan: number | undefined): string =>
  vlan ? `${plan.router.link}.${vlan}` : plan.router.link;

export function natterLinks(plan: NatterPlan, wires: WireOptions): Link[] {
  const { uplink, inside, router } = plan;
  const addresses = (address: string): string[] =>
    wires.uplinkVlan ? [] : [`${address}/${uplink.prefixLength}`];
  const up: Link = {
    ends: [
      { node: plan.name, name: 'up0', mac: uplink.mac, addresses: addresses(uplink.address) },
      { node: TOR, name: router.link, mac: router.mac, addresses: addresses(router.address) },
    ],
    offloads: wires.offloads,
  };
  const mtu = wires.insideMtu;
  const own = `${inside.address}/${inside.prefixLength}`;
  const lan: Link = {
    ends: [
      { node: plan.name, name: 'in0', mac: inside.mac, addresses: [own], mtu },
      port(inside.port, inside.mac, mtu),
    ],
    offloads: wires.offloads,
  };
  return [up, lan];
}

/** Without natters: ToR and core are neighbours, and all inside is known by its own address. */
export function plainLink(wires: WireOptions): Link {
  const end = (
    node: string,
    name: string,
    { address, mac }: typeof PLAIN.tor | typeof PLAIN.core,
  ) => ({
    node,
    name,
    mac,
    addresses: [`${address}/${PLAIN.prefixLength}`],
  });
  return {
    ends: [end(TOR, 'core', PLAIN.tor), end(CORE.name, 'tor', PLAIN.core)],
    offloads: wires.offloads,
  };
}

export const plainRoutes = {
  tor: `route add ${INSIDE_PREFIX} via ${PLAIN.core.address}`,
  core: `route add default via ${PLAIN.tor.address}`,
};

/** `ip` lines for the VLAN devices of an uplink: [in the natter, in the ToR]. */
export function vlanLines(plan: NatterPlan, vlan: number): [string[], string[]] {
  const lines = (parent: string, address: string): string[] => [
    `link add link ${parent} name ${parent}.${vlan} type vlan id ${vlan}`,
    `address add ${address}/${plan.uplink.prefixLength} dev ${parent}.${vlan}`,
    `link set ${parent}.${vlan} up`,
  ];
  return [lines('up0', plan.uplink.address), lines(plan.router.link, plan.router.address)];
}

export const defaultRoute = (via: string): string => `route add default via ${via}`;

// It offers what a full-size link could take: so a smaller one is found out by path MTU discovery.
export const clientRoute = ({ router }: ClientPlan): string =>
  `${defaultRoute(router.address)} advmss 1460`;

/** `ip` lines by node that write down each neighbour a node will need. */
export function staticNeighbours(
  clients: readonly ClientPlan[],
  natters: readonly NatterPlan[],
  hosts: readonly InsidePlan[],
  vlan: number | undefined,
): Map<string, string[]> {
  const lines = new Map<string, string[]>();
  const add = (node: string, address: string, mac: string, device: string): void => {
    lines.set(node, [...(lines.get(node) ?? []), permanentNeighbour(address, mac, device)]);
  };
  for (const { name, address, mac, router } of clients) {
    add(name, router.address, router.mac, 'eth0');
    add(TOR, address, mac, router.link);
  }
  for (const plan of natters) {
    add(plan.name, plan.router.address, plan.router.mac, uplinkName(vlan));
    add(TOR, plan.uplink.address, plan.uplink.mac, torLinkName(plan, vlan));
  }
  const inside = [
    ...natters.map((plan) => ({ node: plan.name, device: 'in0', ...plan.inside })),
    ...hosts.map((host) => ({ node: host.name, device: 'eth0', ...host })),
  ];
  for (const from of inside) {
    for (const to of inside) {
      if (from !== to) add(from.node, to.address, to.mac, from.device);
    }
  }
  return lines;
}

export const VM_GATEWAY = CORE_ADDRESS;
