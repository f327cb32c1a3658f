// The table's entries as the bytes that the kernel's maps hold; layouts come from the object's BTF.

import type { Btf } from '../shared/bpf/btf.ts';
import { structCodec } from '../shared/bpf/codec.ts';
import type { BucketConfig, Forward, ForwardKey, Mapping, SlotLimits } from './entries.ts';

/** Writes into `into` from byte `at`. */
type Encode<T> = (value: T, into: Uint8Array, at: number) => void;
type Decode<T> = (bytes: Uint8Array, at: number) => T;

export type Meter = {
  in_packets: number;
  in_bytes: number;
  out_packets: number;
  out_bytes: number;
};
export type Counter = { packets: number; bytes: number };
export type TraceConfig = {
  enabled: number;
  address: number;
  reason: number;
  snap_bytes: number;
};
export type TraceEvent = {
  time_ns: number;
  ifindex: number;
  reason: number;
  frame_bytes: number;
  snap_bytes: number;
  after: number;
  egress: number;
  frame: Uint8Array;
};

export type Layout = ReturnType<typeof createLayout>;

export function createLayout(types: Btf) {
  return {
    ...mappingLayout(types),
    ...forwardLayout(types),
    ...limitLayout(types),
    meter: structCodec<Meter>(types, 'meter'),
    counter: structCodec<Counter>(types, 'counter'),
    link: structCodec<{ role: number }>(types, 'link'),
    prefixKey: structCodec<{ prefix_bits: number; address: number }>(types, 'prefix_key'),
    traceConfig: structCodec<TraceConfig>(types, 'trace_config'),
    traceEvent: structCodec<TraceEvent>(types, 'trace_event'),
    reasons: types.enum('reason'),
    steps: types.enum('explain_step'),
    words: types.enum('explain_word'),
  };
}

function mappingLayout(types: Btf) {
  const mapping = structCodec<{ address: number; slot_flags: number }>(types, 'mapping');
  const encodeMapping: Encode<Mapping> = ({ address, slotFlags }, into, at) => {
    mapping.encode({ address, slot_flags: slotFlags }, into, at);
  };
  const decodeMapping: Decode<Mapping> = (bytes, at) => {
    const { address, slot_flags: slotFlags } = mapping.decode(bytes, at);
    return { address, slotFlags };
  };
  return { encodeMapping, decodeMapping };
}

type KernelForwardKey = { prefix_bits: number; address: number; protocol: number; port: number };
type KernelForward = { address: number; port_offset: number; slot_flags: number };

function forwardLayout(types: Btf) {
  const key = structCodec<KernelForwardKey>(types, 'forward_key');
  const forward = structCodec<KernelForward>(types, 'forward');
  const encodeForwardKey: Encode<ForwardKey> = ({ prefixBits, ...rest }, into, at) => {
    key.encode({ prefix_bits: prefixBits, ...rest }, into, at);
  };
  const encodeForward: Encode<Forward> = ({ address, portOffset, slotFlags }, into, at) => {
    forward.encode({ address, port_offset: portOffset, slot_flags: slotFlags }, into, at);
  };
  return { encodeForwardKey, encodeForward };
}

type KernelSlotLimits = {
  in_bucket: number;
  out_bucket: number;
  in_group_bucket: number;
  out_group_bucket: number;
};
type KernelBucketConfig = { cost_per_byte: number; burst_ns: number; reserve_ns: number };

function limitLayout(types: Btf) {
  const slotLimits = structCodec<KernelSlotLimits>(types, 'slot_limits');
  const bucketConfig = structCodec<KernelBucketConfig>(types, 'bucket_config');
  const encodeSlotLimits: Encode<SlotLimits> = (limits, into, at) => {
    const { inBucket, outBucket, inGroupBucket, outGroupBucket } = limits;
    const group = { in_group_bucket: inGroupBucket, out_group_bucket: outGroupBucket };
    slotLimits.encode({ in_bucket: inBucket, out_bucket: outBucket, ...group }, into, at);
  };
  const decodeSlotLimits: Decode<SlotLimits> = (bytes, at) => {
    const limits = slotLimits.decode(bytes, at);
    return {
      inBucket: limits.in_bucket,
      outBucket: limits.out_bucket,
      inGroupBucket: limits.in_group_bucket,
      outGroupBucket: limits.out_group_bucket,
    };
  };
  const encodeBucketConfig: Encode<BucketConfig> = (config, into, at) => {
    const { costPerByte, burstNs, reserveNs } = config;
    const times = { burst_ns: burstNs, reserve_ns: reserveNs };
    bucketConfig.encode({ cost_per_byte: costPerByte, ...times }, into, at);
  };
  return { encodeSlotLimits, decodeSlotLimits, encodeBucketConfig };
}
