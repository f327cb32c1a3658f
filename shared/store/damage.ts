// What is in Redis was written by whoever has the password: replies are checked before they are
// believed. A key that nobody but a foreign hand can have written so is EDGE_STORE_DAMAGED.
import { OperationalError } from '../errors.ts';
import { EMPTY_DIGEST } from './digest.ts';
import { unitKeys } from './keys.ts';
import type { Head, Member } from './types.ts';

const digestPattern = /^[0-9a-f]{12}$/;
const idPattern = /^\d{1,20}-\d{1,20}$/;

/** Many of them are held at once, and shown: its drift is the longest part. */
const MAX_MEMBER_LENGTH = 64 * 1024;
/** Of its node, version, state and address. */
const MAX_NAME_LENGTH = 300;

export function isDigest(text: string): boolean {
  return digestPattern.test(text);
}

/** Undefined: it is no number that counts something. */
export function countOf(text: string): number | undefined {
  const count = /^\d{1,16}$/.test(text) ? Number(text) : undefined;
  return Number.isSafeInteger(count) ? count : undefined;
}

/** From the fields version, digest, count and tail; all absent: nothing was ever applied. */
export function headOf(unit: string, fields: readonly (string | null)[]): Head {
  const [version, digest, count, tail] = fields;
  const head = {
    version: countOf(version ?? '0'),
    digest: digest ?? EMPTY_DIGEST,
    count: countOf(count ?? '0'),
    tail: tail ?? '0-0',
  };
  const { version: at, count: objects } = head;
  if (at === undefined || objects === undefined || !isDigest(head.digest)) throw badHead(unit);
  if (!idPattern.test(head.tail)) throw badHead(unit);
  return { ...head, version: at, count: objects };
}

/** Undefined: no instance of that service wrote this. */
export function memberOf(json: string, of: string): Member | undefined {
  if (json.length > MAX_MEMBER_LENGTH) return undefined;
  const member = parsed(json);
  const { service, node, version, state, applied, drift, startedAt, clockMs } = member;
  const texts = [service, node, version, state, drift ?? '', member.address ?? ''];
  if (service !== of || texts.some((text) => typeof text !== 'string')) return undefined;
  if ([node, version, state, member.address ?? ''].some(isLong)) return undefined;
  const times = [startedAt, clockMs ?? 0];
  if (times.some((time) => typeof time !== 'number' || Math.abs(time) > 8.64e15)) return undefined;
  const isTable = typeof applied === 'object' && applied !== null;
  const versions = isTable ? Object.values(applied) : [undefined];
  if (versions.some((one) => typeof one !== 'number')) return undefined;
  return member as Member; // each field was looked at
}

function isLong(text: unknown): boolean {
  return String(text).length > MAX_NAME_LENGTH;
}

function parsed(json: string): Record<string, unknown> {
  try {
    return Object(JSON.parse(json));
  } catch {
    return {};
  }
}

function badHead(unit: string): OperationalError {
  return damaged(`${unitKeys(unit).head} does not hold a version, digest, count and tail`);
}

/** Entries behind the tail that no apply has written. */
export function strayEntries(unit: string): OperationalError {
  return damaged(`${unitKeys(unit).changes} has entries that do not join on to the head`);
}

function damaged(message: string): OperationalError {
  return new OperationalError('EDGE_STORE_DAMAGED', message, {
    remedy: 'find out who writes there; the next change by edgectl may mend it, a restore does',
  });
}
