// What a schema found, in an operator's words and at its place in the file.
import { z } from 'zod';
import type { ConfigProblem } from '../errors.ts';
import { didYouMean } from './suggest.ts';
import { nameOf, quote } from './value-name.ts';
import type { Path, YamlSource } from './yaml.ts';

type Issue = z.core.$ZodIssue;

/**
 * The wording for issues whose schema brings none of its own; goes to zod as the error map of a
 * parse.
 */
export function wording(issue: z.core.$ZodRawIssue): string | undefined {
  switch (issue.code) {
    case 'invalid_type':
      return `expected ${typeName(issue.expected)}, this is ${nameOf(issue.input)}`;
    case 'invalid_value':
      return `expected ${issue.values.map(quote).join(' or ')}, this is ${nameOf(issue.input)}`;
    case 'too_small':
      return bound(issue.origin, issue.inclusive ? 'at least' : 'more than', issue.minimum);
    case 'too_big':
      return bound(issue.origin, issue.inclusive ? 'at most' : 'less than', issue.maximum);
    case 'invalid_format':
      return `${nameOf(issue.input)} is not ${formatName(issue.format)}`;
    default:
      return undefined;
  }
}

export function explainIssues(
  issues: readonly Issue[],
  schema: z.ZodType,
  source: YamlSource,
  under: Path = [],
): ConfigProblem[] {
  return issues.flatMap((issue) => {
    // YAML keys are strings or numbers, never symbols.
    const path = [...under, ...(issue.path as (string | number)[])];
    return explainIssue(issue, path, schema, source);
  });
}

function explainIssue(issue: Issue, path: Path, schema: z.ZodType, source: YamlSource) {
  if (issue.code === 'unrecognized_keys') {
    const known = keysAt(schema, path);
    return issue.keys.map((key) => {
      const at = [...path, key];
      // Known all the same: by an alternative that what stands beside it has ruled out.
      if (known.includes(key)) return source.keyProblem(at, `key ${quote(key)} does not fit here`);
      return source.keyProblem(at, `unknown key ${quote(key)}`, didYouMean(key, known));
    });
  }
  const input = valueAt(source.value, path);
  const name = path.at(-1);
  if (input === undefined && name !== undefined) {
    return [source.problem(path, `${quote(String(name))} is missing`)];
  }
  if (issue.code === 'invalid_union') return explainUnion(issue, path, input, schema, source);
  if (issue.code === 'invalid_key') {
    const why = issue.issues[0]?.message ?? issue.message;
    return [source.keyProblem(path, `${quote(String(name))} cannot be a key here: ${why}`)];
  }
  const options = issue.code === 'invalid_value' ? issue.values.map(String) : [];
  const meant = typeof input === 'string' ? didYouMean(input, options) : undefined;
  return [source.problem(path, issue.message, remedyOf(issue) ?? meant)];
}

/**
 * Of the alternatives, the one that came nearest speaks; when none took the type at all, each says
 * what it wants.
 */
function explainUnion(
  issue: Extract<Issue, { code: 'invalid_union' }>,
  path: Path,
  input: unknown,
  schema: z.ZodType,
  source: YamlSource,
): ConfigProblem[] {
  const options =
    'options' in issue && Array.isArray(issue.options) ? issue.options.map(String) : [];
  if (issue.errors.length === 0) {
    const message = `expected ${options.map(quote).join(' or ')}, this is ${nameOf(input)}`;
    return [source.problem(path, message, didYouMean(String(input), options))];
  }
  const entered = issue.errors.filter((issues) => !issues.some(isOfTheWhole));
  const nearest = entered.toSorted((a, b) => a.length - b.length)[0];
  if (nearest !== undefined) return explainIssues(nearest, schema, source, path);
  const messages = new Set(issue.errors.flatMap((issues) => issues.map(({ message }) => message)));
  return [source.problem(path, [...messages].join(', or '))];
}

function isOfTheWhole(issue: Issue): boolean {
  return issue.path.length === 0 && issue.code !== 'unrecognized_keys';
}

function remedyOf(issue: Issue): string | undefined {
  const remedy = issue.code === 'custom' ? issue.params?.remedy : undefined;
  return typeof remedy === 'string' ? remedy : undefined;
}

/** Every key that the schema knows at a path, over all its alternatives. */
function keysAt(schema: unknown, path: Path): string[] {
  const inner = unwrapped(schema);
  if (inner instanceof z.ZodUnion) return inner.options.flatMap((option) => keysAt(option, path));
  const [step, ...rest] = path;
  if (step === undefined) return inner instanceof z.ZodObject ? Object.keys(inner.shape) : [];
  if (inner instanceof z.ZodObject) return keysAt(inner.shape[step], rest);
  if (inner instanceof z.ZodArray) return keysAt(inner.element, rest);
  if (inner instanceof z.ZodRecord) return keysAt(inner.valueType, rest);
  return [];
}

function unwrapped(schema: unknown): unknown {
  let inner = schema;
  for (;;) {
    if (inner instanceof z.ZodPipe) {
      inner = inner.in instanceof z.ZodTransform ? inner.out : inner.in; // preprocessed
    } else if (
      inner instanceof z.ZodOptional ||
      inner instanceof z.ZodNullable ||
      inner instanceof z.ZodDefault ||
      inner instanceof z.ZodPrefault ||
      inner instanceof z.ZodReadonly ||
      inner instanceof z.ZodLazy
    ) {
      inner = inner.unwrap();
    } else return inner;
  }
}

function valueAt(value: unknown, path: Path): unknown {
  let inner = value;
  for (const step of path) {
    if (typeof inner !== 'object' || inner === null || !Object.hasOwn(inner, step))
      return undefined;
    inner = Reflect.get(inner, step);
  }
  return inner;
}

const typeNames: Record<string, string> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  object: 'a map',
  record: 'a map',
  array: 'a list',
  null: 'nothing',
};

function formatName(format: string): string {
  return format === 'regex' ? 'well-formed' : `a valid ${format}`;
}

function typeName(type: string): string {
  return typeNames[type] ?? type;
}

function bound(origin: string, comparison: string, limit: number | bigint): string {
  if (origin === 'number' || origin === 'int' || origin === 'bigint') {
    return `must be ${comparison} ${limit}`;
  }
  const unit = origin === 'string' ? 'character' : 'item';
  return `must have ${comparison} ${limit} ${unit}${Number(limit) === 1 ? '' : 's'}`;
}
