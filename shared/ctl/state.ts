// The site as it is stored: every object of a unit, and the version that it belongs to.

import type { Eip } from '../site/eip.ts';
import type { Forward } from '../site/forward.ts';
import type { Group } from '../site/group.ts';
import {
  isKind,
  isOfNewerKind,
  type Kind,
  type ObjectOf,
  parseObject,
  type SiteObject,
} from '../site/kinds.ts';
import type { NodeIntent } from '../site/node.ts';
import { isRefusal } from '../site/refusal.ts';
import type { ObjectRecord, Store } from '../store/types.ts';

/** The one unit that exists so far; kinds name theirs in shared/site/kinds.ts. */
export const UNIT = 'natter';
/** The service whose instances apply the unit. */
export const SERVICE = 'natter';

export function keyOf(kind: string, id: string): string {
  return `${kind}:${id}`;
}

export class SiteState {
  readonly version: number;
  readonly records: ReadonlyMap<string, ObjectRecord>;

  constructor(version: number, records: Map<string, ObjectRecord>) {
    this.version = version;
    this.records = records;
  }

  has(kind: Kind, id: string): boolean {
    return this.records.has(keyOf(kind, id));
  }

  /** Undefined when it is not there or not readable. */
  find<K extends Kind>(kind: K, id: string): ObjectOf[K] | undefined {
    const record = this.records.get(keyOf(kind, id));
    if (record === undefined) return undefined;
    const parsed = parseObject(record);
    if (isRefusal(parsed) || parsed.kind !== kind) return undefined;
    return parsed.object as ObjectOf[K]; // the kind was compared on the line above
  }

  count(kind: string): number {
    let count = 0;
    for (const record of this.records.values()) if (record.kind === kind) count++;
    return count;
  }
}

/** Reads all; if it changes meanwhile, the version is the older one, and a CAS on it fails. */
export async function loadState(store: Store): Promise<SiteState> {
  const { version } = await store.head(UNIT);
  const records = new Map<string, ObjectRecord>();
  for await (const batch of store.scan(UNIT)) {
    for (const record of batch) records.set(keyOf(record.kind, record.id), record);
  }
  return new SiteState(version, records);
}

/** The objects of one kind, or of all, parsed and sorted; and what could not be read. */
export type Listing = {
  eips: Eip[];
  forwards: Forward[];
  groups: Group[];
  nodes: NodeIntent[];
  unreadable: string[];
  /** Objects of kinds that only a newer edgectl knows. */
  newer: number;
};

export function listing(records: Iterable<ObjectRecord>): Listing {
  const list: Listing = { eips: [], forwards: [], groups: [], nodes: [], unreadable: [], newer: 0 };
  for (const record of records) {
    const parsed = parseObject(record);
    if (isOfNewerKind(record)) list.newer++;
    else if (isRefusal(parsed)) list.unreadable.push(...parsed.reasons);
    else put(list, parsed);
  }
  list.eips.sort((a, b) => a.address - b.address);
  list.forwards.sort(
    (a, b) => a.eip - b.eip || a.protocol - b.protocol || a.firstPort - b.firstPort,
  );
  list.groups.sort((a, b) => (a.name < b.name ? -1 : 1));
  list.nodes.sort((a, b) => (a.name < b.name ? -1 : 1));
  return list;
}

function put(list: Listing, item: SiteObject): void {
  switch (item.kind) {
    case 'eip':
      list.eips.push(item.object);
      break;
    case 'forward':
      list.forwards.push(item.object);
      break;
    case 'group':
      list.groups.push(item.object);
      break;
    case 'node':
      list.nodes.push(item.object);
      break;
  }
}

const PLURALS: Record<string, Kind> = {
  eips: 'eip',
  forwards: 'forward',
  groups: 'group',
  nodes: 'node',
};

/** `eip` or `eips`. */
export function parseKind(text: string): Kind | undefined {
  return isKind(text) ? text : PLURALS[text];
}

export const KIND_WORDS: readonly string[] = ['eip', 'forward', 'group', 'node'];
