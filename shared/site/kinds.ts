// The kinds of site objects: which unit of the store each lives in, its section in a site file, and
// how it is read and written.
import type { ObjectRecord } from '../store/types.ts';
import type { Eip } from './eip.ts';
import { formatEip, parseEip } from './eip.ts';
import type { Forward } from './forward.ts';
import { formatForward, parseForward } from './forward.ts';
import type { Group } from './group.ts';
import { formatGroup, parseGroup } from './group.ts';
import type { NodeIntent } from './node.ts';
import { formatNode, parseNode } from './node.ts';
import type { Refusal } from './refusal.ts';
import { isRefusal, refusal } from './refusal.ts';
import { isNewer } from './value.ts';

export type ObjectOf = { eip: Eip; forward: Forward; group: Group; node: NodeIntent };
export type Kind = keyof ObjectOf;
export type SiteObject = { [K in Kind]: { kind: K; object: ObjectOf[K] } }[Kind];

type KindEntry = { kind: Kind; unit: string; section: string };

/** In the order in which objects come to be: what others refer to first. */
export const kinds: readonly KindEntry[] = [
  { kind: 'node', unit: 'natter', section: 'nodes' },
  { kind: 'group', unit: 'natter', section: 'groups' },
  { kind: 'eip', unit: 'natter', section: 'eips' },
  { kind: 'forward', unit: 'natter', section: 'forwards' },
];

export function kindsOf(unit: string): Kind[] {
  return kinds.filter((entry) => entry.unit === unit).map((entry) => entry.kind);
}

/** Tells objects apart in a map; for no one to read. */
export function keyOf({ kind, id }: ObjectRecord): string {
  return `${kind} ${id}`;
}

export function isKind(text: string): text is Kind {
  return kinds.some((entry) => entry.kind === text);
}

/** Of a kind that only newer versions know, and that its writer says may be ignored. */
export function isOfNewerKind({ kind, value }: ObjectRecord): boolean {
  return !isKind(kind) && isNewer(value);
}

/** A stored object of any kind, or why it is none. */
export function parseObject({ kind, id, value }: ObjectRecord): SiteObject | Refusal {
  switch (kind) {
    case 'eip':
      return wrap('eip', parseEip(id, value));
    case 'forward':
      return wrap('forward', parseForward(id, value));
    case 'group':
      return wrap('group', parseGroup(id, value));
    case 'node':
      return wrap('node', parseNode(id, value));
    default:
      return refusal(`${kind} ${id}: there are no objects of kind ${JSON.stringify(kind)}`);
  }
}

export function formatObject(item: SiteObject): ObjectRecord {
  switch (item.kind) {
    case 'eip':
      return formatEip(item.object);
    case 'forward':
      return formatForward(item.object);
    case 'group':
      return formatGroup(item.object);
    case 'node':
      return formatNode(item.object);
  }
}

function wrap<K extends Kind>(kind: K, parsed: ObjectOf[K] | Refusal): SiteObject | Refusal {
  if (isRefusal(parsed)) return parsed;
  return { kind, object: parsed } as SiteObject; // K pairs the two; the compiler does not follow
}
