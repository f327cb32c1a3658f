// A service's README is a contract: its sections, and the names in it equal to those in the code,
// both ways.
import type { Finding } from './finding.ts';

export const readmeSections = [
  'Name',
  'Description',
  'Config',
  'Metrics',
  'Events',
  'Signals',
  'Failure modes',
  'Limits',
  'Privileges',
] as const;

export type ReadmeSection = { title: string; line: number; text: string };

export function sectionsOf(markdown: string): ReadmeSection[] {
  const sections: ReadmeSection[] = [];
  let current: ReadmeSection | undefined;
  for (const [index, line] of markdown.split('\n').entries()) {
    const title = /^## (.*\S)/.exec(line)?.[1];
    if (title === undefined) {
      if (current !== undefined) current.text += `${line}\n`;
      continue;
    }
    current = { title, line: index + 1, text: '' };
    sections.push(current);
  }
  return sections;
}

export function sectionFindings(path: string, markdown: string): Finding[] {
  const titles = sectionsOf(markdown).map(({ title }) => title);
  return readmeSections
    .filter((section) => !titles.includes(section))
    .map((section) => ({ path, line: 1, message: `section "${section}" is missing` }));
}

/** The first YAML block of a section. */
export function yamlBlock(markdown: string, title: string): string | undefined {
  const section = sectionsOf(markdown).find((each) => each.title === title);
  return /```yaml\n([\s\S]*?)```/.exec(section?.text ?? '')?.[1];
}

/** Names in code quotes in the first column of a section's tables: `| \`name\` | …`. */
export function tabled(markdown: string, title: string): Map<string, number> {
  const names = new Map<string, number>();
  const section = sectionsOf(markdown).find((each) => each.title === title);
  for (const [index, line] of (section?.text ?? '').split('\n').entries()) {
    const name = /^\|\s*`([^`{]+)[^`]*`/.exec(line)?.[1];
    if (name !== undefined) names.set(name, (section?.line ?? 0) + index + 1);
  }
  return names;
}

/** Where the documented names and those of the code differ. */
export function differences(
  path: string,
  what: string,
  documented: ReadonlyMap<string, number>,
  inCode: Iterable<string>,
): Finding[] {
  const known = new Set(inCode);
  const missing = [...known].filter((name) => !documented.has(name));
  const stale = [...documented].filter(([name]) => !known.has(name));
  return [
    ...missing.map((name) => ({ path, line: 1, message: `${what} \`${name}\` is not documented` })),
    ...stale.map(([name, line]) => ({
      path,
      line,
      message: `${what} \`${name}\` is not in the code`,
    })),
  ];
}
