// What the main thread and a thread that answers over UDP say to each other.
import type { ReturnAddress } from '../../shared/bpf/udp-ring.ts';
import type { Counters } from '../answer/counters.ts';
import type { QueryNote } from '../answer/query-sample.ts';
import type { UnknownClients } from '../answer/unknown-clients.ts';
import type { StateDelta } from './state-delta.ts';

export const UDP_COUNTS = [
  /** Taken from the sockets; each is dropped here, or the responder's. */
  'received',
  /** Longer than what there is room for: dropped. */
  'truncated',
  'sent',
  /** Refused by the kernel, or its queue was full. */
  'sendFailed',
  'referred',
  /** Too many were with the control plane already: dropped. */
  'referredDropped',
  /** System calls that brought something: `received` by these is how full batches are. */
  'batches',
] as const;
export type UdpCount = (typeof UDP_COUNTS)[number];

/** Words of the memory that both look at. */
export const CONTROL = {
  /** Counts up with each message to the thread. */
  mail: 0,
  stop: 1,
  /** Referred messages that the main thread has not done with. */
  referred: 2,
  /** Batches of notes on queries that the main thread has not taken. */
  noted: 3,
} as const;
export const CONTROL_WORDS = 4;

export type UdpWorkerData = {
  /** One a listen address. */
  fds: readonly number[];
  wake: number;
  control: Int32Array<SharedArrayBuffer>;
  counts: Float64Array<SharedArrayBuffer>;
  keepaliveMs: number;
  seed: number;
  /** Of all threads. */
  maxReferred: number;
};

export type ToWorker = StateDelta;

export type FromWorker =
  | { kind: 'ready'; counters: Counters; unknownClients: UnknownClients }
  | { kind: 'adopted'; generation: number; problem?: string }
  | { kind: 'exception'; text: string }
  | { kind: 'queries'; notes: readonly QueryNote[]; dropped: number }
  | {
      kind: 'referred';
      message: Uint8Array;
      client: Uint8Array;
      clientPort: number;
      nowSeconds: number;
      /** Index of the listen address. */
      socket: number;
      returnAddress: ReturnAddress;
    };
