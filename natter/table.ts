// The table of a natter, incrementally: a set of changes is checked as a whole in time that
// depends on the changes alone, and becomes writes to the kernel's maps, or is refused and leaves
// no trace. Pure.

import { formatIpv4, ipv4 } from '../shared/net/ipv4.ts';
import type { Operation } from './entries.ts';
import {
  type Capacity,
  type DesiredObject,
  type Eip,
  type Group,
  type PortForward,
  type Recovered,
  TableState,
} from './state.ts';
import {
  wantedBuckets,
  wantedEip,
  wantedForwardsIn,
  wantedForwardsOut,
  wantedPrivate,
  wantedSlotLimits,
} from './wanted.ts';

/** An object that appears or changes (`object`), or goes away. */
export type ObjectChange =
  | { object: DesiredObject }
  | { removed: 'eip'; address: number }
  | { removed: 'forward'; eip: number; id: string }
  | { removed: 'group'; name: string };

/** The table holds the changes already. Call one: `undo` puts it back as it was. */
export type Planned = { operations: Operation[]; commit: () => void; undo: () => void };
export type Refused = { reasons: string[] };

const MAX_REASONS = 100;

/** What a change set reaches: whose entries are compared before and after. */
type Scope = {
  eips: Set<number>;
  /** Those of `eips` whose forwards all may change. */
  whole: Set<number>;
  /** Forwards that change by themselves, with their EIP. */
  forwards: Map<string, number>;
  privates: Set<number>;
  groups: Set<string>;
};

export type TableOptions = {
  capacity: Capacity;
  /** Addresses of this host: none may be an EIP. */
  isLocal?: (address: number) => boolean;
  recovered?: Recovered;
};

export class Table {
  readonly state: TableState;
  readonly #isLocal: (address: number) => boolean;

  constructor({ capacity, isLocal = () => false, recovered }: TableOptions) {
    this.state = new TableState(capacity, recovered);
    this.#isLocal = isLocal;
  }

  /** For a table built afresh: puts the object in; a problem, or undefined. End with `check`. */
  load(object: DesiredObject): string | undefined {
    this.#remove(keyOf(object));
    return this.#insert(object);
  }

  /** After the last `load`: every contradiction; [] settles the table. */
  check(): string[] {
    const reasons: string[] = [];
    const add = collector(reasons);
    for (const [eip] of this.state.slotOfEip.entries()) add(this.#eipProblem(eip));
    for (const eip of this.state.forwardsOfEip.keys()) add(this.#orphanProblem(eip));
    for (const address of this.state.forwardsOfPrivate.keys()) add(this.#targetProblem(address));
    for (const name of this.state.membersOfGroup.keys()) add(this.#groupProblem(name));
    if (reasons.length === 0) this.state.settle();
    return reasons;
  }

  /** All changes or none; of several for one object the last one counts. */
  change(changes: readonly ObjectChange[]): Planned | Refused {
    const latest = new Map(changes.map((change) => [keyText(keyOf(change)), change]));
    const before = [...latest.values()].map((change) => this.#current(keyOf(change)));
    const scope = this.#scope([...latest.values(), ...before]);
    const entriesBefore = this.#entries(scope);
    const reasons: string[] = [];
    const add = collector(reasons);
    for (const change of latest.values()) this.#remove(keyOf(change));
    const objects = [...latest.values()].flatMap((c) => ('object' in c ? [c.object] : []));
    for (const object of objects.sort(groupsFirst)) add(this.#insert(object));
    for (const address of scope.eips)
      add(this.#eipProblem(address) ?? this.#orphanProblem(address));
    for (const address of scope.privates) add(this.#privateProblem(address));
    for (const name of scope.groups) add(this.#groupProblem(name));
    const undo = () => this.#restore(objects.map(keyOf), before);
    if (reasons.length > 0) {
      undo();
      return { reasons: tooMany(reasons) };
    }
    const { freshSlots } = this.state;
    const operations = operationsOf(entriesBefore, this.#entries(scope), freshSlots);
    return { operations, commit: () => this.state.settle(), undo };
  }

  #current(key: ObjectKey): ObjectChange {
    if (key.kind === 'group') {
      const group = this.state.groups.get(key.name);
      if (group === undefined) return { removed: 'group', name: key.name };
      const { inBucket: _in, outBucket: _out, ...object } = group;
      return { object };
    }
    if (key.kind === 'eip') {
      const object = this.state.eip(key.address);
      return object === undefined ? { removed: 'eip', address: key.address } : { object };
    }
    const object = this.state.forward(key.eip, key.id);
    return object === undefined ? { removed: 'forward', eip: key.eip, id: key.id } : { object };
  }

  #remove(key: ObjectKey): void {
    if (key.kind === 'group') this.state.removeGroup(key.name);
    else if (key.kind === 'eip') this.state.removeEip(key.address);
    else this.state.removeForward(key.eip, key.id);
  }

  #insert(object: DesiredObject): string | undefined {
    if (object.kind === 'group') return this.state.insertGroup(object);
    if (object.kind === 'eip') return this.state.insertEip(object);
    return this.state.insertForward(object);
  }

  #restore(inserted: ObjectKey[], before: ObjectChange[]): void {
    for (const key of inserted) this.#remove(key);
    this.state.returnStolen();
    const objects = before.flatMap((change) => ('object' in change ? [change.object] : []));
    for (const object of objects.sort(groupsFirst)) {
      const problem = this.#insert(object);
      if (problem !== undefined) throw new Error(`undo failed: ${problem}`);
    }
    this.state.settle();
  }

  #scope(changes: readonly ObjectChange[]): Scope {
    const [eips, privates, groups] = [new Set<number>(), new Set<number>(), new Set<string>()];
    const scope: Scope = { eips, privates, groups, whole: new Set(), forwards: new Map() };
    for (const change of changes) {
      const key = keyOf(change);
      if (key.kind === 'eip') scope.whole.add(key.address);
      else if (key.kind === 'forward') scope.forwards.set(key.id, key.eip);
      else scope.groups.add(key.name);
      if (!('object' in change)) continue;
      const { object } = change;
      if (object.kind === 'forward') scope.privates.add(object.to);
      if (object.kind === 'eip' && object.private !== undefined) scope.privates.add(object.private);
      if (object.kind === 'eip' && object.group !== undefined) scope.groups.add(object.group);
    }
    // Only a group that itself changes reaches its members.
    for (const name of changes.flatMap(groupOf)) {
      for (const slot of this.state.membersOfGroup.get(name) ?? []) {
        scope.whole.add(this.state.eipAt(slot));
      }
    }
    for (const eip of scope.whole) {
      for (const forward of this.state.forwardsOfEip.get(eip) ?? []) scope.privates.add(forward.to);
    }
    for (const eip of [...scope.whole, ...scope.forwards.values()]) {
      scope.eips.add(eip);
      const slot = this.state.slotOfEip.get(eip);
      const mapped = slot === undefined ? 0 : this.state.privateAt(slot);
      if (mapped !== 0) scope.privates.add(mapped);
    }
    return scope;
  }

  /** What the kernel shall hold for all that the scope reaches. */
  #entries(scope: Scope): Entries {
    const { state } = this;
    const entries: Entries = new Map();
    const put = (entry: Operation) => entries.set(entryText(entry), entry);
    for (const eip of scope.eips) {
      put({ map: 'eip_to_private', key: eip, value: wantedEip(state, eip) });
      const slot = state.slotOfEip.get(eip);
      if (slot === undefined) continue;
      const limits = wantedSlotLimits(state, slot);
      if (limits !== undefined) put({ map: 'slot_limits', key: slot, value: limits });
      const limited = state.limited.get(slot);
      for (const [key, value] of limited === undefined ? [] : wantedBuckets(limited)) {
        put({ map: 'bucket_configs', key, value });
      }
    }
    for (const forward of this.#forwardsIn(scope)) {
      if (!state.slotOfEip.has(forward.eip)) continue;
      for (const e of wantedForwardsIn(state, forward)) put({ map: 'forwards_in', ...e });
      for (const e of wantedForwardsOut(state, forward)) put({ map: 'forwards_out', ...e });
    }
    for (const address of scope.privates) {
      put({ map: 'private_to_eip', key: address, value: wantedPrivate(state, address) });
    }
    for (const name of scope.groups) {
      const group = state.groups.get(name);
      for (const [key, value] of group === undefined ? [] : wantedBuckets(group)) {
        put({ map: 'bucket_configs', key, value });
      }
    }
    return entries;
  }

  *#forwardsIn({ whole, forwards }: Scope): Generator<PortForward> {
    for (const eip of whole) yield* this.state.forwardsOfEip.get(eip) ?? [];
    for (const [id, eip] of forwards) {
      const forward = whole.has(eip) ? undefined : this.state.forward(eip, id);
      if (forward !== undefined) yield forward;
    }
  }

  #eipProblem(address: number): string | undefined {
    const { state } = this;
    const slot = state.slotOfEip.get(address);
    if (slot === undefined) return undefined;
    if (this.#isLocal(address)) return `eip ${show(address)}: is an address of this host`;
    if (state.slotOfPrivate.has(address) || state.forwardsOfPrivate.has(address)) {
      return `eip ${show(address)}: is a private address too`;
    }
    const group = state.limited.get(slot)?.group;
    if (group !== undefined && !state.groups.has(group)) {
      return `eip ${show(address)}: group ${group} is unknown`;
    }
    const mapped = state.privateAt(slot);
    return mapped === 0 ? undefined : this.#privateProblem(mapped);
  }

  /** Forwards without their EIP. */
  #orphanProblem(eip: number): string | undefined {
    const [forward] = this.state.forwardsOfEip.get(eip) ?? [];
    if (forward === undefined || this.state.slotOfEip.has(eip)) return undefined;
    return `forward ${forward.id}: there is no eip ${show(eip)}`;
  }

  #privateProblem(address: number): string | undefined {
    const slot = this.state.slotOfPrivate.get(address);
    if (slot !== undefined && this.state.slotOfEip.has(address)) {
      return `eip ${show(this.state.eipAt(slot))}: private ${show(address)} is an eip too`;
    }
    return this.#targetProblem(address);
  }

  #targetProblem(address: number): string | undefined {
    const forwards = this.state.forwardsOfPrivate.get(address) ?? [];
    const [first] = forwards;
    if (first !== undefined && this.state.slotOfEip.has(address)) {
      return `forward ${first.id}: leads to ${show(address)}, which is an eip`;
    }
    const slot = this.state.slotOfPrivate.get(address);
    if (slot === undefined) return undefined;
    const eip = this.state.eipAt(slot);
    const other = forwards.find((forward) => forward.eip !== eip);
    if (other === undefined) return undefined;
    return `forward ${other.id}: leads to ${show(address)}, which eip ${show(eip)} maps`;
  }

  #groupProblem(name: string): string | undefined {
    if (this.state.groups.has(name)) return undefined;
    const [slot] = this.state.membersOfGroup.get(name) ?? [];
    if (slot === undefined) return undefined;
    return `eip ${show(this.state.eipAt(slot))}: group ${name} is unknown`;
  }
}

type ObjectKey =
  | Pick<Eip, 'kind' | 'address'>
  | Pick<PortForward, 'kind' | 'eip' | 'id'>
  | Pick<Group, 'kind' | 'name'>;

function keyOf(change: ObjectChange | DesiredObject): ObjectKey {
  if ('kind' in change) return change;
  if ('object' in change) return change.object;
  if (change.removed === 'eip') return { kind: 'eip', address: change.address };
  if (change.removed === 'group') return { kind: 'group', name: change.name };
  return { kind: 'forward', eip: change.eip, id: change.id };
}

function keyText(key: ObjectKey): string {
  if (key.kind === 'eip') return `eip ${key.address}`;
  return key.kind === 'group' ? `group ${key.name}` : `forward ${key.id}`;
}

function groupOf(change: ObjectChange): string[] {
  const key = keyOf(change);
  return key.kind === 'group' ? [key.name] : [];
}

const rank = { group: 0, eip: 1, forward: 2 } as const;
const groupsFirst = (a: DesiredObject, b: DesiredObject): number => rank[a.kind] - rank[b.kind];

type Entries = Map<string, Operation>;

function entryText({ map, key }: Operation): string {
  if (typeof key === 'number') return `${map} ${key}`;
  return `${map} ${key.address} ${key.protocol} ${key.port} ${key.prefixBits}`;
}

/**
 * What to write, in an order in which no packet meets half a mapping: limits first, then the way
 * out, then the way in; what goes, goes the other way round.
 */
function operationsOf(before: Entries, after: Entries, freshSlots: number[]): Operation[] {
  const writes: Operation[] = [];
  const deletes: Operation[] = [];
  for (const [text, entry] of after) {
    const old = before.get(text);
    if (entry.value === undefined || sameValue(old, entry)) continue;
    writes.push(entry);
    if (entry.map === 'bucket_configs' && old === undefined) {
      writes.push({ map: 'bucket_states', key: entry.key, value: 'full' });
    }
  }
  for (const [text, entry] of before) {
    if (entry.value === undefined || after.get(text)?.value !== undefined) continue;
    deletes.push(withoutValue(entry));
    if (entry.map === 'bucket_configs') {
      deletes.push({ map: 'bucket_states', key: entry.key, value: undefined });
    }
  }
  const zeroed: Operation[] = freshSlots.map((key) => ({ map: 'meters', key, value: 'zero' }));
  writes.sort((a, b) => order[a.map] - order[b.map]);
  deletes.sort((a, b) => order[b.map] - order[a.map]);
  return [...zeroed, ...writes, ...deletes];
}

const order: Record<Operation['map'], number> = {
  meters: 0,
  bucket_states: 1,
  bucket_configs: 2,
  slot_limits: 3,
  forwards_out: 4,
  private_to_eip: 5,
  forwards_in: 6,
  eip_to_private: 7,
};

function withoutValue(entry: Operation): Operation {
  return { ...entry, value: undefined } as Operation; // the map and its kind of key stay together
}

function sameValue(a: Operation | undefined, b: Operation): boolean {
  const [x, y] = [a?.value, b.value];
  if (typeof x !== 'object' || typeof y !== 'object') return x === y;
  const values: Record<string, unknown> = { ...y };
  return Object.entries(x).every(([name, value]) => values[name] === value);
}

function collector(reasons: string[]): (reason: string | undefined) => void {
  const seen = new Set<string>();
  return (reason) => {
    if (reason === undefined || seen.has(reason)) return;
    seen.add(reason);
    reasons.push(reason);
  };
}

export function tooMany(reasons: string[]): string[] {
  if (reasons.length <= MAX_REASONS) return reasons;
  return [...reasons.slice(0, MAX_REASONS), `and ${reasons.length - MAX_REASONS} more`];
}

const show = (address: number): string => formatIpv4(ipv4(address));
