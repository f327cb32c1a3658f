// The kernel behind the Bpf interface. Its twin in memory is fake.ts; one suite holds both to it.
import { loadObject } from './object.ts';
import { movePins, removePins } from './pin.ts';
import { openPinnedMap } from './pinned-map.ts';
import { openRingBuffer } from './ringbuf.ts';
import { attachTc, attachXdp, detachTc, detachXdp, queryTc } from './tc.ts';
import { attachTcx, detachTcx, queryTcx } from './tcx.ts';
import type { Bpf } from './types.ts';

/** Loads libbpf at the first use: EDGE_BPF_LIBRARY where it is not installed. */
export function createBpf(): Bpf {
  return {
    load: loadObject,
    openPinned: openPinnedMap,
    movePins,
    removePins,
    attachTc,
    detachTc,
    queryTc,
    attachTcx,
    detachTcx,
    queryTcx,
    attachXdp,
    detachXdp,
    ringBuffer: openRingBuffer,
  };
}
