// Per-packet spreading: each packet that a router forwards goes to a natter drawn at random,
// whatever its flow. Harder than any ECMP. An empty table (a natter that announces nothing) falls
// through to the main table.
import type { LabNode } from './node.ts';
import { EIP_PREFIX, INSIDE_PREFIX, SPRAY_TABLE_BASE } from './plan.ts';

const TABLE = 'edge_spray';

const ruleset = (match: string, natters: number): string => `table ip ${TABLE} {
  chain draw {
    type filter hook prerouting priority mangle; policy accept;
    ${match} meta mark set numgen random mod ${natters} offset ${SPRAY_TABLE_BASE + 1}
  }
}
`;

/** Sets or replaces the spraying of a router; rules and tables are numbered alike. */
async function spray(router: LabNode, match: string, natters: number): Promise<void> {
  const { stdout } = await router.exec('ip', ['-o', 'rule', 'show']);
  const marks = Array.from({ length: natters }, (_, index) => SPRAY_TABLE_BASE + 1 + index);
  const missing = marks.filter((mark) => !stdout.includes(`lookup ${mark}`));
  await router.ip(...missing.map((mark) => `rule add fwmark ${mark} lookup ${mark}`));
  // In one transaction: no packet sees the table missing.
  const input = `table ip ${TABLE} {}\ndelete table ip ${TABLE}\n${ruleset(match, natters)}`;
  await router.exec('nft', ['-f', '-'], { input });
}

export const sprayTowardsEips = (tor: LabNode, natters: number): Promise<void> =>
  spray(tor, `ip daddr ${EIP_PREFIX}`, natters);

export const sprayFromVms = (core: LabNode, natters: number): Promise<void> =>
  spray(core, `ip daddr != ${INSIDE_PREFIX}`, natters);
