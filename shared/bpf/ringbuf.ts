// A ring buffer's reader: records are copied out, in the order in which programs submitted them.
import { BpfError, callFailed } from './failure.ts';
import {
  copyBytes,
  errno,
  libbpf,
  type Pointer,
  registerSampleCallback,
  unregisterCallback,
} from './ffi.ts';
import type { BpfMap, RingBuffer } from './types.ts';

export const CONSUME_LIMIT = 4096;
/** What the callback returns to stop the walk; the record it was called with is consumed. */
const STOP = -1;

export function openRingBuffer(map: BpfMap, onRecord: (bytes: Uint8Array) => void): RingBuffer {
  if (map.type !== 'ringbuf') throw new BpfError('EDGE_BPF_MAP', `map ${map.name}: no ring buffer`);
  let taken = 0;
  let limit = CONSUME_LIMIT;
  let thrown: { error: unknown } | undefined;
  // An exception must not travel through C: it is kept and thrown again once C has returned.
  const callback = registerSampleCallback((_context, address, size) => {
    taken++;
    try {
      onRecord(copyBytes(address, Number(size)));
    } catch (error) {
      thrown = { error };
    }
    return thrown !== undefined || taken >= limit ? STOP : 0;
  });
  let ring: Pointer = libbpf().ring_buffer__new(map.fd, callback, null, null);
  if (ring === null) {
    unregisterCallback(callback);
    throw callFailed('EDGE_BPF_MAP', `map ${map.name}: open`, -errno());
  }
  return {
    consume(most = CONSUME_LIMIT): number {
      if (ring === null) throw new Error(`ring buffer ${map.name} is closed`);
      taken = 0;
      limit = most;
      thrown = undefined;
      const result = libbpf().ring_buffer__consume(ring);
      if (thrown !== undefined) throw (thrown as { error: unknown }).error;
      if (result < 0 && taken < limit) {
        throw callFailed('EDGE_BPF_MAP', `map ${map.name}: consume`, result);
      }
      return taken;
    },
    close(): void {
      if (ring === null) return;
      libbpf().ring_buffer__free(ring);
      unregisterCallback(callback);
      ring = null;
    },
  };
}
