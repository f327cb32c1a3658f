// What an operator wants of one instance, by its node name: drained or not. Id: the name; of
// another service than natter with the service before it (place.ts).
import type { ObjectRecord } from '../store/types.ts';
import { isService, type Service, siteIdOf, type Unit } from './place.ts';
import type { Refusal } from './refusal.ts';
import { refusal } from './refusal.ts';
import { isName, ValueReader } from './value.ts';

/** `service` is absent for natter. */
export type NodeIntent = { name: string; drain: boolean; service?: Exclude<Service, 'natter'> };

/** From a stored object, of the unit that it stands in. */
export function parseNode(id: string, value: string, unit: Unit = 'natter'): NodeIntent | Refusal {
  const reader = new ValueReader(`node ${id}`, value, ['drain']);
  if (!isName(id)) reader.refuse('the id is not a name');
  const drain = reader.flag('drain') ?? false;
  if (!isService(unit)) reader.refuse(`unit ${unit} has no nodes`);
  if (reader.reasons.length > 0 || !isService(unit)) return refusal(...reader.reasons);
  return nodeOf({ name: id, drain, service: unit });
}

export function nodeOf(item: { name: string; drain: boolean; service: Service }): NodeIntent {
  const { name, drain, service } = item;
  return service === 'natter' ? { name, drain } : { name, drain, service };
}

export function formatNode(node: NodeIntent): ObjectRecord {
  const value = JSON.stringify({ drain: node.drain ? true : undefined });
  return { kind: 'node', id: siteIdOf(node.service ?? 'natter', 'node', node.name), value };
}
