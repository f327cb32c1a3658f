// From pools and what is known of their targets to what workers balance by. Pure.
import type { TargetHealth } from '../shared/health/types.ts';
import { DEFAULT_PROXY } from '../shared/site/lb-objects.ts';
import type { Pool, PoolTarget } from '../shared/site/pool-objects.ts';
import type { AgentWord } from './agent/line.ts';
import type { PoolState, TargetState } from './pools/types.ts';

export type Known = {
  healthOf: (pool: Pool, target: PoolTarget) => TargetHealth;
  agentOf: (pool: Pool, target: PoolTarget) => AgentWord | undefined;
};

export function poolStateOf(pool: Pool, known: Known): PoolState {
  const { name, proxy = DEFAULT_PROXY } = pool;
  return { name, proxy, targets: pool.targets.map((target) => targetStateOf(pool, target, known)) };
}

function targetStateOf(pool: Pool, target: PoolTarget, known: Known): TargetState {
  const { address, port = 0, tier } = target;
  const health = known.healthOf(pool, target);
  const agent = known.agentOf(pool, target);
  return {
    id: targetIdOf(target),
    address,
    port,
    weight: target.weight * ((agent?.weightPercent ?? 100) / 100),
    tier,
    health: stateOf(health, agent),
    upSinceMs: health.effective === 'up' ? health.sinceMs : 0,
    ...(agent?.maxRequests === undefined ? {} : { maxRequests: agent.maxRequests }),
  };
}

/** An operator's word goes before an agent's, and that before what was measured. */
function stateOf({ effective, override }: TargetHealth, agent: AgentWord | undefined) {
  if (override?.state === 'drain') return 'drain';
  if (override !== undefined) return override.state;
  if (effective === 'down' || agent?.state === 'down') return 'down';
  return agent?.state ?? 'up';
}

export function targetIdOf({ address, port }: Pick<PoolTarget, 'address' | 'port'>): string {
  if (port === undefined) return address;
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}

export function isSamePool(a: PoolState | undefined, b: PoolState): boolean {
  return a !== undefined && JSON.stringify(a) === JSON.stringify(b);
}
