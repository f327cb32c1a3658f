// `apply -f` and `diff -f`: the files against what is stored.

import type { SiteFile } from '../site/file.ts';
import { unitsOf as unitsOfKind } from '../site/kinds.ts';
import { checkedWith, UNITS, type Unit } from '../site/place.ts';
import { planApply } from '../site/plan.ts';
import type { Change } from '../store/types.ts';
import { changeSite, differencesOf, massText, unitsOfChanges } from './change.ts';
import { checkChanges, tellWarnings } from './check.ts';
import { type Arguments, type Run, UsageError } from './command.ts';
import type { Context } from './context.ts';
import { countsText, describeMany, writeDifferences } from './describe.ts';
import { EXIT } from './exit.ts';
import { readFiles } from './files.ts';
import { tellEnded } from './lb-impact.ts';
import { tellBrokenLeases } from './lease-impact.ts';
import { withStore } from './session.ts';
import { keyOf, loadState, type SiteState } from './state.ts';

/** With `prune`, what the sections of the files do not list is deleted. */
export function changesOf(files: SiteFile, state: SiteState, prune: boolean): Change[] {
  const changes: Change[] = files.objects.map(({ record }) => record);
  if (!prune) return changes;
  const listed = new Set(changes.map(({ kind, id }) => keyOf(kind, id)));
  for (const { kind, id } of state.records.values()) {
    const isCovered = files.kinds.some((section) => section === kind);
    if (isCovered && !listed.has(keyOf(kind, id))) changes.push({ kind, id, value: null });
  }
  return changes;
}

/** Those of the objects; what is pruned may be of any unit that has the kind. */
export function unitsOf(files: SiteFile, prune: boolean): Unit[] {
  const pruned = prune ? files.kinds.flatMap(unitsOfKind) : [];
  const named = unitsOfChanges(files.objects.map(({ record }) => record));
  return UNITS.filter((unit) => pruned.includes(unit) || named.includes(unit));
}

/** Throws UsageError without -f, and ConfigError with every error of all files. */
export function filesOf(context: Context, args: Arguments): Promise<SiteFile> {
  if (args.lists.has('file')) return readFiles(context, args);
  throw new UsageError('give the site file: -f FILE, or -f - for stdin');
}

export const apply: Run = async (context, args) => {
  const files = await filesOf(context, args);
  const prune = args.switches.has('prune');
  const edit = (state: SiteState) => ({ changes: changesOf(files, state, prune), files });
  return changeSite(context, args, edit, describeMany, unitsOf(files, prune));
};

export const diff: Run = async (context, args) => {
  const files = await filesOf(context, args);
  return withStore(context, args, async (store) => {
    const prune = args.switches.has('prune');
    const state = await loadState(store, checkedWith(unitsOf(files, prune)));
    const changes = changesOf(files, state, prune);
    const found = differencesOf(state, changes);
    const warnings = await checkChanges(context, state, found, files);
    await writeDifferences(context, args, found);
    await tellWarnings(context, warnings);
    await context.err.line(`edgectl: ${countsText(found, changes.length - found.length)}`);
    await tellBrokenLeases(context, args, state, found);
    await tellEnded(context, state, found);
    const { massDeletes } = planApply(state.records.values(), found);
    if (massDeletes.length > 0) {
      await context.err.line(`edgectl: deletes ${massText(massDeletes)}: apply needs --yes`);
    }
    return found.length > 0 ? EXIT.failure : EXIT.ok;
  });
};
