// What the operators want, held so compactly that a million EIPs fit: typed arrays by slot,
// objects only for what has limits or forwards. Pure. Inserting tells what contradicts; table.ts
// decides what then.

import { formatIpv4, ipv4 } from '../shared/net/ipv4.ts';
import { portBlocks } from '../shared/net/port-blocks.ts';
import { AddressMap } from './addresses.ts';
import { dropForward, type ForwardLists, insertForward, overlapping } from './forward-lists.ts';
import { NumberPool } from './numbers.ts';

export type Rates = { in?: number; out?: number; burst?: number }; // bits per second; bytes

export type Eip = Rates & { kind: 'eip'; address: number; private?: number; group?: string };

/** Ports `first`..`last` of `eip` lead to `toFirst`.. of `to`. Protocol 6 or 17. */
export type PortForward = {
  kind: 'forward';
  id: string;
  eip: number;
  protocol: number;
  first: number;
  last: number;
  to: number;
  toFirst: number;
};

export type Group = Rates & { kind: 'group'; name: string };
export type DesiredObject = Eip | PortForward | Group;

export type Capacity = { eips: number; forwards: number; limits: number };

export type Buckets = { inBucket: number; outBucket: number }; // 0: none
export type Limited = Rates & Buckets & { group?: string };

/** Numbers that their owners had before; those that nobody claims are given back by `settle`. */
export type Recovered = {
  slots: Iterable<[eip: number, slot: number]>;
  buckets: Iterable<[owner: string, bucket: number]>;
};

const FIRST_SLOTS = 1024;

export class TableState {
  readonly capacity: Capacity;
  readonly slotOfEip = new AddressMap();
  readonly slotOfPrivate = new AddressMap();
  readonly limited = new Map<number, Limited>(); // by slot; only EIPs with a limit or a group
  readonly groups = new Map<string, Group & Buckets>();
  readonly membersOfGroup = new Map<string, Set<number>>(); // slots
  readonly forwardsOfEip: ForwardLists = new Map();
  readonly forwardsOfPrivate: ForwardLists = new Map();
  /** Slots and buckets that were given out in this round: what the kernel has there is stale. */
  freshSlots: number[] = [];
  freshBuckets: number[] = [];
  /** Grows with each settled round. */
  revision = 0;
  readonly #forwards = new Map<string, PortForward>();
  #forwardBlocks = 0;
  #eips = new Uint32Array(FIRST_SLOTS);
  #privates = new Uint32Array(FIRST_SLOTS);
  readonly #slots: NumberPool;
  readonly #buckets: NumberPool;
  #parkedSlots = new AddressMap();
  readonly #parkedBuckets = new Map<string, number>();
  #stolen: { from: number | string; to: number | string }[] = [];
  #loading = true; // until the first round is settled: nothing will be undone

  constructor(capacity: Capacity, recovered: Recovered = { slots: [], buckets: [] }) {
    this.capacity = capacity;
    this.#slots = new NumberPool(0, capacity.eips);
    this.#buckets = new NumberPool(1, capacity.limits + 1);
    for (const [eip, slot] of recovered.slots) {
      if (eip !== 0 && this.#slots.claim(slot)) this.#parkedSlots.set(eip, slot);
    }
    for (const [owner, bucket] of recovered.buckets) {
      const known = this.#parkedBuckets.has(owner);
      if (!known && this.#buckets.claim(bucket)) this.#parkedBuckets.set(owner, bucket);
    }
  }

  get eipCount(): number {
    return this.slotOfEip.size;
  }

  get forwardCount(): number {
    return this.#forwards.size;
  }

  /** Entries that the forwards take in each of the kernel's two tries. */
  get forwardBlocks(): number {
    return this.#forwardBlocks;
  }

  get bucketCount(): number {
    return this.#buckets.used - this.#parkedBuckets.size;
  }

  /** Every slot in use is below this. */
  get slotsInSight(): number {
    return this.#eips.length;
  }

  eipAt(slot: number): number {
    return this.#eips[slot] ?? 0;
  }

  /** 0: the EIP has no 1:1 mapping. */
  privateAt(slot: number): number {
    return this.#privates[slot] ?? 0;
  }

  eip(address: number): Eip | undefined {
    const slot = this.slotOfEip.get(address);
    if (slot === undefined) return undefined;
    const mapped = this.privateAt(slot);
    const { inBucket: _in, outBucket: _out, ...rates } = this.limited.get(slot) ?? noBuckets;
    return { kind: 'eip', address, ...(mapped === 0 ? {} : { private: mapped }), ...rates };
  }

  forward(eip: number, id: string): PortForward | undefined {
    const forward = this.#forwards.get(id);
    return forward?.eip === eip ? forward : undefined;
  }

  /** What stands in the way, or undefined: then it is in. The EIP must not be there yet. */
  insertEip(eip: Eip): string | undefined {
    const owner = eip.private === undefined ? undefined : this.slotOfPrivate.get(eip.private);
    if (owner !== undefined && eip.private !== undefined) {
      const other = show(this.eipAt(owner));
      return `eip ${show(eip.address)}: private ${show(eip.private)} is mapped by eip ${other} too`;
    }
    const slot = this.#takeSlot(eip.address);
    if (slot === undefined) return full('eip', show(eip.address), 'eips', this.capacity.eips);
    const limited = this.#limitsOf(eip);
    if (limited === 'full') {
      this.#parkSlot(eip.address, slot);
      return full('eip', show(eip.address), 'limits', this.capacity.limits);
    }
    if (limited !== undefined) this.limited.set(slot, limited);
    if (eip.group !== undefined) this.#join(eip.group, slot);
    this.#eips[slot] = eip.address;
    this.#privates[slot] = eip.private ?? 0;
    this.slotOfEip.set(eip.address, slot);
    if (eip.private !== undefined) this.slotOfPrivate.set(eip.private, slot);
    return undefined;
  }

  removeEip(address: number): void {
    const slot = this.slotOfEip.get(address);
    if (slot === undefined) return;
    const limited = this.limited.get(slot);
    if (limited !== undefined) this.#parkBuckets(eipOwner(address), limited);
    if (limited?.group !== undefined) this.#leave(limited.group, slot);
    this.limited.delete(slot);
    const mapped = this.privateAt(slot);
    if (mapped !== 0) this.slotOfPrivate.delete(mapped);
    this.slotOfEip.delete(address);
    this.#eips[slot] = 0;
    this.#privates[slot] = 0;
    this.#parkSlot(address, slot);
  }

  insertGroup(group: Group): string | undefined {
    const buckets = this.#takeBuckets(groupOwner(group.name), group);
    if (buckets === undefined) return full('group', group.name, 'limits', this.capacity.limits);
    this.groups.set(group.name, { ...group, ...buckets });
    return undefined;
  }

  removeGroup(name: string): void {
    const group = this.groups.get(name);
    if (group === undefined) return;
    this.#parkBuckets(groupOwner(name), group);
    this.groups.delete(name);
  }

  insertForward(forward: PortForward): string | undefined {
    const { eip, to, id } = forward;
    const taken = overlapping(this.forwardsOfEip.get(eip), forward, 'first');
    if (taken !== undefined) return `forward ${id}: its ports overlap those of forward ${taken.id}`;
    const target = overlapping(this.forwardsOfPrivate.get(to), forward, 'to');
    if (target !== undefined) {
      return `forward ${id}: leads to ports of ${show(to)} that forward ${target.id} leads to`;
    }
    const blocks = blocksOf(forward);
    if (this.#forwardBlocks + blocks > this.capacity.forwards) {
      return full('forward', id, 'forwards', this.capacity.forwards);
    }
    this.#forwardBlocks += blocks;
    this.#forwards.set(id, forward);
    insertForward(this.forwardsOfEip, eip, forward, 'first');
    insertForward(this.forwardsOfPrivate, to, forward, 'to');
    return undefined;
  }

  removeForward(eip: number, id: string): void {
    const forward = this.forward(eip, id);
    if (forward === undefined) return;
    this.#forwardBlocks -= blocksOf(forward);
    this.#forwards.delete(id);
    dropForward(this.forwardsOfEip, eip, forward, 'first');
    dropForward(this.forwardsOfPrivate, forward.to, forward, 'to');
  }

  /** Undoing a round, after its insertions were removed: parked numbers go back to their owners. */
  returnStolen(): void {
    for (const { from, to } of this.#stolen.reverse()) {
      if (typeof from === 'number' && typeof to === 'number') moveSlot(this.#parkedSlots, to, from);
      else moveBucket(this.#parkedBuckets, `${to}`, `${from}`);
    }
    this.#stolen = [];
  }

  /** Ends a round: numbers that no owner claimed again are free for others. */
  settle(): void {
    this.#releaseSlots();
    for (const bucket of this.#parkedBuckets.values()) this.#buckets.release(bucket);
    this.#parkedBuckets.clear();
    this.#stolen = [];
    this.#loading = false;
    this.revision += 1;
    this.freshSlots = [];
    this.freshBuckets = [];
  }

  #releaseSlots(): void {
    for (const [, slot] of this.#parkedSlots.entries()) this.#slots.release(slot);
    this.#parkedSlots = new AddressMap();
  }

  /** Every number in use with its owner: what a table built afresh starts from. */
  numbers(): Recovered {
    const buckets: [string, number][] = [];
    for (const [slot, limited] of this.limited) {
      buckets.push(...ownedBuckets(eipOwner(this.eipAt(slot)), limited));
    }
    for (const group of this.groups.values()) {
      buckets.push(...ownedBuckets(groupOwner(group.name), group));
    }
    return { slots: this.slotOfEip.entries(), buckets };
  }

  #takeSlot(eip: number): number | undefined {
    const own = this.#parkedSlots.get(eip);
    this.#parkedSlots.delete(eip);
    const slot = own ?? this.#slots.allocate() ?? this.#stealSlot(eip);
    if (slot === undefined) return undefined;
    if (slot >= this.#eips.length) this.#grow(slot);
    if (own === undefined) this.freshSlots.push(slot);
    return slot;
  }

  /** All slots are taken or parked: an owner that is gone has no more use for its slot. */
  #stealSlot(eip: number): number | undefined {
    const [parked] = this.#parkedSlots.entries();
    if (parked === undefined) return undefined;
    if (this.#loading) {
      this.#releaseSlots();
      return this.#slots.allocate();
    }
    const [owner, slot] = parked;
    this.#parkedSlots.delete(owner);
    this.#stolen.push({ from: owner, to: eip });
    return slot;
  }

  #parkSlot(eip: number, slot: number): void {
    this.#parkedSlots.set(eip, slot);
  }

  #grow(slot: number): void {
    const length = Math.min(this.capacity.eips, Math.max(slot + 1, this.#eips.length * 2));
    const [eips, privates] = [new Uint32Array(length), new Uint32Array(length)];
    eips.set(this.#eips);
    privates.set(this.#privates);
    [this.#eips, this.#privates] = [eips, privates];
  }

  #limitsOf(eip: Eip): Limited | undefined | 'full' {
    const { in: inbound, out, burst, group } = eip;
    if (inbound === undefined && out === undefined && burst === undefined && group === undefined) {
      return undefined;
    }
    const buckets = this.#takeBuckets(eipOwner(eip.address), eip);
    if (buckets === undefined) return 'full';
    return { ...ratesOf(eip), ...(group === undefined ? {} : { group }), ...buckets };
  }

  #takeBuckets(owner: string, rates: Rates): Buckets | undefined {
    const inBucket = rates.in === undefined ? 0 : this.#takeBucket(`${owner} in`);
    const outBucket = rates.out === undefined ? 0 : this.#takeBucket(`${owner} out`);
    if (inBucket !== undefined && outBucket !== undefined) return { inBucket, outBucket };
    this.#parkBuckets(owner, { inBucket: inBucket ?? 0, outBucket: outBucket ?? 0 });
    return undefined;
  }

  #takeBucket(owner: string): number | undefined {
    const own = this.#parkedBuckets.get(owner);
    this.#parkedBuckets.delete(owner);
    const bucket = own ?? this.#buckets.allocate() ?? this.#stealBucket(owner);
    if (own === undefined && bucket !== undefined) this.freshBuckets.push(bucket);
    return bucket;
  }

  #stealBucket(owner: string): number | undefined {
    const [parked] = this.#parkedBuckets;
    if (parked === undefined) return undefined;
    this.#parkedBuckets.delete(parked[0]);
    this.#stolen.push({ from: parked[0], to: owner });
    return parked[1];
  }

  #parkBuckets(owner: string, buckets: Buckets): void {
    for (const [name, bucket] of ownedBuckets(owner, buckets)) {
      this.#parkedBuckets.set(name, bucket);
    }
  }

  #join(group: string, slot: number): void {
    const members = this.membersOfGroup.get(group) ?? new Set();
    this.membersOfGroup.set(group, members.add(slot));
  }

  #leave(group: string, slot: number): void {
    const members = this.membersOfGroup.get(group);
    members?.delete(slot);
    if (members?.size === 0) this.membersOfGroup.delete(group);
  }
}

const noBuckets: Limited = { inBucket: 0, outBucket: 0 };

export const eipOwner = (address: number): string => `eip ${address}`;
export const groupOwner = (name: string): string => `group ${name}`;

/** The owners' names as `Recovered` has them. */
export function ownedBuckets(owner: string, buckets: Buckets): [string, number][] {
  const both: [string, number][] = [
    [`${owner} in`, buckets.inBucket],
    [`${owner} out`, buckets.outBucket],
  ];
  return both.filter(([, bucket]) => bucket !== 0);
}

function ratesOf(rates: Rates): Rates {
  return {
    ...(rates.in === undefined ? {} : { in: rates.in }),
    ...(rates.out === undefined ? {} : { out: rates.out }),
    ...(rates.burst === undefined ? {} : { burst: rates.burst }),
  };
}

function moveSlot(parked: AddressMap, from: number, to: number): void {
  const slot = parked.get(from);
  parked.delete(from);
  if (slot !== undefined) parked.set(to, slot);
}

function moveBucket(parked: Map<string, number>, from: string, to: string): void {
  const bucket = parked.get(from);
  parked.delete(from);
  if (bucket !== undefined) parked.set(to, bucket);
}

const show = (address: number): string => formatIpv4(ipv4(address));

function full(kind: string, id: string, what: keyof Capacity, size: number): string {
  return `${kind} ${id}: the table has room for ${size} ${what} (capacity.${what})`;
}

/** The larger of what the forward takes in the two tries. */
function blocksOf(forward: PortForward): number {
  const { first, last, toFirst } = forward;
  const outbound = portBlocks(toFirst, toFirst + last - first);
  return Math.max(portBlocks(first, last).length, outbound.length);
}
