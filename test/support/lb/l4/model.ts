// Runs the reference model in the packet table's world.
import { balance } from '../../../../lb/l4/model/balance.ts';
import {
  EMPTY_STATE,
  type Environment,
  type Outcome,
  type Program,
  type State,
  type Table,
} from '../../../../lb/l4/model/types.ts';
import { type LinkName, lbFib, siteTable } from './site.ts';

const UNIT_IFINDEX: Record<LinkName, number> = { uplink: 2, inside: 3, narrow: 4, onearm: 5 };

export type ModelInput = {
  program: Program;
  frame: Uint8Array;
  state?: State;
  table?: Table;
} & Partial<Omit<Environment, 'fib'>>;

/** One frame; at time 0, for this machine's MAC, and with nothing known, unless told. */
export function runModel(input: ModelInput, ifindex = UNIT_IFINDEX): Outcome {
  const { program, frame, state = EMPTY_STATE, table = siteTable, ...around } = input;
  const environment = { isHost: true, nowNs: 0, ...around, fib: lbFib(ifindex) };
  return balance(table, state, program, frame, environment);
}
