// One spelling of a stored value: keys sorted at every depth, nothing that is not said. What is
// read and would not be written so is refused. Pure.
import type { ObjectRecord } from '../store/types.ts';
import type { ObjectProblem } from './problem.ts';
import { type Refusal, refusal } from './refusal.ts';
import { isNewer, type ValueReader } from './value.ts';

/** Of plain data: without what is undefined, keys in order. */
export function inOrder(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(inOrder);
  if (typeof value !== 'object' || value === null) return value;
  const said = Object.entries(value).filter(([, inner]) => inner !== undefined);
  const sorted = said.sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(sorted.map(([key, inner]) => [key, inOrder(inner)]));
}

export function canonicalValue(fields: Record<string, unknown>): string {
  return JSON.stringify(inOrder(fields));
}

/** Undefined where nothing is said. */
export function unlessNothing<T extends object>(fields: T): T | undefined {
  return Object.values(fields).every((value) => value === undefined) ? undefined : fields;
}

/** `found`, unless the reader, its own problems, or its spelling speak against it. */
export function ifCanonical<T extends object>(
  reader: ValueReader,
  value: string,
  found: T,
  kind: { problemsOf: (object: T) => ObjectProblem[]; format: (object: T) => ObjectRecord },
): T | Refusal {
  if (reader.reasons.length > 0) return refusal(...reader.reasons);
  for (const { message } of kind.problemsOf(found)) reader.refuse(message);
  if (reader.reasons.length === 0 && !isNewer(value) && kind.format(found).value !== value) {
    reader.refuse(`${value.slice(0, 60)} is not as edgectl writes it`);
  }
  return reader.reasons.length === 0 ? found : refusal(...reader.reasons);
}
