// What an earlier run left in pinned maps: whose each slot is, as far as the maps say. Pure.

import { readNumber } from '../../shared/bpf/words.ts';
import { formatIpv4, ipv4 } from '../../shared/net/ipv4.ts';
import { entryName, TARGET_GONE } from './entries.ts';
import type { Layout } from './layout.ts';
import type { EntriesByKey } from './mirror.ts';
import { type Recovered, targetAlias } from './plan.ts';
import type { RecoveredSlot } from './slots.ts';

export type Found = {
  servers: EntriesByKey;
  ranges: EntriesByKey;
  targets: EntriesByKey;
  layout: Layout;
};

const ONE_PORT = 16;
const RANGE_BITS = 48;

export function recover({ servers, ranges, targets, layout }: Found): Recovered {
  const found = new Map<string, { slot: number; poolSlot: number }>();
  const note = (name: string, value: Uint8Array): void => {
    const { slot, pool_slot: poolSlot } = layout.server.decode(value);
    found.set(name, { slot, poolSlot });
  };
  for (const { key, value } of servers.values()) {
    const at = layout.portKey.decode(key);
    if (at.port !== 0) note(entryName(at, ONE_PORT), value);
  }
  for (const { key, value } of ranges.values()) {
    const at = layout.rangeKey.decode(key);
    // A range's first block: the others' ports lie further on.
    if (at.port !== layout.server.decode(value).first_port) continue;
    note(entryName(at, at.prefix_bits - RANGE_BITS), value);
  }
  return { servers: found, targets: recoverTargets(targets, layout) };
}

/** Those that were not gone first: who comes back has its flows there. */
function recoverTargets(targets: EntriesByKey, layout: Layout): RecoveredSlot[] {
  const found: (RecoveredSlot & { isGone: boolean })[] = [];
  for (const { key, value } of targets.values()) {
    const { address, port, flags, generation } = layout.target.decode(value);
    if (address === 0) continue;
    const alias = targetAlias(formatIpv4(ipv4(address)), port);
    const isGone = (flags & TARGET_GONE) !== 0;
    found.push({ slot: readNumber(key), generation, alias, isGone });
  }
  return found.sort((a, b) => Number(a.isGone) - Number(b.isGone));
}
