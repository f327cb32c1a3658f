// A bandwidth limit that several EIPs share. Id: the group's name.
import type { ObjectRecord } from '../store/types.ts';
import type { Refusal } from './refusal.ts';
import { refusal } from './refusal.ts';
import { isName, ValueReader } from './value.ts';

export type Group = {
  name: string;
  inBitsPerSecond?: number;
  outBitsPerSecond?: number;
  burstBytes?: number;
};

/** From a stored object. */
export function parseGroup(id: string, value: string): Group | Refusal {
  const reader = new ValueReader(`group ${id}`, value, ['burst', 'in', 'out']);
  if (!isName(id)) reader.refuse('the id is not a name');
  const group: Group = { name: id };
  const inBits = reader.rate('in');
  if (inBits !== undefined) group.inBitsPerSecond = inBits;
  const outBits = reader.rate('out');
  if (outBits !== undefined) group.outBitsPerSecond = outBits;
  const burst = reader.burst('burst');
  if (burst !== undefined) group.burstBytes = burst;
  for (const problem of groupProblems(group)) reader.refuse(problem);
  return reader.reasons.length === 0 ? group : refusal(...reader.reasons);
}

/** What is wrong with a group in itself. */
export function groupProblems(group: Group): string[] {
  const limited = group.inBitsPerSecond !== undefined || group.outBitsPerSecond !== undefined;
  return limited ? [] : ['a group without a limit in or out'];
}

export function formatGroup(group: Group): ObjectRecord {
  const value = {
    burst: group.burstBytes,
    in: group.inBitsPerSecond,
    out: group.outBitsPerSecond,
  };
  return { kind: 'group', id: group.name, value: JSON.stringify(value) };
}
