// What a TCP listener needs, and what the worker may ask of one of its streams.
import type { Clock } from '../../../shared/clock.ts';
import type { Listener } from '../../../shared/site/lb-objects.ts';
import type { Balancer, PoolState, TargetId } from '../../pools/types.ts';
import type { ClientInfo, Journal, TerminationCause } from '../types.ts';
import type { Upstreams } from '../wiring.ts';

export type TcpOptions = {
  /** The one in force when the stream begins. `tls`: the pool goes by the ClientHello. */
  listener: () => Listener;
  client: ClientInfo;
  upstreams: Pick<Upstreams, 'stream'>;
  balancers: (pool: string) => Balancer | undefined;
  pool: (name: string) => PoolState | undefined;
  journal: Journal;
  clock: Pick<Clock, 'monotonicMs'>;
  /** For a whole ClientHello; 10 s unless told. */
  helloMs?: number;
  /** Once, when both sockets are closed or given up, and the journal knows. */
  onClosed?: () => void;
};

/** How the worker holds a stream. It calls `tick` a few times a second. */
export interface TcpStream {
  /** Nothing has come of it yet. */
  readonly isIdle: boolean;
  readonly isTunnel: true;
  readonly routeName: '';
  /** Where it goes, once that is known. */
  readonly target: { pool: string; id: TargetId } | undefined;
  tick(nowMs: number): void;
  /** A stream has no end but its own: only one of which nothing has come is closed. */
  closeWhenIdle(): void;
  /** At once, both ways; it ends with this cause. */
  destroy(cause: TerminationCause): void;
}
