// What the forwarder knows of connections to targets beyond lb/l7/types.ts: how it takes an idle
// one without a callback, and what it may retry.
import type { PoolProxy } from '../../../shared/site/lb-objects.ts';
import type { TargetState } from '../../pools/types.ts';
import type { ConnectFailure } from '../types.ts';
import type { UpstreamConnection, UpstreamEvents, Upstreams } from '../wiring.ts';

/** A pool as far as connections depend on it: a PoolState or a Balancer. */
export type PoolLike = { readonly name: string; readonly proxy: PoolProxy };

/** What a request's message is like; it may be the object of the request itself. */
export type MessageShape = {
  readonly isHead: boolean;
  readonly hasBody: boolean;
  readonly isUpgrade: boolean;
  readonly chunked: boolean;
};

export type HeaderList = readonly (readonly [name: string, value: string])[];

/**
 * The bytes of heads, and trailers, are valid during the call that tells them; pieces of bodies are
 * the receiver's.
 */
export interface TargetConnection extends UpstreamConnection {
  /** `sendList` is to be called, not `send`. */
  readonly isHttp2: boolean;
  /** After an error: not a byte of the request left this machine. */
  readonly isUnsent: boolean;
  sendList(headers: HeaderList, shape: MessageShape, events: UpstreamEvents): void;
}

export type ConnectOptions = {
  fresh: boolean;
  proxyHeader?: Buffer | undefined;
  connectMs: number;
};

export interface TargetUpstreams extends Upstreams {
  /** An idle connection that can be sent on at once. */
  takeIdle(pool: PoolLike, target: TargetState): TargetConnection | undefined;
  connect(
    pool: PoolLike,
    target: TargetState,
    options: ConnectOptions,
    done: (result: TargetConnection | ConnectFailure) => void,
  ): () => void;
}
