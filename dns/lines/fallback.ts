// Numbers of lines, and where each looks when a record has nothing for it. Pure.
import { DEFAULT_LINE, type LineSettings, MAX_LINES } from './types.ts';

export type LineNames = {
  /** By number; [0] is `default`, the others by name, whoever named them first. */
  lines: readonly string[];
  /** As `PolicyInput` takes it: lines that have some, `default` left out. */
  fallbacks: ReadonlyMap<string, readonly string[]>;
};

export type LineProblem = { line: string; message: string; remedy: string };

/**
 * `listed`: the lines that files name. What is wrong with the settings is told all at once; then
 * they are no good.
 */
export function nameLines(
  settings: readonly LineSettings[],
  listed: readonly string[],
): LineNames | { problems: LineProblem[] } {
  const names = new Set([...settings.map(({ name }) => name), ...listed]);
  names.delete(DEFAULT_LINE);
  const problems = [...doubled(settings), ...settings.flatMap((each) => problemsOf(each, names))];
  if (names.size >= MAX_LINES) {
    const message = `${names.size} lines, more than ${MAX_LINES - 1}`;
    problems.push({ line: DEFAULT_LINE, message, remedy: 'name fewer lines in the list files' });
  }
  if (problems.length > 0) return { problems };
  const lines = [DEFAULT_LINE, ...[...names].sort(byCodeUnit)];
  const fallbacks = settings
    .map(({ name, fallback }) => [name, fallback.filter((each) => each !== DEFAULT_LINE)] as const)
    .filter(([, fallback]) => fallback.length > 0);
  return { lines, fallbacks: new Map(fallbacks) };
}

function doubled(settings: readonly LineSettings[]): LineProblem[] {
  const seen = new Set<string>();
  return settings.flatMap(({ name }) => {
    if (!seen.has(name)) {
      seen.add(name);
      return [];
    }
    return [{ line: name, message: `line ${name} is there twice`, remedy: 'keep one of them' }];
  });
}

function problemsOf({ name, fallback }: LineSettings, names: ReadonlySet<string>): LineProblem[] {
  const problem = (message: string, remedy: string) => ({ line: name, message, remedy });
  if (name === DEFAULT_LINE && fallback.length > 0)
    return [problem(`line ${name} falls back to ${fallback[0]}`, `${name} is always the last`)];
  return fallback.flatMap((other, index) => {
    if (other === name) return [problem(`line ${name} falls back to itself`, `remove ${other}`)];
    if (fallback.indexOf(other) < index)
      return [problem(`line ${name} falls back to ${other} twice`, 'keep the first')];
    if (other === DEFAULT_LINE)
      return index === fallback.length - 1
        ? []
        : [problem(`line ${name} has lines after ${other}`, `${other} is always the last`)];
    if (names.has(other)) return [];
    return [
      problem(
        `line ${name} falls back to ${other}, which no object and no list file names`,
        `define line ${other}, or remove it`,
      ),
    ];
  });
}

function byCodeUnit(a: string, b: string): number {
  return a < b ? -1 : 1;
}
