// Fields of a request or response that a route sets, adds and removes (RFC 9110, 5). Pure.
import { unlessNothing } from './canonical.ts';
import type { HeaderEdits } from './lb-objects.ts';
import type { ObjectProblem } from './problem.ts';
import type { ValueReader } from './value.ts';
import { unlessEmpty } from './zone.ts';

export const NO_EDITS: HeaderEdits = { set: [], add: [], remove: [] };
export const HEADER_NAME = 'the name of a header field, such as X-Request-Source';
const MAX_VALUE = 4096;
const MAX_NAME = 256;

/** Connection's own, or of the framing: written anew for each hop (RFC 9110, 7.6.1; 9112, 6). */
const OWN: ReadonlySet<string> = new Set([
  ...['connection', 'keep-alive', 'proxy-connection', 'te', 'trailer', 'transfer-encoding'],
  ...['upgrade', 'content-length', 'http2-settings', 'expect', 'via'],
]);

/** A token (RFC 9110, 5.6.2) that begins with a letter. */
export function parseHeaderName(text: string): string | undefined {
  return /^[A-Za-z][\w!#$%&'*+.^`|~-]*$/.test(text) && text.length <= MAX_NAME ? text : undefined;
}

/** As it is looked for: in lower case. */
export function parseFieldName(text: string): string | undefined {
  return parseHeaderName(text)?.toLowerCase();
}

export function isHeaderValue(text: string): boolean {
  return /^(?:[!-~](?:[\t -~]*[!-~])?)?$/.test(text) && text.length <= MAX_VALUE;
}

/** From a stored value. */
export function readEdits(reader: ValueReader, key: 'request' | 'response'): HeaderEdits {
  const read = (inner: ValueReader): HeaderEdits => ({
    set: pairsIn(inner, 'set', (value) => (typeof value === 'string' ? [value] : undefined)),
    add: pairsIn(inner, 'add', textsOf),
    remove: inner.list('remove', HEADER_NAME, parseHeaderName),
  });
  return reader.within(key, ['add', 'remove', 'set'], read) ?? NO_EDITS;
}

type Pair = readonly [name: string, value: string];

function pairsIn(
  reader: ValueReader,
  key: string,
  read: (value: unknown) => readonly string[] | undefined,
): Pair[] {
  return Object.entries(reader.map(key) ?? {}).flatMap(([name, value]): Pair[] => {
    const values = read(value);
    if (values === undefined) reader.refuse(`${key} ${JSON.stringify(name)} is not a text`);
    return (values ?? []).map((each) => [name, each]);
  });
}

/** A text, or several of them in a list. */
function textsOf(value: unknown): readonly string[] | undefined {
  if (typeof value === 'string') return [value];
  const isList = Array.isArray(value) && value.every((each) => typeof each === 'string');
  return isList ? value : undefined;
}

/** In a stored value, and in a site file. */
export function saidEdits({ set, add, remove }: HeaderEdits) {
  return unlessNothing({
    set: set.length === 0 ? undefined : Object.fromEntries(set),
    add: add.length === 0 ? undefined : valuesByName(add),
    remove: unlessEmpty(remove),
  });
}

/** One that is alone is a text; pairs come sorted by name. */
function valuesByName(pairs: readonly Pair[]): Record<string, string | string[]> {
  const byName = new Map<string, string[]>();
  for (const [name, value] of pairs) byName.set(name, [...(byName.get(name) ?? []), value]);
  return Object.fromEntries(
    [...byName].map(([name, values]) => [name, values.length === 1 ? (values[0] ?? '') : values]),
  );
}

/** By name; values of one name stay in their order. */
export function sortedPairs(pairs: readonly Pair[]): Pair[] {
  return pairs.toSorted(([a], [b]) => (a === b ? 0 : a < b ? -1 : 1));
}

/** What is wrong with edits in themselves; `key` is where they are written. */
export function editProblems(
  key: 'request' | 'response',
  { set, add, remove }: HeaderEdits,
): ObjectProblem[] {
  const problems: ObjectProblem[] = [];
  const seen = new Set<string>();
  const named = [
    ...set.map(([name]) => ({ name, at: [key, 'set', name] })),
    ...[...new Set(add.map(([name]) => name))].map((name) => ({ name, at: [key, 'add', name] })),
    ...remove.map((name, index) => ({ name, at: [key, 'remove', index] })),
  ];
  for (const { name, at } of named) {
    const lower = name.toLowerCase();
    const isAgain = seen.has(`${at[1] === 'add' ? 'add ' : ''}${lower}`);
    const problem = nameProblem(key, name) ?? (isAgain ? again(name) : undefined);
    if (problem !== undefined) problems.push({ ...problem, at });
    seen.add(`${at[1] === 'add' ? 'add ' : ''}${lower}`);
  }
  for (const [list, pairs] of Object.entries({ set, add })) {
    for (const [name, value] of pairs) {
      if (isHeaderValue(value)) continue;
      const message = `the value of ${name} is not printable ASCII without blanks at its ends`;
      problems.push({ message, at: [key, list, name] });
    }
  }
  return problems;
}

function again(name: string) {
  return { message: `${name} is there twice`, remedy: 'upper and lower case are the same' };
}

function nameProblem(key: string, name: string): Omit<ObjectProblem, 'at'> | undefined {
  const shown = JSON.stringify(name);
  if (parseHeaderName(name) === undefined) return { message: `${shown} is not ${HEADER_NAME}` };
  if (name.includes('_')) {
    const remedy = 'fields whose name has one are never sent on';
    return { message: `${shown} has an underscore`, remedy };
  }
  const lower = name.toLowerCase();
  if (OWN.has(lower)) {
    const message = `${name} belongs to the connection, or to the balancer itself`;
    return { message, remedy: 'it is written anew for each hop' };
  }
  if (key === 'request' && lower === 'host') {
    return { message: 'Host is not edited as a field', remedy: 'write rewriteHost' };
  }
  return undefined;
}
