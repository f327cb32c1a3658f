// The site as it would be, checked whole before anything is stored.

import { ConfigError, type ConfigProblem, OperationalError } from '../errors.ts';
import { checkSite, type SiteProblem } from '../site/check.ts';
import type { Difference } from '../site/diff.ts';
import type { SiteFile } from '../site/file.ts';
import { isOfNewerKind, parseObject, type SiteObject } from '../site/kinds.ts';
import { isRefusal } from '../site/refusal.ts';
import { isNewer } from '../site/value.ts';
import type { ObjectRecord } from '../store/types.ts';
import { keyOf, type SiteState } from './state.ts';

const SHOWN = 20;

type Problems = { found: SiteProblem[]; unreadable: string[] };

function problemsOf(records: Iterable<ObjectRecord>): Problems {
  const objects: SiteObject[] = [];
  const unreadable: string[] = [];
  for (const record of records) {
    const parsed = parseObject(record);
    if (isOfNewerKind(record)) continue;
    if (isRefusal(parsed)) unreadable.push(...parsed.reasons);
    else objects.push(parsed);
  }
  return { found: checkSite(objects), unreadable };
}

function texts({ found, unreadable }: Problems): string[] {
  return [...found.map(({ kind, id, message }) => `${kind} ${id}: ${message}`), ...unreadable];
}

/** As texts(), but it stands out which objects the change itself does not name. */
function toldTexts({ found, unreadable }: Problems, named: ReadonlySet<string>): string[] {
  const told = found.map(({ kind, id, message }) => {
    return `${named.has(keyOf(kind, id)) ? '' : 'stored '}${kind} ${id}: ${message}`;
  });
  return [...told, ...unreadable];
}

function after(state: SiteState, differences: readonly Difference[]): Iterable<ObjectRecord> {
  const records = new Map(state.records);
  for (const { kind, id, after: value } of differences) {
    if (value === undefined) records.delete(keyOf(kind, id));
    else records.set(keyOf(kind, id), { kind, id, value });
  }
  return records.values();
}

/**
 * Throws a ConfigError with places when the change comes from files, else EDGE_CTL_REFUSED. A site
 * that is wrong already may be changed only to have fewer problems and no new one.
 */
export async function checkChanges(
  state: SiteState,
  differences: readonly Difference[],
  files: SiteFile | undefined,
): Promise<void> {
  if (differences.length === 0) return;
  refuseNewer(differences);
  const problems = problemsOf(after(state, differences));
  const said = texts(problems);
  if (said.length === 0) return;
  const before = new Set(texts(problemsOf(state.records.values())));
  const fresh = said.filter((text) => !before.has(text));
  if (fresh.length === 0 && said.length < before.size) return;
  if (files !== undefined) throw new ConfigError(await placed(problems, files));
  const remedy = fresh.length === 0 ? 'the stored site is wrong already: correct that first' : '';
  const named = new Set(differences.map(({ kind, id }) => keyOf(kind, id)));
  const shown = toldTexts(problems, named).slice(0, SHOWN);
  if (said.length > SHOWN) shown.push(`and ${said.length - SHOWN} more`);
  throw new OperationalError('EDGE_CTL_REFUSED', shown.join('\n'), remedy ? { remedy } : {});
}

/** What a newer edgectl wrote would lose what this one does not know. */
function refuseNewer(differences: readonly Difference[]): void {
  const newer = differences.find(({ before, after }) => before && after && isNewer(before));
  if (newer === undefined) return;
  const what = `${newer.kind} ${newer.id} was written by a newer edgectl`;
  throw new OperationalError('EDGE_CTL_NEWER', `${what}: this one would drop what it cannot read`, {
    remedy: 'change it with that one, or delete it first',
  });
}

async function placed({ found, unreadable }: Problems, files: SiteFile): Promise<ConfigProblem[]> {
  const { placeProblems } = await import('../site/file.ts'); // loads the YAML parser
  const stored = unreadable.map((message) => ({
    file: 'stored site',
    line: 0,
    column: 0,
    message,
    remedy: 'delete it: edgectl delete KIND ID',
  }));
  const inFiles = new Set(files.objects.map(({ record }) => keyOf(record.kind, record.id)));
  const own = found.filter(({ kind, id }) => inFiles.has(keyOf(kind, id)));
  const others = found.filter(({ kind, id }) => !inFiles.has(keyOf(kind, id)));
  return [...placeProblems(files, own), ...others.map((each) => blamed(each, files)), ...stored];
}

/** What the files make wrong with a stored object, at the place of what they say if it is found. */
function blamed(problem: SiteProblem, files: SiteFile): ConfigProblem {
  const words = problem.message.split(/[\s,]+/);
  const cause = files.objects.find(({ record }) => words.includes(record.id));
  const message = `stored ${problem.kind} ${problem.id}: ${problem.message}`;
  return cause?.problem(message) ?? { file: 'stored site', line: 0, column: 0, message };
}
