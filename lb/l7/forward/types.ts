// What the forwarder is given, and what its worker does with it besides forwarding.
import type { Clock } from '../../../shared/clock.ts';
import type { Balancer } from '../../pools/types.ts';
import type { TargetUpstreams } from '../upstream/types.ts';
import type { Forwarder } from '../wiring.ts';
import type { Sticky } from './sticky.ts';

export type ForwarderOptions = {
  upstreams: TargetUpstreams;
  /** Of the pool of that name; undefined: there is none. */
  balancers: (pool: string) => Balancer | undefined;
  clock: Clock;
  /** Signs and checks the cookies of pools with `sticky`. */
  sticky: Sticky;
};

export interface TimedForwarder extends Forwarder {
  /** Ends what waits for too long; to be called about every 100 ms. */
  tick(nowMs: number): void;
  /** Requests that are open now. */
  readonly open: number;
}
