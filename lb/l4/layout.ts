// The plan's entries as the bytes that the kernel's maps hold; layouts come from the object's BTF.

import type { Btf } from '../../shared/bpf/btf.ts';
import { structCodec } from '../../shared/bpf/codec.ts';
import type { PortKey, RangeKey, ReverseValue, ServerValue, TargetValue } from './entries.ts';

export type Meter = {
  in_packets: number;
  in_bytes: number;
  out_packets: number;
  out_bytes: number;
  connections: number;
};
export type Counter = { packets: number; bytes: number };

export type Layout = ReturnType<typeof createLayout>;

export function createLayout(types: Btf) {
  return {
    portKey: structCodec<PortKey>(types, 'server_key', ['address', 'port', 'protocol']),
    rangeKey: structCodec<RangeKey>(types, 'range_key', [
      'prefix_bits',
      'address',
      'protocol',
      'port',
    ]),
    server: structCodec<ServerValue>(types, 'server', ['slot', 'pool_slot', 'flags', 'first_port']),
    reverse: structCodec<ReverseValue>(types, 'reverse'),
    target: structCodec<TargetValue>(types, 'target'),
    meter: structCodec<Meter>(types, 'meter'),
    counter: structCodec<Counter>(types, 'counter'),
    reasons: types.enum('reason'),
    steps: types.enum('explain_step'),
    words: types.enum('explain_word'),
  };
}
