// The site as it would be, checked whole before anything is stored.

import { ConfigError, type ConfigProblem, OperationalError } from '../errors.ts';
import { checkSite, type SiteProblem, warnSite } from '../site/check.ts';
import type { Difference } from '../site/diff.ts';
import type { PlacedObject, SiteFile } from '../site/file.ts';
import { isOfNewerKind, parseObject, type SiteObject } from '../site/kinds.ts';
import { isRefusal } from '../site/refusal.ts';
import { isNewer } from '../site/value.ts';
import type { ObjectRecord } from '../store/types.ts';
import { certificateProblems, certificateWarnings } from './check-certificates.ts';
import type { Context } from './context.ts';
import { keyOf, type SiteState } from './state.ts';

const SHOWN = 20;

type Problems = { objects: SiteObject[]; found: SiteProblem[]; unreadable: string[] };

function problemsOf(records: Iterable<ObjectRecord>): Problems {
  const objects: SiteObject[] = [];
  const unreadable: string[] = [];
  for (const record of records) {
    const parsed = parseObject(record);
    if (isOfNewerKind(record)) continue;
    if (isRefusal(parsed)) unreadable.push(...parsed.reasons);
    else objects.push(parsed);
  }
  return { objects, found: [...checkSite(objects), ...certificateProblems(objects)], unreadable };
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

/**
 * Throws a ConfigError with places when the change comes from files, else EDGE_CTL_REFUSED. A site
 * that is wrong already may be changed only to have fewer problems and no new one. Resolves with
 * warnings of what the change is about, and of what it leaves alone but was right before.
 */
export async function checkChanges(
  { clock }: Pick<Context, 'clock'>,
  state: SiteState,
  differences: readonly Difference[],
  files: SiteFile | undefined,
): Promise<string[]> {
  if (differences.length === 0) return [];
  refuseNewer(differences);
  const problems = problemsOf(state.after(differences).values());
  const said = texts(problems);
  const nowSeconds = Math.floor(clock.nowMs() / 1000);
  const warnings = () => warningsOf(problems.objects, { state, differences, files, nowSeconds });
  if (said.length === 0) return warnings();
  const before = new Set(texts(problemsOf(state.records.values())));
  const fresh = said.filter((text) => !before.has(text));
  if (fresh.length === 0 && said.length < before.size) {
    return warnings();
  }
  if (files !== undefined) throw new ConfigError(await placed(problems, files));
  const remedy = remedyOf(fresh, differences);
  const named = new Set(differences.map(({ kind, id }) => keyOf(kind, id)));
  const shown = toldTexts(problems, named).slice(0, SHOWN);
  if (said.length > SHOWN) shown.push(`and ${said.length - SHOWN} more`);
  throw new OperationalError('EDGE_CTL_REFUSED', shown.join('\n'), remedy ? { remedy } : {});
}

type Changed = {
  state: SiteState;
  differences: readonly Difference[];
  files: SiteFile | undefined;
  nowSeconds: number;
};

function warningsIn(objects: readonly SiteObject[], nowSeconds: number): SiteProblem[] {
  return [...warnSite(objects, nowSeconds), ...certificateWarnings(objects, nowSeconds * 1000)];
}

function warningsOf(
  objects: readonly SiteObject[],
  { state, differences, files, nowSeconds }: Changed,
): string[] {
  const found = warningsIn(objects, nowSeconds);
  if (found.length === 0) return [];
  const told = ({ kind, id, message }: SiteProblem) => `${kind} ${id} ${message}`;
  const named = new Set(differences.map(({ kind, id }) => keyOf(kind, id)));
  const earlier = problemsOf(state.records.values()).objects;
  const before = new Set(warningsIn(earlier, nowSeconds).map(told));
  const placed = byKey(files);
  return found
    .filter((each) => named.has(keyOf(each.kind, each.id)) || !before.has(told(each)))
    .map((each) => {
      const { kind, id, message, remedy, at } = each;
      const place = placed.get(keyOf(kind, id))?.problem('', undefined, at);
      const todo = remedy === undefined ? '' : ` (${remedy})`;
      return { place, text: `warning: ${kind} ${id}: ${message}${todo}` };
    })
    .sort((a, b) => byPlace(a.place, b.place))
    .map(({ place, text }) => {
      return place === undefined ? text : `${place.file}:${place.line}:${place.column}: ${text}`;
    });
}

/** As the files have them; what they do not have first. */
function byPlace(a: ConfigProblem | undefined, b: ConfigProblem | undefined): number {
  if (a === undefined || b === undefined) return Number(a !== undefined) - Number(b !== undefined);
  if (a.file !== b.file) return a.file < b.file ? -1 : 1;
  return a.line - b.line || a.column - b.column;
}

function byKey(files: SiteFile | undefined): Map<string, PlacedObject> {
  const objects = files?.objects ?? [];
  return new Map(objects.map((each) => [keyOf(each.record.kind, each.record.id), each]));
}

/** On stderr, the first of them. */
export async function tellWarnings({ err }: Context, warnings: readonly string[]): Promise<void> {
  for (const warning of warnings.slice(0, SHOWN)) await err.line(`edgectl: ${warning}`);
  const more = warnings.length - SHOWN;
  if (more > 0) await err.line(`edgectl: and ${more} more warning${more === 1 ? '' : 's'}`);
}

function remedyOf(fresh: readonly string[], differences: readonly Difference[]): string {
  if (fresh.length === 0) return 'the stored site is wrong already: correct that first';
  const isDelete = differences.every(({ after }) => after === undefined);
  return isDelete ? 'that is still in use: change or delete what uses it first' : '';
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
  const inFiles = byKey(files);
  const own = found.filter(({ kind, id }) => inFiles.has(keyOf(kind, id)));
  const others = found.filter(({ kind, id }) => !inFiles.has(keyOf(kind, id)));
  const places = files.objects.map(({ record }, index) => [record.id, index] as const);
  const byId = new Map(places.reverse()); // of an id that comes twice the first counts
  const blame = (each: SiteProblem) => blamed(each, files, byId);
  return [...placeProblems(files, own), ...others.map(blame), ...stored];
}

/** What the files make wrong with a stored object, at the place of what they say if it is found. */
function blamed(
  problem: SiteProblem,
  files: SiteFile,
  byId: ReadonlyMap<string, number>,
): ConfigProblem {
  const words = problem.message.split(/[\s,]+/).flatMap((word) => byId.get(word) ?? []);
  const cause = words.length === 0 ? undefined : files.objects[Math.min(...words)];
  const message = `stored ${problem.kind} ${problem.id}: ${problem.message}`;
  return cause?.problem(message) ?? { file: 'stored site', line: 0, column: 0, message };
}
