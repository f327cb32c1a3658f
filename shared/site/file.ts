// Site files: YAML to objects, each with its place, or every error at once; and objects back to
// YAML. Several sources make one site: an object may stand in any of them, but only once.
import { explainIssues, wording } from '../config/explain.ts';
import { formatYaml, type Path, YamlSource } from '../config/yaml.ts';
import { ConfigError, type ConfigProblem } from '../errors.ts';
import { formatIpv4 } from '../net/ipv4.ts';
import { formatRate, formatSize } from '../net/units.ts';
import type { ObjectRecord } from '../store/types.ts';
import type { SiteProblem } from './check.ts';
import { eipProblems } from './eip.ts';
import { formatForwardFrom, formatForwardTo, forwardProblems } from './forward.ts';
import { type Group, groupProblems } from './group.ts';
import { formatObject, type Kind, keyOf, kinds, type SiteObject } from './kinds.ts';
import { eipOf, forwardOf, groupOf, siteSchema } from './schema.ts';

/** `file` is shown in errors. */
export type SiteSource = { file: string; text: string };

export type PlacedObject = {
  item: SiteObject;
  record: ObjectRecord;
  /** Makes a problem at the place where the object is written. */
  problem(message: string, remedy?: string): ConfigProblem;
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
  return found.map(({ kind, id, message, remedy }) => {
    const placed = byId.get(`${kind} ${id}`);
    if (placed !== undefined) return placed.problem(`${kind} ${id}: ${message}`, remedy);
    return { file: 'stored site', line: 0, column: 0, message: `${kind} ${id}: ${message}` };
  });
}

/** As YAML that readSite() takes back. Sections without objects are left out. */
export function formatSite(objects: Iterable<SiteObject>): string {
  const sections: Record<string, unknown[]> = {};
  for (const item of objects) {
    const section = sectionOf(item.kind);
    sections[section] ??= [];
    sections[section].push(writtenObject(item));
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
  const { eips, forwards, groups, nodes } = parsed.data;
  const take = (item: SiteObject, index: number) => {
    const path: Path = [sectionOf(item.kind), index];
    const record = formatObject(item);
    const problem = (message: string, remedy?: string) => yaml.problem(path, message, remedy);
    for (const message of problemsOf(item)) problems.push(problem(message));
    const key = keyOf(record);
    const first = objects.get(key)?.problem('');
    if (first === undefined) objects.set(key, { item, record, problem });
    else problems.push(problem(`${key} stands already at ${first.file}:${first.line}`));
  };
  nodes?.forEach((object, index) => {
    take({ kind: 'node', object }, index);
  });
  groups?.forEach((item, index) => {
    take({ kind: 'group', object: groupOf(item) }, index);
  });
  eips?.forEach((item, index) => {
    take({ kind: 'eip', object: eipOf(item) }, index);
  });
  forwards?.forEach((item, index) => {
    take({ kind: 'forward', object: forwardOf(item) }, index);
  });
  const present = kinds.filter((entry) => Object.hasOwn(parsed.data, entry.section));
  return present.map((entry) => entry.kind);
}

function problemsOf(item: SiteObject): string[] {
  if (item.kind === 'eip') return eipProblems(item.object);
  if (item.kind === 'forward') return forwardProblems(item.object);
  return item.kind === 'group' ? groupProblems(item.object) : [];
}

function writtenObject(item: SiteObject): object {
  switch (item.kind) {
    case 'eip': {
      const { address, private: inside, group, source } = item.object;
      const limit = writtenLimit(item.object);
      return {
        address: formatIpv4(address),
        ...(inside === undefined ? {} : { private: formatIpv4(inside) }),
        ...(Object.keys(limit).length === 0 ? {} : { limit }),
        ...(group === undefined ? {} : { group }),
        ...(source === undefined ? {} : { source }),
      };
    }
    case 'forward':
      return { from: formatForwardFrom(item.object), to: formatForwardTo(item.object) };
    case 'group':
      return { name: item.object.name, ...writtenLimit(item.object) };
    case 'node':
      return item.object.drain
        ? { name: item.object.name, drain: true }
        : { name: item.object.name };
  }
}

function writtenLimit(limit: Omit<Group, 'name'>): object {
  const { inBitsPerSecond, outBitsPerSecond, burstBytes } = limit;
  return {
    ...(inBitsPerSecond === undefined ? {} : { in: formatRate(inBitsPerSecond) }),
    ...(outBitsPerSecond === undefined ? {} : { out: formatRate(outBitsPerSecond) }),
    ...(burstBytes === undefined ? {} : { burst: formatSize(burstBytes) }),
  };
}

function sectionOf(kind: Kind): string {
  return `${kind}s`;
}
