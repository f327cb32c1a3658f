// Virtual servers and pools as tests want them.
import type { PlanInput } from '../../../lb/l4/plan.ts';
import type { TargetHealth, TargetState } from '../../../lb/l4/serving.ts';
import { DEFAULT_PROXY, type VirtualServer } from '../../../shared/site/lb-objects.ts';
import type { Pool, PoolTarget } from '../../../shared/site/pool-objects.ts';

export const VIP = '198.51.100.10';

export const server = (change: Partial<VirtualServer> = {}): VirtualServer => {
  const port = change.port ?? 80;
  return {
    address: VIP,
    protocol: 'tcp',
    port,
    lastPort: port,
    pool: 'web',
    mode: 'nat',
    hash: 'flow',
    lost: 'reset',
    ...change,
  };
};

/** `10.0.0.1:8080`, with a weight after `*` and a tier after `/`. */
export function target(text: string): PoolTarget {
  const [, address = '', port, weight = '1', tier = '0'] =
    /^([^:*/]+|\[.*\])(?::(\d+))?(?:\*(\d+))?(?:\/(\d+))?$/.exec(text) ?? [];
  return {
    address: address.replace(/[[\]]/g, ''),
    ...(port === undefined ? {} : { port: Number(port) }),
    weight: Number(weight),
    tier: Number(tier),
  };
}

export const pool = (
  name: string,
  targets: readonly string[],
  proxy: Partial<typeof DEFAULT_PROXY> = {},
): Pool => ({
  name,
  targets: targets.map(target),
  answer: 'weighted',
  answers: 1,
  minHealthyPercent: 0,
  proxy: { ...DEFAULT_PROXY, ...proxy },
});

export type HealthByTarget = Record<string, TargetState | TargetHealth>;

export function input(
  servers: readonly VirtualServer[],
  pools: readonly Pool[],
  health: HealthByTarget = {},
  nowMs = 1_000_000,
): PlanInput {
  const healthOf = (_pool: string, id: string): TargetHealth => {
    const said = health[id] ?? 'up';
    return typeof said === 'string' ? { state: said, upSinceMs: 0 } : said;
  };
  return { servers, pools, healthOf, nowMs };
}
