// Each of the kernel's maps next to what the table wants in it, for reconcile.ts.

import type { BpfMap } from '../shared/bpf/types.ts';
import { numberKey, readAddress, readNumber, writeAddress } from '../shared/bpf/words.ts';
import { Slot } from './entries.ts';
import type { Layout } from './layout.ts';
import type { WantedMap } from './reconcile.ts';
import type { Buckets, PortForward, Rates, TableState } from './state.ts';
import {
  wantedBuckets,
  wantedEip,
  wantedForwardsIn,
  wantedForwardsOut,
  wantedPrivate,
  wantedSlotLimits,
} from './wanted.ts';

export type MapSet = (name: string) => BpfMap;

/** In the order in which entries shall appear: limits, then the way out, then the way in. */
export function wantedMaps(
  maps: MapSet,
  layout: Layout,
  state: TableState,
  zeroMeter: (slot: number) => void,
): WantedMap[] {
  return [
    bucketStates(maps('bucket_states'), state),
    bucketConfigs(maps('bucket_configs'), layout, state),
    slotLimits(maps('slot_limits'), layout, state),
    forwards(maps('forwards_out'), layout, state, wantedForwardsOut),
    privateToEip(maps('private_to_eip'), layout, state),
    forwards(maps('forwards_in'), layout, state, wantedForwardsIn),
    eipToPrivate(maps('eip_to_private'), layout, state, zeroMeter),
  ];
}

function eipToPrivate(
  map: BpfMap,
  layout: Layout,
  state: TableState,
  zeroMeter: (slot: number) => void,
): WantedMap {
  return {
    map,
    wanted(key, value) {
      const mapping = wantedEip(state, readAddress(key));
      if (mapping !== undefined) layout.encodeMapping(mapping, value, 0);
      return mapping !== undefined;
    },
    keys: () => addressKeys(state.slotOfEip.entries()),
    count: () => state.slotOfEip.size,
    beforeWrite(key, value, isNew) {
      const slot = layout.decodeMapping(value, 0).slotFlags & Slot.mask;
      const before = isNew ? undefined : map.lookup(key);
      if (before !== undefined) {
        const owned = layout.decodeMapping(before, 0).slotFlags & Slot.mask;
        if (owned === slot) return;
      }
      zeroMeter(slot);
    },
  };
}

function privateToEip(map: BpfMap, layout: Layout, state: TableState): WantedMap {
  function* keys(): Generator<Uint8Array> {
    yield* addressKeys(state.slotOfPrivate.entries());
    for (const address of state.forwardsOfPrivate.keys()) {
      if (!state.slotOfPrivate.has(address)) yield* addressKeys([[address, 0]]);
    }
  }
  return {
    map,
    wanted(key, value) {
      const mapping = wantedPrivate(state, readAddress(key));
      if (mapping !== undefined) layout.encodeMapping(mapping, value, 0);
      return mapping !== undefined;
    },
    keys,
    count() {
      const both = [...state.forwardsOfPrivate.keys()].filter((p) => state.slotOfPrivate.has(p));
      return state.slotOfPrivate.size + state.forwardsOfPrivate.size - both.length;
    },
  };
}

function* addressKeys(entries: Iterable<[address: number, value: number]>): Generator<Uint8Array> {
  const key = new Uint8Array(4);
  for (const [address] of entries) {
    writeAddress(address, key);
    yield key;
  }
}

function forwards(
  map: BpfMap,
  layout: Layout,
  state: TableState,
  entriesOf: typeof wantedForwardsIn,
): WantedMap {
  const keyBytes = () => new Uint8Array(map.keySize);
  function* all(): Generator<PortForward> {
    for (const list of state.forwardsOfEip.values()) yield* list;
  }
  return indexed(map, state, function* () {
    for (const forward of all()) {
      for (const { key, value } of entriesOf(state, forward)) {
        const [bytes, valueBytes] = [keyBytes(), new Uint8Array(map.valueSize)];
        layout.encodeForwardKey(key, bytes, 0);
        layout.encodeForward(value, valueBytes, 0);
        yield [bytes, valueBytes];
      }
    }
  });
}

function slotLimits(map: BpfMap, layout: Layout, state: TableState): WantedMap {
  return indexed(map, state, function* () {
    for (const slot of state.limited.keys()) {
      const limits = wantedSlotLimits(state, slot);
      if (limits === undefined) continue;
      const value = new Uint8Array(map.valueSize);
      layout.encodeSlotLimits(limits, value, 0);
      yield [numberKey(slot), value];
    }
  });
}

function* limitsOf(state: TableState): Generator<Rates & Buckets> {
  yield* state.groups.values();
  yield* state.limited.values();
}

function bucketConfigs(map: BpfMap, layout: Layout, state: TableState): WantedMap {
  return indexed(map, state, function* () {
    for (const limits of limitsOf(state)) {
      for (const [bucket, config] of wantedBuckets(limits)) {
        const value = new Uint8Array(map.valueSize);
        layout.encodeBucketConfig(config, value, 0);
        yield [numberKey(bucket), value];
      }
    }
  });
}

function bucketStates(map: BpfMap, state: TableState): WantedMap {
  const entries = function* (): Generator<[Uint8Array, Uint8Array]> {
    for (const { inBucket, outBucket } of limitsOf(state)) {
      const value = new Uint8Array(map.valueSize);
      if (inBucket !== 0) yield [numberKey(inBucket), value];
      if (outBucket !== 0) yield [numberKey(outBucket), value];
    }
  };
  return { ...indexed(map, state, entries), presenceOnly: true };
}

/** For the small maps: all entries in a hash by key, made anew when the table has changed. */
function indexed(
  map: BpfMap,
  state: TableState,
  entries: () => Iterable<[Uint8Array, Uint8Array]>,
): WantedMap {
  let index = new Map<string, Uint8Array>();
  let revision = -1;
  const current = (): Map<string, Uint8Array> => {
    if (revision !== state.revision) {
      index = new Map();
      for (const [key, value] of entries()) index.set(textOf(key), value);
      revision = state.revision;
    }
    return index;
  };
  return {
    map,
    wanted(key, value) {
      const found = current().get(textOf(key));
      if (found !== undefined) value.set(found);
      return found !== undefined;
    },
    keys: () => [...entries()].map(([key]) => key),
    count: () => current().size,
  };
}

function textOf(key: Uint8Array): string {
  let text = '';
  for (let at = 0; at + 4 <= key.length; at += 4) text += `${readNumber(key, at)} `;
  return text;
}
