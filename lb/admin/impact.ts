// `edgectl lb impact`: which open connections a change would end, before it is made.
import { OperationalError } from '../../shared/errors.ts';
import { keyOf, parseObject } from '../../shared/site/kinds.ts';
import { siteRecord } from '../../shared/site/place.ts';
import { isRefusal } from '../../shared/site/refusal.ts';
import type { ObjectRecord } from '../../shared/store/types.ts';
import { SERVICE } from '../name.ts';
import { lbPlanOf } from '../plan.ts';
import type { LbService } from '../service.ts';

export type Impact = { listener: string; why: string; connections: number };

/** `body`: `{ objects: [{ kind, id, value }] }`, all that unit lb would have, as it is stored. */
export async function impactOf(lb: LbService, body: unknown): Promise<{ impact: Impact[] }> {
  const objects = new Map(
    readRecords(body).map((record) => {
      const item = parseObject(siteRecord(SERVICE, record));
      if (isRefusal(item)) {
        const what = `${record.kind} ${record.id}: ${item.reasons[0]}`;
        throw new OperationalError('EDGE_LB_QUESTION', what, { remedy: 'correct the object' });
      }
      return [keyOf(record), item] as const;
    }),
  );
  const plan = lb.workerPlan(lbPlanOf(objects, 0), lb.states);
  const answers = await lb.options.workers.askAll({ what: 'impact', plan });
  const counts = new Map<string, Impact>();
  for (const { listener, why } of answers.flat() as Omit<Impact, 'connections'>[]) {
    const key = `${listener}\0${why}`;
    const before = counts.get(key) ?? { listener, why, connections: 0 };
    counts.set(key, { ...before, connections: before.connections + 1 });
  }
  return { impact: [...counts.values()] };
}

function readRecords(body: unknown): ObjectRecord[] {
  const { objects } = (body ?? {}) as { objects?: unknown };
  if (!Array.isArray(objects)) {
    throw new OperationalError('EDGE_LB_QUESTION', 'no objects', { remedy: 'send { objects }' });
  }
  return objects.map((each: unknown) => {
    const { kind, id, value } = (each ?? {}) as Record<string, unknown>;
    const isRecord = [kind, id, value].every((part) => typeof part === 'string');
    if (!isRecord) throw new OperationalError('EDGE_LB_QUESTION', 'an object is none');
    return { kind: `${kind}`, id: `${id}`, value: `${value}` };
  });
}
