// One packet's way through the model: what it reads, and what it gathers. Pure.
import type { Edit } from '../../../shared/net/packet-rewrite.ts';
import type { PacketView } from '../../../shared/net/packet-view.ts';
import type { DropReason, Environment, Metered, State, Step, Table } from './types.ts';

export type Run = {
  readonly table: Table;
  readonly frame: Uint8Array;
  readonly environment: Environment;
  readonly steps: Set<Step>;
  state: State;
  serverSlot: number;
  targetSlot: number;
  hash: number;
  /** Counts as a connection when it is metered. */
  opens: boolean;
  metered: Metered | undefined;
};

/** What is to become of a packet. */
export type Resolution =
  | { kind: 'not-ours' }
  | { kind: 'drop'; reason: DropReason }
  | { kind: 'edit'; edit: Edit; quoted?: PacketView } // nat
  | { kind: 'send'; target: number }; // dsr

export const notOurs: Resolution = { kind: 'not-ours' };
export const drop = (reason: DropReason): Resolution => ({ kind: 'drop', reason });
