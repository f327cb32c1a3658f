// Our own L4 in the namespace that this process runs in, driven as the daemon drives it, without
// store and health: what it shall serve is told to it.
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { PIN_ROOT } from '../../../lab/run.ts';
import { L4 } from '../../../lb/l4/l4.ts';
import type { PlanInput } from '../../../lb/l4/plan.ts';
import { createBpf } from '../../../shared/bpf/kernel.ts';
import { systemClock } from '../../../shared/clock.ts';
import { createIpHost } from '../../../shared/links/ip-host.ts';
import { silentLog } from '../../../shared/log.ts';
import { systemRandom } from '../../../shared/random.ts';
import { DEFAULT_PROXY, type VirtualServer } from '../../../shared/site/lb-objects.ts';
import type { Pool } from '../../../shared/site/pool-objects.ts';

export const createOwn = (instance: string): L4 =>
  new L4({
    bpf: createBpf(),
    pinDirectory: join(PIN_ROOT, instance, 'lb'),
    capacity: { servers: 64, targets: 1024, pools: 64, connections: 1_048_576 },
    links: { hook: 'tc', uplink: ['up0'], inside: ['in0'] },
    host: createIpHost(systemClock, 'EDGE_LB_HOST'),
    random: systemRandom,
    log: silentLog,
    turn,
  });

export const serverAt = (address: string, port: number, pool: string): VirtualServer => {
  const at = { address, protocol: 'tcp', port, lastPort: port } as const;
  return { ...at, pool, mode: 'nat', hash: 'flow', lost: 'reset' };
};

export const poolOf = (name: string, addresses: readonly string[], port: number): Pool => ({
  name,
  targets: addresses.map((address) => ({ address, port, weight: 1, tier: 0 })),
  answer: 'weighted',
  answers: 1,
  minHealthyPercent: 0,
  proxy: DEFAULT_PROXY,
});

/** All up but `down`, an id. */
export function inputOf(
  servers: readonly VirtualServer[],
  pools: readonly Pool[],
  down?: string,
): PlanInput {
  const healthOf = (_pool: string, id: string) => {
    return { state: id === down ? ('down' as const) : ('up' as const), upSinceMs: 0 };
  };
  return { servers, pools, healthOf, nowMs: Date.now() };
}

/** Serves, and is attached; throws when the objects are refused. */
export async function serve(l4: L4, input: PlanInput): Promise<void> {
  await l4.links.look();
  const refused = await l4.want(input);
  if (refused !== undefined) throw new Error(refused.reasons.join('; '));
  l4.attach();
  const { missing } = l4.links;
  if (missing.length > 0) throw new Error(`no link ${missing.join(', ')}`);
}
