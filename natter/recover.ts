// What an earlier run left in pinned maps: which slots and buckets have an owner.

import type { BpfMap } from '../shared/bpf/types.ts';
import { readAddress, readNumber } from '../shared/bpf/words.ts';
import { Slot, type SlotLimits } from './entries.ts';
import type { Layout } from './layout.ts';
import { eipOwner, ownedBuckets, type Recovered } from './state.ts';

/** Undefined: there is no such map, or none that can be read. */
export type FindMap = (name: string) => BpfMap | undefined;

export type Recovery = Recovered & {
  slots: [eip: number, slot: number][];
  buckets: [owner: string, bucket: number][];
  /** EIPs with buckets, their own or their group's. */
  limited: { eip: number; limits: SlotLimits }[];
};

export function recoverFrom(find: FindMap, layout: Layout): Recovery {
  const slots: [number, number][] = [];
  const limited: Recovery['limited'] = [];
  const eips = find('eip_to_private');
  if (eips === undefined) return { slots, buckets: [], limited };
  const limitsOfSlot = readLimits(find('slot_limits'), layout);
  for (const { keys, values, count } of eips.batches()) {
    for (let index = 0; index < count; index += 1) {
      const eip = readAddress(keys, index * eips.keySize);
      const mapping = layout.decodeMapping(values, index * eips.valueSize);
      const slot = mapping.slotFlags & Slot.mask;
      slots.push([eip, slot]);
      const limits = limitsOfSlot.get(slot);
      if (limits !== undefined) limited.push({ eip, limits });
    }
  }
  const buckets = limited.flatMap(({ eip, limits }) => ownedBuckets(eipOwner(eip), limits));
  return { slots, buckets, limited };
}

function readLimits(map: BpfMap | undefined, layout: Layout): Map<number, SlotLimits> {
  const found = new Map<number, SlotLimits>();
  if (map === undefined) return found;
  for (const { keys, values, count } of map.batches()) {
    for (let index = 0; index < count; index += 1) {
      const slot = readNumber(keys, index * map.keySize);
      found.set(slot, layout.decodeSlotLimits(values, index * map.valueSize));
    }
  }
  return found;
}
