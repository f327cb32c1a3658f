// A client's connection as the worker holds it, whatever is spoken on it.
import type { Http1Connection } from '../l7/front-http1/types.ts';
import type { Http2Connection } from '../l7/front-http2/types.ts';
import type { TerminationCause } from '../l7/types.ts';

export interface Held {
  /** Nothing has begun that is not ended. */
  readonly isIdle: boolean;
  /** Routes of what has no end of its own to wait for; '' of a stream. */
  readonly tunnelRoutes: readonly string[];
  /** Where a stream goes, once that is known. */
  readonly target?: { pool: string; id: string } | undefined;
  /** Timeouts; called a few times a second. */
  tick(nowMs: number): void;
  /** Closed politely as soon as nothing is open; tunnels stay. */
  closeWhenIdle(): void;
  endTunnels(isGone: (route: string) => boolean, cause: TerminationCause): void;
  /** At once; what is open ends with this cause. */
  destroy(cause: TerminationCause): void;
}

/** HTTP/1.1, or a stream: at most one tunnel. */
export function heldOf(
  connection: Pick<
    Http1Connection,
    'isIdle' | 'isTunnel' | 'routeName' | 'tick' | 'closeWhenIdle' | 'destroy'
  > & { readonly target?: Held['target'] },
): Held {
  return {
    get isIdle() {
      return connection.isIdle;
    },
    get tunnelRoutes() {
      return connection.isTunnel ? [connection.routeName] : [];
    },
    get target() {
      return connection.target;
    },
    tick: (nowMs) => connection.tick(nowMs),
    closeWhenIdle: () => connection.closeWhenIdle(),
    endTunnels(isGone, cause) {
      if (connection.isTunnel && isGone(connection.routeName)) connection.destroy(cause);
    },
    destroy: (cause) => connection.destroy(cause),
  };
}

/** Of an HTTP/2 connection requests end by themselves; WebSockets may have to be ended. */
export function heldHttp2(connection: Http2Connection): Held {
  return {
    get isIdle() {
      return connection.isIdle;
    },
    get tunnelRoutes() {
      return connection.tunnelRoutes;
    },
    tick: (nowMs) => connection.tick(nowMs),
    closeWhenIdle: () => connection.closeWhenIdle(),
    endTunnels: (isGone, cause) => connection.endTunnels(isGone, cause),
    destroy: (cause) => connection.destroy(cause),
  };
}
