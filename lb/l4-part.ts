// L4, as the service sees it; absent where no links are configured.
import type { LbPlan, PoolsPlan } from './plan.ts';
import type { PoolState } from './pools/types.ts';

/** Packets and bytes on the wire; `out` is not seen of direct returns. */
export type FlowMeter = {
  inPackets: number;
  inBytes: number;
  outPackets: number;
  outBytes: number;
  connections: number;
};

export interface L4Part {
  start(signal: AbortSignal): Promise<void>;
  /** Servers, and the states of their pools. */
  want(plan: LbPlan, pools: PoolsPlan, states: ReadonlyMap<string, PoolState>): void;
  stats(): {
    reasons: ReadonlyMap<string, { packets: number; bytes: number }>;
    servers: readonly { server: string; meter: FlowMeter }[];
  };
  /** Links and what is wrong, for the status page. */
  status(): unknown;
  /** `edgectl explain` of a flow: what the programs in the kernel would do. */
  explain(body: unknown): unknown;
  /** What is wrong with it now. */
  readonly problem: string | undefined;
  /** Versions of which all is in the kernel. */
  readonly applied: { lb: number; pools: number } | undefined;
  /** No flow goes on through this instance, as far as its counters say. */
  readonly isQuiet: boolean;
  stop(): Promise<void>;
}

export function createL4(_: unknown): L4Part | undefined {
  return undefined;
}
