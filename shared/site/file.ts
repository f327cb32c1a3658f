// Site files: YAML to objects, each with its place, or every error at once; and objects back to
// YAML. Several sources make one site: an object may stand in any of them, but only once.
import type { z } from 'zod';
import { explainIssues, wording } from '../config/explain.ts';
import { formatYaml, type Path, YamlSource } from '../config/yaml.ts';
import { ConfigError, type ConfigProblem } from '../errors.ts';
import type { ObjectRecord } from '../store/types.ts';
import type { SiteProblem } from './check.ts';
import { classProblems } from './class.ts';
import { eipProblems } from './eip.ts';
import { entryOf } from './entry.ts';
import { forwardProblems } from './forward.ts';
import { groupProblems } from './group.ts';
import { formatObject, type Kind, keyOf, kinds, type SiteObject, sectionOf } from './kinds.ts';
import { lineProblems } from './line.ts';
import { nodeOf } from './node.ts';
import { keyOfCode } from './options.ts';
import type { ObjectProblem } from './problem.ts';
import { recordProblems } from './record.ts';
import { reservationProblems } from './reservation.ts';
import { eipOf, forwardOf, groupOf, siteSchema } from './schema.ts';
import { classOf, l3netOf, reservationOf, subnetOf } from './schema-dhcp.ts';
import { zoneOf } from './schema-dns.ts';
import { overrideOf, poolOf } from './schema-pools.ts';
import { subnetProblems } from './subnet.ts';
import { poolProblems } from './target-pool.ts';
import { zoneProblems } from './zone.ts';

/** `file` is shown in errors. */
export type SiteSource = { file: string; text: string };

export type PlacedObject = {
  item: SiteObject;
  record: ObjectRecord;
  /** Makes a problem at the place where the object is written, or at what `at` leads to in it. */
  problem(message: string, remedy?: string, at?: Path): ConfigProblem;
};

export type SiteFile = {
  objects: PlacedObject[];
  /** The kinds whose section is written in a source, empty or not. */
  kinds: Kind[];
};

/**
 * Throws a ConfigError with every problem of syntax, schema and single objects, and with
 * repetitions.
 */
export function readSite(sources: readonly SiteSource[]): SiteFile {
  const problems: ConfigProblem[] = [];
  const objects = new Map<string, PlacedObject>();
  const written = new Set<Kind>();
  for (const source of sources) {
    try {
      for (const kind of readSource(source, objects, problems)) written.add(kind);
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      problems.push(...error.problems);
    }
  }
  if (problems.length > 0) throw new ConfigError(problems);
  return { objects: [...objects.values()], kinds: [...written] };
}

/**
 * What checkSite() found, at the places of the objects in the file; of others, as text of the site.
 */
export function placeProblems(site: SiteFile, found: readonly SiteProblem[]): ConfigProblem[] {
  if (found.length === 0) return [];
  const byId = new Map(site.objects.map((each) => [keyOf(each.record), each]));
  return found.map(({ kind, id, message, remedy, at }) => {
    const placed = byId.get(`${kind} ${id}`);
    if (placed !== undefined) return placed.problem(`${kind} ${id}: ${message}`, remedy, at);
    return { file: 'stored site', line: 0, column: 0, message: `${kind} ${id}: ${message}` };
  });
}

/** As YAML that readSite() takes back. Sections without objects are left out. */
export function formatSite(objects: Iterable<SiteObject>): string {
  const sections: Record<string, unknown[]> = {};
  for (const item of objects) {
    const section = sectionOf(item.kind);
    sections[section] ??= [];
    sections[section].push(entryOf(item));
  }
  const order = kinds.map((entry) => entry.section).filter((section) => section in sections);
  return formatYaml(Object.fromEntries(order.map((section) => [section, sections[section]])));
}

function readSource(
  source: SiteSource,
  objects: Map<string, PlacedObject>,
  problems: ConfigProblem[],
): Kind[] {
  const yaml = new YamlSource(source.file, source.text);
  const parsed = siteSchema.safeParse(yaml.value ?? {}, { error: wording });
  if (!parsed.success) {
    throw new ConfigError(explainIssues(parsed.error.issues, siteSchema, yaml));
  }
  for (const { item, index } of objectsOf(parsed.data)) {
    const path: Path = [sectionOf(item.kind), index];
    const record = formatObject(item);
    const problem: PlacedObject['problem'] = (message, remedy, at = []) =>
      yaml.problem([...path, ...keysOf(yaml.value, path, at)], message, remedy);
    for (const { message, remedy, at } of problemsOf(item)) {
      problems.push(problem(message, remedy, at));
    }
    const key = keyOf(record);
    const first = objects.get(key)?.problem('');
    if (first === undefined) objects.set(key, { item, record, problem });
    else problems.push(problem(`${key} stands already at ${first.file}:${first.line}`));
  }
  const present = kinds.filter((entry) => Object.hasOwn(parsed.data, entry.section));
  return present.map((entry) => entry.kind);
}

type Written = { item: SiteObject; index: number };

function objectsOf(site: z.output<typeof siteSchema>): Written[] {
  const found: Written[] = [];
  const take = <Item>(items: Item[] | null | undefined, read: (item: Item) => SiteObject) => {
    items?.forEach((item, index) => {
      found.push({ item: read(item), index });
    });
  };
  take(site.nodes, (item) => ({ kind: 'node', object: nodeOf(item) }));
  take(site.groups, (item) => ({ kind: 'group', object: groupOf(item) }));
  take(site.eips, (item) => ({ kind: 'eip', object: eipOf(item) }));
  take(site.forwards, (item) => ({ kind: 'forward', object: forwardOf(item) }));
  take(site.classes, (item) => ({ kind: 'class', object: classOf(item) }));
  take(site.l3nets, (item) => ({ kind: 'l3net', object: l3netOf(item) }));
  take(site.subnets, (item) => ({ kind: 'subnet', object: subnetOf(item) }));
  take(site.reservations, (item) => ({ kind: 'reservation', object: reservationOf(item) }));
  take(site.lines, (item) => ({ kind: 'line', object: item }));
  take(site.pools, (item) => ({ kind: 'pool', object: poolOf(item) }));
  take(site.overrides, (item) => ({ kind: 'override', object: overrideOf(item) }));
  take(site.zones, (item) => ({ kind: 'zone', object: zoneOf(item) }));
  take(site.records, (item) => ({ kind: 'record', object: item }));
  return found;
}

/** An option is known by its code, and is written by its name or its code. */
function keysOf(root: unknown, path: Path, at: Path): Path {
  const option = at.lastIndexOf('options') + 1;
  if (option === 0 || option >= at.length) return at;
  let written = root;
  for (const step of [...path, ...at.slice(0, option)]) {
    if (typeof written !== 'object' || written === null) return at;
    written = Reflect.get(written, step);
  }
  const key = keyOfCode(Object.keys(written ?? {}), String(at[option]));
  return key === undefined ? at : [...at.slice(0, option), key, ...at.slice(option + 1)];
}

function problemsOf(item: SiteObject): ObjectProblem[] {
  switch (item.kind) {
    case 'eip':
      return eipProblems(item.object).map((message) => ({ message }));
    case 'forward':
      return forwardProblems(item.object).map((message) => ({ message }));
    case 'group':
      return groupProblems(item.object).map((message) => ({ message }));
    case 'subnet':
      return subnetProblems(item.object);
    case 'reservation':
      return reservationProblems(item.object);
    case 'class':
      return classProblems(item.object);
    case 'line':
      return lineProblems(item.object);
    case 'pool':
      return poolProblems(item.object);
    case 'zone':
      return zoneProblems(item.object);
    case 'record':
      return recordProblems(item.object);
    default:
      return [];
  }
}
