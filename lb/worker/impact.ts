// Which connections a new plan ends: those whose listener is gone, streams whose target is gone,
// and tunnels whose route is gone or leads elsewhere (docs/balancing.md, H8). The rest goes on.
// Pure.
import type { WorkerPlan } from '../l7/types.ts';
import type { Held } from './held.ts';
import type { Ending } from './pacing.ts';

export type Ended = Ending & { listener: string; why: string };

export function endedBy(
  all: ReadonlyMap<Held, string>,
  before: WorkerPlan,
  plan: WorkerPlan,
): Ended[] {
  const [placesBefore, places] = [placesOf(before), placesOf(plan)];
  const [actionsBefore, actions] = [actionsOf(before), actionsOf(plan)];
  const isGone = (route: string) => actions.get(route) !== actionsBefore.get(route);
  const ended: Ended[] = [];
  for (const [held, listener] of all) {
    const whole = { held, listener, isGone: () => true, isWhole: true };
    const gone = held.tunnelRoutes.find((route) => route !== '' && isGone(route));
    if (!places.has(listener)) ended.push({ ...whole, why: 'its listener is gone' });
    else if (places.get(listener) !== placesBefore.get(listener)) {
      ended.push({ ...whole, why: 'its listener leads elsewhere' });
    } else if (held.target !== undefined && !hasTarget(plan, held.target)) {
      ended.push({ ...whole, why: `its target ${held.target.id} is gone` });
    } else if (gone !== undefined) {
      const why = `its route ${gone} is gone or leads elsewhere`;
      ended.push({ held, listener, isGone, isWhole: false, why });
    }
  }
  return ended;
}

function hasTarget({ pools }: WorkerPlan, { pool, id }: { pool: string; id: string }): boolean {
  const found = pools.find(({ name }) => name === pool);
  return found?.targets.some((target) => target.id === id) ?? false;
}

function placesOf({ listeners }: WorkerPlan): Map<string, string> {
  return new Map(
    listeners.map(({ name, protocol, pool, names }) => {
      return [name, JSON.stringify({ protocol, pool, names })];
    }),
  );
}

function actionsOf({ routes }: WorkerPlan): Map<string, string> {
  return new Map(routes.map(({ name, action }) => [name, JSON.stringify(action)]));
}
