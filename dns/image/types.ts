// A zone compiled for answering: one piece of shared memory, never changed once built, so that
// every thread reads the same and a new one takes its place by one reference. Pure.
import type { Name } from '../../shared/dns/types.ts';
import type { RecordList } from '../../shared/dns/zone/record-list.ts';

/** Which (owner, type) is answered by policy: `index` into the state's smart answers. */
export type SmartName = { owner: Name; type: number; index: number };

export type BuildInput = {
  origin: Name;
  /** Checked (zone/check.ts), in any order. An ALIAS' data: the target. */
  records: RecordList;
  smart: readonly SmartName[];
};

/** As threads hand it on. `memory` has everything; its layout is layout.ts'. */
export type ZoneImage = {
  origin: Name;
  serial: number;
  names: number;
  recordCount: number;
  memory: SharedArrayBuffer;
};
