// What the kernel's maps shall hold, as plain values: the words between the table and the datapath.
// Addresses are numbers in host order; slot flags are `Slot` bits over the slot's number.

export const Slot = {
  mask: 0x00ff_ffff,
  eipForwards: 0x8000_0000,
  limitIn: 0x4000_0000,
  limitOut: 0x2000_0000,
  privateForwarded: 0x1000_0000,
  /** In pages only: the entry is one. */
  present: 0x0800_0000,
} as const;

export type Mapping = { address: number; slotFlags: number };

export type ForwardKey = { address: number; protocol: number; port: number; prefixBits: number };
export type Forward = { address: number; portOffset: number; slotFlags: number };

export type SlotLimits = {
  inBucket: number;
  outBucket: number;
  inGroupBucket: number;
  outGroupBucket: number;
};

export type BucketConfig = { costPerByte: number; burstNs: number; reserveNs: number };

/** One write to one map; `value` undefined deletes. */
export type Operation =
  | { map: 'eip_to_private' | 'private_to_eip'; key: number; value: Mapping | undefined }
  | { map: 'forwards_in' | 'forwards_out'; key: ForwardKey; value: Forward | undefined }
  | { map: 'slot_limits'; key: number; value: SlotLimits | undefined }
  | { map: 'bucket_configs'; key: number; value: BucketConfig | undefined }
  | { map: 'bucket_states'; key: number; value: 'full' | undefined }
  | { map: 'meters'; key: number; value: 'zero' };
