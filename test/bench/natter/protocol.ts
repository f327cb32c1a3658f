// What the bench asks of the worker inside a namespace, and what it answers.
import { join } from 'node:path';
import { instanceName, PIN_ROOT, type Run } from '../../../lab/run.ts';
import type { Hook } from '../../../shared/links/hook.ts';
import type { Contender } from './peers.ts';

export interface FloodRequest {
  /** The router's link that the packets appear to come from. */
  link: 'up0' | 'in0';
  /** Packets carry EIPs on the client's side, or private addresses there too. */
  addresses: 'eip' | 'private';
  eips: number;
  packets: number;
  /** Pick among these flows at random; 0: new flows, one a packet, from firstFlow up. */
  flows: number;
  firstFlow: number;
  /** Drop before the stack: what the source itself costs. */
  drop?: boolean;
}

export interface FloodResult {
  cpuNs: number;
  packets: number;
}

export interface ProgRunRequest {
  direction: 'in' | 'out';
  /** Length of the ring of keys. */
  eips: number;
  /** About so many packets in all. */
  packets: number;
}

export interface NatterSettings {
  eips: number;
  hook: Hook;
  /** Below it tcx links are pinned. */
  pinDirectory: string;
}

/** Method → argument and result. */
export interface Methods {
  attachNatter: [NatterSettings, null];
  loadRing: [{ eips: number }, null];
  progRun: [ProgRunRequest, { nsPerPacket: number }];
  flood: [FloodRequest, FloodResult];
  flushConntrack: [null, null];
  attachSink: [{ links: string[]; capture: boolean }, null];
  arrived: [{ link: string }, number];
  captured: [{ link: string }, number[]];
}
export type Method = keyof Methods;

export interface Call {
  id: number;
  method: Method;
  argument: unknown;
}
export interface Answer {
  id: number;
  result?: unknown;
  error?: string;
}

export const natterSettings = (run: Run, eips: number, hook: Hook): NatterSettings => {
  return { eips, hook, pinDirectory: join(PIN_ROOT, instanceName(run, 'bench')) };
};

/** Which addresses travel on the client's side of a contender. */
export const addressesOf = (contender: Contender): FloodRequest['addresses'] =>
  contender === 'plain' ? 'private' : 'eip';
