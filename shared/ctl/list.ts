// What all list commands share: read the store, say what is unreadable, print a table or JSON.

import type { Unit } from '../site/place.ts';
import type { Arguments } from './command.ts';
import type { Context } from './context.ts';
import { EXIT } from './exit.ts';
import { withStore } from './session.ts';
import { type Listing, listing, loadState } from './state.ts';
import { type Column, writeJsonArray, writeTable } from './table.ts';

const UNREADABLE_SHOWN = 20;

/** All objects of the units; what is stored but unreadable is told on stderr. */
export function readListing(
  context: Context,
  args: Arguments,
  units: readonly Unit[] = ['natter'],
): Promise<Listing> {
  return withStore(context, args, async (store) => {
    const list = listing((await loadState(store, units)).records.values());
    for (const reason of list.unreadable.slice(0, UNREADABLE_SHOWN)) {
      await context.err.line(`edgectl: unreadable: ${reason}`);
    }
    const more = list.unreadable.length - UNREADABLE_SHOWN;
    if (more > 0) await context.err.line(`edgectl: and ${more} more unreadable objects`);
    if (list.newer > 0) {
      await context.err.line(`edgectl: not shown, as a newer edgectl wrote them: ${list.newer}`);
    }
    return list;
  });
}

/** Exit code of a command that lists: what cannot be read is a failure. */
export function listCode(list: Listing): number {
  return list.unreadable.length > 0 ? EXIT.failure : EXIT.ok;
}

export async function writeList<Row>(
  context: Context,
  args: Arguments,
  view: {
    columns: readonly Column<Row>[];
    rows: readonly Row[];
    json: (row: Row) => unknown;
  },
): Promise<void> {
  if (!args.switches.has('json')) return writeTable(context.out, view.columns, view.rows);
  await writeJsonArray(context.out, mapped(view.rows, view.json));
  await context.out.write('\n');
}

function* mapped<Row>(rows: readonly Row[], json: (row: Row) => unknown): Generator<unknown> {
  for (const row of rows) yield json(row);
}
