// What an operator wants of one instance, by its node name: drained or not. Id: the name.
import type { ObjectRecord } from '../store/types.ts';
import type { Refusal } from './refusal.ts';
import { refusal } from './refusal.ts';
import { isName, ValueReader } from './value.ts';

export type NodeIntent = { name: string; drain: boolean };

/** From a stored object. */
export function parseNode(id: string, value: string): NodeIntent | Refusal {
  const reader = new ValueReader(`node ${id}`, value, ['drain']);
  if (!isName(id)) reader.refuse('the id is not a name');
  const drain = reader.flag('drain') ?? false;
  return reader.reasons.length === 0 ? { name: id, drain } : refusal(...reader.reasons);
}

export function formatNode(node: NodeIntent): ObjectRecord {
  const value = JSON.stringify({ drain: node.drain ? true : undefined });
  return { kind: 'node', id: node.name, value };
}
