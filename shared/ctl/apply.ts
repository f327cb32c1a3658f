// `apply -f` and `diff -f`: the files against what is stored.

import type { SiteFile } from '../site/file.ts';
import { planApply } from '../site/plan.ts';
import type { Change } from '../store/types.ts';
import { changeSite, differencesOf, massText } from './change.ts';
import { checkChanges } from './check.ts';
import { type Arguments, type Run, UsageError } from './command.ts';
import type { Context } from './context.ts';
import { countsText, describeMany, writeDifferences } from './describe.ts';
import { EXIT } from './exit.ts';
import { readFiles } from './files.ts';
import { withStore } from './session.ts';
import { keyOf, loadState, type SiteState } from './state.ts';

/** With `prune`, what the sections of the files do not list is deleted. */
function changesOf(files: SiteFile, state: SiteState, prune: boolean): Change[] {
  const changes: Change[] = files.objects.map(({ record }) => record);
  if (!prune) return changes;
  const listed = new Set(changes.map(({ kind, id }) => keyOf(kind, id)));
  for (const { kind, id } of state.records.values()) {
    const isCovered = files.kinds.some((section) => section === kind);
    if (isCovered && !listed.has(keyOf(kind, id))) changes.push({ kind, id, value: null });
  }
  return changes;
}

function filesOf(context: Context, args: Arguments): Promise<SiteFile> {
  if (args.lists.has('file')) return readFiles(context, args);
  throw new UsageError('give the site file: -f FILE, or -f - for stdin');
}

export const apply: Run = async (context, args) => {
  const files = await filesOf(context, args);
  const prune = args.switches.has('prune');
  const edit = (state: SiteState) => ({ changes: changesOf(files, state, prune), files });
  return changeSite(context, args, edit, describeMany);
};

export const diff: Run = async (context, args) => {
  const files = await filesOf(context, args);
  return withStore(context, args, async (store) => {
    const state = await loadState(store);
    const changes = changesOf(files, state, args.switches.has('prune'));
    const found = differencesOf(state, changes);
    await checkChanges(state, found, files);
    await writeDifferences(context, args, found);
    await context.err.line(`edgectl: ${countsText(found, changes.length - found.length)}`);
    const { massDeletes } = planApply(state.records.values(), found);
    if (massDeletes.length > 0) {
      await context.err.line(`edgectl: deletes ${massText(massDeletes)}: apply needs --yes`);
    }
    return found.length > 0 ? EXIT.failure : EXIT.ok;
  });
};
