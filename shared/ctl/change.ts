// Every command that changes the site goes this way: read, edit, check the whole, guard, store by
// compare-and-set, wait until it is in force.

import { OperationalError } from '../errors.ts';
import { type Difference, diffSite } from '../site/diff.ts';
import type { SiteFile } from '../site/file.ts';
import { kinds, sectionOf } from '../site/kinds.ts';
import { checkedWith, placeOf, UNITS, type Unit } from '../site/place.ts';
import { type ApplyPlan, type MassDelete, planApply } from '../site/plan.ts';
import type { Change, ObjectRecord, Store } from '../store/types.ts';
import { checkChanges, tellWarnings } from './check.ts';
import type { Arguments } from './command.ts';
import type { Context } from './context.ts';
import { describeDryRun } from './describe.ts';
import { awaitEffect, readWait, reportEffect, type Wait } from './effect.ts';
import { EXIT } from './exit.ts';
import { warnOfEnded } from './lb-impact.ts';
import { Progress } from './progress.ts';
import { withStore } from './session.ts';
import { keyOf, loadState, type SiteState } from './state.ts';

const ATTEMPTS = 8;
const RETRY_MS = 30;

/** What a command wants, given the state. Asked again when someone else was quicker. */
export type Edit = {
  changes: Change[];
  /** Where the objects are written, for errors. */
  files?: SiteFile;
  /** What to say besides the changes, e.g. that something is as wanted already. */
  lines?: string[];
};

export type Outcome = {
  differences: readonly Difference[];
  /** Changes asked for that were true already. */
  unchanged: number;
  /** Of the units that the command is about. */
  versions: ReadonlyMap<Unit, number>;
  massDeletes: readonly MassDelete[];
  dryRun: boolean;
  lines: readonly string[];
  /** What is stored all the same, and most likely not as it was meant. */
  warnings: readonly string[];
};

/** Prints what was done. */
export type Describe = (context: Context, outcome: Outcome) => Promise<void>;
type MakeEdit = (state: SiteState) => Edit;

const ALL_KINDS = kinds.map(({ kind }) => kind);

/** What of the changes is not true yet, in an order in which they can be stored in steps. */
export function differencesOf(state: SiteState, changes: readonly Change[]): Difference[] {
  const last = new Map(changes.map((change) => [keyOf(change.kind, change.id), change]));
  const stored = [...last.keys()].flatMap((key) => state.records.get(key) ?? []);
  const wanted = [...last.values()].flatMap(({ kind, id, value }): ObjectRecord[] =>
    value === null ? [] : [{ kind, id, value }],
  );
  return diffSite(stored, wanted, ALL_KINDS);
}

type Work = {
  context: Context;
  args: Arguments;
  store: Store;
  progress: Progress;
  units: readonly Unit[];
};

/** The units that changes are about, in their order. */
export function unitsOfChanges(changes: Iterable<{ kind: string; id: string }>): Unit[] {
  const found = new Set<Unit>();
  for (const { kind, id } of changes) found.add(placeOf(kind, id).unit);
  return UNITS.filter((unit) => found.has(unit));
}

/** `units`: those that the edit sees and may change; each is waited for. */
export function changeSite(
  context: Context,
  args: Arguments,
  edit: MakeEdit,
  describe: Describe,
  units: readonly Unit[] = ['natter'],
): Promise<number> {
  const wait = readWait(args);
  return withStore(context, args, async (store) => {
    const progress = new Progress(context.err, context.clock);
    const work = { context, args, store, progress, units };
    try {
      const outcome = await storeEdit(work, edit);
      const effect = outcome.dryRun ? undefined : await effectOf(work, wait, outcome.versions);
      progress.done();
      await tellWarnings(context, outcome.warnings);
      if (outcome.dryRun) {
        await describeDryRun(context, args, outcome);
        return EXIT.ok;
      }
      if (!args.switches.has('json')) await describe(context, outcome);
      return await reportEffect(context, args, outcome, effect);
    } finally {
      progress.done();
    }
  });
}

/** Whoever interrupts the wait is told that the change itself is stored. */
async function effectOf(work: Work, wait: Wait, versions: ReadonlyMap<Unit, number>) {
  const { context } = work;
  try {
    return await awaitEffect({ ...work, wait }, versions);
  } catch (error) {
    const unknown = 'it is not known whether it is in force';
    const stored = [...versions.values()].join(' and ');
    await context.err.line(`edgectl: stored as version ${stored}, but ${unknown}`);
    throw error;
  }
}

async function storeEdit(work: Work, edit: MakeEdit): Promise<Outcome> {
  const { context, args, store, progress, units } = work;
  const dryRun = args.switches.has('dry-run');
  const done: Difference[] = [];
  const warnings: string[] = [];
  for (let attempt = 1; ; attempt++) {
    progress.show('reading the site');
    const state = await loadState(store, checkedWith(units));
    const wanted = edit(state);
    const toDo = differencesOf(state, wanted.changes);
    warnings.push(...(await checkChanges(context, state, toDo, wanted.files)));
    const plan = planApply(state.records.values(), toDo);
    const outcome = (
      versions: ReadonlyMap<Unit, number>,
      differences: readonly Difference[],
    ): Outcome => ({
      differences,
      unchanged: Math.max(0, wanted.changes.length - differences.length),
      versions: concerned(versions, wanted.changes, units),
      massDeletes: plan.massDeletes,
      dryRun,
      lines: wanted.lines ?? [],
      warnings: [...new Set(warnings)],
    });
    progress.done();
    if (attempt === 1) await warnOfEnded(context, state, toDo);
    if (dryRun) return outcome(state.versions, toDo);
    if (toDo.length === 0) return outcome(state.versions, done);
    await confirmDeletes(work, plan.massDeletes);
    try {
      return outcome(await commit(work, state.versions, { plan, toDo, done }), done);
    } catch (error) {
      if (!isConflict(error) || attempt === ATTEMPTS) throw error;
      await context.clock.sleep(RETRY_MS * attempt, context.signal);
    }
  }
}

/** Those of units that changes were asked for; if there are none, of what was ever stored. */
function concerned(
  versions: ReadonlyMap<Unit, number>,
  changes: readonly Change[],
  units: readonly Unit[],
) {
  const named = unitsOfChanges(changes);
  const isIt = (unit: Unit, version: number) =>
    named.length > 0 ? named.includes(unit) : version > 0 && units.includes(unit);
  return new Map([...versions].filter(([unit, version]) => isIt(unit, version)));
}

/** `stored`: at least, for a call that failed may have arrived. */
function tellStored(context: Context, stored: number, total: number): Promise<void> {
  return context.err.line(
    `edgectl: stored ${stored} of ${total} changes; the same command again finishes`,
  );
}

/** Adds to `done` what is stored, so that a conflict on the way is picked up from there. */
async function commit(
  { context, store, progress }: Work,
  startVersions: ReadonlyMap<Unit, number>,
  steps: { plan: ApplyPlan; toDo: readonly Difference[]; done: Difference[] },
): Promise<ReadonlyMap<Unit, number>> {
  const { plan, toDo, done } = steps;
  const versions = new Map(startVersions);
  let stored = 0;
  for (const { unit, changes } of plan.calls) {
    if (context.signal.aborted) {
      await tellStored(context, stored, toDo.length);
      context.signal.throwIfAborted();
    }
    progress.show(`storing ${stored} of ${toDo.length} changes`);
    const options = { expectedVersion: versions.get(unit) ?? 0, author: context.author };
    try {
      versions.set(unit, (await store.apply(unit, changes, options)).version);
    } catch (error) {
      if (stored > 0 && !isConflict(error)) await tellStored(context, stored, toDo.length);
      throw error;
    }
    done.push(...toDo.slice(stored, stored + changes.length));
    stored += changes.length;
  }
  return versions;
}

function isConflict(error: unknown): boolean {
  return error instanceof OperationalError && error.code === 'EDGE_STORE_CONFLICT';
}

/** `2 of 3 eips` */
export function massText(found: readonly MassDelete[]): string {
  return found
    .map(({ kind, deleted, stored }) => `${deleted} of ${stored} ${sectionOf(kind)}`)
    .join(', ');
}

/** Asks on a terminal; elsewhere throws EDGE_CTL_MASS_DELETE. */
async function confirmDeletes(work: Work, found: readonly MassDelete[]): Promise<void> {
  if (found.length === 0 || work.args.switches.has('yes')) return;
  const { input, err } = work.context;
  work.progress.done();
  const text = massText(found);
  if (input.isTty && err.isTty && (await input.confirm(`Delete ${text}?`))) return;
  throw new OperationalError('EDGE_CTL_MASS_DELETE', `this would delete ${text}`, {
    remedy: 'if that is meant, repeat it with --yes',
  });
}

/** For commands whose positional must be one of the objects. */
export function notThere(kind: string, id: string, remedy: string): OperationalError {
  return new OperationalError('EDGE_CTL_NOT_FOUND', `there is no ${kind} ${id}`, { remedy });
}

export function conflict(message: string, remedy: string): OperationalError {
  return new OperationalError('EDGE_CTL_CONFLICT', message, { remedy });
}
