// How each target of a pool is probed, and what is known of it: a check without a port of its own
// goes to the target's. Pure.
import type { CheckSettings, HealthView, Target, TargetHealth } from '../health/types.ts';
import { USUAL_PORTS } from './pool-check.ts';
import type { Pool, PoolTarget } from './pool-objects.ts';

/** A check that is the same is the same object: who reads health knows targets by it. */
const byPort = new WeakMap<CheckSettings, Map<number, CheckSettings>>();

/**
 * Undefined: it is not probed. The port is the check's, else the target's, else the usual one of
 * http, https and dns; 0 only of icmp, which has none, and where a pool is refused for it.
 */
export function checkOf(
  { check }: Pick<Pool, 'check'>,
  { port }: Pick<PoolTarget, 'port'>,
): CheckSettings | undefined {
  if (check === undefined || check.type === 'icmp' || check.port !== 0) return check;
  const own = port ?? USUAL_PORTS[check.type] ?? 0;
  const known = byPort.get(check) ?? new Map<number, CheckSettings>();
  byPort.set(check, known);
  const found = known.get(own) ?? { ...check, port: own };
  known.set(own, found);
  return found;
}

/** What is to be probed of a pool; one target that several pools have comes as often. */
export function probesOf(pool: Pick<Pool, 'check' | 'targets'>): Target[] {
  return pool.targets.flatMap((target) => {
    const check = checkOf(pool, target);
    return check === undefined ? [] : [{ address: target.address, check }];
  });
}

export function healthOfTarget(
  view: HealthView,
  pool: Pick<Pool, 'name' | 'check'>,
  target: Pick<PoolTarget, 'address' | 'port'>,
): TargetHealth {
  return view.ofAddress(target.address, checkOf(pool, target), pool.name, target.port);
}
