// What has to change to make what is stored what is wanted.
import type { Change, ObjectRecord } from '../store/types.ts';
import type { Kind } from './kinds.ts';
import { isKind, keyOf, kinds } from './kinds.ts';
import { placeOf, UNITS } from './place.ts';

/** `before` and `after` are stored values; undefined: not there. */
export type Difference = {
  sign: '+' | '~' | '-';
  kind: Kind;
  id: string;
  before?: string;
  after?: string;
};

/**
 * Objects of other kinds than `covered` are neither compared nor deleted. Ordered so that the
 * changes can be applied in parts: a reference never leads to what is not there, and what is moved
 * is free.
 */
export function diffSite(
  stored: Iterable<ObjectRecord>,
  wanted: Iterable<ObjectRecord>,
  covered: readonly Kind[],
): Difference[] {
  const left = new Map<string, ObjectRecord>();
  for (const record of stored) {
    if (covered.some((kind) => kind === record.kind)) left.set(keyOf(record), record);
  }
  const differences: Difference[] = [];
  for (const record of wanted) {
    const { kind, id, value } = record;
    if (!isKind(kind) || !covered.includes(kind)) continue;
    const before = left.get(keyOf(record));
    left.delete(keyOf(record));
    if (before === undefined) differences.push({ sign: '+', kind, id, after: value });
    else if (before.value !== value) {
      differences.push({ sign: '~', kind, id, before: before.value, after: value });
    }
  }
  for (const { kind, id, value } of left.values()) {
    if (isKind(kind)) differences.push({ sign: '-', kind, id, before: value });
  }
  return inOrder(differences);
}

export function changesOf(differences: readonly Difference[]): Change[] {
  return differences.map(({ kind, id, after }) => ({ kind, id, value: after ?? null }));
}

function inOrder(differences: readonly Difference[]): Difference[] {
  const byRank = new Map<number, Difference[]>();
  for (const difference of differences) {
    const rank = rankOf(difference);
    const list = byRank.get(rank);
    if (list === undefined) byRank.set(rank, [difference]);
    else list.push(difference);
  }
  const ranks = [...byRank.keys()].sort((a, b) => a - b);
  return ranks.flatMap((rank) => byRank.get(rank)?.sort((a, b) => (a.id < b.id ? -1 : 1)) ?? []);
}

const refersToOthers: readonly Kind[] = [
  ...(['forward', 'eip', 'reservation', 'subnet', 'l3net'] as const),
  ...(['record', 'override', 'vserver', 'listener', 'route'] as const),
];

/**
 * Unit by unit. First the deletes of what refers to others or takes a part of the addresses, so
 * that addresses and ports are free; then changes before additions, for the same reason, what is
 * referred to first; last the deletes of what was referred to. Pools are deleted after all else,
 * since what refers to them is in another unit.
 */
function rankOf({ sign, kind, id }: Difference): number {
  const order = kinds.findIndex((entry) => entry.kind === kind);
  const isLast = kind === 'pool' && sign === '-';
  const unit = (isLast ? UNITS.length : UNITS.indexOf(placeOf(kind, id).unit)) * 1000;
  if (sign !== '-') return unit + 100 + order * 2 + (sign === '+' ? 1 : 0);
  return unit + (refersToOthers.includes(kind) ? 50 - order : 200 - order);
}
