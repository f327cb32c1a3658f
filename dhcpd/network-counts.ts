// How many addresses of a network are free: of all subnets that share it, together. Pure.

import type { LeaseCounts } from './leases/types.ts';
import type { Plan, Subnet } from './plan/types.ts';

export type NetworkCounts = { network: string; counts: LeaseCounts };

export function countNetworks(plan: Plan, count: (subnet: Subnet) => LeaseCounts): NetworkCounts[] {
  const networks = new Set(plan.subnets.map(({ network }) => network));
  return [...networks].map(({ id, subnets }) => ({
    network: id,
    counts: sumOf(subnets.map(count)),
  }));
}

function sumOf(all: readonly LeaseCounts[]): LeaseCounts {
  const sum = (name: keyof LeaseCounts) => all.reduce((total, one) => total + one[name], 0);
  return { bound: sum('bound'), free: sum('free'), total: sum('total'), declined: sum('declined') };
}
