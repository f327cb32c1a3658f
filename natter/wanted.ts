// From the table to the kernel's entries: what each map shall hold for one EIP, private address,
// group.

import { portBlocks } from '../shared/net/port-blocks.ts';
import type { BucketConfig, Forward, ForwardKey, Mapping, SlotLimits } from './entries.ts';
import { Slot } from './entries.ts';
import { bucketConfig } from './limits.ts';
import type { Buckets, PortForward, Rates, TableState } from './state.ts';

/** BUCKET_COST_SHIFT of natter.h. */
export const COST_SHIFT = 20;

/** Slot and flags of an EIP that is in the table. */
function flagsOf(state: TableState, slot: number): number {
  const limited = state.limited.get(slot);
  const group = limited?.group === undefined ? undefined : state.groups.get(limited.group);
  let flags = slot;
  if (state.forwardsOfEip.has(state.eipAt(slot))) flags |= Slot.eipForwards;
  if (limited?.inBucket || group?.inBucket) flags |= Slot.limitIn;
  if (limited?.outBucket || group?.outBucket) flags |= Slot.limitOut;
  return flags >>> 0;
}

export function wantedEip(state: TableState, eip: number): Mapping | undefined {
  const slot = state.slotOfEip.get(eip);
  if (slot === undefined) return undefined;
  return { address: state.privateAt(slot), slotFlags: flagsOf(state, slot) };
}

export function wantedPrivate(state: TableState, address: number): Mapping | undefined {
  const slot = state.slotOfPrivate.get(address);
  const forwarded = state.forwardsOfPrivate.has(address) ? Slot.privateForwarded : 0;
  if (slot !== undefined) {
    const slotFlags = (flagsOf(state, slot) | forwarded) >>> 0;
    return { address: state.eipAt(slot), slotFlags };
  }
  return forwarded === 0 ? undefined : { address: 0, slotFlags: forwarded };
}

type ForwardEntry = { key: ForwardKey; value: Forward };

export function wantedForwardsIn(state: TableState, forward: PortForward): ForwardEntry[] {
  const { eip, to, protocol, first, last, toFirst } = forward;
  return entries(
    state,
    forward,
    { address: eip, other: to, protocol, first, last },
    toFirst - first,
  );
}

export function wantedForwardsOut(state: TableState, forward: PortForward): ForwardEntry[] {
  const { eip, to, protocol, first, last, toFirst } = forward;
  const ports = { first: toFirst, last: toFirst + last - first };
  return entries(state, forward, { address: to, other: eip, protocol, ...ports }, first - toFirst);
}

type Side = { address: number; other: number; protocol: number; first: number; last: number };

function entries(
  state: TableState,
  forward: PortForward,
  side: Side,
  offset: number,
): ForwardEntry[] {
  const slot = state.slotOfEip.get(forward.eip);
  if (slot === undefined) throw new Error(`forward ${forward.id} without its eip`);
  const slotFlags = flagsOf(state, slot);
  const { address, protocol, other } = side;
  const value = { address: other, portOffset: offset & 0xffff, slotFlags };
  return portBlocks(side.first, side.last).map(({ port, bits }) => ({
    key: { address, protocol, port, prefixBits: 48 + bits },
    value,
  }));
}

export function wantedSlotLimits(state: TableState, slot: number): SlotLimits | undefined {
  const limited = state.limited.get(slot);
  if (limited === undefined) return undefined;
  const group = limited.group === undefined ? undefined : state.groups.get(limited.group);
  const { inBucket, outBucket } = limited;
  const inGroupBucket = group?.inBucket ?? 0;
  const outGroupBucket = group?.outBucket ?? 0;
  if (inBucket + outBucket + inGroupBucket + outGroupBucket === 0) return undefined;
  return { inBucket, outBucket, inGroupBucket, outGroupBucket };
}

export function wantedBuckets(limits: Rates & Buckets): [bucket: number, config: BucketConfig][] {
  const buckets: [number, BucketConfig][] = [];
  if (limits.in !== undefined) {
    buckets.push([limits.inBucket, bucketConfig(limits.in, limits.burst, COST_SHIFT)]);
  }
  if (limits.out !== undefined) {
    buckets.push([limits.outBucket, bucketConfig(limits.out, limits.burst, COST_SHIFT)]);
  }
  return buckets;
}
