// Counts on the routers, and so independently of the natters, which natter the packets go to.
import type { LabNode } from './node.ts';
import { EIP_PREFIX, INSIDE_PREFIX, type NatterPlan } from './plan.ts';
import type { Site } from './site.ts';

const TABLE = 'edge_witness';

export type Passed = { inbound: Map<string, number>; outbound: Map<string, number> };

const ruleset = (natters: readonly NatterPlan[], match: (plan: NatterPlan) => string): string => {
  const counters = natters.map((plan) => `counter ${plan.router.link} {}`);
  const rules = natters.map((plan) => `${match(plan)} counter name ${plan.router.link}`);
  return `table ip ${TABLE} {}
delete table ip ${TABLE}
table ip ${TABLE} {
${counters.join('\n')}
chain seen {
type filter hook postrouting priority 0
${rules.join('\n')}
}
}
`;
};

type Listed = { counter?: { name: string; packets: number } };

async function read(router: LabNode, natters: readonly NatterPlan[]): Promise<Map<string, number>> {
  const { stdout } = await router.exec('nft', ['-j', 'list', 'counters', 'table', 'ip', TABLE]);
  const { nftables } = JSON.parse(stdout) as { nftables: Listed[] }; // libnftables-json(5)
  const packets = new Map(
    nftables.flatMap(({ counter }) => (counter ? [[counter.name, counter.packets] as const] : [])),
  );
  return new Map(natters.map((plan) => [plan.name, packets.get(plan.router.link) ?? 0]));
}

/** Runs `action`; counts what each natter got meanwhile, from the ToR and from the core. */
export async function witness<T>(
  site: Site,
  action: () => Promise<T>,
): Promise<{ result: T; passed: Passed }> {
  const natters = site.natters.map((natter) => natter.plan);
  const atTor = ruleset(natters, (plan) => `ip daddr ${EIP_PREFIX} oifname ${plan.router.link}`);
  const atCore = ruleset(
    natters,
    (plan) => `ip daddr != ${INSIDE_PREFIX} rt ip nexthop ${plan.inside.address}`,
  );
  await Promise.all([
    site.tor.exec('nft', ['-f', '-'], { input: atTor }),
    site.core.exec('nft', ['-f', '-'], { input: atCore }),
  ]);
  const result = await action();
  const [inbound, outbound] = await Promise.all([
    read(site.tor, natters),
    read(site.core, natters),
  ]);
  return { result, passed: { inbound, outbound } };
}
