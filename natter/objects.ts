// From stored site objects to what the table takes. Pure; the parsing itself is shared/site's.

import { parseEip, type Eip as SiteEip } from '../shared/site/eip.ts';
import { parseForward, parseForwardFrom } from '../shared/site/forward.ts';
import { parseGroup, type Group as SiteGroup } from '../shared/site/group.ts';
import { isOfNewerKind } from '../shared/site/kinds.ts';
import { parseNode } from '../shared/site/node.ts';
import { isRefusal, type Refusal, refusal } from '../shared/site/refusal.ts';
import { parseHost } from '../shared/site/value.ts';
import type { Change } from '../shared/store/types.ts';
import type { DesiredObject, Rates } from './state.ts';
import type { ObjectChange } from './table.ts';

/** What an operator wants of an instance. */
export type Intent = { node: string; drain: boolean };
export type ReadChange = { change: ObjectChange } | { intent: Intent } | 'ignored' | Refusal;

export function readChange({ kind, id, value }: Change): ReadChange {
  if (value === null) return readRemoval(kind, id);
  if (kind === 'node') {
    const node = parseNode(id, value);
    return isRefusal(node) ? node : { intent: { node: node.name, drain: node.drain } };
  }
  if (isOfNewerKind({ kind, id, value })) return 'ignored';
  const object = readObject(kind, id, value);
  return isRefusal(object) ? object : { change: { object } };
}

function readObject(kind: string, id: string, value: string): DesiredObject | Refusal {
  switch (kind) {
    case 'eip': {
      const eip = parseEip(id, value);
      return isRefusal(eip) ? eip : desiredEip(eip);
    }
    case 'group': {
      const group = parseGroup(id, value);
      if (isRefusal(group)) return group;
      return { kind: 'group', name: group.name, ...ratesOf(group) };
    }
    case 'forward': {
      const forward = parseForward(id, value);
      if (isRefusal(forward)) return forward;
      const { eip, protocol, firstPort: first, lastPort: last, toAddress: to } = forward;
      return { kind: 'forward', id, eip, protocol, first, last, to, toFirst: forward.toFirstPort };
    }
    default:
      return refusal(`${kind} ${id}: this natter knows no objects of kind ${JSON.stringify(kind)}`);
  }
}

function desiredEip(eip: SiteEip): DesiredObject {
  return {
    kind: 'eip',
    address: eip.address,
    ...(eip.private === undefined ? {} : { private: eip.private }),
    ...(eip.group === undefined ? {} : { group: eip.group }),
    ...ratesOf(eip),
  };
}

function ratesOf(limits: SiteEip | SiteGroup): Rates {
  const { inBitsPerSecond, outBitsPerSecond, burstBytes } = limits;
  return {
    ...(inBitsPerSecond === undefined ? {} : { in: inBitsPerSecond }),
    ...(outBitsPerSecond === undefined ? {} : { out: outBitsPerSecond }),
    ...(burstBytes === undefined ? {} : { burst: burstBytes }),
  };
}

function readRemoval(kind: string, id: string): ReadChange {
  if (kind === 'node') return { intent: { node: id, drain: false } };
  if (kind === 'group') return { change: { removed: 'group', name: id } };
  if (kind === 'eip') {
    const address = parseHost(id);
    if (address !== undefined) return { change: { removed: 'eip', address } };
  }
  if (kind === 'forward') {
    const from = parseForwardFrom(id);
    if (from !== undefined) return { change: { removed: 'forward', eip: from.eip, id } };
  }
  // What was never valid is not in the table: its removal is what heals a refused state.
  return { change: { removed: 'group', name: `${kind} ${id}` } };
}
