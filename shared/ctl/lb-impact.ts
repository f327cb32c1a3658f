// Which open connections a change of the site would end: asked of the lb on this host, which holds
// its own and no other's. Of streams and requests; flows of virtual servers are not in it.

import { join } from 'node:path';
import { describeError, OperationalError } from '../errors.ts';
import type { Difference } from '../site/diff.ts';
import type { ObjectRecord } from '../store/types.ts';
import type { Context, Control } from './context.ts';
import { fieldsOf, listOf, numberOf, textOf } from './control.ts';
import type { SiteState } from './state.ts';

const SHOWN = 20;
/** Where a change may end what is open; what is new ends nothing (docs/balancing.md, H8). */
const ENDING = ['listener', 'route', 'pool'];

export type Ended = { listener: string; why: string; connections: number };

/** The most first. `records`: the site as it would be. */
export async function endedBy(control: Control, records: Iterable<ObjectRecord>): Promise<Ended[]> {
  const all = [...records];
  const of = (...kinds: string[]) => all.filter(({ kind }) => kinds.includes(kind));
  const question = { objects: of('vserver', 'listener', 'route'), pools: of('pool') };
  const answer = fieldsOf(await control.post('/impact', question), 'impact');
  return listOf(answer, 'impact')
    .map((one) => {
      const fields = fieldsOf(one, 'impact');
      const [listener, why] = [textOf(fields, 'listener'), textOf(fields, 'why')];
      return { listener, why, connections: numberOf(fields, 'connections') };
    })
    .sort((a, b) => b.connections - a.connections);
}

export function totalText(ended: readonly Ended[]): string {
  const total = ended.reduce((sum, { connections }) => sum + connections, 0);
  return `ends ${countText(total)} of the lb on this host`;
}

function countText(count: number): string {
  return `${count} open connection${count === 1 ? '' : 's'}`;
}

/** For diff: on stderr; an lb that cannot be asked is told, and no failure. */
export function tellEnded(context: Context, state: SiteState, found: readonly Difference[]) {
  return tell(context, state, found, true);
}

/** As tellEnded(), but without a word where no lb runs, or where nothing ends. */
export function warnOfEnded(context: Context, state: SiteState, found: readonly Difference[]) {
  return tell(context, state, found, false);
}

async function tell(
  context: Context,
  state: SiteState,
  found: readonly Difference[],
  isAsked: boolean,
): Promise<void> {
  if (!found.some(({ kind, before }) => before !== undefined && ENDING.includes(kind))) return;
  const { err, paths } = context;
  let ended: Ended[];
  try {
    const control = context.openControl(join(paths.run, 'lb.sock'));
    ended = await endedBy(control, state.after(found).values());
  } catch (error) {
    if (!(error instanceof OperationalError)) throw error;
    if (error.code === 'EDGE_NOT_RUNNING' && !isAsked) return;
    await err.line(`edgectl: open connections were not looked at: ${describeError(error)}`);
    return;
  }
  if (ended.length === 0 && !isAsked) return;
  for (const { listener, why, connections } of ended.slice(0, SHOWN)) {
    await err.line(`edgectl: ends ${countText(connections)} of listener ${listener}: ${why}`);
  }
  if (ended.length > SHOWN) await err.line(`edgectl: and ${ended.length - SHOWN} more`);
  await err.line(`edgectl: ${totalText(ended)}`);
}
