// `edgectl lb impact`: which open connections a change would end, before it is made.
import { OperationalError } from '../../shared/errors.ts';
import type { TargetHealth } from '../../shared/health/types.ts';
import { keyOf, parseObject } from '../../shared/site/kinds.ts';
import type { Objects } from '../../shared/site/objects-target.ts';
import { siteRecord, type Unit } from '../../shared/site/place.ts';
import { POOLS_UNIT, poolsPlanOf } from '../../shared/site/pools-plan.ts';
import { isRefusal } from '../../shared/site/refusal.ts';
import type { ObjectRecord } from '../../shared/store/types.ts';
import { SERVICE } from '../name.ts';
import { lbPlanOf } from '../plan.ts';
import type { PoolState } from '../pools/types.ts';
import type { LbService } from '../service.ts';
import { poolStateOf } from '../targets.ts';

export type Impact = { listener: string; why: string; connections: number };

/**
 * `body`: `{ objects, pools? }`, each `[{ kind, id, value }]` as it is stored: all that unit lb
 * would have (certificates end nothing and may be left out), and all of unit pools; unless told,
 * those in force. Nothing is changed by asking.
 */
export async function impactOf(lb: LbService, body: unknown): Promise<{ impact: Impact[] }> {
  const { objects, pools: poolRecords } = Object(body) as Record<string, unknown>;
  const { listeners, routes, version } = lbPlanOf(readObjects(SERVICE, objects), 0);
  const states = poolRecords === undefined ? lb.states : readStates(poolRecords);
  const plan = { version, listeners, routes, pools: [...states.values()], certificates: [] };
  const answers = await lb.options.workers.askAll({ what: 'impact', plan });
  const counts = new Map<string, Impact>();
  for (const { listener, why } of answers.flat() as Omit<Impact, 'connections'>[]) {
    const key = `${listener}\0${why}`;
    const before = counts.get(key) ?? { listener, why, connections: 0 };
    counts.set(key, { ...before, connections: before.connections + 1 });
  }
  return { impact: [...counts.values()] };
}

/** Who is healthy ends nothing: all are taken for up. */
function readStates(records: unknown): Map<string, PoolState> {
  const { pools } = poolsPlanOf(readObjects(POOLS_UNIT, records), 0);
  const up: TargetHealth = { measured: 'up', effective: 'up', toFlipMs: 0, sinceMs: 0, votes: [] };
  const known = { healthOf: () => up, agentOf: () => undefined };
  return new Map([...pools].map(([name, pool]) => [name, poolStateOf(pool, known)]));
}

function readObjects(unit: Unit, records: unknown): Objects {
  return new Map(
    readRecords(records).map((record) => {
      const item = parseObject(siteRecord(unit, record));
      if (!isRefusal(item)) return [keyOf(record), item] as const;
      const what = `${record.kind} ${record.id}: ${item.reasons[0]}`;
      throw new OperationalError('EDGE_LB_QUESTION', what, { remedy: 'correct the object' });
    }),
  );
}

function readRecords(records: unknown): ObjectRecord[] {
  if (!Array.isArray(records)) {
    throw new OperationalError('EDGE_LB_QUESTION', 'no objects', { remedy: 'send { objects }' });
  }
  return records.map((each: unknown) => {
    const { kind, id, value } = (each ?? {}) as Record<string, unknown>;
    const isRecord = [kind, id, value].every((part) => typeof part === 'string');
    if (!isRecord) throw new OperationalError('EDGE_LB_QUESTION', 'an object is none');
    return { kind: `${kind}`, id: `${id}`, value: `${value}` };
  });
}
