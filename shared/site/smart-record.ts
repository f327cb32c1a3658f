// Records by line (docs/answers.md §6): for each line the sources of its answer, and where its
// clients go when all of them are failed. Pure.
import { setProblems } from './dns-data.ts';
import type { LineAnswer, SmartRecord, Source } from './dns-objects.ts';
import { MAX_TTL_SECONDS } from './dns-times.ts';
import { DEFAULT_LINE, nameOf } from './line.ts';
import type { ObjectProblem } from './problem.ts';
import { isName, type ValueReader } from './value.ts';
import { unless } from './zone.ts';

const SMART_TYPES = ['A', 'AAAA', 'CNAME', 'ALIAS'] as const;
export const DEFAULT_MIN_TTL_SECONDS = 5;
export const ALL_DOWN = ['all', 'default', 'none'] as const;
export const SMART_KEYS = ['allDown', 'lines', 'minTtl', 'overflow'] as const;
const ANSWER_KEYS = ['data', 'pool', 'sources', 'ttl'];

type Common = Pick<SmartRecord, 'name' | 'type' | 'ttlSeconds'>;

/** From a stored value; undefined: it has no lines, or the reader says what is wrong. */
export function readSmart(reader: ValueReader, common: Common): SmartRecord | undefined {
  const lines = readByLine(reader, 'lines', (inner, line) =>
    inner.within(line, ANSWER_KEYS, readAnswer),
  );
  const overflow = readByLine(reader, 'overflow', (inner, line) =>
    inner.list(line, 'names of lines', nameOf),
  );
  const minTtl = reader.integer('minTtl', 0, MAX_TTL_SECONDS);
  const allDown = reader.parsed('allDown', ALL_DOWN.join(' or '), (text) =>
    ALL_DOWN.find((each) => each === text),
  );
  if (lines !== undefined) {
    return {
      ...common,
      minTtlSeconds: minTtl ?? DEFAULT_MIN_TTL_SECONDS,
      lines,
      allDown: allDown ?? 'all',
      overflow: overflow ?? new Map(),
    };
  }
  const isSmart = overflow !== undefined || minTtl !== undefined || allDown !== undefined;
  if (isSmart && reader.reasons.length === 0) {
    reader.refuse('only a record with lines has allDown, minTtl and overflow');
  }
  return undefined;
}

function readByLine<T>(
  reader: ValueReader,
  key: string,
  read: (inner: ValueReader, line: string) => T | undefined,
): Map<string, T> | undefined {
  const names = Object.keys(reader.map(key) ?? {}).sort();
  return reader.within(key, names, (inner) => {
    const found = new Map<string, T>();
    for (const line of names) {
      if (!isName(line)) inner.refuse(`${JSON.stringify(line)} is not a name`);
      const value = read(inner, line);
      if (value !== undefined) found.set(line, value);
    }
    return found;
  });
}

function readAnswer(reader: ValueReader): LineAnswer {
  const ttl = reader.integer('ttl', 0, MAX_TTL_SECONDS);
  const own = readSource(reader);
  const listed = reader.each('sources', ['data', 'pool'], (inner) => {
    const source = readSource(inner);
    if (source === undefined) inner.refuse('has neither data nor a pool');
    return source;
  });
  const sources = [own, ...listed].filter((source) => source !== undefined);
  if (own !== undefined && listed.length > 0) reader.refuse('has sources beside others');
  return { sources, ...(ttl === undefined ? {} : { ttlSeconds: ttl }) };
}

function readSource(reader: ValueReader): Source | undefined {
  const pool = reader.name('pool');
  const data = reader.list('data', 'texts', (text) => text);
  if (pool !== undefined && data.length > 0) reader.refuse('has data and a pool');
  if (pool !== undefined) return { pool };
  return data.length > 0 ? { data } : undefined;
}

/** What is wrong with it in itself. */
export function smartProblems(record: SmartRecord): ObjectProblem[] {
  const { type, lines } = record;
  if (!SMART_TYPES.some((each) => each === type)) {
    const remedy = `give it data; by line are ${SMART_TYPES.join(', ')}`;
    return [{ message: `a ${type} has no lines`, remedy, at: ['type'] }];
  }
  const problems: ObjectProblem[] = [];
  if (!lines.has(DEFAULT_LINE)) {
    const message = 'there is no line default, for the clients whom no other one names';
    problems.push({ message, remedy: 'add default under lines', at: ['lines'] });
  }
  for (const [line, { sources }] of lines) {
    if (sources.length === 0) problems.push({ message: 'has no source', at: ['lines', line] });
    for (const [index, source] of sources.entries()) {
      const at = sourcePath(line, index, sources.length);
      problems.push(...sourceProblems(type, source, at));
    }
  }
  return [...problems, ...overflowProblems(record)];
}

/** Where a source is written; one that is alone may have its keys in the line itself. */
export function sourcePath(line: string, index: number, count: number): (string | number)[] {
  return count === 1 ? ['lines', line] : ['lines', line, 'sources', index];
}

function sourceProblems(
  type: string,
  source: Source,
  at: readonly (string | number)[],
): ObjectProblem[] {
  if ('data' in source) {
    return setProblems(type, source.data).map(({ at: within = [], ...problem }) => {
      return { ...problem, at: [...at, 'data', ...within] };
    });
  }
  if (type === 'A' || type === 'AAAA') return [];
  const remedy = 'give it data: the name that it leads to';
  return [{ message: `a ${type} takes no pool, which has addresses`, remedy, at: [...at, 'pool'] }];
}

function overflowProblems({ lines, overflow }: SmartRecord): ObjectProblem[] {
  const problems: ObjectProblem[] = [];
  for (const [line, others] of overflow) {
    const say = (message: string, ...at: (string | number)[]) =>
      problems.push({ message, at: ['overflow', line, ...at] });
    if (!lines.has(line)) say(`overflow of ${line}, which is none of its lines`);
    for (const [index, other] of others.entries()) {
      if (!lines.has(other)) say(`overflow to ${other}, which is none of its lines`, index);
      else if (others.indexOf(other) < index) say(`overflow to ${other} twice`, index);
    }
  }
  return problems;
}

/** In a stored value. */
export function storedSmart({ lines, overflow, allDown, minTtlSeconds }: SmartRecord) {
  return {
    allDown: unless('all', allDown),
    lines: byLine(lines, ({ sources, ttlSeconds }) => ({
      ...storedSources(sources),
      ttl: ttlSeconds,
    })),
    minTtl: unless(DEFAULT_MIN_TTL_SECONDS, minTtlSeconds),
    overflow: overflow.size === 0 ? undefined : byLine(overflow, (others) => others),
  };
}

/** One that is alone has its keys in the line itself. */
function storedSources(sources: readonly Source[]) {
  const [only] = sources;
  return only !== undefined && sources.length === 1 ? only : { sources };
}

/** Sorted by the names of lines. */
export function byLine<T, U>(map: ReadonlyMap<string, T>, write: (value: T) => U) {
  const entries = [...map].sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([line, value]) => [line, write(value)]));
}
