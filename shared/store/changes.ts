// What may be stored: the limits of kinds, ids and values, and how a change looks in Redis. An
// object is a field `kind:id` of the unit's hash; a change in the stream is that field and the
// value, empty: deleted.
import { OperationalError } from '../errors.ts';
import type { Change, ObjectRecord } from './types.ts';
import { MAX_CHANGES_PER_APPLY } from './types.ts';

const MAX_ID_LENGTH = 256;
const MAX_VALUE_LENGTH = 16_384;
const kindPattern = /^[a-z][a-z0-9-]{0,31}$/;

export function fieldOf(kind: string, id: string): string {
  return `${kind}:${id}`;
}

/**
 * A field without a colon, which only a foreign hand can have written, becomes a kind without id.
 */
export function recordOf(field: string, value: string): ObjectRecord {
  const colon = field.indexOf(':');
  if (colon < 0) return { kind: field, id: '', value };
  return { kind: field.slice(0, colon), id: field.slice(colon + 1), value };
}

export function changeOf(field: string, value: string): Change {
  const { kind, id } = recordOf(field, value);
  return { kind, id, value: value === '' ? null : value };
}

/** One change an object, the last of each; in the order in which the objects first appear. */
export function lastOfEach(changes: Iterable<Change>): Map<string, Change> {
  const byField = new Map<string, Change>();
  for (const change of changes) byField.set(fieldOf(change.kind, change.id), change);
  return byField;
}

/** The changes of one apply by field; EDGE_STORE_BAD_CHANGE when one cannot be stored. */
export function acceptChanges(changes: readonly Change[]): Map<string, Change> {
  if (changes.length > MAX_CHANGES_PER_APPLY) {
    throw refuse(`${changes.length} changes in one apply`, `at most ${MAX_CHANGES_PER_APPLY}`);
  }
  for (const { kind, id, value } of changes) {
    if (!kindPattern.test(kind)) throw refuse(`kind ${JSON.stringify(kind)}`, 'a-z, 0-9 and -');
    if (!isStorableId(id)) {
      throw refuse(`id ${JSON.stringify(id)}`, `1 to ${MAX_ID_LENGTH} printable characters`);
    }
    if (value !== null && (value === '' || value.length > MAX_VALUE_LENGTH)) {
      throw refuse(`value of ${kind} ${id}`, `1 to ${MAX_VALUE_LENGTH} characters`);
    }
  }
  return lastOfEach(changes);
}

function isStorableId(id: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is refused
  return id !== '' && id.length <= MAX_ID_LENGTH && !/[\x00-\x1f\x7f]/.test(id);
}

function refuse(what: string, limit: string): OperationalError {
  return new OperationalError('EDGE_STORE_BAD_CHANGE', `the store does not take ${what}: ${limit}`);
}
