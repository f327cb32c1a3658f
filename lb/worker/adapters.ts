// Connections of each front as the worker holds them.
import type { Http1Connection } from '../l7/front-http1/types.ts';
import type { Http2Connection } from '../l7/front-http2/types.ts';
import type { Held } from './held.ts';

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
