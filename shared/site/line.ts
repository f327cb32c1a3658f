// A line: a named set of client prefixes, and the lines whose answers serve where a record has none
// for it. Id: its name. Pure.
import { formatPrefix } from '../net/prefix.ts';
import type { ObjectRecord } from '../store/types.ts';
import { storedValue } from './dhcp-settings.ts';
import type { Line } from './dns-objects.ts';
import type { ObjectProblem } from './problem.ts';
import { type Refusal, refusal } from './refusal.ts';
import { isName, ValueReader } from './value.ts';
import { parseStoredPrefix, unlessEmpty } from './zone.ts';

/** The line of every client that no prefix names. */
export const DEFAULT_LINE = 'default';

/** From a stored object. */
export function parseLine(id: string, value: string): Line | Refusal {
  const reader = new ValueReader(`line ${id}`, value, ['fallback', 'prefixes']);
  if (!isName(id)) reader.refuse('the id is not a name');
  const line: Line = {
    name: id,
    prefixes: reader.list('prefixes', 'prefixes', parseStoredPrefix),
    fallback: reader.list('fallback', 'names', nameOf),
  };
  for (const { message } of lineProblems(line)) reader.refuse(message);
  return reader.reasons.length === 0 ? line : refusal(...reader.reasons);
}

export function nameOf(text: string): string | undefined {
  return isName(text) ? text : undefined;
}

/** What is wrong with a line in itself. */
export function lineProblems({ name, prefixes, fallback }: Line): ObjectProblem[] {
  const problems: ObjectProblem[] = [];
  if (name === DEFAULT_LINE) {
    const message = 'default is everybody whom no other line names: it is always there';
    problems.push({ message, remedy: 'call the line something else', at: ['name'] });
  }
  const seen = new Set<string>();
  for (const [index, prefix] of prefixes.map(formatPrefix).entries()) {
    const message = `prefix ${prefix} is there twice`;
    if (seen.has(prefix)) problems.push({ message, at: ['prefixes', index] });
    seen.add(prefix);
  }
  for (const [index, other] of fallback.entries()) {
    const say = (message: string) => problems.push({ message, at: ['fallback', index] });
    if (other === name) say('falls back to itself');
    else if (fallback.indexOf(other) < index) say(`falls back to ${other} twice`);
    else if (other === DEFAULT_LINE && index < fallback.length - 1) {
      say('default is always the last to fall back to');
    }
  }
  return problems;
}

export function formatLine({ name, prefixes, fallback }: Line): ObjectRecord {
  const value = storedValue({
    fallback: unlessEmpty(fallback),
    prefixes: unlessEmpty(prefixes.map(formatPrefix)),
  });
  return { kind: 'line', id: name, value };
}
