// Router namespaces, one a contender, alike but for their rules, each between a client side and a
// VM side. Next hops are written down, so that no ARP disturbs.
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
import { netnsName, type Run } from '../../../lab/run.ts';
import { CLIENT, MACS, ROUTER, VM_SIDE } from './addresses.ts';
import { CONNTRACK_SYSCTLS, type Contender, ruleset } from './peers.ts';

export interface Site {
  contender: Contender;
  /** Namespaces: the router's, and those of the far ends of its links. */
  router: string;
  client: string;
  vm: string;
  /** Names of the far ends. */
  clientLink: string;
  vmLink: string;
}

const LETTERS: Record<Contender, string> = {
  natter: 'n',
  plain: 'p',
  'nft-stateless': 'l',
  'nft-stateful': 'f',
};

/** `shared`: the far ends of all sites in one namespace, which is enough for a sink. */
export function siteOf(contender: Contender, far: 'shared' | 'own'): Site {
  const letter = LETTERS[contender];
  return {
    contender,
    router: `r${letter}`,
    client: far === 'shared' ? 'far' : `c${letter}`,
    vm: far === 'shared' ? 'far' : `v${letter}`,
    clientLink: `client-${letter}`,
    vmLink: `vm-${letter}`,
  };
}

export const nodesOf = (sites: readonly Site[]): string[] => [
  ...new Set(sites.flatMap((site) => [site.router, site.client, site.vm])),
];

const end = (node: string, name: string, mac: string, address?: string): End => ({
  node,
  name,
  mac,
  ...(address ? { addresses: [address] } : {}),
});

function links(site: Site) {
  const own = site.client !== site.vm;
  const client = own ? `${CLIENT}/24` : undefined;
  const vm = own ? `${VM_SIDE}/24` : undefined;
  return [
    {
      ends: [
        end(site.router, 'up0', MACS.up0, `${ROUTER.up0}/24`),
        end(site.client, site.clientLink, MACS.client, client),
      ],
    },
    {
      ends: [
        end(site.router, 'in0', MACS.in0, `${ROUTER.in0}/24`),
        end(site.vm, site.vmLink, MACS.vm, vm),
      ],
    },
  ] as const;
}

async function prepareRouter(run: Run, site: Site, eips: number): Promise<void> {
  const netns = `--net=${netnsPath(run, site.router)}`;
  await sysctl(run, site.router, ROUTER_SYSCTLS);
  await configure(run, site.router, [
    permanentNeighbour(CLIENT, MACS.client, 'up0'),
    permanentNeighbour(VM_SIDE, MACS.vm, 'in0'),
    `route add default via ${CLIENT}`,
    `route add 10.0.0.0/8 via ${VM_SIDE}`,
  ]);
  const rules = ruleset(site.contender, eips);
  if (rules) await execute('nsenter', [netns, '--', 'nft', '-f', '-'], { input: rules });
  if (site.contender === 'nft-stateful') await sysctl(run, site.router, CONNTRACK_SYSCTLS);
}

/** Builds them; those of an earlier call must be gone. */
export async function buildSites(run: Run, sites: readonly Site[], eips: number): Promise<void> {
  await createNodes(run, nodesOf(sites));
  await connect(run, sites.flatMap(links));
  for (const site of sites) await prepareRouter(run, site, eips);
}

export async function removeSites(run: Run, sites: readonly Site[]): Promise<void> {
  await deleteNetns(nodesOf(sites).map((node) => netnsName(run, node)));
}
