// Site files: YAML to objects, each with its place, or every error at once; and objects back to
// YAML. Several sources make one site: an object may stand in any of them, but only once.
import type { z } from 'zod';
import { explainIssues, wording } from '../config/explain.ts';
import { formatYaml, type Path, YamlSource } from '../config/yaml.ts';
import { ConfigError, type ConfigProblem } from '../errors.ts';
import type { ObjectRecord } from '../store/types.ts';
import { certificateProblems } from './certificate.ts';
import type { SiteProblem } from './check.ts';
import { classProblems } from './class.ts';
import { eipProblems } from './eip.ts';
import { entryOf } from './entry.ts';
import { forwardProblems } from './forward.ts';
import { groupProblems } from './group.ts';
import { formatObject, type Kind, keyOf, kinds, type SiteObject, sectionOf } from './kinds.ts';
import { lineProblems } from './line.ts';
import { listenerProblems } from './listener.ts';
import { nodeOf } from './node.ts';
import { keyOfCode } from './options.ts';
import type { ObjectProblem } from './problem.ts';
import { recordProblems } from './record.ts';
import { reservationProblems } from './reservation.ts';
import { routeProblems } from './route.ts';
import { eipOf, forwardOf, groupOf, siteSchema } from './schema.ts';
import { classOf, l3netOf, reservationOf, subnetOf } from './schema-dhcp.ts';
import { zoneOf } from './schema-dns.ts';
import { certificateOf, listenerOf } from './schema-lb.ts';
import { overrideOf, poolOf } from './schema-pools.ts';
import type { PemOf } from './schema-proxy.ts';
import { subnetProblems } from './subnet.ts';
import { poolProblems } from './target-pool.ts';
import { zoneProblems } from './zone.ts';

/**
 * `file` is shown in errors. `read` gives the text of a file that the source names, or says why
 * there is none.
 */
export type SiteSource = { file: string; text: string; read?: ReadText };
export type ReadText = (path: string) => { text: string } | { problem: string };

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
  const told = new Set<string>();
  const pemIn: PemIn = (section, index) => (given, at) =>
    pemOf(source, given, (message, key, remedy) => {
      told.add(`${section} ${index}`);
      problems.push(yaml.problem([section, index, ...at[key]], message, remedy));
    });
  for (const { item, index } of objectsOf(parsed.data, pemIn)) {
    const path: Path = [sectionOf(item.kind), index];
    const record = formatObject(item);
    const problem: PlacedObject['problem'] = (message, remedy, at = []) =>
      yaml.problem([...path, ...keysOf(yaml.value, path, at)], message, remedy);
    for (const { message, remedy, at } of told.has(path.join(' ')) ? [] : problemsOf(item)) {
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

/** Certificates of an entry of a section. */
type PemIn = (section: string, index: number) => PemOf;

function objectsOf(site: z.output<typeof siteSchema>, pemIn: PemIn): Written[] {
  const found: Written[] = [];
  const take = <Item>(
    items: Item[] | null | undefined,
    read: (item: Item, index: number) => SiteObject,
  ) => {
    items?.forEach((item, index) => {
      found.push({ item: read(item, index), index });
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
  take(site.pools, (item, at) => ({ kind: 'pool', object: poolOf(item, pemIn('pools', at)) }));
  take(site.overrides, (item) => ({ kind: 'override', object: overrideOf(item) }));
  take(site.zones, (item) => ({ kind: 'zone', object: zoneOf(item) }));
  take(site.records, (item) => ({ kind: 'record', object: item }));
  take(site.certificates, (item, at) => {
    return { kind: 'certificate', object: certificateOf(item, pemIn('certificates', at)) };
  });
  take(site.vservers, (item) => ({ kind: 'vserver', object: item }));
  take(site.listeners, (item, at) => {
    return { kind: 'listener', object: listenerOf(item, pemIn('listeners', at)) };
  });
  take(site.routes, (item) => ({ kind: 'route', object: item }));
  return found;
}

type SayOfPem = (message: string, key: 'text' | 'file', remedy?: string) => void;

/** A text, or that of the file that is named in its place; both at once is a mistake. */
function pemOf(
  { read }: SiteSource,
  { text, file }: { text?: string | undefined; file?: string | undefined },
  say: SayOfPem,
): string | undefined {
  if (file === undefined) return text;
  if (text !== undefined) say('is there beside the text itself', 'file', 'leave out one of them');
  const found = read?.(file) ?? { problem: 'cannot be read from here' };
  if ('text' in found) return found.text;
  say(`${file} ${found.problem}`, 'file');
  return undefined;
}

/** A text that may stand in a file of its own, and the key that then names the file. */
const FILE_KEYS: Readonly<Record<string, string>> = {
  chain: 'file',
  clientCa: 'clientCaFile',
  ca: 'caFile',
};

/**
 * As it is written: an option is known by its code, and is written by its name or its code; a text
 * may be that of a file.
 */
function keysOf(root: unknown, path: Path, at: Path): Path {
  const last = at.at(-1);
  const file = FILE_KEYS[String(last)];
  if (file !== undefined) {
    const before = at.slice(0, -1);
    const holder = writtenAt(root, [...path, ...before]);
    return holder !== undefined && Object.hasOwn(holder, file) ? [...before, file] : at;
  }
  const option = at.lastIndexOf('options') + 1;
  if (option === 0 || option >= at.length) return at;
  const written = writtenAt(root, [...path, ...at.slice(0, option)]);
  const key = keyOfCode(Object.keys(written ?? {}), String(at[option]));
  return key === undefined ? at : [...at.slice(0, option), key, ...at.slice(option + 1)];
}

function writtenAt(root: unknown, path: Path): object | undefined {
  let written = root;
  for (const step of path) {
    if (typeof written !== 'object' || written === null) return undefined;
    written = Reflect.get(written, step);
  }
  return typeof written === 'object' && written !== null ? written : undefined;
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
    case 'certificate':
      return certificateProblems(item.object);
    case 'listener':
      return listenerProblems(item.object);
    case 'route':
      return routeProblems(item.object);
    default:
      return [];
  }
}
