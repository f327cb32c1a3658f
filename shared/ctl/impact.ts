// `lb impact -f`: which open connections what the files say would end, as apply would do it.

import { checkedWith } from '../site/place.ts';
import { changesOf, filesOf, unitsOf } from './apply.ts';
import { differencesOf } from './change.ts';
import { checkChanges, tellWarnings } from './check.ts';
import type { Run } from './command.ts';
import { controlOf } from './control.ts';
import { EXIT } from './exit.ts';
import { type Ended, endedBy, totalText } from './lb-impact.ts';
import { writeList } from './list.ts';
import { withStore } from './session.ts';
import { loadState } from './state.ts';
import type { Column } from './table.ts';

const COLUMNS: readonly Column<Ended>[] = [
  { title: 'LISTENER', value: (row) => row.listener },
  { title: 'CONNECTIONS', right: true, value: (row) => row.connections },
  { title: 'WHY', value: (row) => row.why },
];

export const impact: Run = async (context, args) => {
  const files = await filesOf(context, args);
  const prune = args.switches.has('prune');
  const control = controlOf(context, args, 'lb');
  return withStore(context, args, async (store) => {
    const state = await loadState(store, checkedWith([...unitsOf(files, prune), 'lb']));
    const found = differencesOf(state, changesOf(files, state, prune));
    const warnings = await checkChanges(context, state, found, files);
    const rows = await endedBy(control, state.after(found).values());
    await writeList(context, args, { columns: COLUMNS, rows, json: (row) => row });
    await tellWarnings(context, warnings);
    await context.err.line(`edgectl: ${totalText(rows)}`);
    return EXIT.ok;
  });
};
